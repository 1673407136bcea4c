// Load: one Stream Load on its shard, from the first byte of its body to its outcome.
//
// A load whose rows name their columns follows ALTER TABLE: what it has of the schema before goes into a block of its own,
// and the next piece of the body is read with the new one. Others keep the columns that they began with; readers see to
// the rest (txn/rowset/block_lift).
//
// Where other shards have time, a long load is split among them (txn/store/load_split): it is the same class that reads the
// rows there, as a part, which is never finished or aborted by itself.
//
// Journey:  net/load feeds it -> [Load] -> BodyDecoder -> BlockBuilder -> StoreShard::write_block -> Precommitter.
// Shard:    one shard for its whole life.
// Promise:  after finish() returned ok the rows are visible (plain) or prepared (two-phase), durably; otherwise nothing of
//           the load is or becomes visible. Whoever makes a Load must finish() or abort() it.
// Failure:  append() and finish() give the code and text of the reply; after a failed append only abort() is useful.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/task/sync.hpp"
#include "core/task/task.hpp"
#include "txn/checkpoint/open_loads.hpp"
#include "txn/decode/body_decoder.hpp"
#include "txn/schema/former_names.hpp"
#include "txn/store/load_source.hpp"
#include "txn/store/store_shard.hpp"

namespace penstock::txn {

class LoadSplit;

struct LoadError {
  std::string code;  // of the reply's Message: [CODE]text
  std::string message;
};

struct LoadCounts {
  std::uint64_t total_rows = 0;
  std::uint64_t loaded_rows = 0;
  std::uint64_t filtered_rows = 0;
  std::uint64_t unselected_rows = 0;  // not wanted by `where`
  std::uint64_t body_bytes = 0;       // uncompressed
};

class Load {
 public:
  // Of a load whose rows name their columns: what will make its decoder read rows of the table as it is now, also by the
  // names that columns had before. Called when nothing of the rows before waits in the decoder. Without it the load goes on
  // with the table as it was, for the reason that is said.
  using Switch = std::function<void()>;
  using Follow = std::function<std::expected<Switch, std::string>(const Table&, std::vector<ColumnAlias>)>;
  struct Decoding {
    std::unique_ptr<BodyDecoder> decoder;
    Follow follow;  // empty: it keeps the columns that it began with
  };
  // Another decoder like this load's, at any time and on any shard, until the load has ended.
  using MakeDecoding = std::function<std::expected<Decoding, LoadError>(DecodeScratch&)>;
  Load(StoreShard& shard, BeganLoad load, std::unique_ptr<BodyDecoder> decoder, double max_filter_ratio,
       Follow follow = {});
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load();

  // Before the first append(): other shards may take rows of it, if the body can be cut between rows.
  void allow_split(MakeDecoding make);

  const BeganLoad& info() const { return load_; }
  // Decodes a piece of the body. Suspends while blocks are written: that is the back-pressure.
  core::Task<std::expected<void, LoadError>> append(core::Bytes piece);
  // The body has ended.
  core::Task<std::expected<void, LoadError>> finish();
  // Ends a load that has not voted; its label is free when it returns. Afterwards, and after a vote, it does nothing.
  core::Task<void> abort(std::string reason);

  // Whole once it was finished or aborted.
  LoadCounts counts() const;
  std::string first_error() const;
  std::string error_log() const;

  // For StoreShard::keep_memory_bounded.
  bool can_shrink(const Load& caller) const { return !ended_ && !is_part_ && (!busy_ || this == &caller); }
  std::size_t builder_memory() const;
  std::size_t unfinished_row_bytes() const { return decoder_ == nullptr ? 0 : decoder_->reserved_bytes(); }
  core::Task<void> shrink();
  void fail(LoadError why);
  void note_catalog();  // the shard has another one

  // Somebody else's abort: the next step fails. Not after it has ended.
  void abort_from_outside(std::string reason);
  bool has_ended() const { return ended_; }
  bool has_failed() const { return failure_.has_value(); }

  // Nothing more of the body is waited for: finish() or abort() follow, whatever the client does.
  void note_received() { is_receiving_ = false; }
  bool is_receiving() const { return is_receiving_; }
  // Null: it cannot be asked. Whoever sets it takes it away before it ends.
  void set_source(LoadSource* source) { source_ = source; }
  LoadSource* source() const { return source_; }

  // As a part, on the part's shard: rows from `offset` of the body on, with the table and aliases that the load itself reads
  // rows with.
  // They are written out when it returns. After a failure the others fail at once.
  void become_part();
  bool is_part() const { return is_part_; }
  core::Task<std::expected<void, LoadError>> append_segment(core::Bytes rows, std::uint64_t offset,
                                                            std::shared_ptr<const Table> table,
                                                            std::vector<ColumnAlias> aliases);
  void let_go();  // of the memory that the next segment would use again
  std::vector<BlockRef> take_blocks() { return std::exchange(blocks_, {}); }
  std::vector<FileId> take_pins() { return std::exchange(pins_, {}); }  // unpinning them is the taker's
  const RowRejects* rejects() const { return decoder_ == nullptr ? nullptr : &decoder_->rejects(); }

 private:
  enum class Keep { Memory, Nothing };
  core::Task<std::expected<void, LoadError>> end_body();
  core::Task<std::expected<void, LoadError>> flush_block(Keep keep);
  core::Task<std::expected<void, LoadError>> settle_rows(Keep keep);
  core::Task<std::expected<void, LoadError>> follow_table();
  core::Task<std::expected<void, LoadError>> follow_to(std::shared_ptr<const Table> table,
                                                       std::vector<ColumnAlias> aliases);
  core::Task<std::expected<void, LoadError>> read_segment(core::Bytes rows, std::uint64_t offset);
  LoadCounts own_counts() const;
  enum class Give : std::uint8_t { Nothing, Rows };  // to other shards
  core::Task<std::expected<void, LoadError>> decode(core::Bytes& piece, Give give);
  core::Task<std::expected<void, LoadError>> take_segment(core::Bytes& piece);
  core::Task<std::expected<void, LoadError>> decode_taken();
  core::Task<void> end_split();
  bool is_behind() const;
  std::shared_ptr<const Table> newer_table();
  void forget_rows();
  void note_memory();
  void release_pins();
  LoadError decode_error() const;

  StoreShard& shard_;
  BeganLoad load_;  // its table: as the rows are read now
  const double max_filter_ratio_;
  Follow follow_;
  FormerNames former_names_;
  std::vector<ColumnAlias> aliases_;  // that rows are read with now
  std::uint64_t seen_catalog_ = 0;    // the version that was looked at last: most pieces find no other
  SchemaId refused_;                  // the last that could not be followed: others are tried
  std::unique_ptr<BodyDecoder> decoder_;
  std::unique_ptr<BlockBuilder> builder_;
  std::unique_ptr<LoadSplit> split_;  // null: all rows are read here
  bool is_part_ = false;
  std::vector<BlockRef> blocks_;
  std::vector<FileId> pins_;
  LoadCounts final_counts_;
  std::uint64_t body_bytes_ = 0;
  std::size_t noted_memory_ = 0;
  LoadSource* source_ = nullptr;
  bool is_receiving_ = true;
  bool busy_ = false;
  bool ended_ = false;  // voted or aborted
  std::optional<LoadError> failure_;
  core::WaitList not_busy_;
};

}  // namespace penstock::txn
