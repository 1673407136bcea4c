// StatementHandler: POST /api/query/{cluster}/{db} with {"stmt": "..."}: DDL, SHOW, and SELECT of names from
// information_schema, in Doris's words. POST /api/query/{cluster} is the same without a database.
//
// Journey:  Router -> [StatementHandler] -> parse_statement -> Store::execute, or the catalog for SHOW.
// Shard:    one per shard.
// Promise:  code 0 for DDL means: durable, and known to every shard.
// Failure:  HTTP 200 with code 1 and the reason in `data` (clients look at the code).
#pragma once

#include "net/auth/authenticator.hpp"
#include "net/http/exchange.hpp"
#include "txn/store/store.hpp"

namespace penstock::net {

class StatementHandler final : public Handler {
 public:
  StatementHandler(txn::Store& store, Authenticator& authenticator)
      : store_(store), authenticator_(authenticator) {}
  core::Task<void> handle(Exchange& exchange) override;

 private:
  std::shared_ptr<const txn::Catalog> seen_by(const User& user);
  core::Task<Response> run(std::string text, std::string database, User user, core::Shard& shard);

  txn::Store& store_;
  Authenticator& authenticator_;
};

}  // namespace penstock::net
