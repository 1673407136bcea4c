#include "txn/store/store_shard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/planted.hpp"
#include "txn/column/block_format.hpp"
#include "txn/store/load.hpp"

namespace penstock::txn {

using core::Planted;
using core::planted;

namespace {
// An encoded block larger than this gives its memory back after it is written (rows of many MiB are rare).
constexpr std::size_t kKeptScratchBytes = 4 * core::kMiB;
// Files of small loads are as much smaller, so that they are dead, and go, as much sooner.
constexpr std::uint64_t kSmallFilesPerBulk = 4;
// Values encoded between two turns of others: what waits for a commit waits for some 50 us of it, or for one column.
constexpr std::size_t kEncodeSlice = 256 * core::kKiB;
// Over which it is looked at whether a shard is busy: more than a block's input received in it.
constexpr core::Duration kTimeWindow = std::chrono::milliseconds(20);

std::string write_failed(const core::Error& error) {
  if (error.code == core::Errc::NoSpace) {
    return fmt::format("the disk is full: {}. Nothing of this load is visible; free space, then load again",
                       error.to_string());
  }
  return fmt::format("writing the journal failed: {}. Nothing of this load is visible; load it again",
                     error.to_string());
}
}  // namespace

StoreShard::StoreShard(core::Shard& shard, core::Directory directory, core::PageArena& arena, Poison& poison,
                       Coordinator& coordinator, const StoreLimits& limits)
    : shard_(shard),
      directory_(directory),
      write_buffers_{.arena = arena, .released = {}},
      poison_(poison),
      coordinator_(coordinator),
      limits_(limits),
      tablets_(shard.id(), shard.set().count()),
      lanes_{
          {{*this, Lane::Bulk, limits.loads_per_vote_max}, {*this, Lane::Small, limits.loads_per_vote_max}}} {
  CHECK_GE(limits.write_buffers, kLanes);  // or one lane could wait for the buffer that the other keeps
}

StoreShard::~StoreShard() = default;

namespace {
core::Task<void> want_reclaim_there(Coordinator* coordinator) {
  coordinator->want_reclaim();
  co_return;
}
core::Task<void> send_want_reclaim(Coordinator* coordinator) {
  co_await core::call_on(core::ShardId(0), [coordinator] { return want_reclaim_there(coordinator); });
}
}  // namespace

void StoreShard::begin_run(Coordinator::Run run) {
  run_ = run;
  for (const Lane lane : kAllLanes) {
    LaneParts& parts = lanes_[index_of(lane)];
    JournalWriter::Limits limits = limits_.journal;
    if (lane == Lane::Small)
      limits.file_bytes = std::max(limits.file_bytes / kSmallFilesPerBulk,
                                   std::min(limits.file_bytes, limits.file_bytes_min));
    parts.journal = std::make_unique<JournalWriter>(
        shard_, directory_, write_buffers_, poison_,
        JournalWriter::Place{.store = run.store, .epoch = run.epoch, .lane = lane}, limits);
    parts.journal->on_file_full([this] { shard_.spawn(send_want_reclaim(&coordinator_)); });
    shard_.spawn(parts.precommitter.run());
  }
}

core::Task<void> StoreShard::end_run() {
  for (LaneParts& parts : lanes_) parts.precommitter.stop();
  for (LaneParts& parts : lanes_) {
    if (parts.journal != nullptr) co_await parts.journal->close();
  }
}

std::vector<FileId> StoreShard::sealed_journals() const {
  std::vector<FileId> all;
  for (const LaneParts& parts : lanes_) {
    if (parts.journal == nullptr) continue;
    const std::vector<FileId> files = parts.journal->sealed_files();
    all.insert(all.end(), files.begin(), files.end());
  }
  return all;
}

// Rows of a DUPLICATE KEY table go to a bucket that this shard owns, in turn; where it owns none, to any.
std::uint32_t StoreShard::next_bucket(const Table& table) {
  const std::uint32_t turn = bucket_turn_++;
  for (std::uint32_t i = 0; i < table.buckets; ++i) {
    const std::uint32_t bucket = (turn + i) % table.buckets;
    if (owner_of(table.id, bucket, shard_.set().count()) == shard_.id()) return bucket;
  }
  return turn % table.buckets;
}

core::Task<std::expected<BlockRef, std::string>> StoreShard::write_block(Lane lane, const Table& table,
                                                                         const BlockBuilder& rows,
                                                                         std::vector<FileId>& pins) {
  LaneParts& parts = lanes_[index_of(lane)];
  co_await parts.encode_turn.acquire();
  const std::uint32_t bucket = next_bucket(table);
  BlockRef block{.extent = {},
                 .table = table.id,
                 .schema = rows.schema().id,
                 .rows = static_cast<std::uint32_t>(rows.rows()),
                 .bucket_low = bucket,
                 .bucket_high = bucket,
                 .first_row_offset = rows.first_row_offset()};
  parts.encoded.clear();
  BlockEncoder encoder(
      rows,
      BlockMeta{.table = table.id, .key_model = table.key_model, .bucket_low = bucket, .bucket_high = bucket},
      parts.encoded);
  while (encoder.step(kEncodeSlice)) co_await shard_.yield();
  auto extent = co_await parts.journal->append(parts.encoded, RecordKind::Block);
  if (parts.encoded.capacity() > kKeptScratchBytes) parts.encoded = {};
  parts.encode_turn.release();
  if (!extent) co_return std::unexpected(write_failed(extent.error()));
  block.extent = *extent;
  pins.push_back(extent->file);
  co_return block;
}

core::Task<std::expected<FooterRef, std::string>> StoreShard::write_footer(Lane lane, Footer footer,
                                                                           std::vector<FileId>& pins) {
  std::vector<std::byte> bytes;
  encode_footer(footer, bytes);
  auto extent = co_await journal(lane).append(bytes, RecordKind::Footer);
  if (!extent) co_return std::unexpected(write_failed(extent.error()));
  pins.push_back(extent->file);
  co_return FooterRef{*extent, footer.table};
}

core::Task<VoteResult> StoreShard::vote(Vote vote) {
  Coordinator* const coordinator = &coordinator_;
  co_return co_await core::call_on(core::ShardId(0), [coordinator, v = std::move(vote)]() mutable {
    return coordinator->vote(std::move(v));
  });
}

namespace {
core::Task<void> abort_there(Coordinator* coordinator, TxnId txn, std::string reason) {
  coordinator->abort(txn, reason);
  co_return;
}
core::Task<void> send_abort(Coordinator* coordinator, TxnId txn, std::string reason) {
  co_await core::call_on(core::ShardId(0), [coordinator, txn, r = std::move(reason)]() mutable {
    return abort_there(coordinator, txn, std::move(r));
  });
}
}  // namespace

core::Task<void> StoreShard::abort(TxnId txn, std::string reason) {
  co_await send_abort(&coordinator_, txn, std::move(reason));
}

void StoreShard::note_memory(std::size_t before, std::size_t after) {
  load_memory_ += after - before;
  if (after < before) memory_released_.notify_all();
}

bool StoreShard::has_time(TxnId load) {
  const core::Instant now = shard_.now().monotonic;
  if (const core::Duration window = now - window_began_; window >= kTimeWindow) {
    const double windows = static_cast<double>(window.count()) / static_cast<double>(kTimeWindow.count());
    is_busy_ = static_cast<double>(received_bytes_) > windows * limits_.block.input_bytes_max;
    received_bytes_ = 0;
    window_began_ = now;
  }
  const bool helps_another = helped_ != load && now < helped_until_;
  if (is_busy_ || helps_another || load_memory_ > limits_.load_memory_max / 2) return false;
  helped_ = load;
  helped_until_ = now + kTimeWindow;
  return true;
}

Load* StoreShard::find_open(TxnId txn) {
  const auto found = std::ranges::find_if(
      loads_, [txn](const Load* load) { return load->info().txn == txn && !load->is_part(); });
  return found == loads_.end() ? nullptr : *found;
}

OpenLoadEnd StoreShard::abort_open(TxnId txn, std::string reason) {
  Load* const load = find_open(txn);
  if (load == nullptr) return OpenLoadEnd::NotThere;
  if (load->has_ended()) return OpenLoadEnd::Voting;
  load->abort_from_outside(std::move(reason));
  return OpenLoadEnd::Aborted;
}

core::Task<OpenLoadEnd> StoreShard::look_at_open(TxnId txn, bool reads_on) {
  Load* load = find_open(txn);
  if (load == nullptr) co_return OpenLoadEnd::NotThere;
  if (!load->is_receiving()) co_return OpenLoadEnd::Voting;
  if (load->has_failed()) co_return OpenLoadEnd::Failed;
  if (!reads_on || load->source() == nullptr) co_return OpenLoadEnd::Receiving;
  const LoadSource::End end = co_await load->source()->read_on();
  load = find_open(txn);
  if (load == nullptr) co_return OpenLoadEnd::NotThere;
  if (!load->is_receiving() || end == LoadSource::End::Whole) co_return OpenLoadEnd::Voting;
  if (load->has_failed()) co_return OpenLoadEnd::Failed;
  if (end == LoadSource::End::NotLooked) co_return OpenLoadEnd::NotLooked;
  if (end == LoadSource::End::Open) co_return OpenLoadEnd::Receiving;
  load->abort_from_outside(kConnectionEnded);
  co_return OpenLoadEnd::Aborted;
}

void StoreShard::apply(const VisibleChange& change) {
  const bool is_new = change.catalog != tablets_.catalog();
  tablets_.apply(change);
  for (Load* load : loads_) {
    if (is_new) load->note_catalog();
  }
}

void StoreShard::delist(Load& load) { std::erase(loads_, &load); }

core::Task<void> StoreShard::keep_memory_bounded(Load& caller, bool is_full) {
  for (; (is_full || load_memory_ > limits_.load_memory_max) && !caller.has_failed(); is_full = false) {
    if (planted(Planted::BudgetWaitsForLoad)) {
      co_await memory_released_.wait();
      continue;
    }
    Load* largest = nullptr;
    Load* longest = nullptr;
    std::size_t row_bytes = 0;
    for (Load* load : loads_) {
      if (load->is_part()) continue;  // it has memory only while it works, and waits for nobody
      const std::size_t unfinished = load->unfinished_row_bytes();
      row_bytes += unfinished;
      if (unfinished > 0 && (longest == nullptr || unfinished > longest->unfinished_row_bytes()))
        longest = load;
      if (!load->can_shrink(caller)) continue;
      if (largest == nullptr || load->builder_memory() > largest->builder_memory()) largest = load;
    }
    if (largest != nullptr && largest->builder_memory() > 0) {
      co_await largest->shrink();
    } else if (load_memory_ <= limits_.load_memory_max) {
      co_return;
    } else if (longest != nullptr && longest->can_shrink(caller) && row_bytes > limits_.load_memory_max) {
      // (If the longest is busy, nobody fails in its place: whoever is busy with it comes here next.)
      longest->fail(
          {"MEM_LIMIT_EXCEEDED",
           fmt::format("unfinished rows fill the load memory of this shard (load_memory_max, {} bytes), and "
                       "the one of this load is the longest ({} bytes): end rows sooner or raise the limit",
                       limits_.load_memory_max, longest->unfinished_row_bytes())});
    } else if (load_memory_ > row_bytes) {
      // What is left is being written out, or belongs to loads that have ended and wait for their record: it comes back
      // without anybody's help.
      co_await memory_released_.wait();
    } else {
      co_return;
    }
  }
}

}  // namespace penstock::txn
