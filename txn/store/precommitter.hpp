// Precommitter: makes the loads that have ended durable, many with one sync, and votes for them.
//
// Blocks that other shards have written of a load are synced by those shards, at the same time.
//
// While one sync is under way the loads that end meanwhile gather; the next sync serves them all. Plain loads of one
// schema whose rows did not fill a block share one; a two-phase load never shares, because its fate is its own.
//
// Journey:  Load::finish -> [Precommitter::precommit] -> JournalWriter, then Coordinator::vote on shard 0.
// Shard:    one per shard and lane: a load that has written blocks, here or elsewhere, is Bulk.
// Promise:  returns ok once the load's rows are durable and its commit record (visible) or Prepared record (two-phase) is
//           synced and applied on every shard.
// Failure:  the text for the reply; nothing of the load is or becomes visible. Poisoned: never returns.
#pragma once

#include <deque>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "core/shard/shard.hpp"
#include "core/task/sync.hpp"
#include "txn/checkpoint/coordinator.hpp"
#include "txn/column/block_builder.hpp"
#include "txn/journal/journal_writer.hpp"

namespace penstock::txn {

class StoreShard;

// Journal files of another shard that a load has rows in. They are pinned there until it is decided.
struct FilesElsewhere {
  StoreShard* shard = nullptr;
  std::vector<FileId> files;
};

// A load whose body has ended and whose rows are judged good.
struct EndedLoad {
  BeganLoad load;
  std::uint64_t rows = 0;
  std::vector<BlockRef> blocks;           // written already
  std::vector<FileId> pins;               // journal files to unpin when it is decided
  std::unique_ptr<BlockBuilder> rest;     // rows not written yet; null or empty if none
  std::vector<FilesElsewhere> elsewhere;  // where other shards have written blocks of it
  // Filled in by the Precommitter:
  VoteResult result{};
  core::Event decided;
};

class Precommitter {
 public:
  Precommitter(StoreShard& shard, Lane lane, std::size_t loads_per_vote_max)
      : shard_(shard), lane_(lane), loads_per_vote_max_(loads_per_vote_max) {}

  core::Task<VoteResult> precommit(EndedLoad& load);
  core::Task<void> run();  // spawned once; ends after stop() when nothing waits
  void stop();

  struct Stats {
    std::uint64_t batches = 0;
    std::uint64_t loads = 0;
    std::uint64_t shared_blocks = 0;
  };
  const Stats& stats() const { return stats_; }

 private:
  struct Batch;
  struct Group;
  struct Elsewhere;

  static std::deque<Elsewhere> files_elsewhere(const Batch& batch);
  static core::Task<void> sync_there(Elsewhere* where);
  static core::Task<void> sync_elsewhere(Elsewhere* where, core::Countdown* countdown);

  core::Task<void> write(Batch& batch);
  core::Task<std::expected<void, std::string>> write_plain(Group& group);
  core::Task<std::expected<void, std::string>> write_two_phase(Group& group);
  core::Task<void> vote(std::shared_ptr<Batch> batch);
  core::Task<void> land(std::shared_ptr<Batch> batch);
  void answer(EndedLoad& load, VoteResult result);

  StoreShard& shard_;
  const Lane lane_;
  const std::size_t loads_per_vote_max_;
  std::deque<EndedLoad*> waiting_;
  core::WaitList work_;
  bool stopping_ = false;
  Stats stats_;
};

}  // namespace penstock::txn
