// The small front-end endpoints: GET / and GET /api/health. No auth; they answer at once, whatever the load.
//
// Journey:  Router -> [RootHandler, HealthHandler].
// Shard:    one per shard.
// Promise:  status below 500 while the process can answer at all (clients take that for alive).
// Failure:  none.
#pragma once

#include <string>

#include "net/http/exchange.hpp"

namespace penstock::net {

class RootHandler final : public Handler {
 public:
  explicit RootHandler(std::string version) : version_(std::move(version)) {}
  core::Task<void> handle(Exchange& exchange) override;

 private:
  const std::string version_;
};

class HealthHandler final : public Handler {
 public:
  core::Task<void> handle(Exchange& exchange) override;
};

}  // namespace penstock::net
