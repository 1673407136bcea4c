#include "net/query/front_handlers.hpp"

#include <fmt/format.h>

#include "net/http/host_port.hpp"
#include "net/json/json_text.hpp"
#include "net/query/rest_reply.hpp"
#include "net/query/rest_user.hpp"

namespace penstock::net {

core::Task<void> RootHandler::handle(Exchange& exchange) {
  (void)co_await exchange.reply(Response::text("penstock " + version_ + "\n"));
}

core::Task<void> BootstrapHandler::handle(Exchange& exchange) {
  (void)co_await exchange.reply(
      rest_ok(R"({"replayedJournalId":0,"queryPort":0,"rpcPort":0,"version":"","startTime":0})"));
}

namespace {

struct Cell {
  std::string_view column;
  std::string_view value;
};

// Every value is a text; clients look columns up by name.
std::string table_of_one(std::initializer_list<Cell> row) {
  std::string names;
  std::string values;
  for (const Cell& cell : row) {
    for (std::string* const list : {&names, &values}) *list += list->empty() ? "" : ",";
    append_json_string(names, cell.column);
    append_json_string(values, cell.value);
  }
  return fmt::format(R"({{"columnNames":[{}],"rows":[[{}]]}})", names, values);
}

// A port of -1 is one that nobody listens on: clients then say what they miss.
std::string describe(BackendsHandler::Form form, std::string_view host, std::string_view port) {
  switch (form) {
    case BackendsHandler::Form::Alive:
      // Exactly these three keys a backend: Kafka's connector refuses a row with more.
      return fmt::format(R"({{"backends":[{{"ip":{},"http_port":{},"is_alive":true}}]}})", json_string(host),
                         port);
    case BackendsHandler::Form::NodeBackends:
      return table_of_one({{"BackendId", "1"},
                           {"Host", host},
                           {"HeartbeatPort", "-1"},
                           {"BePort", "-1"},
                           {"HttpPort", port},
                           {"BrpcPort", "-1"},
                           {"ArrowFlightSqlPort", "-1"},
                           {"Alive", "true"},
                           {"SystemDecommissioned", "false"},
                           {"Tag", R"({"location" : "default"})"},
                           {"ErrMsg", ""}});
    case BackendsHandler::Form::NodeFrontends:
      break;
  }
  return table_of_one({{"Name", "fe1"},
                       {"Host", host},
                       {"EditLogPort", "-1"},
                       {"HttpPort", port},
                       {"QueryPort", "-1"},
                       {"RpcPort", "-1"},
                       {"ArrowFlightSqlPort", "-1"},
                       {"Role", "FOLLOWER"},
                       {"IsMaster", "true"},
                       {"Join", "true"},
                       {"Alive", "true"},
                       {"ErrMsg", ""}});
}

}  // namespace

core::Task<void> BackendsHandler::handle(Exchange& exchange) {
  if (!co_await rest_user(exchange, authenticator_)) co_return;
  const auto main = parse_host_port(address_);
  const auto named = parse_host_port(exchange.request().header("host").value_or(""));
  const std::string host = named ? named->host : main ? main->host : "127.0.0.1";
  const std::string port = main && !main->port.empty() ? main->port : "8040";
  (void)co_await exchange.reply(rest_ok(describe(form_, host, port)));
}

core::Task<void> HealthHandler::handle(Exchange& exchange) {
  (void)co_await exchange.reply(rest_ok(R"({"online_backend_num":1,"total_backend_num":1})"));
}

}  // namespace penstock::net
