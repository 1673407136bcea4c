#include "net/query/front_handlers.hpp"

#include "net/query/rest_reply.hpp"

namespace penstock::net {

core::Task<void> RootHandler::handle(Exchange& exchange) {
  (void)co_await exchange.reply(Response::text("penstock " + version_ + "\n"));
}

core::Task<void> HealthHandler::handle(Exchange& exchange) {
  (void)co_await exchange.reply(rest_ok(R"({"online_backend_num":1,"total_backend_num":1})"));
}

}  // namespace penstock::net
