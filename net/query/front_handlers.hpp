// The small front-end endpoints: GET /, /api/health and /api/bootstrap without auth, /api/backends and
// /rest/v2/manager/node/{backends,frontends} with it. They answer at once, whatever the load.
//
// Journey:  Router -> [RootHandler, HealthHandler, BootstrapHandler, BackendsHandler].
// Shard:    one per shard.
// Promise:  status below 500 while the process can answer at all (clients take that for alive).
// Failure:  none.
#pragma once

#include <string>

#include "net/auth/authenticator.hpp"
#include "net/http/exchange.hpp"

namespace penstock::net {

class RootHandler final : public Handler {
 public:
  explicit RootHandler(std::string version) : version_(std::move(version)) {}
  core::Task<void> handle(Exchange& exchange) override;

 private:
  const std::string version_;
};

class BootstrapHandler final : public Handler {
 public:
  core::Task<void> handle(Exchange& exchange) override;
};

// This process, under the name by which the client reached it: the address in Host, else the one it listens on.
class BackendsHandler final : public Handler {
 public:
  // /api/backends; and the two tables of /rest/v2/manager/node, with names of columns as Doris has them.
  enum class Form : std::uint8_t { Alive, NodeBackends, NodeFrontends };

  BackendsHandler(Authenticator& authenticator, std::string address, Form form = Form::Alive)
      : authenticator_(authenticator), address_(std::move(address)), form_(form) {}
  core::Task<void> handle(Exchange& exchange) override;
  void set_address(std::string address) { address_ = std::move(address); }

 private:
  Authenticator& authenticator_;
  std::string address_;
  const Form form_;
};

class HealthHandler final : public Handler {
 public:
  core::Task<void> handle(Exchange& exchange) override;
};

}  // namespace penstock::net
