#include "net/doors/doors.hpp"

#include <utility>

namespace penstock::net {

Doors::Doors(txn::Store& store, ErrorLogs& error_logs, Options options)
    : authenticator_(std::move(options.users), options.key),
      load_(store, authenticator_, error_logs),
      two_phase_(store, authenticator_),
      transactions_(store, authenticator_),
      load_state_(store, authenticator_),
      schema_(store, authenticator_),
      backends_(authenticator_, options.address),
      node_backends_(authenticator_, options.address, BackendsHandler::Form::NodeBackends),
      node_frontends_(authenticator_, options.address, BackendsHandler::Form::NodeFrontends),
      error_log_(error_logs),
      statement_(store, authenticator_),
      light_change_(store, authenticator_),
      scan_(store, authenticator_, options.sort_memory_max),
      root_(options.version),
      redirect_(router_, options.address) {
  for (const Method method : {Method::Put, Method::Post}) {
    router_.add(method, "/api/{db}/{table}/_stream_load", load_);
    router_.add(method, "/api/{db}/_stream_load_2pc", two_phase_);
    router_.add(method, "/api/{db}/{table}/_stream_load_2pc", two_phase_);
  }
  router_.add(Method::Post, "/api/query/{cluster}/{db}", statement_);
  router_.add(Method::Post, "/api/query/{cluster}", statement_);
  for (const Method method : {Method::Get, Method::Post}) {
    router_.add(method, "/api/enable_light_schema_change/{db}/{table}", light_change_);
  }
  router_.add(Method::Get, "/api/{db}/{table}/_scan", scan_);
  router_.add(Method::Get, "/api/_load_error_log", error_log_);
  router_.add(Method::Get, "/api/{db}/get_load_state", load_state_);
  router_.add(Method::Get, "/api/_transactions", transactions_);
  router_.add(Method::Post, "/api/_transactions/abort", transactions_);
  router_.add(Method::Get, "/api/{db}/{table}/_schema", schema_);
  router_.add(Method::Get, "/api/backends", backends_);
  router_.add(Method::Get, "/rest/v2/manager/node/backends", node_backends_);
  router_.add(Method::Get, "/rest/v2/manager/node/frontends", node_frontends_);
  router_.add(Method::Get, "/api/bootstrap", bootstrap_);
  router_.add(Method::Get, "/api/health", health_);
  router_.add(Method::Get, "/", root_);
}

void Doors::set_address(const std::string& address) {
  for (BackendsHandler* const nodes : {&backends_, &node_backends_, &node_frontends_}) {
    nodes->set_address(address);
  }
  redirect_.set_main_address(address);
}

}  // namespace penstock::net
