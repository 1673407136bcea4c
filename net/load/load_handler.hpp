// LoadHandler: PUT and POST /api/{db}/{table}/_stream_load.
//
// Everything about the head is checked before `100 Continue`. The load is begun on shard 0, which also says where it runs;
// the connection moves there if it is elsewhere. Once a request is known to be a load every refusal is HTTP 200 with
// `Status: Fail`: a real client takes any other code for done and loses its rows.
//
// Journey:  Router -> [LoadHandler] -> Store::begin -> run_load_session (net/load/load_session).
// Shard:    one per shard.
// Promise:  a load that was begun here is finished or aborted when handle() returns, on whichever shard.
// Failure:  Fail replies.
#pragma once

#include "net/auth/authenticator.hpp"
#include "net/http/exchange.hpp"
#include "net/load/load_request.hpp"
#include "txn/store/store.hpp"

namespace penstock::net {

class LoadHandler final : public Handler {
 public:
  LoadHandler(txn::Store& store, Authenticator& authenticator)
      : store_(store), authenticator_(authenticator) {}
  core::Task<void> handle(Exchange& exchange) override;

 private:
  core::Task<void> refuse(Exchange& exchange, const LoadRequest& request, const txn::LoadError& why);

  txn::Store& store_;
  Authenticator& authenticator_;
};

}  // namespace penstock::net
