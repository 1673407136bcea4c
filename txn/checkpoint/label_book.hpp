// LabelBook: committed outcomes, answerable by (database, label) and by TxnId.
//
// Exactly once rests on it: a client that lost its reply asks again under the same label. The newest outcomes are in memory;
// older ones in sorted runs on disk, of which the filters and the first key of each page are in memory. So a question has two
// steps: look() says at once what memory knows, and whether the runs have to be read; read() reads them.
//
// Outcomes are kept for a retention time that counts the store's running time, so a jumping wall clock forgets nothing.
// Questions come with `keep_from`: what finished before it is as good as forgotten, wherever it still lies.
//
// Journey:  Manifest::apply(Checkpoint) -> [LabelBook] <- Coordinator::begin, operate, state_of ask.
// Shard:    shard 0.
// Promise:  an outcome, once there, never changes until it expires. A run takes the place of what it was made of only when it
//           is whole; its file counts once a snapshot that names it does.
// Failure:  read(): a text with file and offset, never "not there". flush(), merge(): what there was stays, and is tried
//           again. decode() sets the reader's failure.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.hpp"
#include "txn/checkpoint/label_memory.hpp"
#include "txn/checkpoint/label_merge.hpp"
#include "txn/checkpoint/label_run.hpp"
#include "txn/checkpoint/transaction.hpp"

namespace penstock::txn {

class LabelBook {
 public:
  struct Limits {
    std::size_t in_memory = 32'768;  // outcomes, before they go into a run
    std::size_t fan_in = 8;          // runs of one level that become one of the next
  };
  using Outcome = LabelRun::Outcome;
  using Runs = std::vector<std::shared_ptr<LabelRun>>;

  void add(const LoadInfo& load, std::uint64_t running_seconds);
  void forget_database(DatabaseId database) { memory_.forget_database(database); }

  // ---- Questions
  struct Looked {
    std::optional<Outcome> found;
    bool must_read = false;  // nothing is known yet: read() knows
  };
  Looked look(DatabaseId database, std::string_view label, std::uint64_t keep_from) const;
  Looked look(DatabaseId database, TxnId txn, std::uint64_t keep_from) const;
  // Of the runs as they are when it is called.
  core::Task<LabelRun::Found<Outcome>> read(DatabaseId database, std::string label,
                                            std::uint64_t keep_from) const;
  core::Task<LabelRun::Found<Outcome>> read(DatabaseId database, TxnId txn, std::uint64_t keep_from) const;
  // Changes whenever the runs do: a read() that found nothing is good for as long as it stays the same.
  std::uint64_t generation() const { return generation_; }

  // ---- Runs
  const Runs& runs() const { return runs_; }
  bool has_run(FileId file) const;
  void add_run(std::shared_ptr<LabelRun> run);
  // Reads back what the snapshot named; before the first question.
  core::Task<std::expected<void, std::string>> open_runs(core::Directory directory, core::StoreUuid store);
  core::Task<void> close();
  // Writes what is in memory as a run; outcomes go on being added meanwhile.
  bool wants_flush(const Limits& limits) const { return in_memory() >= limits.in_memory + flush_later_; }
  core::Task<core::Result<>> flush(LabelPlace place, FileId id, Limits limits, LabelRetention retention);
  // A level that has enough runs to be merged, and is not being.
  std::optional<std::uint32_t> level_to_merge(const Limits& limits) const;
  core::Task<std::expected<void, std::string>> merge(LabelPlace place, FileId id, Limits limits,
                                                     std::uint32_t level, LabelRetention retention,
                                                     const bool* give_up);
  // Lets go of runs in which everything is out of date.
  void expire_runs(std::uint64_t keep_from);
  // Runs that count no more, once no snapshot names them: to be unlinked and closed.
  bool has_dead_runs() const { return !dead_.empty(); }
  Runs take_dead_runs() { return std::exchange(dead_, {}); }
  void give_back_dead_runs(Runs runs);

  std::size_t in_memory() const { return memory_.size() + frozen_.size(); }
  std::uint64_t size() const;  // outcomes, some of which may be out of date
  std::size_t run_memory_bytes() const;

  void encode(core::ByteWriter& out) const;
  void decode(core::ByteReader& in, bool has_runs);

 private:
  core::Task<core::Result<>> write_frozen(LabelRunWriter* writer, LabelRetention retention) const;
  core::Task<void> drop_frozen(core::Shard* shard);

  LabelMemory memory_;
  LabelMemory frozen_;  // being written as a run, or to be tried again
  Runs runs_;           // oldest first, so levels go down
  Runs dead_;
  std::uint64_t generation_ = 0;
  std::size_t flush_later_ = 0;  // behind a flush that failed
  std::map<std::uint32_t, std::size_t>
      merge_later_;  // by level: so many more runs, behind a merge that failed
};

}  // namespace penstock::txn
