// JsonDecoder: a load's JSON body, in pieces cut anywhere, into the columns of a BlockBuilder.
//
// By line, each line is an object (or, with strip_outer_array, an array of them). Otherwise the body is one document:
// an array whose elements are taken as they come, so that the array itself is never held, or one object. A row is held
// whole, and nothing more. Rows are found first (json_scan), taken apart (json_row) and converted a batch at a
// time, column by column, by what converts CSV cells as well.
//
// A line that is no JSON is a filtered row. A body that is one document and no JSON is Void: none of its rows counts.
//
// Journey:  net/load (body pieces) -> [JsonDecoder] -> BlockBuilder -> encode_block.
// Shard:    one; never suspends. Decoders of a shard share a DecodeScratch.
// Promise:  as BodyDecoder; nothing is allocated per row.
// Failure:  Failed when a row is longer than row_bytes_max, or a second object follows on a line.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "txn/decode/body_decoder.hpp"
#include "txn/decode/column_decode.hpp"
#include "txn/decode/json_row.hpp"
#include "txn/decode/json_scan.hpp"
#include "txn/decode/row_bound.hpp"
#include "txn/schema/former_names.hpp"

namespace penstock::txn {

struct JsonOptions {
  bool by_line = true;
  bool strip_outer_array = false;
  std::string line_delimiter = "\n";
  std::string jsonpaths;  // the header's text; empty: none
  std::vector<JsonPath> paths;
  bool has_root = false;
  JsonPath root;
  CellRules cells;
  BlockLimits block;
  std::size_t row_bytes_max = 16 * core::kMiB;
  RowRejects::Limits rejects;
  SimdLevel simd = best_simd_level();
  bool takes_fast = true;  // false: no row by take_fast_row. What comes out is the same
};

class JsonDecoder final : public BodyDecoder {
 public:
  // The scratch must outlive the decoder. `defaults`: what columns get that a row does not name.
  JsonDecoder(JsonOptions options, std::shared_ptr<const TableSchema> schema, ColumnMapping mapping,
              const MappingOptions& defaults, DecodeScratch& scratch);
  ~JsonDecoder() override;

  // The rows from here on are of another schema: the next call wants a builder of it. A row that is in hand in part is
  // one of them; counts, and where in the body it is, go on. `aliases`: other keys of columns, the best first.
  void follow(std::shared_ptr<const TableSchema> schema, ColumnMapping mapping,
              const MappingOptions& defaults, const std::vector<ColumnAlias>& aliases = {});

  FeedResult feed(core::Bytes piece, BlockBuilder& builder) override;
  FeedResult::State finish(BlockBuilder& builder) override;

  std::uint64_t total_rows() const override { return total_rows_; }
  const RowRejects& rejects() const override { return rejects_; }
  const std::string& error() const override { return error_; }
  std::string_view error_code() const override { return error_code_; }
  bool has_json_escapes() const override { return true; }
  std::size_t reserved_bytes() const override { return carry_.capacity(); }
  std::string_view row_end() const override;
  bool is_between_rows() const override { return carry_.size() == 0 && mark_done_ && !held_.is_active; }
  void go_to(std::uint64_t offset) override;
  void let_go() override { carry_.release(); }

 private:
  using State = FeedResult::State;
  // Where a body that is one document has got to.
  enum class Place : std::uint8_t { Begin, Elements, Document, Behind, Ignored };
  // A document that is an array of rows, held whole, while its elements become rows.
  struct Held {
    bool is_active = false;
    bool has_root = false;  // each element is entered by the root
    std::size_t at = 0;     // in the carry: elements from here
    std::size_t end = 0;
    JsonElements elements;
    std::uint64_t offset = 0;
    std::uint64_t next = 0;
  };

  State feed_lines(std::string_view piece, std::size_t& at, BlockBuilder& builder);
  State feed_document(std::string_view piece, std::size_t& at, BlockBuilder& builder);
  State feed_elements(std::string_view piece, std::size_t& at, BlockBuilder& builder);
  State take_line(std::string_view line, std::uint64_t offset, std::uint64_t next, BlockBuilder& builder);
  State hold_document(std::uint64_t offset, std::uint64_t next, BlockBuilder& builder);
  State go_on_with_held(BlockBuilder& builder);
  State document_is_bad(std::string reason, std::string_view text, std::uint64_t next, BlockBuilder& builder);

  State take_row(const JsonScratch::Row& row, bool has_root, BlockBuilder& builder);
  State reject_row(std::string_view reason, std::string_view text, std::uint64_t next, BlockBuilder& builder);
  void start_batch(const BlockBuilder& builder);
  State end_batch(BlockBuilder& builder);
  void decode_columns(BlockBuilder& builder);
  void take_out_bad_rows();
  void reject_bad_cell(std::size_t row);
  void note_input(BlockBuilder& builder, std::uint64_t end_offset);
  bool could_be_full(const BlockBuilder& builder, std::uint64_t next) const;

  State take_byte_order_mark(std::string_view piece, std::size_t& at);
  void keep(std::string_view text, std::uint64_t offset);
  std::string_view carried() const { return {carry_.as<char>(), carry_.size()}; }
  void forget_carry();
  State check_carry();
  State fail(std::string_view code, std::string error);
  State void_body(std::string_view reason, std::string_view text);
  State void_body_at(std::string_view reason, std::uint64_t offset);

  JsonScratch& json() const { return *scratch_.json; }

  JsonOptions options_;
  std::shared_ptr<const TableSchema> schema_;
  ColumnMapping mapping_;
  std::vector<JsonField> fields_;
  std::unique_ptr<JsonRowParser> parser_;
  DecodeScratch& scratch_;
  RowRejects rejects_;
  RowBound row_bound_;
  std::size_t rows_max_ = 0;  // of a batch
  std::size_t stride_ = 0;    // of its cells

  GrowBuffer carry_;  // what is not whole yet, or is held
  std::uint64_t carry_offset_ = 0;
  std::uint64_t fed_ = 0;  // body offset of the piece
  unsigned mark_bytes_ = 0;
  bool mark_done_ = false;
  Place place_ = Place::Begin;
  JsonElements elements_;
  JsonBrackets brackets_;
  Held held_;

  std::size_t batch_text_ = 0;  // bytes of values in the batch
  std::size_t used_ = 0;        // bytes of the builder when it began
  std::size_t rows_before_ = 0;
  bool failed_ = false;
  std::uint64_t total_rows_ = 0;
  std::string_view error_code_ = "INVALID_ARGUMENT";
  std::string error_;
};

}  // namespace penstock::txn
