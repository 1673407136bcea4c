// TransactionsHandler: GET /api/_transactions, what is open or prepared; POST /api/_transactions/abort, its end.
// LoadStateHandler: GET /api/{db}/get_load_state?label=..., the state of one label.
//
// The list takes db, state (PREPARE or PRECOMMITTED), label_prefix, after (a TxnId) and limit (1000; at most 10000); the
// abort wants db and label_prefix, so that nobody ends everything by leaving one out.
//
// Journey:  Router -> [TransactionsHandler] -> Store::transactions, abort_all; [LoadStateHandler] -> Store::label_state.
// Shard:    one per shard; answered from shard 0.
// Promise:  HTTP 200 and the front end's wrapper; an abort that is counted is durable.
// Failure:  code 401 or 403 and a text that says what is missing.
#pragma once

#include "net/auth/authenticator.hpp"
#include "net/http/exchange.hpp"
#include "txn/store/store.hpp"

namespace penstock::net {

class TransactionsHandler final : public Handler {
 public:
  TransactionsHandler(txn::Store& store, Authenticator& authenticator)
      : store_(store), authenticator_(authenticator) {}
  core::Task<void> handle(Exchange& exchange) override;

 private:
  core::Task<Response> list(const Request& request);
  core::Task<Response> abort(const Request& request);

  txn::Store& store_;
  Authenticator& authenticator_;
};

class LoadStateHandler final : public Handler {
 public:
  LoadStateHandler(txn::Store& store, Authenticator& authenticator)
      : store_(store), authenticator_(authenticator) {}
  core::Task<void> handle(Exchange& exchange) override;

 private:
  txn::Store& store_;
  Authenticator& authenticator_;
};

}  // namespace penstock::net
