// LogReader: the commit log files of one run, read back in order.
//
// Journey:  recovery and `penstock inspect` -> [read_run].
// Shard:    shard 0, at start.
// Promise:  records come in sequence, each naming the checksum of the one before. Reading stops at the first place where
//           no valid record follows; `damage` is set when a later valid record of the run shows that this cannot be a
//           torn tail (one write is in flight at a time, so whatever a later record follows was synced).
// Failure:  Io. Damage is data, not an error.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/io/file.hpp"
#include "txn/checkpoint/log_record.hpp"

namespace penstock::txn {

struct RunRecords {
  core::StoreUuid store{};
  std::vector<DecodedRecord> records;  // empty only where damage or newer is set
  // The first record is Boot. Otherwise the run's first files were unlinked after a snapshot.
  bool begins_with_boot = false;
  std::vector<std::byte> last_bytes;         // of the last record
  std::vector<std::byte> before_last_bytes;  // of the one before it, if it is in `records`
  std::string damage;                        // "log-… at offset 8192", empty if none
  std::string newer;  // the place of what a newer penstock wrote: nothing may be concluded
  // Where the chain breaks before records.front(), empty if nowhere: what lies before is not in `records`.
  std::string gap;
};

// `files`: the run's log files in order of their counters. Nothing: the run has no readable Boot record.
core::Task<core::Result<std::optional<RunRecords>>> read_run(core::Directory directory,
                                                             std::vector<FileId> files);

}  // namespace penstock::txn
