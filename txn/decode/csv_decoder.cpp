#include "txn/decode/csv_decoder.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "core/base/check.hpp"

namespace penstock::txn {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kWindow =
    32 * core::kKiB;  // scanned at once: with its fields it stays in the first cache
constexpr std::size_t kTail = GrowBuffer::kSlack;  // bytes that must be readable behind a region
constexpr std::size_t kStep = 4 * core::kKiB;
constexpr std::size_t kCarryKept = 64 * core::kKiB;  // more is given back once the row is done

bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

CsvDecoder::CsvDecoder(CsvOptions options, std::shared_ptr<const TableSchema> schema, ColumnMapping mapping,
                       DecodeScratch& scratch)
    : options_(std::move(options)),
      schema_(std::move(schema)),
      mapping_(std::move(mapping)),
      scratch_(scratch),
      rejects_(options_.rejects) {
  CHECK(!options_.column_separator.empty() && !options_.line_delimiter.empty());
  CHECK_EQ(mapping_.targets.size(), schema_->columns.size());
  CHECK(mapping_.field_count != 0);
  CHECK_LE(options_.row_bytes_max, kRowBytesHardMax);
  marks_ = {options_.column_separator, options_.line_delimiter, options_.enclose,
            options_.escape == options_.enclose ? '\0' : options_.escape};
  // A carriage return as separator could be taken for the end of a line, so it takes the slow path.
  is_simple_ = marks_.separator.size() == 1 && marks_.delimiter.size() == 1 &&
               marks_.separator != marks_.delimiter && marks_.separator != "\r";
  if (marks_.enclose != 0) {
    const std::string others = marks_.separator + marks_.delimiter;
    is_simple_ = is_simple_ && others.find(marks_.enclose) == std::string::npos &&
                 (marks_.escape == 0 || others.find(marks_.escape) == std::string::npos);
  }
  // As Doris has it: double quotes that enclose are data unless trim_double_quotes is set, other marks never.
  const bool trims = options_.trim_double_quotes || (marks_.enclose != 0 && marks_.enclose != '"');
  cleaning_ = {.trim = !trims                ? '\0'
                       : marks_.enclose != 0 ? marks_.enclose
                                             : '"',
               .enclose = marks_.enclose,
               .escape = marks_.escape,
               .trimmed_can_be_null = marks_.enclose != 0,
               .empty_is_null = options_.empty_field_as_null};
  row_fields_ = mapping_.field_count + mapping_.surplus_fields;
  lines_to_skip_ = options_.skip_lines;
  // With a delimiter that shares bytes with the mark, whether there is one could depend on where the body was
  // cut.
  mark_done_ = options_.line_delimiter.find_first_of(kByteOrderMark) != std::string::npos;
  for (std::size_t i = 0; i < schema_->columns.size(); ++i) {
    row_bound_.add(schema_->columns[i].type, mapping_.targets[i].fill.text.size());
  }
}

// A delimiter of several bytes that can overlap itself or a separator means different rows when it is looked for from
// behind, and an enclosed field may hold one.
std::string_view CsvDecoder::row_end() const {
  const std::string& delimiter = marks_.delimiter;
  const bool is_one_byte = delimiter.size() == 1 || delimiter == "\r\n";
  const bool is_alone = marks_.separator.find_first_of(delimiter) == std::string::npos;
  return is_one_byte && is_alone && marks_.enclose == 0 ? std::string_view(delimiter) : std::string_view();
}

void CsvDecoder::go_to(std::uint64_t offset) {
  CHECK_EQ(carry_.size(), 0u);
  mark_done_ = true;
  lines_to_skip_ = 0;
  offset_ = offset;
}

// Three cases: the row that was unfinished, rows that lie wholly (and 64 bytes before the end) in the piece,
// and the rest, which is copied and looked at there.
FeedResult CsvDecoder::feed(core::Bytes bytes, BlockBuilder& builder) {
  if (failed_) return {0, State::Failed};
  const std::string_view piece = core::as_text(bytes);
  std::size_t at = take_byte_order_mark(piece);
  if (carry_.size() != 0) {
    std::size_t used = 0;
    if (!complete_carried_row(piece.substr(at), used)) return {piece.size(), check_carry()};
    at += used;
    std::size_t done = 0;
    const State state = decode_region({carry_.as<char>(), carry_.size(), offset_}, done, builder);
    if (state == State::Failed) return {at, state};
    CHECK_EQ(done, carry_.size());
    offset_ += done;
    forget_carry();
    if (state == State::BlockFull) return {at, state};
  }
  if (piece.size() - at > kTail) {
    const Region region{piece.data() + at, piece.size() - at - kTail, offset_};
    std::size_t done = 0;
    const State state = decode_region(region, done, builder);
    at += done;
    offset_ += done;
    if (state != State::NeedInput) return {at, state};
  }
  keep(piece.substr(at));
  std::size_t done = 0;
  const State state = decode_region({carry_.as<char>(), carry_.size(), offset_}, done, builder);
  offset_ += done;
  if (state != State::NeedInput) {
    forget_carry();
    return {at + done, state};
  }
  const std::size_t rest = carry_.size() - done;
  if (rest == 0) {
    forget_carry();
  } else if (done != 0) {
    std::memmove(carry_.data(), carry_.data() + done, rest);
    carry_.set_size(rest);
    carry_walk_ = {};
  }
  return {piece.size(), check_carry()};
}

FeedResult::State CsvDecoder::finish(BlockBuilder& builder) {
  if (failed_) return State::Failed;
  if (!mark_done_) {
    keep(kByteOrderMark.substr(0, mark_bytes_));
    mark_done_ = true;
  }
  if (carry_.size() == 0) return State::NeedInput;
  if (carry_.size() > options_.row_bytes_max) return fail_row_too_long(offset_);
  const auto size = static_cast<std::uint32_t>(carry_.size());
  if (lines_to_skip_ == 0) {
    const std::string_view text(carry_.as<char>(), size);
    BadRow bad;
    for (;;) {
      start_batch(text.data());
      BadRow row;
      find_row(text, 0, true, row);
      add_row(row, bad);
      if (!is_other_width(bad)) break;
      row_fields_ = static_cast<std::uint32_t>(bad.fields);
      bad = {};
    }
    if (bad.exists) {
      reject_row(bad);
      note_input(builder, offset_ + size);
    } else {
      decode_batch(builder, offset_);
    }
  }
  offset_ += size;
  forget_carry();
  return builder.is_full(options_.block) ? State::BlockFull : State::NeedInput;
}

void CsvDecoder::start_batch(const char* text) {
  RowBatch& batch = scratch_.batch;
  batch.prepare(row_fields_);
  batch.count = 0;
  batch.text = text;
  batch.separator_bytes = static_cast<std::uint32_t>(marks_.separator.size());
  batch.is_even = false;
  batch.has_escapes = false;
  batch.forget_broken();
}

// False if the region ends before the lines do.
bool CsvDecoder::skip_lines(const Region& region, std::size_t& at) {
  while (lines_to_skip_ != 0) {
    start_batch(region.text + at);
    BadRow row;
    if (!find_row({region.text + at, region.size - at}, 0, false, row)) return false;
    if (row.end > options_.row_bytes_max) {
      fail_row_too_long(region.offset + at);
      return false;
    }
    at += row.next;
    --lines_to_skip_;
  }
  return true;
}

// Whether a row has the other number of fields that rows may have: the surplus ones are there in all rows of a
// body or in none, so that one is tried until the other comes.
bool CsvDecoder::is_other_width(const BadRow& bad) const {
  if (mapping_.surplus_fields == 0 || !bad.exists || !bad.is_utf8) return false;
  return bad.fields != row_fields_ &&
         (bad.fields == mapping_.field_count || bad.fields == mapping_.field_count + mapping_.surplus_fields);
}

// Decodes the whole rows of a region from `at` on; `at` is then behind the last that was dealt with.
FeedResult::State CsvDecoder::decode_region(const Region& region, std::size_t& at, BlockBuilder& builder) {
  RowBatch& batch = scratch_.batch;
  if (lines_to_skip_ != 0 && !skip_lines(region, at)) return failed_ ? State::Failed : State::NeedInput;
  while (at < region.size) {
    start_batch(region.text + at);
    BadRow bad;
    const std::uint32_t next = find_rows(region, at, bad);
    if (failed_) return State::Failed;
    if (next == 0 && !bad.exists) return State::NeedInput;
    const std::uint64_t offset = region.offset + at;
    if (batch.count != 0) {
      const std::size_t fit = rows_that_fit(builder, offset);
      const bool all_fit = fit == batch.count;
      batch.count = fit;
      const std::uint32_t decoded = batch.rows[fit - 1].next;
      decode_batch(builder, offset);
      if (!all_fit || builder.is_full(options_.block)) {
        at += decoded;
        if (builder.is_full(options_.block)) return State::BlockFull;
        continue;
      }
    }
    at += next;
    if (is_other_width(bad)) {
      row_fields_ = static_cast<std::uint32_t>(bad.fields);
    } else if (bad.exists) {
      reject_row(bad);
      note_input(builder, offset + bad.next);
      at += bad.next - next;
      if (builder.is_full(options_.block)) return State::BlockFull;
    }
  }
  return State::NeedInput;
}

// Fills the batch with rows from region.text + at on, and says how far they (and empty lines) reach; a row
// that cannot be split into the wanted fields ends the batch and is given in `bad`.
std::uint32_t CsvDecoder::find_rows(const Region& region, std::size_t at, BadRow& bad) {
  if (!is_simple_) return find_rows_slowly(region, at, bad);
  RowBatch& batch = scratch_.batch;
  const ScanTask task{batch.text,          static_cast<std::uint32_t>(std::min(region.size - at, kWindow)),
                      marks_.separator[0], marks_.delimiter[0],
                      marks_.enclose,      marks_.escape};
  const ScanResult scan = scan_rows(options_.simd, task, batch);
  batch.has_escapes = scan.has_escapes;
  if (scan.stop == ScanResult::Stop::WrongFieldCount) {
    bad = {scan.next, scan.bad_end, scan.bad_next, scan.bad_fields, true, true};
    if (scan.has_high_bit) bad.is_utf8 = is_utf8({batch.text + bad.begin, bad.end - bad.begin});
  } else if (scan.next == 0) {
    return find_rows_slowly(region, at, bad);  // a row that is longer than the window, or of very many fields
  }
  std::uint32_t next = scan.next;
  if (options_.row_bytes_max < kWindow) next = stop_before_long_row(region.offset + at, next, bad);
  if (scan.has_high_bit && batch.count != 0) mark_rows_that_are_not_utf8();
  return bad.exists ? bad.begin : next;
}

// A row that is too long ends the batch before it; when it is met again as the first, the load fails.
std::uint32_t CsvDecoder::stop_before_long_row(std::uint64_t offset, std::uint32_t next, BadRow& bad) {
  RowBatch& batch = scratch_.batch;
  std::uint32_t begin = next;
  bool is_long = bad.exists && bad.end - bad.begin > options_.row_bytes_max;
  for (std::size_t row = 0; row < batch.count; ++row) {
    if (batch.row_end(row) - batch.rows[row].begin <= options_.row_bytes_max) continue;
    begin = batch.rows[row].begin;
    batch.count = row;
    is_long = true;
  }
  if (!is_long) return next;
  bad = {};
  if (batch.count == 0) fail_row_too_long(offset + begin);
  return begin;
}

std::uint32_t CsvDecoder::find_rows_slowly(const Region& region, std::size_t at, BadRow& bad) {
  RowBatch& batch = scratch_.batch;
  const std::string_view text(region.text + at, region.size - at);
  std::size_t next = 0;
  while (batch.count < RowBatch::kRowsMax && next < kWindow &&
         (batch.count + 1) * batch.field_count <= batch.ends.size()) {
    BadRow row;
    if (!find_row(text, next, false, row)) break;
    if (row.end - row.begin > options_.row_bytes_max) {
      if (batch.count == 0) fail_row_too_long(region.offset + at + next);
      break;
    }
    if (row.end != row.begin) {
      add_row(row, bad);
      if (bad.exists) break;
    }
    next = row.next;
  }
  return static_cast<std::uint32_t>(next);
}

// The row that begins at `from`, with the ends of its fields put where the batch's next row has them. False if
// its end is not in the text.
bool CsvDecoder::find_row(std::string_view text, std::size_t from, bool is_last, BadRow& row) {
  RowBatch& batch = scratch_.batch;
  const auto first = static_cast<std::uint32_t>(batch.count * batch.field_count);
  row.begin = static_cast<std::uint32_t>(from);
  RowWalk walk{.at = from};
  if (marks_.enclose != 0) {
    if (!walk_row(text, marks_, is_last, walk, {batch.ends.data() + first, batch.field_count})) return false;
    batch.has_escapes = true;  // perhaps
  } else {
    walk.end = find_delimiter(text, marks_.delimiter, from);
    walk.next = walk.end + marks_.delimiter.size();
    if (walk.end == std::string_view::npos) {
      if (!is_last) return false;
      walk.end = walk.next = text.size();
    }
  }
  const bool has_delimiter = walk.next != walk.end;
  if (has_delimiter && marks_.delimiter == "\n" && walk.end > from && text[walk.end - 1] == '\r') --walk.end;
  row.end = static_cast<std::uint32_t>(walk.end);
  row.next = static_cast<std::uint32_t>(walk.next);
  if (marks_.enclose == 0) {
    row.fields = row.end - row.begin > options_.row_bytes_max
                     ? 0  // nobody looks at them
                     : split_row(batch, first, row.begin, row.end, marks_.separator);
    return true;
  }
  // The carriage return may have been the end of a separator. It is none then, as where nothing is enclosed and rows
  // are found before fields.
  row.fields = walk.fields - (row.end < walk.field ? 1 : 0);
  if (row.fields <= batch.field_count) batch.ends[first + row.fields - 1] = row.end;
  return true;
}

void CsvDecoder::add_row(const BadRow& row, BadRow& bad) {
  RowBatch& batch = scratch_.batch;
  const std::string_view text(batch.text + row.begin, row.end - row.begin);
  const bool is_valid = is_ascii(text) || is_utf8(text);
  if (row.fields != batch.field_count || !is_valid) {
    bad = row;
    bad.exists = true;
    bad.is_utf8 = is_valid;
    return;
  }
  batch.rows[batch.count] = {row.begin, row.next,
                             static_cast<std::uint32_t>(batch.count * batch.field_count)};
  ++batch.count;
}

// One look at all rows together is enough if it finds nothing and a delimiter cannot complete a broken
// character. Otherwise each row is looked at once, and those that are broken are taken out with the bad cells: so they
// stay in their order, and a body of nothing else costs no more.
void CsvDecoder::mark_rows_that_are_not_utf8() {
  RowBatch& batch = scratch_.batch;
  const std::uint32_t end = batch.rows[batch.count - 1].next;
  if (is_ascii(options_.line_delimiter) && is_utf8({batch.text, end})) return;
  for (std::size_t row = 0; row < batch.count; ++row) {
    const std::uint32_t begin = batch.rows[row].begin;
    if (!is_utf8({batch.text + begin, batch.row_end(row) - begin})) batch.mark_broken(row);
  }
}

// How many of the batch's rows (at least one) may be decoded before anyone must ask whether the block is
// full. It is never full before the last of them, so where a block ends does not depend on how rows come in
// batches.
std::size_t CsvDecoder::rows_that_fit(const BlockBuilder& builder, std::uint64_t offset) const {
  const RowBatch& batch = scratch_.batch;
  const BlockLimits& limits = options_.block;
  const std::size_t room = limits.rows_max > builder.rows() ? limits.rows_max - builder.rows() : 1;
  std::size_t fit = std::min(batch.count, room);
  const std::uint64_t first = builder.rows() != 0 ? builder.first_row_offset() : offset + batch.rows[0].begin;
  const auto input = [&](std::size_t rows) { return offset + batch.rows[rows - 1].next - first; };
  const std::size_t used = builder.bytes();
  const auto memory = [&](std::size_t rows) {
    return used + row_bound_.bytes(rows, batch.rows[rows - 1].next);
  };
  while (fit > 1 && (input(fit - 1) >= limits.input_bytes_max || memory(fit) >= limits.memory_bytes_max))
    --fit;
  return fit;
}

void CsvDecoder::decode_batch(BlockBuilder& builder, std::uint64_t offset) {
  RowBatch& batch = scratch_.batch;
  BadRows& bad = scratch_.bad;
  const std::size_t rows_before = builder.rows();
  const std::uint64_t end_offset = offset + batch.rows[batch.count - 1].next;
  total_rows_ += batch.count;
  bad.clear();
  for (std::size_t row = 0; batch.has_broken && row < batch.count; ++row) {
    if (batch.is_broken(row)) bad.add(row, 0, BadCell::NotUtf8);
  }
  decode_columns(builder);
  if (bad.count != 0) [[unlikely]] {
    builder.truncate(rows_before);
    take_out_bad_rows();
    bad.clear();
    if (batch.count != 0) decode_columns(builder);
    CHECK_EQ(bad.count, 0u);
  }
  if (rows_before == 0 && batch.count != 0) builder.set_input(offset + batch.rows[0].begin, 0);
  note_input(builder, end_offset);
}

void CsvDecoder::decode_columns(BlockBuilder& builder) {
  const RowBatch& batch = scratch_.batch;
  const std::span<ColumnBuilder> columns = builder.columns();
  for (std::uint32_t i = 0; i < columns.size(); ++i) {
    const ColumnMapping::Target& target = mapping_.targets[i];
    if (target.field == ColumnMapping::kNoField) {
      fill_column(target.fill, batch.count, columns[i]);
      continue;
    }
    const ColumnSource source{i, static_cast<std::uint32_t>(target.field), schema_->columns[i],
                              options_.cells, options_.simd};
    if (cleaning_.is_needed()) {
      decode_cleaned_column(scratch_, cleaning_, source, columns[i]);
    } else {
      decode_column(batch, source, columns[i], scratch_.bad);
    }
  }
  scratch_.cells.release_long_text();
}

// Input counts from a block's first row: rows that were filtered before it belong to no block.
void CsvDecoder::note_input(BlockBuilder& builder, std::uint64_t end_offset) {
  if (builder.rows() == 0) return;
  builder.set_input(builder.first_row_offset(),
                    static_cast<std::size_t>(end_offset - builder.first_row_offset()));
}

// How many bytes at the start of the piece are (more of) the mark. What only looked like one is data after
// all.
std::size_t CsvDecoder::take_byte_order_mark(std::string_view piece) {
  std::size_t at = 0;
  while (!mark_done_ && at < piece.size()) {
    if (piece[at] != kByteOrderMark[mark_bytes_]) {
      mark_done_ = true;
      const std::size_t from_before = mark_bytes_ - at;
      keep(kByteOrderMark.substr(0, from_before));
      return 0;
    }
    ++at;
    if (++mark_bytes_ == kByteOrderMark.size()) {
      mark_done_ = true;
      offset_ += mark_bytes_;
    }
  }
  return at;
}

// Puts the rest of the carried row behind it. False, with all of the piece, if its end is not there; `used` is
// what was taken.
bool CsvDecoder::complete_carried_row(std::string_view piece, std::size_t& used) {
  if (marks_.enclose == 0) {
    const std::size_t end = end_of_carried(core::as_text(carry_.bytes()), piece, options_.line_delimiter);
    used = std::min(end, piece.size());
    keep(piece.substr(0, used));
    return end != std::string_view::npos;
  }
  // The walk needs its bytes in one place; they are copied by and by, so that little is copied in vain.
  for (;;) {
    if (walk_row({carry_.as<char>(), carry_.size()}, marks_, false, carry_walk_)) {
      const std::size_t behind = carry_.size() - carry_walk_.next;
      CHECK_LE(behind, used);
      used -= behind;
      carry_.set_size(carry_walk_.next);
      return true;
    }
    if (used == piece.size() || check_carry() == State::Failed) return false;
    const std::size_t step = std::min(piece.size() - used, std::max<std::size_t>(kStep, carry_.size()));
    keep(piece.substr(used, step));
    used += step;
  }
}

void CsvDecoder::forget_carry() {
  carry_.clear();
  carry_walk_ = {};
  if (carry_.capacity() > kCarryKept) carry_.release();
}

// An unfinished row may hold a carriage return and all but one byte of a delimiter beside its own bytes.
FeedResult::State CsvDecoder::check_carry() {
  if (carry_.size() <= options_.row_bytes_max + options_.line_delimiter.size()) return State::NeedInput;
  return fail_row_too_long(offset_);
}

FeedResult::State CsvDecoder::fail_row_too_long(std::uint64_t offset) {
  failed_ = true;
  error_ = fmt::format("a row is longer than row_bytes_max {} bytes; it begins at byte {} of the body",
                       options_.row_bytes_max, offset);
  carry_.release();
  return State::Failed;
}

}  // namespace penstock::txn
