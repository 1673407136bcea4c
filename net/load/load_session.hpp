// A load session: one load on its shard, from `100 Continue` to the reply.
//
// Journey:  LoadHandler -> [run_load_session] -> BodyReader pieces -> txn::Load -> reply.
// Shard:    the load's.
// Promise:  the load is finished or aborted when it returns. After Success was sent the rows are visible everywhere.
// Failure:  a Fail reply; a connection that breaks in mid body aborts the load at once.
#pragma once

#include "net/http/exchange.hpp"
#include "net/load/load_request.hpp"
#include "txn/store/store.hpp"

namespace penstock::net {

// What a load carries from the shard its connection came to, to the shard it runs on.
struct BegunLoad : HandoverState {
  LoadRequest request;
  txn::BeganLoad load;
  core::Instant received;       // when its head was complete
  core::Duration begin_time{};  // what begin took
};

class ErrorLogs;
core::Task<void> run_load_session(Exchange& exchange, txn::Store& store, ErrorLogs& error_logs,
                                  std::unique_ptr<BegunLoad> begun);

}  // namespace penstock::net
