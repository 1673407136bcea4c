// What a statement does, and to which databases: by its parsed text, whatever the URL says.
//
// Journey:  StatementHandler -> [denied_act] -> an answer, before anything is looked up.
// Shard:    any; a pure function.
// Promise:  every database that the statement touches is judged, a name without one as `current`.
// Failure:  the first act that the grants do not permit; nothing: all are.
#pragma once

#include <optional>
#include <string>

#include "net/auth/grants.hpp"
#include "txn/schema/statement.hpp"

namespace penstock::net {

std::optional<Act> denied_act(const Grants& grants, const txn::Statement& statement,
                              const std::string& current);

}  // namespace penstock::net
