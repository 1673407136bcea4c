// Recovery: from a data folder to the manifest of everything that was ever acknowledged.
//
// The last run that got as far as a durable Boot record is the one that counts. Its records, back to the newest snapshot,
// give the state; behind its last good record lies either nothing, or a torn tail (dropped), or damage (refused). See
// architecture section 4, Boot rule.
//
// Journey:  Store::open -> [recover] -> CommitLog::open, Boot record, then doors open.
// Shard:    shard 0, before anything else runs.
// Promise:  reads only; unlinks, truncates and answers nothing. What it returns has been accepted, but the last record
//           and the pieces beside it may not be durable yet: they must be repeated in the new run's Boot record, and the pieces be
//           written again behind that, before anything is answered.
// Failure:  a text that names the file and the offset, and what to do.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "core/io/file.hpp"
#include "txn/checkpoint/manifest.hpp"

namespace penstock::txn {

struct Recovered {
  bool is_new_store = true;
  core::StoreUuid store{};  // zero for a new store: the caller makes one
  std::uint64_t epoch = 1;  // of the run that starts now: above any that a file name carries
  Manifest manifest;
  std::optional<RecordPlace> previous;     // the last accepted record
  std::vector<std::byte> previous_record;  // its bytes
  std::vector<PieceItem> pieces;           // that were in flight beside it: to be repeated, and written again
  std::uint64_t txn_range_end = 1;         // above every TxnId ever given out
  std::vector<FileName> old_files;         // every file of earlier runs
  std::uint64_t records_replayed = 0;
};

core::Task<std::expected<Recovered, std::string>> recover(core::Directory directory);

}  // namespace penstock::txn
