// SchemaHandler: GET /api/{db}/{table}/_schema, a table's columns as connectors ask for them before they load.
//
// Journey:  Router -> [SchemaHandler] -> the catalog of this shard.
// Shard:    one per shard.
// Promise:  the type names of Doris's primitive types (DECIMAL64, DATEV2, ...); `data.status` is the number 200, without
//           which Flink's connector refuses the reply.
// Failure:  code 1 with a text for an unknown name; 401.
#pragma once

#include <string>

#include "net/auth/authenticator.hpp"
#include "net/http/exchange.hpp"
#include "txn/store/store.hpp"

namespace penstock::net {

std::string format_schema(const txn::Table& table);

class SchemaHandler final : public Handler {
 public:
  SchemaHandler(txn::Store& store, Authenticator& authenticator)
      : store_(store), authenticator_(authenticator) {}
  core::Task<void> handle(Exchange& exchange) override;

 private:
  txn::Store& store_;
  Authenticator& authenticator_;
};

}  // namespace penstock::net
