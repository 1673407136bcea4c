// ErrorLogHandler: GET and HEAD /api/_load_error_log?file=...: what ErrorURL leads to.
//
// Journey:  Router -> [ErrorLogHandler] -> ErrorLogs::read, on whichever shard keeps it.
// Shard:    one per shard.
// Promise:  plain text that a browser shows as such, without authentication: the name is the secret.
// Failure:  400 without a file; 404 for one that is not known, or not any more.
#pragma once

#include "net/http/exchange.hpp"
#include "net/load/error_logs.hpp"

namespace penstock::net {

class ErrorLogHandler final : public Handler {
 public:
  explicit ErrorLogHandler(ErrorLogs& logs) : logs_(logs) {}
  core::Task<void> handle(Exchange& exchange) override;

 private:
  ErrorLogs& logs_;
};

}  // namespace penstock::net
