#include "txn/store/load.hpp"

#include <algorithm>

#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "txn/store/load_split.hpp"

namespace penstock::txn {
namespace {
constexpr std::size_t kSliceOfSegment = 64 * core::kKiB;  // between two, others have their turn
}

Load::Load(StoreShard& shard, BeganLoad load, std::unique_ptr<BodyDecoder> decoder, double max_filter_ratio,
           Follow follow)
    : shard_(shard),
      load_(std::move(load)),
      max_filter_ratio_(max_filter_ratio),
      follow_(std::move(follow)),
      former_names_(load_.table->schema),
      decoder_(std::move(decoder)),
      builder_(std::make_unique<BlockBuilder>(load_.table->schema)) {
  shard_.enlist(*this);
}

Load::~Load() {
  release_pins();
  shard_.note_memory(noted_memory_, 0);
  shard_.delist(*this);
}

void Load::note_memory() {
  const std::size_t split = split_ == nullptr ? 0 : split_->taken_bytes();  // it notes those itself
  const std::size_t now = builder_memory() - split + unfinished_row_bytes();
  shard_.note_memory(noted_memory_, now);
  noted_memory_ = now;
}

void Load::release_pins() {
  for (const FileId file : pins_) shard_.journal_of(file).unpin(file);
  pins_.clear();
}

LoadCounts Load::own_counts() const {
  if (decoder_ == nullptr) return final_counts_;
  return LoadCounts{.total_rows = decoder_->total_rows(),
                    .loaded_rows = decoder_->loaded_rows(),
                    .filtered_rows = decoder_->filtered_rows(),
                    .unselected_rows = decoder_->unselected_rows(),
                    .body_bytes = body_bytes_};
}

LoadCounts Load::counts() const {
  LoadCounts counts = own_counts();
  if (split_ != nullptr) split_->add_counts(counts);
  return counts;
}

std::string Load::first_error() const {
  if (decoder_ == nullptr) return "";
  return split_ == nullptr ? decoder_->rejects().first_reason()
                           : split_->joined_rejects(decoder_->rejects()).first_reason();
}

std::string Load::error_log() const {
  if (decoder_ == nullptr) return "";
  return split_ == nullptr ? decoder_->rejects().log() : split_->joined_rejects(decoder_->rejects()).log();
}

std::size_t Load::builder_memory() const {
  return (builder_ == nullptr ? 0 : builder_->reserved_bytes()) +
         (decoder_ == nullptr ? 0 : decoder_->waiting_bytes()) +
         (split_ == nullptr ? 0 : split_->taken_bytes());
}

void Load::allow_split(MakeDecoding make) {
  if (shard_.peers().size() < 2 || shard_.limits().split_segments == 0 || decoder_->row_end().empty()) return;
  split_ = std::make_unique<LoadSplit>(shard_, load_, std::string(decoder_->row_end()), std::move(make));
}

void Load::become_part() {
  is_part_ = true;
  is_receiving_ = false;
}

LoadError Load::decode_error() const {
  return LoadError{std::string(decoder_->error_code()), decoder_->error()};
}

// What was written stays in the journal, unnamed, until its file goes.
void Load::forget_rows() {
  builder_->clear();
  blocks_.clear();
  release_pins();
}

core::Task<std::expected<void, LoadError>> Load::append(core::Bytes piece) {
  while (busy_) co_await not_busy_.wait();
  busy_ = true;
  std::expected<void, LoadError> result{};
  if (is_behind()) result = co_await follow_table();
  if (const LoadError* const error = split_ == nullptr ? nullptr : split_->error(); error != nullptr)
    result = std::unexpected(*error);
  body_bytes_ += piece.size();
  shard_.note_received(piece.size());
  while (!piece.empty() && result && !failure_) {
    const bool takes = split_ != nullptr && split_->is_taking();
    result = takes ? co_await take_segment(piece) : co_await decode(piece, Give::Rows);
  }
  note_memory();
  if (result && !failure_) {
    const bool is_told_so = shard_.shard().perhaps(core::Perhaps::BudgetIsFull);
    if (is_told_so || shard_.load_memory() > shard_.limits().load_memory_max) {
      co_await shard_.keep_memory_bounded(*this, is_told_so);
    }
  }
  if (result && failure_) result = std::unexpected(*failure_);
  busy_ = false;
  not_busy_.notify_all();
  co_return result;
}

// Up to the piece's end, or to the place from which on other shards take rows.
core::Task<std::expected<void, LoadError>> Load::decode(core::Bytes& piece, Give give) {
  while (!piece.empty() && !failure_) {
    const FeedResult fed = decoder_->feed(piece, *builder_);
    piece = piece.subspan(fed.consumed);
    if (fed.state == FeedResult::State::Failed) co_return std::unexpected(decode_error());
    if (fed.state == FeedResult::State::Void) forget_rows();
    if (fed.state == FeedResult::State::Paused) co_await shard_.shard().yield();
    if (fed.state != FeedResult::State::BlockFull) continue;
    CO_TRY_VOID(co_await flush_block(Keep::Memory));
    if (give == Give::Nothing || split_ == nullptr || failure_) continue;
    if (!decoder_->is_between_rows() || !split_->has_helper()) continue;
    split_->begin(body_bytes_ - piece.size(), decoder_->rejects());
    break;
  }
  co_return std::expected<void, LoadError>{};
}

// Bytes for another shard. What is left of a row behind them is the begin of what comes next.
core::Task<std::expected<void, LoadError>> Load::take_segment(core::Bytes& piece) {
  piece = piece.subspan(split_->take(piece));
  if (!split_->is_full()) co_return std::expected<void, LoadError>{};
  split_->send(load_.table, aliases_);
  if (split_->has_helper()) co_return std::expected<void, LoadError>{};
  co_return co_await decode_taken();
}

// What was taken and not sent is read here after all.
core::Task<std::expected<void, LoadError>> Load::decode_taken() {
  if (split_ == nullptr || !split_->is_taking() || failure_) co_return std::expected<void, LoadError>{};
  const LoadSplit::Segment segment = split_->take_back();
  decoder_->go_to(segment.offset);
  core::Bytes rest = segment.bytes.bytes();
  co_return co_await decode(rest, Give::Nothing);
}

core::Task<std::expected<void, LoadError>> Load::append_segment(core::Bytes rows, std::uint64_t offset,
                                                                std::shared_ptr<const Table> table,
                                                                std::vector<ColumnAlias> aliases) {
  CHECK(is_part_);
  if (failure_) co_return std::unexpected(*failure_);
  shard_.note_segment();
  busy_ = true;
  std::expected<void, LoadError> result{};
  if (follow_) result = co_await follow_to(std::move(table), std::move(aliases));
  if (result && !failure_) result = co_await read_segment(rows, offset);
  if (result && failure_) result = std::unexpected(*failure_);
  if (!result) fail(result.error());
  busy_ = false;
  co_return result;
}

void Load::let_go() {
  if (failure_) return;  // it has none
  builder_->release_memory();
  decoder_->let_go();
  note_memory();
}

core::Task<std::expected<void, LoadError>> Load::read_segment(core::Bytes rows, std::uint64_t offset) {
  decoder_->go_to(offset);
  while (!rows.empty() && !failure_) {
    core::Bytes slice = rows.first(std::min(rows.size(), kSliceOfSegment));
    rows = rows.subspan(slice.size());
    CO_TRY_VOID(co_await decode(slice, Give::Nothing));
    note_memory();
    if (!rows.empty()) co_await shard_.shard().yield();
  }
  if (!failure_) CO_TRY_VOID(co_await settle_rows(Keep::Memory));
  if (!failure_ && !decoder_->is_between_rows()) {
    co_return std::unexpected(LoadError{
        "INTERNAL_ERROR", "the body could not be cut between rows: load it with limits.split_segments = 0"});
  }
  co_return std::expected<void, LoadError>{};
}

core::Task<std::expected<void, LoadError>> Load::flush_block(Keep keep) {
  if (builder_->rows() > 0) {
    std::vector<FileId> pins;
    auto block = co_await shard_.write_block(Lane::Bulk, *load_.table, *builder_, pins);
    if (!block) co_return std::unexpected(LoadError{"INTERNAL_ERROR", block.error()});
    blocks_.push_back(*block);
    for (const FileId file : pins) {  // one pin a file is enough
      if (!pins_.empty() && pins_.back() == file) {
        shard_.journal_of(file).unpin(file);
      } else {
        pins_.push_back(file);
      }
    }
  }
  if (keep == Keep::Memory) {
    builder_->clear();
  } else {
    builder_->release_memory();
  }
  note_memory();
  co_return std::expected<void, LoadError>{};
}

// Whatever rows there are, in the decoder or in the builder, are written.
core::Task<std::expected<void, LoadError>> Load::settle_rows(Keep keep) {
  for (bool more = true; more && !failure_;) {
    const auto state = decoder_ == nullptr ? FeedResult::State::NeedInput : decoder_->settle(*builder_);
    if (state == FeedResult::State::Paused) {
      co_await shard_.shard().yield();
      continue;
    }
    more = state == FeedResult::State::BlockFull;
    CO_TRY_VOID(co_await flush_block(keep));
  }
  co_return std::expected<void, LoadError>{};
}

core::Task<void> Load::shrink() {
  const bool was_busy = busy_;  // the caller shrinks itself
  busy_ = true;
  if (const auto decoded = co_await decode_taken(); !decoded) fail(decoded.error());
  if (const auto settled = co_await settle_rows(Keep::Nothing); !settled) fail(settled.error());
  if (failure_) fail(*failure_);  // aborted meanwhile: it must not be asked for memory again
  busy_ = was_busy;
  if (!busy_) not_busy_.notify_all();
}

void Load::note_catalog() {
  if (!follow_ || is_part_) return;  // a part hears of changes from its load
  const auto table = shard_.tablets().catalog()->find_table(load_.table->id);
  if (table != nullptr) former_names_.note(table->schema);
}

bool Load::is_behind() const {
  const auto& catalog = shard_.tablets().catalog();
  return follow_ && !failure_ && catalog != nullptr && catalog->version() != seen_catalog_;
}

// With a newer schema than the one that rows are read with. (An older one, where the load began with a change that is
// still on its way here, is not followed, nor is a table that is gone.)
std::shared_ptr<const Table> Load::newer_table() {
  if (!is_behind()) return nullptr;
  const auto& catalog = shard_.tablets().catalog();
  seen_catalog_ = catalog->version();
  auto table = catalog->find_table(load_.table->id);
  if (table == nullptr || table->schema->id <= load_.table->schema->id) return nullptr;
  return table->schema->id == refused_ ? nullptr : table;
}

core::Task<std::expected<void, LoadError>> Load::follow_table() {
  while (auto table = newer_table()) {
    former_names_.note(table->schema);
    auto aliases = former_names_.aliases(*table->schema);
    CO_TRY_VOID(co_await follow_to(std::move(table), std::move(aliases)));
    if (failure_) break;
  }
  co_return std::expected<void, LoadError>{};
}

// Bytes that were taken came before the change, and are read with the columns of before.
core::Task<std::expected<void, LoadError>> Load::follow_to(std::shared_ptr<const Table> table,
                                                           std::vector<ColumnAlias> aliases) {
  const bool has_same_rows =
      table->schema == load_.table->schema || have_same_rows(*table->schema, *load_.table->schema);
  if (has_same_rows && aliases == aliases_) co_return std::expected<void, LoadError>{};
  const auto change = follow_(*table, aliases);
  if (!change) {
    refused_ = table->schema->id;
    core::log_warn("load_keeps_old_columns", "txn", load_.txn.value, "label", load_.label, "why",
                   change.error());
    co_return std::expected<void, LoadError>{};
  }
  CO_TRY_VOID(co_await decode_taken());
  if (!failure_) CO_TRY_VOID(co_await settle_rows(Keep::Nothing));
  if (failure_) co_return std::expected<void, LoadError>{};
  (*change)();
  aliases_ = std::move(aliases);
  load_.table = std::move(table);
  builder_ = std::make_unique<BlockBuilder>(load_.table->schema);
  co_return std::expected<void, LoadError>{};
}

void Load::fail(LoadError why) {
  if (!failure_) failure_ = std::move(why);
  final_counts_ = own_counts();
  if (split_ != nullptr) split_->drop_taken();
  builder_->release_memory();
  decoder_.reset();
  blocks_.clear();
  release_pins();
  note_memory();
}

void Load::abort_from_outside(std::string reason) {
  LoadError why{"CANCELLED", "the transaction was aborted: " + std::move(reason)};
  if (busy_) {  // a block of it may be on its way: whoever is busy sees it next
    if (!failure_) failure_ = std::move(why);
    shard_.wake_memory_waiters();
  } else {
    fail(std::move(why));
  }
}

core::Task<std::expected<void, LoadError>> Load::finish() {
  note_received();
  while (busy_) co_await not_busy_.wait();
  busy_ = true;
  auto result = co_await end_body();
  busy_ = false;
  not_busy_.notify_all();
  co_return result;
}

// Waits for the other shards; nothing of the load is on them afterwards but its blocks.
core::Task<void> Load::end_split() {
  if (split_ == nullptr) co_return;
  co_await split_->close();
  std::vector<BlockRef> theirs = split_->take_blocks();
  if (theirs.empty()) co_return;
  blocks_.insert(blocks_.end(), theirs.begin(), theirs.end());
  std::ranges::sort(blocks_, {}, &BlockRef::first_row_offset);
}

core::Task<std::expected<void, LoadError>> Load::end_body() {
  if (is_behind()) CO_TRY_VOID(co_await follow_table());
  CO_TRY_VOID(co_await decode_taken());
  if (failure_) co_return std::unexpected(*failure_);
  for (;;) {
    const FeedResult::State state = decoder_->finish(*builder_);
    if (state == FeedResult::State::Failed) co_return std::unexpected(decode_error());
    if (state == FeedResult::State::NeedInput) break;
    if (state == FeedResult::State::Void) {
      forget_rows();
      continue;
    }
    if (state == FeedResult::State::Paused) {
      co_await shard_.shard().yield();
      continue;
    }
    auto flushed = co_await flush_block(Keep::Memory);
    if (!flushed) co_return std::unexpected(flushed.error());
  }
  co_await end_split();
  if (failure_) co_return std::unexpected(*failure_);
  if (split_ != nullptr && split_->error() != nullptr) co_return std::unexpected(*split_->error());
  const LoadCounts now = counts();
  if (now.filtered_rows > 0 &&
      static_cast<double>(now.filtered_rows) >
          max_filter_ratio_ * static_cast<double>(now.total_rows - now.unselected_rows)) {
    co_return std::unexpected(LoadError{"DATA_QUALITY_ERROR", "too many filtered rows"});
  }
  if (failure_) co_return std::unexpected(*failure_);  // while a block was written
  EndedLoad ended;
  ended.load = load_;
  ended.rows = now.loaded_rows;
  ended.blocks = std::move(blocks_);
  ended.pins = pins_;
  ended.rest = std::move(builder_);
  if (split_ != nullptr) ended.elsewhere = split_->files();
  builder_ = std::make_unique<BlockBuilder>(load_.table->schema);
  ended_ = true;  // from here on it belongs to the coordinator
  const Lane lane = ended.pins.empty() && ended.elsewhere.empty() ? Lane::Small : Lane::Bulk;
  auto decided = co_await shard_.precommitter(lane).precommit(ended);
  ended.rest.reset();
  release_pins();
  if (split_ != nullptr) split_->release_pins();
  note_memory();
  if (!decided) co_return std::unexpected(LoadError{"INTERNAL_ERROR", decided.error()});
  co_return std::expected<void, LoadError>{};
}

core::Task<void> Load::abort(std::string reason) {
  note_received();
  while (busy_ && !ended_) co_await not_busy_.wait();
  if (ended_) co_return;
  ended_ = true;  // and nobody shrinks it any more: it may be gone before a block of it is written
  builder_->release_memory();
  note_memory();
  if (split_ != nullptr) {
    co_await split_->close();
    split_->release_pins();
  }
  co_await shard_.abort(load_.txn, std::move(reason));
}

}  // namespace penstock::txn
