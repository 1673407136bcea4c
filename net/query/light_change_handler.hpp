// LightChangeHandler: GET /api/enable_light_schema_change/{db}/{table}: whether ALTER TABLE takes effect at once.
//
// It always does here; clients send the body {"isDropColumn": true, "columnName": "c"} to learn whether a column may go.
// A GET with a body: that is how Doris's connectors ask.
//
// Journey:  Router -> [LightChangeHandler] -> the catalog of this shard.
// Shard:    one per shard.
// Promise:  code 0: the column could be added or dropped as the catalog is now.
// Failure:  code 1 with a text: an unknown table, or a column that cannot be dropped; 401; 403 for a body that is no JSON.
#pragma once

#include "net/auth/authenticator.hpp"
#include "net/http/exchange.hpp"
#include "txn/store/store.hpp"

namespace penstock::net {

class LightChangeHandler final : public Handler {
 public:
  LightChangeHandler(txn::Store& store, Authenticator& authenticator)
      : store_(store), authenticator_(authenticator) {}
  core::Task<void> handle(Exchange& exchange) override;

 private:
  Response answer(std::string_view database, std::string_view name, const std::string& body) const;

  txn::Store& store_;
  Authenticator& authenticator_;
};

}  // namespace penstock::net
