// TwoPhaseHandler: PUT and POST /api/{db}[/{table}]/_stream_load_2pc: commit and abort of transactions.
//
// The request's meaning is in its headers: txn_operation, txn_id, label. A body is not looked at, and need not be there.
//
// Journey:  Router -> [TwoPhaseHandler] -> Store::operate -> reply.
// Shard:    one per shard; the decision is made on shard 0.
// Promise:  always HTTP 200 and {"status": ..., "msg": ...}, both texts (protocol reference 4.5); Success is durable, and a
//           commit's rows are visible.
// Failure:  in `status` and `msg`.
#pragma once

#include "net/auth/authenticator.hpp"
#include "net/http/exchange.hpp"
#include "txn/store/store.hpp"

namespace penstock::net {

class TwoPhaseHandler final : public Handler {
 public:
  TwoPhaseHandler(txn::Store& store, Authenticator& authenticator)
      : store_(store), authenticator_(authenticator) {}
  core::Task<void> handle(Exchange& exchange) override;

 private:
  txn::Store& store_;
  Authenticator& authenticator_;
};

}  // namespace penstock::net
