#include "txn/decode/json_decoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/base/check.hpp"
#include "txn/decode/cell_reason.hpp"
#include "txn/decode/json_text.hpp"
#include "txn/decode/row_scan.hpp"

namespace penstock::txn {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kTail = simdjson::SIMDJSON_PADDING;  // bytes that must be readable behind a row
constexpr std::size_t kCarryKept = 64 * core::kKiB;        // more is given back once it is done
constexpr std::size_t kBatchText = 64 * core::kKiB;        // of a batch: it stays in the second cache

// A row's cells would all fall into the same few places of the first cache if their distance were a power of two.
constexpr std::size_t kStridePadding = 4;

static_assert(GrowBuffer::kSlack >= kTail);

std::vector<JsonRowParser::Alias> fields_of(const std::vector<ColumnAlias>& aliases,
                                            const ColumnMapping& mapping) {
  std::vector<JsonRowParser::Alias> out;
  for (const auto& [name, column] : aliases) {
    const std::int32_t field = mapping.targets[column].field;
    if (field != ColumnMapping::kNoField) out.push_back({name, static_cast<std::uint32_t>(field)});
  }
  return out;
}

}  // namespace

JsonDecoder::JsonDecoder(JsonOptions options, std::shared_ptr<const TableSchema> schema,
                         ColumnMapping mapping, const MappingOptions& defaults, DecodeScratch& scratch)
    : options_(std::move(options)), scratch_(scratch), rejects_(options_.rejects) {
  options_.cells.has_json_escapes = true;
  CHECK(!options_.line_delimiter.empty());
  if (scratch_.json == nullptr) scratch_.json = std::make_shared<JsonScratch>();
  mark_done_ = options_.line_delimiter.find_first_of(kByteOrderMark) != std::string::npos;
  follow(std::move(schema), std::move(mapping), defaults);
}

void JsonDecoder::follow(std::shared_ptr<const TableSchema> schema, ColumnMapping mapping,
                         const MappingOptions& defaults, const std::vector<ColumnAlias>& aliases) {
  schema_ = std::move(schema);
  mapping_ = std::move(mapping);
  CHECK_EQ(mapping_.targets.size(), schema_->columns.size());
  fields_ = json_fields(*schema_, mapping_, defaults, options_.paths);
  parser_ = std::make_unique<JsonRowParser>(
      JsonRowParser::Options{.fields = &fields_,
                             .jsonpaths = options_.jsonpaths,
                             .root = &options_.root,
                             .cell_bytes_max = 2 * options_.row_bytes_max + kFillBytesMax,
                             .aliases = fields_of(aliases, mapping_),
                             .simd = options_.simd,
                             .takes_fast = options_.takes_fast},
      *schema_);
  row_bound_ = RowBound();
  for (std::size_t i = 0; i < schema_->columns.size(); ++i) {
    row_bound_.add(schema_->columns[i].type, mapping_.targets[i].fill.text.size());
  }
  rows_max_ = std::clamp<std::size_t>(JsonScratch::kCellsMax / std::max<std::size_t>(fields_.size(), 1), 1,
                                      RowBatch::kRowsMax);
  stride_ = rows_max_ + kStridePadding;
}

JsonDecoder::~JsonDecoder() = default;

// Where each line is a row, whatever is in it.
std::string_view JsonDecoder::row_end() const {
  const bool is_row_a_line = options_.by_line && !options_.strip_outer_array;
  return is_row_a_line && options_.line_delimiter.size() == 1 ? std::string_view(options_.line_delimiter)
                                                              : std::string_view();
}

void JsonDecoder::go_to(std::uint64_t offset) {
  CHECK_EQ(carry_.size(), 0u);
  mark_done_ = true;
  fed_ = offset;
}

FeedResult JsonDecoder::feed(core::Bytes bytes, BlockBuilder& builder) {
  if (failed_) return {0, State::Failed};
  const std::string_view piece = core::as_text(bytes);
  std::size_t at = 0;
  start_batch(builder);
  State state = take_byte_order_mark(piece, at);
  if (held_.is_active) state = go_on_with_held(builder);
  while (state == State::NeedInput && at < piece.size()) {
    state = options_.by_line ? feed_lines(piece, at, builder) : feed_document(piece, at, builder);
  }
  if (state == State::NeedInput) {
    end_batch(builder);
    if (builder.is_full(options_.block)) state = State::BlockFull;
  }
  if (state == State::Void) at = piece.size();
  fed_ += at;
  return {at, state};
}

FeedResult::State JsonDecoder::finish(BlockBuilder& builder) {
  if (failed_) return State::Failed;
  if (!mark_done_) {
    mark_done_ = true;
    keep(kByteOrderMark.substr(0, mark_bytes_), 0);
  }
  start_batch(builder);
  State state = State::NeedInput;
  if (held_.is_active) {
    state = go_on_with_held(builder);
  } else if (options_.by_line) {
    if (carry_.size() != 0) {
      if (carry_.size() > options_.row_bytes_max) return check_carry();
      state = take_line(carried(), carry_offset_, fed_, builder);
    }
  } else if (place_ == Place::Elements || place_ == Place::Document || carry_.size() != 0) {
    state = void_body(JsonRowParser::broken_text(simdjson::INCOMPLETE_ARRAY_OR_OBJECT, true), carried());
  }
  if (state == State::NeedInput) state = end_batch(builder);
  if (!held_.is_active) forget_carry();
  return state;
}

// ------------------------------------------------------------------------------------------------ lines

FeedResult::State JsonDecoder::feed_lines(std::string_view piece, std::size_t& at, BlockBuilder& builder) {
  const std::size_t delimiter = options_.line_delimiter.size();
  if (carry_.size() != 0) {
    const std::size_t end =
        end_of_carried(core::as_text(carry_.bytes()), piece.substr(at), options_.line_delimiter);
    const std::string_view more = piece.substr(at, end);
    keep(more, 0);
    at += more.size();
    if (end == std::string_view::npos) return check_carry();
    if (carry_.size() > options_.row_bytes_max + delimiter) return check_carry();
    State state =
        take_line(carried().substr(0, carry_.size() - delimiter), carry_offset_, fed_ + at, builder);
    if (held_.is_active) return state;
    if (state == State::NeedInput) state = end_batch(builder);
    forget_carry();
    return state;
  }
  const std::size_t found = find_delimiter(piece, options_.line_delimiter, at);
  if (found == std::string_view::npos) {
    end_batch(builder);
    keep(piece.substr(at), fed_ + at);
    at = piece.size();
    return check_carry();
  }
  const std::size_t begin = at;
  const std::string_view line = piece.substr(begin, found - begin);
  if (line.size() > options_.row_bytes_max) {
    end_batch(builder);
    carry_offset_ = fed_ + begin;
    return fail("INVALID_ARGUMENT", {});
  }
  const bool is_held = options_.strip_outer_array && !line.empty();
  if (is_held || piece.size() - found < kTail) {  // it needs bytes behind it, or a place to stay
    end_batch(builder);
    keep(line, fed_ + begin);
    at = found + delimiter;
    State state = take_line(carried(), carry_offset_, fed_ + at, builder);
    if (held_.is_active) return state;
    if (state == State::NeedInput) state = end_batch(builder);
    forget_carry();
    return state;
  }
  at = found + delimiter;
  return take_line(line, fed_ + begin, fed_ + at, builder);
}

FeedResult::State JsonDecoder::take_line(std::string_view line, std::uint64_t offset, std::uint64_t next,
                                         BlockBuilder& builder) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line.empty()) return State::NeedInput;
  if (options_.strip_outer_array) {
    carry_.set_size(line.size());  // it is in the carry: without a carriage return
    return hold_document(offset, next, builder);
  }
  return take_row({line, offset, next}, options_.has_root, builder);
}

// ------------------------------------------------------------------------------- a body that is one document

FeedResult::State JsonDecoder::feed_document(std::string_view piece, std::size_t& at, BlockBuilder& builder) {
  switch (place_) {
    case Place::Begin:
    case Place::Behind: {
      while (at < piece.size() && is_json_blank(piece[at])) ++at;
      if (at == piece.size()) return State::NeedInput;
      const char c = piece[at];
      if (place_ == Place::Behind) {
        if (!options_.strip_outer_array && c == '{') {
          return fail("DATA_QUALITY_ERROR",
                      "Multiple JSON objects in the body: send read_json_by_line: true if each line is one");
        }
        return void_body_at(JsonRowParser::broken_text(simdjson::TAPE_ERROR, true), fed_ + at);
      }
      if (c == '[' && options_.strip_outer_array) {
        place_ = Place::Elements;
      } else if (c == '{' || c == '[') {
        place_ = Place::Document;
      } else {
        return void_body_at("Not an json object or json array", fed_ + at);
      }
      return State::NeedInput;
    }
    case Place::Elements:
      return feed_elements(piece, at, builder);
    case Place::Document: {
      const std::size_t end = brackets_.find_end(piece.substr(at));
      const std::string_view more = piece.substr(at, end);
      end_batch(builder);
      keep(more, fed_ + at);
      at += more.size();
      if (const State state = check_carry(); state != State::NeedInput) return state;
      if (end == std::string_view::npos) return State::NeedInput;
      place_ = Place::Behind;
      if (options_.strip_outer_array) return hold_document(carry_offset_, fed_ + at, builder);
      State state = take_row({carried(), carry_offset_, fed_ + at}, options_.has_root, builder);
      if (state == State::NeedInput) state = end_batch(builder);
      forget_carry();
      return state;
    }
    case Place::Ignored:
      at = piece.size();
      return State::NeedInput;
  }
  return State::NeedInput;
}

FeedResult::State JsonDecoder::feed_elements(std::string_view piece, std::size_t& at, BlockBuilder& builder) {
  using Kind = JsonElements::Step::Kind;
  const JsonElements::Step step = elements_.next(piece.substr(at));
  const std::size_t begin = at + step.begin;
  const std::size_t end = at + step.end;
  switch (step.kind) {
    case Kind::Done:
      at = end;
      place_ = Place::Behind;
      if (elements_.has_elements()) return State::NeedInput;
      ++total_rows_;
      return reject_row("Empty json line", "[]", fed_ + at, builder);
    case Kind::Malformed:
      return void_body_at(JsonRowParser::broken_text(simdjson::TAPE_ERROR, true), fed_ + end);
    case Kind::More:
      if (begin != end) {
        end_batch(builder);
        keep(piece.substr(begin, end - begin), fed_ + begin);
      }
      at = piece.size();
      return check_carry();
    case Kind::Element:
      break;
  }
  at = end;
  if (carry_.size() == 0 && piece.size() - end >= kTail) {
    const std::string_view text = piece.substr(begin, end - begin);
    if (text.size() > options_.row_bytes_max) {
      end_batch(builder);
      carry_offset_ = fed_ + begin;
      return fail("INVALID_ARGUMENT", {});
    }
    return take_row({text, fed_ + begin, fed_ + end}, options_.has_root, builder);
  }
  end_batch(builder);
  keep(piece.substr(begin, end - begin), fed_ + begin);
  if (const State state = check_carry(); state != State::NeedInput) return state;
  State state = take_row({carried(), carry_offset_, fed_ + end}, options_.has_root, builder);
  if (state == State::NeedInput) state = end_batch(builder);
  forget_carry();
  return state;
}

// The carry is a whole document that should be an array of rows, or lead to one.
FeedResult::State JsonDecoder::hold_document(std::uint64_t offset, std::uint64_t next,
                                             BlockBuilder& builder) {
  const std::string_view text = carried();
  const JsonText value = compact_json(text, nullptr);
  if (value.size == 0) {
    return document_is_bad(JsonRowParser::broken_text(simdjson::TAPE_ERROR, true), text, next, builder);
  }
  if (const std::string_view rest = trim_json_blanks(text.substr(value.size)); !rest.empty()) {
    if (rest.front() == ',' || rest.front() == '[' || rest.front() == '{') {
      return fail("DATA_QUALITY_ERROR", "Multiple JSON objects in a single line");
    }
    return document_is_bad(JsonRowParser::broken_text(simdjson::TAPE_ERROR, true), text, next, builder);
  }
  std::string_view array = trim_json_blanks(text);
  held_ = Held{.has_root = options_.has_root, .offset = offset, .next = next};
  if (options_.has_root && array.front() == '{') {
    held_.has_root = false;
    array = parser_->find_root(text, json());
    if (array.empty()) return document_is_bad(parser_->reason(), text, next, builder);
  }
  if (array.front() != '[') {
    return document_is_bad("JSON data is not an array-object, `strip_outer_array` must be FALSE.", text, next,
                           builder);
  }
  held_.at = static_cast<std::size_t>(array.data() - text.data());
  held_.end = held_.at + array.size();
  held_.is_active = true;
  return go_on_with_held(builder);
}

FeedResult::State JsonDecoder::go_on_with_held(BlockBuilder& builder) {
  using Kind = JsonElements::Step::Kind;
  State state = State::NeedInput;
  while (state == State::NeedInput) {
    const JsonElements::Step step = held_.elements.next(carried().substr(held_.at, held_.end - held_.at));
    if (step.kind != Kind::Element) break;  // it was checked as a whole
    const std::string_view text = carried().substr(held_.at + step.begin, step.end - step.begin);
    const std::uint64_t offset = held_.offset + held_.at + step.begin;
    held_.at += step.end;
    state = take_row({text, offset, held_.offset + held_.at}, held_.has_root, builder);
  }
  if (state == State::NeedInput && !held_.elements.has_elements()) {
    ++total_rows_;
    state = reject_row("Empty json line", carried(), held_.next, builder);
  }
  if (state != State::NeedInput) return state;
  state = end_batch(builder);
  held_.is_active = false;
  forget_carry();
  return state;
}

// A line is one bad row; a body is nothing but bad.
FeedResult::State JsonDecoder::document_is_bad(std::string reason, std::string_view text, std::uint64_t next,
                                               BlockBuilder& builder) {
  if (!options_.by_line) return void_body(reason, text);
  ++total_rows_;
  return reject_row(reason, text, next, builder);
}

// ------------------------------------------------------------------------------------------------- rows

FeedResult::State JsonDecoder::take_row(const JsonScratch::Row& row, bool has_root, BlockBuilder& builder) {
  JsonScratch& scratch = json();
  if (!scratch.rows.empty() && batch_text_ + row.text.size() > kBatchText) {
    end_batch(builder);
  }
  if (scratch.cells.size() < fields_.size() * stride_) scratch.cells.resize(fields_.size() * stride_);
  using Outcome = JsonRowParser::Outcome;
  const Outcome outcome = parser_->parse(row.text, has_root, scratch.rows.size(), stride_, scratch);
  switch (outcome) {
    case Outcome::SecondObject:
      end_batch(builder);  // the rows before it are judged wherever the body was cut
      return fail("DATA_QUALITY_ERROR", "Multiple JSON objects in a single line");
    case Outcome::Broken:
      if (!options_.by_line && !held_.is_active) return void_body(parser_->reason(), row.text);
      [[fallthrough]];
    case Outcome::Rejected:
      ++total_rows_;
      return reject_row(parser_->reason(), row.text, row.next, builder);
    case Outcome::Row:
      break;
  }
  ++total_rows_;
  scratch.rows.push_back(row);
  batch_text_ += std::max(parser_->cell_bytes(), row.text.size());
  if (scratch.rows.size() == rows_max_ || could_be_full(builder, row.next)) return end_batch(builder);
  return State::NeedInput;
}

FeedResult::State JsonDecoder::reject_row(std::string_view reason, std::string_view text, std::uint64_t next,
                                          BlockBuilder& builder) {
  end_batch(builder);
  if (rejects_.count_row()) rejects_.add_reason(reason, trim_json_blanks(text));
  note_input(builder, next);
  return builder.is_full(options_.block) ? State::BlockFull : State::NeedInput;
}

void JsonDecoder::start_batch(const BlockBuilder& builder) {
  json().rows.clear();
  json().arena.clear();
  batch_text_ = 0;
  used_ = builder.bytes();
  rows_before_ = builder.rows();
}

// Whether the block may be full with the batch's rows. Until it may be, nobody needs to look; so where a block ends
// does not depend on where batches do.
bool JsonDecoder::could_be_full(const BlockBuilder& builder, std::uint64_t next) const {
  const BlockLimits& limits = options_.block;
  const std::size_t rows = json().rows.size();
  if (rows_before_ + rows >= limits.rows_max) return true;
  const std::uint64_t first = rows_before_ != 0 ? builder.first_row_offset() : json().rows.front().offset;
  if (next - first >= limits.input_bytes_max) return true;
  return used_ + row_bound_.bytes(rows, batch_text_) >= limits.memory_bytes_max;
}

FeedResult::State JsonDecoder::end_batch(BlockBuilder& builder) {
  JsonScratch& scratch = json();
  if (scratch.rows.empty()) {  // what rejected rows took goes all the same
    start_batch(builder);
    scratch.release_big_parser();
    return State::NeedInput;
  }
  BadRows& bad = scratch_.bad;
  const std::uint64_t end = scratch.rows.back().next;
  bad.clear();
  decode_columns(builder);
  if (bad.count != 0) [[unlikely]] {
    builder.truncate(rows_before_);
    take_out_bad_rows();
    bad.clear();
    if (!scratch.rows.empty()) decode_columns(builder);
    CHECK_EQ(bad.count, 0u);
  }
  if (rows_before_ == 0 && !scratch.rows.empty()) builder.set_input(scratch.rows.front().offset, 0);
  note_input(builder, end);
  start_batch(builder);
  scratch.release_big_parser();
  return builder.is_full(options_.block) ? State::BlockFull : State::NeedInput;
}

void JsonDecoder::decode_columns(BlockBuilder& builder) {
  JsonScratch& scratch = json();
  const std::size_t count = scratch.rows.size();
  const std::span<ColumnBuilder> columns = builder.columns();
  for (std::uint32_t i = 0; i < columns.size(); ++i) {
    const ColumnMapping::Target& target = mapping_.targets[i];
    if (target.field == ColumnMapping::kNoField) {
      fill_column(target.fill, count, columns[i]);
      continue;
    }
    const auto field = static_cast<std::uint32_t>(target.field);
    decode_cells(scratch.cells.data() + field * stride_, count,
                 {i, field, schema_->columns[i], options_.cells, options_.simd}, columns[i], scratch_.bad);
  }
}

void JsonDecoder::take_out_bad_rows() {
  JsonScratch& scratch = json();
  std::size_t kept = 0;
  for (std::size_t row = 0; row < scratch.rows.size(); ++row) {
    if (scratch_.bad.has(row)) {
      reject_bad_cell(row);
      continue;
    }
    if (kept != row) {
      scratch.rows[kept] = scratch.rows[row];
      for (std::size_t field = 0; field < fields_.size(); ++field) {
        scratch.cells[field * stride_ + kept] = scratch.cells[field * stride_ + row];
      }
    }
    ++kept;
  }
  scratch.rows.resize(kept);
}

void JsonDecoder::reject_bad_cell(std::size_t row) {
  if (!rejects_.count_row()) return;
  const BadRows::Cell& bad = scratch_.bad.cells[row];
  const ColumnDef& column = schema_->columns[bad.column];
  const auto field = static_cast<std::size_t>(mapping_.targets[bad.column].field);
  const Cell cell = json().cells[field * stride_ + row];
  rejects_.add_reason(
      bad_cell_reason(bad.why, column, {cell.begin, cell.size}, rejects_.limits().text_bytes_max),
      json().rows[row].text);
}

// Input counts from a block's first row: rows that were filtered before it belong to no block.
void JsonDecoder::note_input(BlockBuilder& builder, std::uint64_t end_offset) {
  if (builder.rows() == 0) return;
  builder.set_input(builder.first_row_offset(),
                    static_cast<std::size_t>(end_offset - builder.first_row_offset()));
}

// ---------------------------------------------------------------------------------------------- the rest

FeedResult::State JsonDecoder::take_byte_order_mark(std::string_view piece, std::size_t& at) {
  while (!mark_done_ && at < piece.size()) {
    if (piece[at] != kByteOrderMark[mark_bytes_]) {
      mark_done_ = true;
      if (mark_bytes_ == 0) break;
      // What only looked like a mark is the begin of something that is no JSON.
      if (!options_.by_line) return void_body_at("Not an json object or json array", fed_ + at);
      keep(kByteOrderMark.substr(0, mark_bytes_ - at), 0);
      at = 0;
      break;
    }
    ++at;
    if (++mark_bytes_ == kByteOrderMark.size()) mark_done_ = true;
  }
  return State::NeedInput;
}

// `offset` is where the text lies in the body; it counts for the first of what is kept.
void JsonDecoder::keep(std::string_view text, std::uint64_t offset) {
  if (carry_.size() == 0) carry_offset_ = offset;
  carry_.append(text.data(), text.size());
}

void JsonDecoder::forget_carry() {
  carry_.clear();
  if (carry_.capacity() > kCarryKept) carry_.release();
}

FeedResult::State JsonDecoder::check_carry() {
  if (carry_.size() <= options_.row_bytes_max + options_.line_delimiter.size()) return State::NeedInput;
  return fail("INVALID_ARGUMENT", {});
}

// Without an error's text: the row in the carry is too long.
FeedResult::State JsonDecoder::fail(std::string_view code, std::string error) {
  failed_ = true;
  error_code_ = code;
  error_ = std::move(error);
  if (error_.empty()) {
    error_ = fmt::format("a row is longer than row_bytes_max {} bytes; it begins at byte {} of the body",
                         options_.row_bytes_max, carry_offset_);
  }
  json().rows.clear();
  carry_.release();
  return State::Failed;
}

FeedResult::State JsonDecoder::void_body_at(std::string_view reason, std::uint64_t offset) {
  return void_body(fmt::format("{} (at byte {} of the body)", reason, offset), {});
}

// The body counts as one bad row.
FeedResult::State JsonDecoder::void_body(std::string_view reason, std::string_view text) {
  const std::string said(reason);
  const std::string shown(text.substr(0, rejects_.limits().text_bytes_max));
  json().rows.clear();
  json().arena.clear();
  place_ = Place::Ignored;
  held_.is_active = false;
  total_rows_ = 1;
  rejects_ = RowRejects(options_.rejects);
  if (rejects_.count_row()) rejects_.add_reason(said, trim_json_blanks(shown));
  carry_.release();
  return State::Void;
}

}  // namespace penstock::txn
