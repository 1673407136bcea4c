#include "txn/decode/column_decode.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string_view>

#include "txn/column/calendar.hpp"
#include "txn/decode/cell_lanes.hpp"
#include "txn/decode/column_cells.hpp"
#include "txn/decode/json_text.hpp"
#include "txn/decode/nested_text.hpp"
#include "txn/decode/staged_cells.hpp"
#include "txn/decode/swar.hpp"
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

template <class T>
bool fast_integer(Cell cell, T& value) {
  const bool negative = *cell.begin == '-';
  const char* const at = cell.begin + negative;
  const std::size_t size = cell.size - negative;
  std::uint64_t number;
  if (!(size - 1 < 8 ? swar::parse_short(at, size, number) : swar::parse_digits(at, size, number)))
    return false;
  if (number > static_cast<std::uint64_t>(std::numeric_limits<T>::max()) + negative) return false;
  value = static_cast<T>(negative ? std::uint64_t{0} - number : number);
  return true;
}

bool fast_large_integer(Cell cell, Int128& value) {
  const bool negative = *cell.begin == '-';
  std::uint64_t number;
  if (!swar::parse_digits(cell.begin + negative, cell.size - negative, number)) return false;
  value = negative ? -static_cast<Int128>(number) : static_cast<Int128>(number);
  return true;
}

bool fast_boolean(Cell cell, std::uint8_t& value) {
  value = static_cast<std::uint8_t>(*cell.begin - '0');
  return cell.size == 1 && value <= 1;
}

struct FastDecimal {
  unsigned precision;
  unsigned scale;

  [[gnu::always_inline]] bool operator()(Cell cell, std::int64_t& value) const {
    const bool negative = *cell.begin == '-';
    const char* at = cell.begin + negative;
    const std::size_t size = cell.size - negative;
    std::uint64_t digits;
    unsigned fraction = 0;
    if (size - 1 < 8) {
      if (!swar::parse_short_fixed_point(at, size, digits, fraction)) return false;
    } else if (!read_long(at, size, digits, fraction)) {
      return false;
    }
    if (fraction > scale) return false;
    const unsigned shift = scale - fraction;
    if (digits >= swar::kPowersOfTen[precision - shift]) return false;
    digits *= swar::kPowersOfTen[shift];
    value = static_cast<std::int64_t>(negative ? std::uint64_t{0} - digits : digits);
    return true;
  }

  static bool read_long(const char* at, std::size_t size, std::uint64_t& digits, unsigned& fraction) {
    if (size - 1 >= 19) return false;
    digits = 0;
    std::size_t point = size;
    for (std::size_t i = 0; i < size; ++i) {
      const auto digit = static_cast<unsigned>(at[i] - '0');
      if (digit <= 9) {
        digits = digits * 10 + digit;
      } else if (at[i] == '.' && point == size) {
        point = i;
      } else {
        return false;
      }
    }
    if (point != size) fraction = static_cast<unsigned>(size - 1 - point);
    return true;
  }
};

// 2017-10-03, remembering the day before: neighbours in a log have the same date.
class FastDate {
 public:
  bool days_of(const char* at, std::int32_t& days) {
    const std::uint64_t head = swar::load8(at);
    const std::uint16_t tail = swar::load2(at + 8);
    if (head == head_ && tail == tail_) [[likely]] {
      days = days_;
      return true;
    }
    constexpr std::uint64_t kShape = 0x2d30302d30303030;  // "0000-00-"
    const std::uint64_t bytes = head ^ kShape;
    if (!swar::are_digits(bytes) || (bytes & 0xff0000ff00000000) != 0) return false;
    const auto digit = [bytes](unsigned i) { return static_cast<std::int32_t>(bytes >> 8 * i & 0xf); };
    const auto ten = static_cast<std::uint32_t>(tail & 0xff) - '0';
    const auto one = static_cast<std::uint32_t>(tail >> 8) - '0';
    if (ten > 9 || one > 9) return false;
    const std::int32_t year = digit(0) * 1000 + digit(1) * 100 + digit(2) * 10 + digit(3);
    const std::int32_t month = digit(5) * 10 + digit(6);
    const auto day = static_cast<std::int32_t>(ten * 10 + one);
    if (!is_date(year, month, day)) return false;
    head_ = head;
    tail_ = tail;
    days = days_ = days_from_civil(year, month, day);
    return true;
  }

  bool operator()(Cell cell, std::int32_t& days) { return cell.size == 10 && days_of(cell.begin, days); }

 private:
  std::uint64_t head_ = 0x2d31302d30373931;  // "1970-01-" and "01": nothing is remembered that is not a date
  std::uint16_t tail_ = 0x3130;
  std::int32_t days_ = 0;
};

// 2017-10-03 17:05:45, with T or a blank, and a fraction of at most six digits if the column keeps them.
struct FastDateTime {
  unsigned scale;
  FastDate date{};

  [[gnu::always_inline]] bool operator()(Cell cell, std::int64_t& micros) {
    std::int32_t days;
    if (cell.size < 19 || (cell.begin[10] != ' ' && cell.begin[10] != 'T') ||
        !date.days_of(cell.begin, days)) {
      return false;
    }
    constexpr std::uint64_t kShape = 0x30303a30303a3030;  // "00:00:00"
    const std::uint64_t bytes = swar::load8(cell.begin + 11) ^ kShape;
    if (!swar::are_digits(bytes) || (bytes & 0x0000ff0000ff0000) != 0) return false;
    const std::uint64_t pairs = bytes * 10 + (bytes >> 8);  // hours in byte 0, minutes in 3, seconds in 6
    const auto hour = static_cast<std::uint32_t>(pairs & 0xff);
    const auto minute = static_cast<std::uint32_t>(pairs >> 24 & 0xff);
    const auto second = static_cast<std::uint32_t>(pairs >> 48 & 0xff);
    if (hour > 23 || minute > 59 || second > 59) return false;
    std::uint64_t fraction = 0;
    if (cell.size != 19) {
      const std::size_t digits = cell.size - 20;
      if (cell.begin[19] != '.' || digits - 1 >= scale ||
          !swar::parse_short(cell.begin + 20, digits, fraction)) {
        return false;
      }
      fraction *= swar::kPowersOfTen[6 - digits];
    }
    const std::int64_t seconds = days * std::int64_t{86'400} + hour * 3600 + minute * 60 + second;
    micros = seconds * kMicrosPerSecond + static_cast<std::int64_t>(fraction);
    return true;
  }
};

// Stores 32 bytes and lets the next cell overwrite what is too much; both sides have that slack.
inline void copy_text(std::byte* to, const char* from, std::size_t size) {
  std::memcpy(to, from, 32);
  if (size > 32) [[unlikely]]
    std::memcpy(to + 32, from + 32, size - 32);
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

template <class CellsOf>
void decode_text(const CellsOf& cells, std::size_t count, const ColumnSource& source, ColumnBuilder& out,
                 BadRows& bad) {
  const std::size_t base = out.rows();
  const std::size_t bytes_max = source.definition.type.length;
  std::uint32_t* ends = out.extend_offsets(count);
  GrowBuffer& text = out.text_bytes();
  std::size_t used = text.size();
  text.reserve(used + 1);
  std::byte* bytes = text.data();
  std::size_t room = text.capacity();
  for (std::size_t row = 0; row < count; ++row) {
    Cell cell = cells[row];
    if (const bool is_null = cells.is_null(cell); cell.size > bytes_max || is_null) [[unlikely]] {
      cell.size = text_slowly(cell, is_null, source, row, base, out, bad);
    }
    if (used + cell.size > room) [[unlikely]] {
      text.set_size(used);
      text.reserve(used + cell.size);
      bytes = text.data();
      room = text.capacity();
    }
    copy_text(bytes + used, cell.begin, cell.size);
    used += cell.size;
    ends[row] = static_cast<std::uint32_t>(used);
  }
  text.set_size(used);
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
  decode_many<std::int64_t>(cells, count, source, out, bad, FastDateTime{scale},
                            [&](std::size_t first, std::size_t size, std::int64_t* values, OddRows& odd) {
                              stage_cells<Stage::Times>(cells, first, size, staged);
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
