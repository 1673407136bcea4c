// Doors: one shard's handlers, and which request goes to which. The server, the tests and the simulator open the same.
//
// Journey:  Server -> [Doors: main(), redirecting()] -> net/load, net/query.
// Shard:    one per shard, made and used there.
// Promise:  every route of docs/protocol.md is in the constructor, and nowhere else.
// Failure:  none of its own.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "net/auth/authenticator.hpp"
#include "net/http/router.hpp"
#include "net/load/error_log_handler.hpp"
#include "net/load/load_handler.hpp"
#include "net/load/redirect_handler.hpp"
#include "net/load/two_phase_handler.hpp"
#include "net/query/front_handlers.hpp"
#include "net/query/light_change_handler.hpp"
#include "net/query/scan_handler.hpp"
#include "net/query/schema_handler.hpp"
#include "net/query/statement_handler.hpp"
#include "net/query/transactions_handler.hpp"

namespace penstock::net {

class Doors {
 public:
  struct Options {
    std::string address;  // "host:port" that clients are told
    std::string version;
    std::size_t sort_memory_max = ScanHandler::kSortMemoryDefault;
    std::vector<UserEntry> users;
    Authenticator::Key key{};  // random bytes of this process
  };
  Doors(txn::Store& store, ErrorLogs& error_logs, Options options);
  Doors(const Doors&) = delete;
  Doors& operator=(const Doors&) = delete;

  Handler& main() { return router_; }
  Handler& redirecting() { return redirect_; }   // of the second listener, where there is one
  void set_address(const std::string& address);  // the port that was really taken
  void replace_users(std::vector<UserEntry> users) { authenticator_.replace(std::move(users)); }

 private:
  Authenticator authenticator_;
  LoadHandler load_;
  TwoPhaseHandler two_phase_;
  TransactionsHandler transactions_;
  LoadStateHandler load_state_;
  SchemaHandler schema_;
  BackendsHandler backends_;
  BackendsHandler node_backends_;
  BackendsHandler node_frontends_;
  BootstrapHandler bootstrap_;
  ErrorLogHandler error_log_;
  StatementHandler statement_;
  LightChangeHandler light_change_;
  ScanHandler scan_;
  HealthHandler health_;
  RootHandler root_;
  Router router_;
  RedirectHandler redirect_;
};

}  // namespace penstock::net
