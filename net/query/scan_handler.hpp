// ScanHandler: GET /api/{db}/{table}/_scan?columns=a,b&limit=N: a table's rows as tsv, streamed.
//
// Cells as txn/column/value_format writes them. `columns=count(*)` gives the row count, from the block list alone.
//
// Journey:  Router -> [ScanHandler] -> Store::scan -> Scan::next, block by block -> chunked reply.
// Shard:    one per shard; a scan runs where its connection is.
// Promise:  the rows of one checkpoint: all that was acknowledged before the request came, nothing in part. Memory: one
//           block and one chunk of text.
// Failure:  401, 404, 400, or 503 (too many scans are open here) with a JSON text before the first byte; a block that cannot be read cuts the reply off (the
//           client sees that it is not complete) and is logged with its file and offset.
#pragma once

#include "net/auth/authenticator.hpp"
#include "net/http/exchange.hpp"
#include "txn/store/store.hpp"

namespace penstock::net {

class ScanHandler final : public Handler {
 public:
  ScanHandler(txn::Store& store, Authenticator& authenticator)
      : store_(store), authenticator_(authenticator) {}
  core::Task<void> handle(Exchange& exchange) override;

 private:
  struct Wanted {
    bool count_only = false;
    std::vector<std::size_t> columns;  // indexes in the table's schema
    std::uint64_t limit = UINT64_MAX;
  };
  static std::expected<Wanted, std::string> parse(const Request& request, const txn::TableSchema& schema);
  core::Task<void> stream(Exchange& exchange, txn::Scan& scan, const Wanted& wanted);

  txn::Store& store_;
  Authenticator& authenticator_;
  std::size_t open_ = 0;  // scans that run here
};

}  // namespace penstock::net
