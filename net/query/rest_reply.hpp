// The wrapper of the front end's REST replies: {"msg":"success","code":0,"data":...,"count":0}, always HTTP 200.
//
// Journey:  net/query's handlers -> [rest_ok, rest_error] -> Exchange::reply.
// Shard:    any; pure functions.
// Promise:  codes and words of protocol reference section 5.
// Failure:  none.
#pragma once

#include <string>
#include <string_view>

#include "net/auth/authenticator.hpp"
#include "net/http/message.hpp"

namespace penstock::net {

Response rest_ok(std::string_view data_json);
Response rest_error(int code, std::string_view msg, std::string_view text);
Response rest_unauthorized(Authenticator::Refusal why);
Response rest_denied(Act act);  // a user without the right

}  // namespace penstock::net
