#include "txn/decode/column_decode.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "txn/decode/cell_lanes.hpp"
#include "txn/decode/column_cells.hpp"
#include "txn/decode/fast_cell.hpp"
#include "txn/decode/json_text.hpp"
#include "txn/decode/nested_text.hpp"
#include "txn/decode/staged_cells.hpp"
#include "txn/decode/text_to_value.hpp"

namespace penstock::txn {
namespace {

// A cell that has no value: NULL where that is allowed, otherwise the row is bad.
void drop_cell(const ColumnSource& source, std::size_t batch_row, std::size_t column_row, bool was_null,
               ColumnBuilder& out, BadRows& bad) {
  if (!was_null && source.rules.strict) {
    bad.add(batch_row, source.column, BadCell::Incorrect);
  } else if (source.definition.nullable) {
    out.mark_null(column_row);
  } else {
    bad.add(batch_row, source.column, BadCell::Null);
  }
}

template <class T>
[[gnu::noinline]] T decode_slowly(Cell cell, bool was_null, const ColumnSource& source, std::size_t row,
                                  std::size_t base, ColumnBuilder& out, BadRows& bad) {
  FixedValue parsed;
  T value{};
  if (!was_null && parse_fixed(source.definition.type, {cell.begin, cell.size}, source.rules.zone, parsed)) {
    std::memcpy(&value, parsed.bytes, sizeof value);
  } else {
    drop_cell(source, row, base + row, was_null, out, bad);
  }
  return value;
}

// fast(cell, value) answers false if the cell is not of the usual form.
template <class T, class CellsOf, class Fast>
struct FixedColumn {
  const CellsOf& cells;
  const ColumnSource& source;
  ColumnBuilder& out;
  BadRows& bad;
  std::size_t base;
  T* values;
  Fast fast;

  void take(std::size_t row) {
    const Cell cell = cells[row];
    T value;
    if (!fast(cell, value)) [[unlikely]] {
      value = decode_slowly<T>(cell, cells.is_null(cell), source, row, base, out, bad);
    }
    values[row] = value;
  }
};

template <class T, class CellsOf, class Fast>
void decode_fixed(const CellsOf& cells, std::size_t count, const ColumnSource& source, ColumnBuilder& out,
                  BadRows& bad, Fast fast) {
  const std::size_t base = out.rows();
  FixedColumn<T, CellsOf, Fast> column{cells, source, out, bad, base, out.extend_values<T>(count), fast};
  for (std::size_t row = 0; row < count; ++row) column.take(row);
}

// The same with lanes: many(first, size, values, odd) stages cells and converts them, all but the odd ones. Where most
// are odd, the rest of the batch goes without.
template <class T, class CellsOf, class Fast, class Many>
void decode_many(const CellsOf& cells, std::size_t count, const ColumnSource& source, ColumnBuilder& out,
                 BadRows& bad, Fast fast, Many many) {
  const std::size_t base = out.rows();
  FixedColumn<T, CellsOf, Fast> column{cells, source, out, bad, base, out.extend_values<T>(count), fast};
  std::size_t row = 0;
  OddRows odd;
  while (row < count && has_lanes(source.simd)) {
    const std::size_t size = std::min(count - row, StagedCells::kMax);
    many(row, size, column.values + row, odd);
    for (std::size_t i = 0; i < odd.count; ++i) column.take(row + odd.rows[i]);
    row += size;
    if (odd.count > size / 2) break;
  }
  for (; row < count; ++row) column.take(row);
}

// Stages numbers: of more than eight characters each, if one was met that has more.
template <class CellsOf>
bool stage_numbers(const CellsOf& cells, std::size_t first, std::size_t count, bool& are_long,
                   StagedCells& staged) {
  if (!are_long) {
    stage_cells<Stage::Heads>(cells, first, count, staged);
    are_long = staged.longest > 8;
    if (!are_long) return false;
  }
  stage_cells<Stage::Tails>(cells, first, count, staged);
  are_long = staged.longest > 8;
  return are_long;
}

// A string that is NULL or too long; gives how many bytes of it stay.
[[gnu::noinline]] std::size_t text_slowly(Cell cell, bool was_null, const ColumnSource& source,
                                          std::size_t row, std::size_t base, ColumnBuilder& out,
                                          BadRows& bad) {
  if (was_null) {
    drop_cell(source, row, base + row, true, out, bad);
    return 0;
  }
  if (source.rules.strict || source.definition.type.kind == TypeKind::String) {
    bad.add(row, source.column, BadCell::TooLong);
    return 0;
  }
  return utf8_prefix({cell.begin, cell.size}, source.definition.type.length);
}

// Nearly all cells are short: 32 bytes are stored whatever their size, and the next cell overwrites what is too much. Room for
// that is asked for once a stretch of rows. Where a column has longer cells, or some that can be NULL, nobody foresees which:
// what comes behind the first such goes by a way that asks less and does more for every cell.
constexpr std::size_t kShortText = 32;
constexpr std::size_t kStretch = 32;

struct TextCopy {
  std::byte* to;
  std::size_t used;
  std::uint32_t* ends;
  std::uint32_t nulls[kStretch];  // rows
  std::size_t null_count;
};

// Copies cells that are short enough; gives the row of the first that is not, or can be NULL and none may be.
template <std::size_t kWidth, bool kMayBeNull, class CellsOf>
std::size_t copy_cells(const CellsOf cells, std::size_t row, std::size_t last, std::size_t short_max,
                       TextCopy& copy) {
  std::byte* const to = copy.to;
  std::uint32_t* const ends = copy.ends;
  std::size_t at = copy.used;
  std::size_t null_count = 0;
#pragma clang loop unroll_count(2)
  for (; row < last; ++row) {
    const Cell cell = cells[row];
    if (cell.size > short_max || (!kMayBeNull && cells.may_be_null(cell))) [[unlikely]]
      break;
    std::memcpy(to + at, cell.begin, kWidth);
    if constexpr (kMayBeNull) {
      const std::size_t is_null = cells.is_null(cell);
      at += cell.size & (is_null - 1);
      copy.nulls[null_count] = static_cast<std::uint32_t>(row);
      null_count += is_null;
    } else {
      at += cell.size;
    }
    ends[row] = static_cast<std::uint32_t>(at);
  }
  copy.used = at;
  copy.null_count = null_count;
  return row;
}

template <class CellsOf>
void decode_text(const CellsOf& cells, std::size_t count, const ColumnSource& source, ColumnBuilder& out,
                 BadRows& bad) {
  constexpr std::size_t kLongText = CellsOf::kReadable;
  const std::size_t base = out.rows();
  const std::size_t bytes_max = source.definition.type.length;
  std::size_t width = kShortText;
  auto way = copy_cells<kShortText, false, CellsOf>;
  GrowBuffer& text = out.text_bytes();
  TextCopy copy;
  copy.ends = out.extend_offsets(count);
  copy.used = text.size();
  for (std::size_t row = 0; row < count;) {
    const std::size_t last = std::min(row + kStretch, count);
    text.set_size(copy.used);
    text.reserve(copy.used + (last - row) * width);
    copy.to = text.data();
    row = way(cells, row, last, std::min(width, bytes_max), copy);
    for (std::size_t i = 0; i < copy.null_count; ++i)
      drop_cell(source, copy.nulls[i], base + copy.nulls[i], true, out, bad);
    if (row == last) continue;
    Cell cell = cells[row];
    const bool is_long = cell.size > kShortText;
    if (const bool is_null = cells.is_null(cell); cell.size > bytes_max || is_null) [[unlikely]] {
      cell.size = text_slowly(cell, is_null, source, row, base, out, bad);
    }
    text.set_size(copy.used);
    text.reserve(copy.used + cell.size + kShortText);
    std::byte* to = text.data() + copy.used;
    std::memcpy(to, cell.begin, kShortText);
    if (cell.size > kShortText) std::memcpy(to + kShortText, cell.begin + kShortText, cell.size - kShortText);
    copy.used += cell.size;
    copy.ends[row++] = static_cast<std::uint32_t>(copy.used);
    if (is_long) width = kLongText;
    way = width == kShortText ? copy_cells<kShortText, true, CellsOf> : copy_cells<kLongText, true, CellsOf>;
  }
  text.set_size(copy.used);
}

template <class CellsOf>
void decode_json(const CellsOf& cells, std::size_t count, const ColumnSource& source, ColumnBuilder& out,
                 BadRows& bad) {
  const std::size_t base = out.rows();
  std::uint32_t* ends = out.extend_offsets(count);
  GrowBuffer& text = out.text_bytes();
  for (std::size_t row = 0; row < count; ++row) {
    const Cell cell = cells[row];
    const std::size_t before = text.size();
    if (const bool was_null = cells.is_null(cell); was_null || !compact_json({cell.begin, cell.size}, text)) {
      drop_cell(source, row, base + row, was_null, out, bad);
    } else if (text.size() - before > source.definition.type.length) {
      text.set_size(before);
      bad.add(row, source.column, BadCell::TooLong);
    }
    ends[row] = static_cast<std::uint32_t>(text.size());
  }
}

template <class CellsOf>
void decode_nested(const CellsOf& cells, std::size_t count, const ColumnSource& source, ColumnBuilder& out,
                   BadRows& bad) {
  for (std::size_t row = 0; row < count; ++row) {
    const Cell cell = cells[row];
    const bool was_null = cells.is_null(cell);
    NestedOutcome outcome = NestedOutcome::Malformed;
    if (!was_null) {
      std::size_t unfolded = bad.left_to_unfold(row);
      outcome = append_nested({cell.begin, cell.size}, source.rules, out, unfolded);
      if (outcome == NestedOutcome::Taken) {
        bad.unfold(row, unfolded);
        continue;
      }
    }
    const std::size_t at = out.rows();
    out.append_null();
    if (outcome == NestedOutcome::TooLong) {
      bad.add(row, source.column, BadCell::TooLong);
    } else {
      drop_cell(source, row, at, was_null, out, bad);
    }
  }
}

template <class T, class CellsOf>
void decode_integers(const CellsOf& cells, std::size_t count, const ColumnSource& source, ColumnBuilder& out,
                     BadRows& bad) {
  StagedCells staged;
  bool are_long = count != 0 && cells[0].size > 8;
  decode_many<T>(cells, count, source, out, bad, fast_integer<T>,
                 [&](std::size_t first, std::size_t size, T* values, OddRows& odd) {
                   const bool is_long = stage_numbers(cells, first, size, are_long, staged);
                   lanes_to_integers(source.simd, staged, is_long, values, odd);
                 });
}

template <class CellsOf>
void decode_decimals(const CellsOf& cells, std::size_t count, const ColumnSource& source, ColumnBuilder& out,
                     BadRows& bad) {
  const Type& type = source.definition.type;
  StagedCells staged;
  bool are_long = count != 0 && cells[0].size > 8;
  decode_many<std::int64_t>(cells, count, source, out, bad, FastDecimal{type.precision, type.scale},
                            [&](std::size_t first, std::size_t size, std::int64_t* values, OddRows& odd) {
                              const bool is_long = stage_numbers(cells, first, size, are_long, staged);
                              lanes_to_decimals(source.simd, type.precision, type.scale, staged, is_long,
                                                values, odd);
                            });
}

template <class CellsOf>
void decode_dates(const CellsOf& cells, std::size_t count, const ColumnSource& source, ColumnBuilder& out,
                  BadRows& bad) {
  StagedCells staged;
  decode_many<std::int32_t>(cells, count, source, out, bad, FastDate{},
                            [&](std::size_t first, std::size_t size, std::int32_t* values, OddRows& odd) {
                              stage_cells<Stage::Days>(cells, first, size, staged);
                              lanes_to_dates(source.simd, staged, values, odd);
                            });
}

template <class CellsOf>
void decode_date_times(const CellsOf& cells, std::size_t count, const ColumnSource& source,
                       ColumnBuilder& out, BadRows& bad) {
  const unsigned scale = source.definition.type.scale;
  StagedCells staged;
  bool have_fractions = count != 0 && cells[0].size > 19;
  decode_many<std::int64_t>(cells, count, source, out, bad, FastDateTime{scale},
                            [&](std::size_t first, std::size_t size, std::int64_t* values, OddRows& odd) {
                              if (!have_fractions) stage_cells<Stage::Clocks>(cells, first, size, staged);
                              if (have_fractions || staged.longest > 19) {
                                stage_cells<Stage::Fractions>(cells, first, size, staged);
                                have_fractions = staged.longest > 19;
                              }
                              lanes_to_date_times(source.simd, scale, staged, values, odd);
                            });
}

template <class CellsOf>
void decode_any(const CellsOf& cells, std::size_t count, const ColumnSource& source, ColumnBuilder& out,
                BadRows& bad) {
  const Type& type = source.definition.type;
  switch (type.kind) {
    case TypeKind::Boolean:
      return decode_fixed<std::uint8_t>(cells, count, source, out, bad, fast_boolean);
    case TypeKind::TinyInt:
      return decode_integers<std::int8_t>(cells, count, source, out, bad);
    case TypeKind::SmallInt:
      return decode_integers<std::int16_t>(cells, count, source, out, bad);
    case TypeKind::Int:
      return decode_integers<std::int32_t>(cells, count, source, out, bad);
    case TypeKind::BigInt:
      return decode_integers<std::int64_t>(cells, count, source, out, bad);
    case TypeKind::Double:
      return decode_fixed<double>(cells, count, source, out, bad, [](Cell cell, double& value) {
        return parse_double({cell.begin, cell.size}, value);
      });
    case TypeKind::Decimal:
      if (type.precision <= kDecimalInt64PrecisionMax) return decode_decimals(cells, count, source, out, bad);
      return decode_fixed<Int128>(cells, count, source, out, bad, [&type](Cell cell, Int128& value) {
        return parse_decimal({cell.begin, cell.size}, type.precision, type.scale, value);
      });
    case TypeKind::Date:
      return decode_dates(cells, count, source, out, bad);
    case TypeKind::DateTime:
      return decode_date_times(cells, count, source, out, bad);
    case TypeKind::LargeInt:
      return decode_fixed<Int128>(cells, count, source, out, bad, fast_large_integer);
    case TypeKind::Float:
      return decode_fixed<float>(cells, count, source, out, bad, [](Cell cell, float& value) {
        return parse_float({cell.begin, cell.size}, value);
      });
    case TypeKind::IpV4:
      return decode_fixed<std::uint32_t>(cells, count, source, out, bad, [](Cell cell, std::uint32_t& value) {
        return parse_ipv4({cell.begin, cell.size}, value);
      });
    case TypeKind::IpV6:
      return decode_fixed<UInt128>(cells, count, source, out, bad, [](Cell cell, UInt128& value) {
        return parse_ipv6({cell.begin, cell.size}, value);
      });
    case TypeKind::Json:
      return decode_json(cells, count, source, out, bad);
    case TypeKind::Varchar:
    case TypeKind::String:
    case TypeKind::Char:
      return decode_text(cells, count, source, out, bad);
    case TypeKind::Array:
    case TypeKind::Map:
    case TypeKind::Struct:
      return decode_nested(cells, count, source, out, bad);
  }
}

template <class T>
void fill_fixed(const FillValue& value, std::size_t count, ColumnBuilder& out) {
  T number;
  std::memcpy(&number, value.fixed.bytes, sizeof number);
  T* values = out.extend_values<T>(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = number;
}

}  // namespace

void decode_column(const RowBatch& batch, const ColumnSource& source, ColumnBuilder& out, BadRows& bad) {
  if (source.field == 0) return decode_any(Cells<true>(batch, source.field), batch.count, source, out, bad);
  if (batch.is_even) return decode_any(EvenCells(batch, source.field), batch.count, source, out, bad);
  decode_any(Cells<false>(batch, source.field), batch.count, source, out, bad);
}

void decode_cleaned_column(DecodeScratch& scratch, const CellCleaning& cleaning, const ColumnSource& source,
                           ColumnBuilder& out) {
  const RowBatch& batch = scratch.batch;
  if (cleaning.enclose == 0 || !cleaning.trimmed_can_be_null || batch.has_escapes) {
    clean_cells(batch, source.field, cleaning, batch.has_escapes, scratch.cells);
    return decode_any(MadeCells(scratch.cells.data()), batch.count, source, out, scratch.bad);
  }
  if (source.field == 0) {
    return decode_any(EnclosedCells<true>(batch, 0, cleaning), batch.count, source, out, scratch.bad);
  }
  decode_any(EnclosedCells<false>(batch, source.field, cleaning), batch.count, source, out, scratch.bad);
}

void decode_cells(const Cell* cells, std::size_t count, const ColumnSource& source, ColumnBuilder& out,
                  BadRows& bad) {
  decode_any(MadeCells(cells), count, source, out, bad);
}

void fill_column(const FillValue& value, std::size_t count, ColumnBuilder& out) {
  if (value.is_null) return out.append_nulls(count);
  if (is_nested(out.type())) {  // the only values that a default may name are the empty ones
    for (std::size_t i = 0; i < count; ++i) out.end_nested();
    return;
  }
  switch (fixed_width(out.type())) {
    case 1:
      return fill_fixed<std::uint8_t>(value, count, out);
    case 2:
      return fill_fixed<std::uint16_t>(value, count, out);
    case 4:
      return fill_fixed<std::uint32_t>(value, count, out);
    case 8:
      return fill_fixed<std::uint64_t>(value, count, out);
    case 16:
      return fill_fixed<UInt128>(value, count, out);
    default:
      for (std::size_t i = 0; i < count; ++i) out.append_text(value.text);
  }
}

}  // namespace penstock::txn
