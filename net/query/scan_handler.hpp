// ScanHandler: GET /api/{db}/{table}/_scan: a table's rows, streamed. net/query/scan_request says what may be asked for.
//
// `columns=count(*)` gives the row count, from the block list alone. With order_by the rows are gathered first: keys and
// finished rows in memory, at most sort_memory_max on a shard, whatever number of such scans runs; a limit of up to
// RowSorter::kSmallLimit rows sorts a table of any size.
//
// Journey:  Router -> [ScanHandler] -> Store::scan -> Scan::next, block by block -> RowWriter (-> RowSorter) -> reply.
// Shard:    one per shard; a scan runs where its connection is.
// Promise:  the rows of one checkpoint: all that was acknowledged before the request came, nothing in part. Memory: one
//           block, one chunk of text, and what a sort holds.
// Failure:  401, 403, 404, 400 or 503 (too many scans are open here) with a JSON text before the first byte (also: too much to
//           sort, with the name of the limit); a block that cannot be read cuts the reply off (the client sees that it is
//           not complete; before the first byte it is a 500) and is logged with its file and offset.
#pragma once

#include "net/auth/authenticator.hpp"
#include "net/http/exchange.hpp"
#include "net/query/row_writer.hpp"
#include "txn/store/row_sorter.hpp"
#include "txn/store/store.hpp"

namespace penstock::net {

class ScanHandler final : public Handler {
 public:
  static constexpr std::size_t kSortMemoryDefault = 256 * core::kMiB;

  ScanHandler(txn::Store& store, Authenticator& authenticator,
              std::size_t sort_memory_max = kSortMemoryDefault)
      : store_(store), authenticator_(authenticator), sort_memory_max_(sort_memory_max) {}
  core::Task<void> handle(Exchange& exchange) override;

 private:
  class SortMemory;  // what one sort has taken of sort_memory_max_

  core::Task<Response> count(Exchange& exchange, txn::Scan& scan, const ScanRequest& wanted);
  core::Task<void> stream(Exchange& exchange, txn::Scan& scan, const ScanRequest& wanted);
  core::Task<void> stream_sorted(Exchange& exchange, txn::Scan& scan, const ScanRequest& wanted);
  // Why it could not be done; nothing: all rows are in.
  core::Task<std::optional<Response>> gather(Exchange& exchange, txn::Scan& scan, const ScanRequest& wanted,
                                             const RowWriter& writer, txn::RowSorter& sorter,
                                             SortMemory& memory);

  txn::Store& store_;
  Authenticator& authenticator_;
  std::size_t open_ = 0;  // scans that run here
  const std::size_t sort_memory_max_;
  std::size_t sort_memory_ = 0;
};

}  // namespace penstock::net
