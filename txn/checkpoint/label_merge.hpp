// merge_label_runs: several label runs become one, without what is out of date.
//
// Journey:  Coordinator::merge_labels -> LabelBook::merge -> [merge_label_runs] -> LabelRunWriter.
// Shard:    shard 0; it yields every few hundred entries and holds 64 KiB of each run.
// Promise:  of two outcomes of one label the newer run's is kept; nothing that is to be kept is lost.
// Failure:  a text; the runs are as they were, and the new file is gone. An empty text: it was told to give up.
#pragma once

#include <algorithm>
#include <expected>
#include <string>
#include <vector>

#include "txn/checkpoint/label_run_writer.hpp"

namespace penstock::txn {

// What need not be kept any more: outcomes from before `keep_from`, and of databases that were dropped (ids are never used
// again).
struct LabelRetention {
  std::uint64_t keep_from = 0;        // running seconds
  std::vector<DatabaseId> databases;  // sorted: all there are

  bool keeps(DatabaseId database, std::uint64_t finished_at) const {
    return finished_at >= keep_from && std::binary_search(databases.begin(), databases.end(), database);
  }
};

// `runs`: oldest first. Nothing: no entry was left.
core::Task<std::expected<std::shared_ptr<LabelRun>, std::string>> merge_label_runs(
    LabelPlace place, FileId id, std::uint32_t level, std::vector<std::shared_ptr<LabelRun>> runs,
    LabelRetention retention, const bool* give_up);

}  // namespace penstock::txn
