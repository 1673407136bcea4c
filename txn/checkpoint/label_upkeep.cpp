// Coordinator: the label book's way to disk. Outcomes go from memory into runs, runs are merged, and files of runs that count
// no more are unlinked once a durable snapshot does without them.
#include <algorithm>

#include "core/base/log.hpp"
#include "core/base/planted.hpp"
#include "txn/checkpoint/coordinator.hpp"

namespace penstock::txn {

std::uint64_t Coordinator::labels_keep_from() const {
  const std::uint64_t now = running_seconds();
  return now > limits_.label_retention_seconds ? now - limits_.label_retention_seconds : 0;
}

LabelRetention Coordinator::label_retention() const {
  LabelRetention retention{.keep_from = labels_keep_from(), .databases = {}};
  for (const auto& [name, database] : manifest_.catalog()->databases())
    retention.databases.push_back(database->id);
  std::sort(retention.databases.begin(), retention.databases.end());
  return retention;
}

void Coordinator::want_snapshot() {
  if (snapshot_under_way_) {
    snapshot_again_ = true;
    return;
  }
  snapshot_under_way_ = true;
  ++background_;
  shard_.spawn(take_snapshot());
}

// Before a snapshot, so that it stays small: what it does not name it must hold.
core::Task<void> Coordinator::write_labels() {
  constexpr int kRunsMax = 2;  // outcomes go on coming: the snapshot must be taken all the same
  LabelBook& labels = manifest_.labels();
  labels.expire_runs(labels_keep_from());
  const bool is_early = labels.in_memory() > 0 && shard_.perhaps(core::Perhaps::LabelsAreMany);
  for (int i = 0; i < kRunsMax && (labels.wants_flush(limits_.labels) || (is_early && i == 0)); ++i) {
    const std::size_t outcomes = labels.in_memory();
    const auto written =
        co_await labels.flush(label_place(), next_label_file(), limits_.labels, label_retention());
    if (!written) {
      core::log_warn("label_run_failed", "error", written.error().to_string(), "effect",
                     "labels stay in memory and in snapshots, and it is tried again");
      co_return;
    }
    ++stats_.label_runs;
    core::log_debug("label_run_written", "outcomes", outcomes, "runs", labels.runs().size());
  }
}

void Coordinator::merge_labels() {
  while (!merges_give_up_ && log_->accepts_loads()) {  // a merge takes room before it gives any back
    const auto level = manifest_.labels().level_to_merge(limits_.labels);
    if (!level) return;
    ++background_;
    shard_.spawn(merge_level(*level));  // from now on the level is being merged
  }
}

core::Task<void> Coordinator::merge_level(std::uint32_t level) {
  LabelBook& labels = manifest_.labels();
  const auto merged = co_await labels.merge(label_place(), next_label_file(), limits_.labels, level,
                                            label_retention(), &merges_give_up_);
  if (merged) {
    ++stats_.label_merges;
    core::log_debug("labels_merged", "level", level, "runs", labels.runs().size(), "outcomes", labels.size(),
                    "memory_bytes", labels.run_memory_bytes());
    if (core::planted(core::Planted::UnlinkMergedRuns)) co_await bury_label_runs(labels.take_dead_runs());
    want_snapshot();  // the old runs take room until one does without them
  } else if (!merged.error().empty()) {
    core::log_warn("label_merge_failed", "error", merged.error(), "effect",
                   "the runs stay as they are; it is tried again when as many more have come");
  }
  --background_;
  idle_.notify_all();
}

core::Task<void> Coordinator::bury_label_runs(LabelBook::Runs runs) {
  for (const auto& run : runs) {
    co_await unlink_files(FileKind::LabelRun, {run->info().file});
    co_await run->close();
  }
}

}  // namespace penstock::txn
