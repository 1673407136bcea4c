#include "net/query/rest_reply.hpp"

#include <fmt/format.h>

#include "net/json/json_text.hpp"

namespace penstock::net {

Response rest_ok(std::string_view data_json) {
  return Response::json(fmt::format(R"({{"msg":"success","code":0,"data":{},"count":0}})", data_json));
}

Response rest_error(int code, std::string_view msg, std::string_view text) {
  return Response::json(fmt::format(R"({{"msg":{},"code":{},"data":{},"count":0}})", json_string(msg), code,
                                    json_string(text)));
}

Response rest_unauthorized(Authenticator::Refusal why) {
  return rest_error(401, "Unauthorized",
                    why == Authenticator::Refusal::Wrong ? "Access denied: wrong user or password"
                                                         : "Access denied: no valid Basic authorization");
}

Response rest_denied(Act act) { return rest_error(401, "Unauthorized", access_denied(act)); }

}  // namespace penstock::net
