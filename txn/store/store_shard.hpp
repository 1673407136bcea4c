// StoreShard: one shard's part of the store: its journals, its tablets, its open loads and their memory.
//
// Journey:  Store -> [StoreShard] -> JournalWriter, TabletSet, Precommitter; Load lives on it.
// Shard:    one per shard; touched by nobody else (Store reaches it with call_on).
// Promise:  the memory of open loads stays within load_memory_max: beyond it the largest builder is written out as a
//           short block; only where unfinished rows alone fill it the load with the longest one fails.
// Failure:  texts for replies.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "core/io/file.hpp"
#include "core/memory/page_arena.hpp"
#include "core/shard/shard.hpp"
#include "txn/checkpoint/coordinator.hpp"
#include "txn/decode/csv_decoder.hpp"
#include "txn/journal/footer.hpp"
#include "txn/journal/journal_writer.hpp"
#include "txn/rowset/tablet_set.hpp"
#include "txn/store/limits.hpp"
#include "txn/store/precommitter.hpp"

namespace penstock::txn {

class Load;

class StoreShard {
 public:
  // `coordinator` lives on shard 0 and is only named here, to be called there.
  StoreShard(core::Shard& shard, core::Directory directory, core::PageArena& arena, Poison& poison,
             Coordinator& coordinator, const StoreLimits& limits);
  ~StoreShard();

  // All shards of the store, this one among them; `peers` outlives this.
  void set_peers(const std::vector<std::unique_ptr<StoreShard>>& peers) { peers_ = &peers; }
  const std::vector<std::unique_ptr<StoreShard>>& peers() const { return *peers_; }

  void begin_run(Coordinator::Run run);
  core::Task<void> end_run();

  core::Shard& shard() { return shard_; }
  core::Directory directory() const { return directory_; }
  const StoreLimits& limits() const { return limits_; }
  JournalWriter& journal(Lane lane) { return *lanes_[index_of(lane)].journal; }
  JournalWriter& journal_of(FileId file) { return journal(lane_of(file)); }
  bool has_journals() const { return lanes_[0].journal != nullptr; }
  std::vector<FileId> sealed_journals() const;  // of both lanes: JournalWriter::sealed_files
  TabletSet& tablets() { return tablets_; }
  void apply(const VisibleChange& change);  // to the tablets; open loads hear of every catalog
  Precommitter& precommitter(Lane lane) { return lanes_[index_of(lane)].precommitter; }
  DecodeScratch& scratch() { return scratch_; }
  Poison& poison() { return poison_; }
  const core::StoreUuid& store_uuid() const { return run_.store; }

  // Encodes the builder's rows as one block and appends it to the lane's journal. Adds the pinned file to `pins`.
  core::Task<std::expected<BlockRef, std::string>> write_block(Lane lane, const Table& table,
                                                               const BlockBuilder& rows,
                                                               std::vector<FileId>& pins);
  core::Task<std::expected<FooterRef, std::string>> write_footer(Lane lane, Footer footer,
                                                                 std::vector<FileId>& pins);

  core::Task<VoteResult> vote(Vote vote);
  core::Task<void> abort(TxnId txn, std::string reason);  // its label is free when it returns

  // Ends a load that is being received here: it fails with its next piece. In one step with its own decision to vote.
  OpenLoadEnd abort_open(TxnId txn, std::string reason);
  // Whether a load that is open here still waits for its client. With `reads_on` what the client has sent is received first,
  // past the budgets: a load whose connection turns out to have ended is aborted, in one step.
  core::Task<OpenLoadEnd> look_at_open(TxnId txn, bool reads_on);

  // The open loads, for the memory budget.
  void enlist(Load& load) { loads_.push_back(&load); }
  void delist(Load& load);
  std::size_t open_loads() const { return loads_.size(); }
  void note_memory(std::size_t before, std::size_t after);
  std::size_t load_memory() const { return load_memory_; }
  // `is_full`: one builder goes out even if there is memory.
  core::Task<void> keep_memory_bounded(Load& caller, bool is_full = false);
  // Whether this shard has time for rows of another's load: if its own loads have received little for a while, it has
  // memory, and no other load was told so lately.
  bool has_time(TxnId load);
  void note_received(std::size_t bytes) { received_bytes_ += bytes; }  // by its own loads
  void note_segment() { ++segments_; }
  std::uint64_t segments() const { return segments_; }           // of others' loads, read here
  void wake_memory_waiters() { memory_released_.notify_all(); }  // one of them was aborted
  // Windows of compressed bodies. False: together they take more than inflate_memory_max now.
  bool note_inflate_memory(std::size_t before, std::size_t after) {
    inflate_memory_ += after - before;
    return after <= before || inflate_memory_ <= limits_.inflate_memory_max;
  }
  std::size_t inflate_memory() const { return inflate_memory_; }

 private:
  // A journal, what fills it and what syncs it. Neither waits for the other's.
  struct LaneParts {
    LaneParts(StoreShard& shard, Lane lane, std::size_t loads_per_vote_max)
        : precommitter(shard, lane, loads_per_vote_max) {}
    std::unique_ptr<JournalWriter> journal;
    Precommitter precommitter;
    core::Semaphore encode_turn{1};
    std::vector<std::byte> encoded;
  };
  std::uint32_t next_bucket(const Table& table);
  Load* find_open(TxnId txn);

  core::Shard& shard_;
  core::Directory directory_;
  JournalWriter::Buffers write_buffers_;
  Poison& poison_;
  Coordinator& coordinator_;
  const StoreLimits& limits_;
  Coordinator::Run run_{};
  TabletSet tablets_;
  DecodeScratch scratch_;
  std::array<LaneParts, kLanes> lanes_;
  std::uint32_t bucket_turn_ = 0;
  std::vector<Load*> loads_;
  std::size_t load_memory_ = 0;
  std::size_t inflate_memory_ = 0;
  std::uint64_t segments_ = 0;
  std::uint64_t received_bytes_ = 0;  // since `window_began_`
  core::Instant window_began_{};
  bool is_busy_ = false;  // in the window before
  TxnId helped_;
  core::Instant helped_until_{};
  const std::vector<std::unique_ptr<StoreShard>>* peers_ = nullptr;
  core::WaitList memory_released_;
};

}  // namespace penstock::txn
