// CsvDecoder: a load's body, in pieces cut anywhere, into the columns of a BlockBuilder.
//
// Whole rows are decoded where they lie. Only what a piece leaves unfinished is copied (and its last 64
// bytes, so that wide reads stay inside). Rows are found a batch at a time and decoded column by column; a
// batch in which a row turns out bad is decoded again without it. The outcome (blocks, counts, reasons)
// depends on the body only, never on where it was cut.
//
// Rows go through find_rows() -> decode_batch(): the first knows enclosed fields, so that separators inside them
// are data; the second takes off quotes and escapes, a column at a time.
//
// Journey:  net/load (body pieces) -> [CsvDecoder] -> BlockBuilder -> encode_block.
// Shard:    one; never suspends. Several decoders of a shard share a DecodeScratch.
// Promise:  after NeedInput all of the piece is consumed; after BlockFull the block ends with a whole row and
// the rest of
//           the piece, from `consumed` on, is to be fed again once the builder is cleared. Nothing is
//           allocated per row.
// Failure:  Failed for ever, with error(), when a row is longer than row_bytes_max. Bad rows are counted in
// rejects().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"
#include "txn/column/block_builder.hpp"
#include "txn/column/grow_buffer.hpp"
#include "txn/decode/body_decoder.hpp"
#include "txn/decode/column_decode.hpp"
#include "txn/decode/column_mapping.hpp"
#include "txn/decode/quoted_row.hpp"
#include "txn/decode/row_batch.hpp"
#include "txn/decode/row_bound.hpp"
#include "txn/decode/row_rejects.hpp"
#include "txn/decode/row_scan.hpp"

namespace penstock::txn {

inline constexpr std::size_t kRowBytesHardMax =
    128 * core::kMiB;  // such a row and a block still fit encode_block

struct CsvOptions {
  std::string column_separator = "\t";
  std::string line_delimiter = "\n";
  char enclose = 0;  // 0: none
  char escape = 0;   // inside enclosed fields only; 0: none
  bool trim_double_quotes = false;
  bool empty_field_as_null = false;
  std::uint32_t skip_lines = 0;  // rows that are not looked at (nor counted), at the body's begin
  CellRules cells;
  BlockLimits block;
  std::size_t row_bytes_max = 16 * core::kMiB;  // at most kRowBytesHardMax
  RowRejects::Limits rejects;
  SimdLevel simd = best_simd_level();
};

class CsvDecoder final : public BodyDecoder {
 public:
  // The scratch must outlive the decoder.
  CsvDecoder(CsvOptions options, std::shared_ptr<const TableSchema> schema, ColumnMapping mapping,
             DecodeScratch& scratch);

  FeedResult feed(core::Bytes piece, BlockBuilder& builder) override;
  // Decodes a last row that has no delimiter.
  FeedResult::State finish(BlockBuilder& builder) override;

  std::uint64_t total_rows() const override { return total_rows_; }
  const RowRejects& rejects() const override { return rejects_; }
  const std::string& error() const override { return error_; }
  std::size_t reserved_bytes() const override { return carry_.capacity(); }
  std::string_view row_end() const override;
  bool is_between_rows() const override { return carry_.size() == 0 && mark_done_ && lines_to_skip_ == 0; }
  void go_to(std::uint64_t offset) override;
  void let_go() override { carry_.release(); }

 private:
  using State = FeedResult::State;

  // A text with 64 readable bytes behind it, and the place of its first byte in the body.
  struct Region {
    const char* text;
    std::size_t size;
    std::uint64_t offset;
  };
  struct BadRow {  // a row, found; `exists`: and not to be kept
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::uint32_t next = 0;
    std::uint64_t fields = 0;
    bool exists = false;
    bool is_utf8 = true;
  };

  State decode_region(const Region& region, std::size_t& at, BlockBuilder& builder);
  std::uint32_t find_rows(const Region& region, std::size_t at, BadRow& bad);
  std::uint32_t find_rows_slowly(const Region& region, std::size_t at, BadRow& bad);
  bool find_row(std::string_view text, std::size_t from, bool is_last, BadRow& row);
  void add_row(const BadRow& row, BadRow& bad);
  void start_batch(const char* text);
  bool skip_lines(const Region& region, std::size_t& at);
  bool is_other_width(const BadRow& bad) const;
  std::uint32_t stop_before_long_row(std::uint64_t offset, std::uint32_t next, BadRow& bad);
  void mark_rows_that_are_not_utf8();
  std::size_t rows_that_fit(const BlockBuilder& builder, std::uint64_t offset) const;
  void decode_batch(BlockBuilder& builder, std::uint64_t offset);
  void decode_columns(BlockBuilder& builder);
  void take_out_bad_rows();
  void reject_bad_cell(std::size_t row);
  void reject_row(const BadRow& bad);
  void note_input(BlockBuilder& builder, std::uint64_t end_offset);

  std::size_t take_byte_order_mark(std::string_view piece);
  bool complete_carried_row(std::string_view piece, std::size_t& used);
  void keep(std::string_view text) { carry_.append(text.data(), text.size()); }
  void forget_carry();
  State check_carry();
  State fail_row_too_long(std::uint64_t offset);

  CsvOptions options_;
  std::shared_ptr<const TableSchema> schema_;
  ColumnMapping mapping_;
  DecodeScratch& scratch_;
  RowRejects rejects_;
  RowMarks marks_;
  CellCleaning cleaning_;
  bool is_simple_;            // all marks have one byte: the fast scan applies
  std::uint32_t row_fields_;  // what rows have now: with the surplus fields of the mapping, or without
  std::uint32_t lines_to_skip_ = 0;
  RowBound row_bound_;
  GrowBuffer carry_;          // an unfinished row
  RowWalk carry_walk_;        // how far it was looked at, where fields are enclosed
  std::uint64_t offset_ = 0;  // body offset of the carry's first byte, or of the next byte fed
  unsigned mark_bytes_ = 0;   // of the byte order mark, seen so far
  bool mark_done_ = false;
  bool failed_ = false;
  std::uint64_t total_rows_ = 0;
  std::string error_;
};

}  // namespace penstock::txn
