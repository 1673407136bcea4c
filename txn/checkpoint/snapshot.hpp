// Snapshot: the manifest as of one commit record, in a file of its own, so that start-up does not read history.
//
// A snapshot counts only once a synced commit record names it; only then are older logs unlinked.
//
// Journey:  Coordinator after a log file is full -> [write_snapshot] -> SnapshotItem record; recovery reads it.
// Shard:    shard 0.
// Promise:  when write_snapshot returns, bytes and name are durable.
// Failure:  NoSpace/Io: no snapshot, the older logs stay. A failed sync poisons the store.
#pragma once

#include "core/io/file.hpp"
#include "txn/checkpoint/log_record.hpp"
#include "txn/journal/poison.hpp"

namespace penstock::txn {

core::Task<core::Result<SnapshotItem>> write_snapshot(core::Directory directory, Poison& poison,
                                                      core::StoreUuid store, FileId id,
                                                      std::uint64_t sequence, std::vector<std::byte> payload);
core::Task<core::Result<std::vector<std::byte>>> read_snapshot(core::Directory directory,
                                                               core::StoreUuid store, SnapshotItem item);

}  // namespace penstock::txn
