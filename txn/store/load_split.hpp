// LoadSplit: the rows of ONE load that other shards decode and write, because they have nothing better to do.
//
// A load begins on its own shard. Once it has filled a block and another shard says that it has time, the load takes the
// next bytes as they are, up to the size of a block, cuts them behind the last whole row and sends them there as a segment;
// the rows behind it are its own again, or the next shard's. A segment becomes blocks of the other shard's journal. So
// blocks never mix, and stand in the body's order by the place of their first row.
//
// Journey:  Load::append -> [LoadSplit] -> a part of the load (Load::append_segment) on the other shard -> blocks -> Load.
// Shard:    the load's. A helper's part is touched on the helper's shard only.
// Promise:  at most split_segments segments of a load are under way to a shard. After close() nothing runs for it any more.
//           Files that have blocks of it stay pinned until release_pins().
// Failure:  error(): of the first segment of the body that is known to have failed; the load is to be aborted.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/task/sync.hpp"
#include "txn/column/grow_buffer.hpp"
#include "txn/store/load.hpp"

namespace penstock::txn {

class LoadSplit {
 public:
  struct Segment {
    std::uint64_t offset = 0;  // in the body
    GrowBuffer bytes;
    std::shared_ptr<const Table> table;  // as the load read rows when it was sent
    std::vector<ColumnAlias> aliases;
  };

  // `row_end` ends each row of the body. All references outlive it.
  LoadSplit(StoreShard& home, BeganLoad load, std::string row_end, Load::MakeDecoding make);
  LoadSplit(const LoadSplit&) = delete;
  LoadSplit& operator=(const LoadSplit&) = delete;
  ~LoadSplit();

  // Whether a shard would take a segment now. (It may ask some of them, for the next time.)
  bool has_helper();
  // From `offset` on bytes are taken. `own`: what the load's decoder has rejected before.
  void begin(std::uint64_t offset, const RowRejects& own);
  bool is_taking() const { return taking_ != nullptr; }
  // Returns how many of the bytes.
  std::size_t take(core::Bytes piece);
  bool is_full() const;
  // Only if full; `table` and `aliases`: as the load reads rows now. What lies behind the last whole row is what is taken
  // then; if there is no whole row, all of it.
  void send(std::shared_ptr<const Table> table, std::vector<ColumnAlias> aliases);
  // What was taken is the load's own again.
  Segment take_back();
  void drop_taken();  // the load has failed
  std::size_t taken_bytes() const { return taking_ == nullptr ? 0 : taking_->bytes.capacity(); }

  const LoadError* error() const { return error_ ? &*error_ : nullptr; }
  // Until what is under way has ended, and the parts are gone.
  core::Task<void> close();
  std::vector<BlockRef> take_blocks() { return std::exchange(blocks_, {}); }
  std::vector<FilesElsewhere> files() const;
  void release_pins();

  // After close().
  void add_counts(LoadCounts& counts) const;
  const RowRejects& joined_rejects(const RowRejects& own);

 private:
  struct Helper;
  struct Stretch;
  struct SegmentEnd;
  struct PartEnd;

  Helper* idle_helper();
  std::unique_ptr<Segment> new_segment(std::uint64_t offset);
  core::Task<void> ask(Helper* helper);
  core::Task<void> run_segment(Helper* helper, std::unique_ptr<Segment> segment);
  core::Task<SegmentEnd> decode_there(Helper* helper, const Segment* segment);
  core::Task<PartEnd> end_part_there(Helper* helper);
  void note_memory();
  void note_error(LoadError error, std::uint64_t offset);
  void drop_idle_memory();

  StoreShard& home_;
  const BeganLoad load_;  // as it began
  const std::string row_end_;
  const Load::MakeDecoding make_;
  std::vector<std::unique_ptr<Helper>> helpers_;
  std::size_t turn_ = 0;
  std::unique_ptr<Segment> taking_;
  std::unique_ptr<Segment> spare_;  // memory that the next one uses
  std::size_t sent_bytes_ = 0;
  std::size_t noted_memory_ = 0;
  std::size_t calls_ = 0;
  core::WaitList call_ended_;
  bool can_cut_ = true;  // a segment without a whole row: the rows are too long to be worth it
  std::vector<BlockRef> blocks_;
  std::optional<LoadError> error_;
  std::uint64_t error_offset_ = 0;
  LoadCounts counts_;
  std::vector<Stretch> stretches_;
  std::size_t own_rejects_ = 0;  // kept ones of the load's own that are in a stretch
  std::uint64_t own_offset_ = 0;
  std::optional<RowRejects> joined_;
};

}  // namespace penstock::txn
