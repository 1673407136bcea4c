#include "net/query/front_handlers.hpp"

#include <fmt/format.h>

#include "net/http/host_port.hpp"
#include "net/json/json_text.hpp"
#include "net/query/rest_reply.hpp"

namespace penstock::net {

core::Task<void> RootHandler::handle(Exchange& exchange) {
  (void)co_await exchange.reply(Response::text("penstock " + version_ + "\n"));
}

core::Task<void> BootstrapHandler::handle(Exchange& exchange) {
  (void)co_await exchange.reply(
      rest_ok(R"({"replayedJournalId":0,"queryPort":0,"rpcPort":0,"version":"","startTime":0})"));
}

// Exactly these three keys a backend: Kafka's connector refuses a row with more.
core::Task<void> BackendsHandler::handle(Exchange& exchange) {
  const auto user = co_await authenticator_.check(exchange.request());
  if (!user) {
    (void)co_await exchange.reply(rest_unauthorized(user.error()));
    co_return;
  }
  const auto main = parse_host_port(address_);
  const auto named = parse_host_port(exchange.request().header("host").value_or(""));
  const std::string host = named ? named->host : main ? main->host : "127.0.0.1";
  (void)co_await exchange.reply(
      rest_ok(fmt::format(R"({{"backends":[{{"ip":{},"http_port":{},"is_alive":true}}]}})", json_string(host),
                          main && !main->port.empty() ? main->port : "8040")));
}

core::Task<void> HealthHandler::handle(Exchange& exchange) {
  (void)co_await exchange.reply(rest_ok(R"({"online_backend_num":1,"total_backend_num":1})"));
}

}  // namespace penstock::net
