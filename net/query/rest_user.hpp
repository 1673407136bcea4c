// rest_user: who asks at a REST door, and whether he may.
//
// Journey:  net/query's handlers, before they look at anything else of a request -> [rest_user] -> Authenticator, Grants.
// Shard:    the connection's.
// Promise:  nobody who is not let in hears more than that.
// Failure:  nothing comes back, and the refusal has been answered.
#pragma once

#include <optional>

#include "net/auth/authenticator.hpp"
#include "net/http/exchange.hpp"

namespace penstock::net {

core::Task<std::optional<User>> rest_user(Exchange& exchange, Authenticator& authenticator);
// And may do this in the {db} of the path.
core::Task<std::optional<User>> rest_user(Exchange& exchange, Authenticator& authenticator, Act act);

}  // namespace penstock::net
