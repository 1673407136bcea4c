#include "txn/store/load_split.hpp"

#include <algorithm>
#include <cstring>

#include "core/base/log.hpp"
#include "txn/store/store_shard.hpp"

namespace penstock::txn {
namespace {
constexpr std::uint32_t kBlocksBetweenQuestions = 16;  // to a shard that had no time
constexpr core::Duration kAnswerCounts =
    std::chrono::milliseconds(200);  // of a shard that is not helping now
}  // namespace

// Reasons that a decoder has kept of the rows of one stretch of the body: those numbered [from, to).
struct LoadSplit::Stretch {
  std::uint64_t offset;
  const Helper* helper;  // null: the load's own decoder
  std::size_t from;
  std::size_t to;
};

struct LoadSplit::SegmentEnd {
  std::expected<void, LoadError> result{};
  std::vector<BlockRef> blocks;
  std::vector<FileId> pins;
  std::size_t rejects_before = 0;
  std::size_t rejects_after = 0;
  bool has_time = false;
};

struct LoadSplit::PartEnd {
  LoadCounts counts;
  RowRejects rejects;
  bool is_broken = false;  // a file that has blocks of it
};

struct LoadSplit::Helper {
  explicit Helper(StoreShard& its_shard) : shard(its_shard) {}

  StoreShard& shard;
  // The home shard's:
  bool has_time = false;
  core::Instant answered{};  // when it said so
  bool is_asked = false;
  std::uint32_t blocks_until_asked = 0;
  std::size_t segments = 0;  // under way
  bool has_part = false;
  std::vector<FileId> pins;  // its files that have blocks of the load, one for each segment and file
  RowRejects rejects;        // after close()
  // The helper's:
  std::unique_ptr<Load> part;
  core::Semaphore turn{1};
};

LoadSplit::LoadSplit(StoreShard& home, BeganLoad load, std::string row_end, Load::MakeDecoding make)
    : home_(home), load_(std::move(load)), row_end_(std::move(row_end)), make_(std::move(make)) {
  const std::uint32_t count = static_cast<std::uint32_t>(home.peers().size());
  for (std::uint32_t i = 1; i < count; ++i) {
    helpers_.push_back(std::make_unique<Helper>(*home.peers()[(home.shard().id().value + i) % count]));
  }
}

LoadSplit::~LoadSplit() { home_.note_memory(noted_memory_, 0); }

void LoadSplit::note_memory() {
  const std::size_t now = taken_bytes() + sent_bytes_ + (spare_ == nullptr ? 0 : spare_->bytes.capacity());
  home_.note_memory(noted_memory_, now);
  noted_memory_ = now;
}

// Nobody can ask a load for its spare memory, so it has none while nothing of it moves.
void LoadSplit::drop_idle_memory() {
  if (taking_ == nullptr && sent_bytes_ == 0) spare_.reset();
}

// ------------------------------------------------------------------------------------------- who has time

LoadSplit::Helper* LoadSplit::idle_helper() {
  for (std::size_t i = 0; i < helpers_.size(); ++i) {
    Helper& helper = *helpers_[(turn_ + i) % helpers_.size()];
    if (helper.has_time && helper.segments < home_.limits().split_segments) return &helper;
  }
  return nullptr;
}

bool LoadSplit::has_helper() {
  if (!can_cut_ || error_ || home_.load_memory() > home_.limits().load_memory_max / 2) return false;
  const core::Instant now = home_.shard().now().monotonic;
  for (const auto& helper : helpers_) {
    if (helper->segments == 0 && now - helper->answered > kAnswerCounts) helper->has_time = false;
    if (helper->has_time || helper->is_asked) continue;
    if (helper->blocks_until_asked > 0) {
      --helper->blocks_until_asked;
      continue;
    }
    helper->is_asked = true;
    ++calls_;
    home_.shard().spawn(ask(helper.get()));
  }
  return idle_helper() != nullptr;
}

namespace {
core::Task<bool> ask_there(StoreShard* shard, TxnId load) { co_return shard->has_time(load); }
}  // namespace

core::Task<void> LoadSplit::ask(Helper* helper) {
  StoreShard* const shard = &helper->shard;
  helper->has_time = co_await core::call_on(shard->shard().id(),
                                            [shard, load = load_.txn] { return ask_there(shard, load); });
  helper->answered = home_.shard().now().monotonic;
  if (!helper->has_time) helper->blocks_until_asked = kBlocksBetweenQuestions;
  helper->is_asked = false;
  --calls_;
  call_ended_.notify_all();
}

// ------------------------------------------------------------------------------------------------ segments

void LoadSplit::begin(std::uint64_t offset, const RowRejects& own) {
  CHECK(taking_ == nullptr);
  taking_ = new_segment(offset);
  if (own.kept() > own_rejects_) stretches_.push_back({own_offset_, nullptr, own_rejects_, own.kept()});
  own_rejects_ = own.kept();
  own_offset_ = offset;
  note_memory();
}

std::size_t LoadSplit::take(core::Bytes piece) {
  const std::size_t room = home_.limits().block.input_bytes_max - taking_->bytes.size();
  const std::size_t size = std::min(piece.size(), room);
  taking_->bytes.append(piece.data(), size);
  return size;
}

bool LoadSplit::is_full() const { return taking_->bytes.size() >= home_.limits().block.input_bytes_max; }

std::unique_ptr<LoadSplit::Segment> LoadSplit::new_segment(std::uint64_t offset) {
  auto segment = spare_ != nullptr ? std::move(spare_) : std::make_unique<Segment>();
  segment->offset = offset;
  segment->bytes.clear();
  segment->bytes.reserve(home_.limits().block.input_bytes_max);
  return segment;
}

void LoadSplit::send(std::shared_ptr<const Table> table, std::vector<ColumnAlias> aliases) {
  CHECK(is_full());
  const std::string_view text = core::as_text(taking_->bytes.bytes());
  const std::size_t last = text.rfind(row_end_);
  Helper* const helper = idle_helper();
  if (last == std::string_view::npos || helper == nullptr) {
    can_cut_ = can_cut_ && last != std::string_view::npos;
    return;
  }
  const std::size_t end = last + row_end_.size();
  auto rest = new_segment(taking_->offset + end);
  rest->bytes.append(text.data() + end, text.size() - end);
  taking_->bytes.set_size(end);
  turn_ = (turn_ + 1) % helpers_.size();
  taking_->table = std::move(table);
  taking_->aliases = std::move(aliases);
  helper->has_part = true;
  ++helper->segments;
  ++calls_;
  sent_bytes_ += taking_->bytes.capacity();
  auto segment = std::exchange(taking_, std::move(rest));
  note_memory();
  home_.shard().spawn(run_segment(helper, std::move(segment)));
}

LoadSplit::Segment LoadSplit::take_back() {
  Segment segment = std::move(*taking_);
  taking_.reset();
  own_offset_ = segment.offset;
  drop_idle_memory();
  note_memory();
  return segment;
}

void LoadSplit::drop_taken() {
  taking_.reset();
  drop_idle_memory();
  note_memory();
}

void LoadSplit::note_error(LoadError error, std::uint64_t offset) {
  if (error_ && error_offset_ <= offset) return;
  error_ = std::move(error);
  error_offset_ = offset;
}

core::Task<void> LoadSplit::run_segment(Helper* helper, std::unique_ptr<Segment> segment) {
  SegmentEnd end = co_await core::call_on(
      helper->shard.shard().id(), [this, helper, at = segment.get()] { return decode_there(helper, at); });
  blocks_.insert(blocks_.end(), end.blocks.begin(), end.blocks.end());
  if (end.rejects_after > end.rejects_before)
    stretches_.push_back({segment->offset, helper, end.rejects_before, end.rejects_after});
  helper->pins.insert(helper->pins.end(), end.pins.begin(), end.pins.end());
  if (!end.result) note_error(std::move(end.result).error(), segment->offset);
  helper->has_time = end.has_time;
  helper->answered = home_.shard().now().monotonic;
  if (!end.has_time) helper->blocks_until_asked = kBlocksBetweenQuestions;
  --helper->segments;
  sent_bytes_ -= segment->bytes.capacity();
  spare_ = std::move(segment);
  drop_idle_memory();
  note_memory();
  --calls_;
  call_ended_.notify_all();
}

// On the helper's shard.
core::Task<LoadSplit::SegmentEnd> LoadSplit::decode_there(Helper* helper, const Segment* segment) {
  SegmentEnd end;
  co_await helper->turn.acquire();
  if (helper->part == nullptr) {
    auto made = make_(helper->shard.scratch());
    if (made) {
      helper->part = std::make_unique<Load>(helper->shard, load_, std::move(made->decoder), 1.0,
                                            std::move(made->follow));
      helper->part->become_part();
    } else {
      end.result = std::unexpected(made.error());
    }
  }
  if (helper->part != nullptr) {
    Load& part = *helper->part;
    if (part.rejects() != nullptr) end.rejects_before = part.rejects()->kept();
    end.result = co_await part.append_segment(segment->bytes.bytes(), segment->offset, segment->table,
                                              segment->aliases);
    if (part.rejects() != nullptr) end.rejects_after = part.rejects()->kept();
    end.blocks = part.take_blocks();
    end.pins = part.take_pins();
    if (helper->turn.waiting() == 0) part.let_go();
  }
  helper->turn.release();
  end.has_time = helper->shard.has_time(load_.txn);
  co_return end;
}

// ------------------------------------------------------------------------------------------------- its end

core::Task<LoadSplit::PartEnd> LoadSplit::end_part_there(Helper* helper) {
  PartEnd end;
  if (helper->part != nullptr) {
    end.counts = helper->part->counts();
    if (helper->part->rejects() != nullptr) end.rejects = *helper->part->rejects();
    helper->part.reset();
  }
  end.is_broken = std::ranges::any_of(
      helper->pins, [&](FileId file) { return helper->shard.journal_of(file).is_broken(file); });
  co_return end;
}

core::Task<void> LoadSplit::close() {
  while (calls_ > 0) co_await call_ended_.wait();
  taking_.reset();
  spare_.reset();
  can_cut_ = false;
  note_memory();
  for (const auto& each : helpers_) {
    Helper* const helper = each.get();
    if (!std::exchange(helper->has_part, false)) continue;
    PartEnd end =
        co_await core::call_on(helper->shard.shard().id(), [this, helper] { return end_part_there(helper); });
    counts_.total_rows += end.counts.total_rows;
    counts_.loaded_rows += end.counts.loaded_rows;
    counts_.filtered_rows += end.counts.filtered_rows;
    counts_.unselected_rows += end.counts.unselected_rows;
    helper->rejects = std::move(end.rejects);
    if (end.is_broken) {
      note_error({"INTERNAL_ERROR", "writing the journal failed while the load arrived: load it again"},
                 UINT64_MAX);
    }
  }
}

std::vector<FilesElsewhere> LoadSplit::files() const {
  std::vector<FilesElsewhere> files;
  for (const auto& helper : helpers_) {
    if (!helper->pins.empty()) files.push_back({&helper->shard, helper->pins});
  }
  return files;
}

namespace {
core::Task<void> unpin_there(const FilesElsewhere* where) {
  for (const FileId file : where->files) where->shard->journal_of(file).unpin(file);
  co_return;
}
core::Task<void> unpin(FilesElsewhere where) {
  co_await core::call_on(where.shard->shard().id(), [at = &where] { return unpin_there(at); });
}
}  // namespace

void LoadSplit::release_pins() {
  for (const auto& helper : helpers_) {
    if (helper->pins.empty()) continue;
    home_.shard().spawn(unpin({&helper->shard, std::exchange(helper->pins, {})}));
  }
}

void LoadSplit::add_counts(LoadCounts& counts) const {
  counts.total_rows += counts_.total_rows;
  counts.loaded_rows += counts_.loaded_rows;
  counts.filtered_rows += counts_.filtered_rows;
  counts.unselected_rows += counts_.unselected_rows;
}

const RowRejects& LoadSplit::joined_rejects(const RowRejects& own) {
  if (joined_) return *joined_;
  std::vector<Stretch> stretches = stretches_;
  stretches.push_back({own_offset_, nullptr, own_rejects_, own.kept()});
  std::ranges::sort(stretches, {}, &Stretch::offset);
  joined_.emplace(own.limits());
  joined_->count_rows(own.count() + counts_.filtered_rows);
  for (const Stretch& stretch : stretches) {
    const RowRejects& from = stretch.helper == nullptr ? own : stretch.helper->rejects;
    const std::size_t to = std::min(stretch.to, from.kept());  // a part that has failed has none
    for (std::size_t i = stretch.from; i < to; ++i) joined_->add_kept(from, i);
  }
  return *joined_;
}

}  // namespace penstock::txn
