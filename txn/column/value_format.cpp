#include "txn/column/value_format.hpp"

#include <charconv>
#include <cmath>

#include "txn/column/calendar.hpp"

namespace penstock::txn {
namespace {

void append_integer(std::string& out, std::int64_t value) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

void append_padded(std::string& out, std::uint32_t value, unsigned digits) {
  char text[12];
  for (unsigned i = digits; i-- > 0; value /= 10) text[i] = static_cast<char>('0' + value % 10);
  out.append(text, digits);
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  for (;;) {
    const std::size_t plain = text.find_first_of("\\\n\t\r");
    out.append(text.substr(0, plain));
    if (plain == std::string_view::npos) return;
    out += '\\';
    switch (text[plain]) {
      case '\n':
        out += 'n';
        break;
      case '\t':
        out += 't';
        break;
      case '\r':
        out += 'r';
        break;
      default:
        out += '\\';
    }
    text.remove_prefix(plain + 1);
  }
}

void append_decimal(std::string& out, Int128 unscaled, unsigned scale) {
  char text[44];
  char* const end = text + sizeof text;
  char* at = end;
  UInt128 rest = unscaled < 0 ? UInt128{0} - static_cast<UInt128>(unscaled) : static_cast<UInt128>(unscaled);
  unsigned digits = 0;
  while (rest != 0 || digits <= scale) {  // at least one digit before the point
    if (digits == scale && scale != 0) *--at = '.';
    *--at = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
    ++digits;
  }
  if (unscaled < 0) *--at = '-';
  out.append(at, end);
}

void append_date(std::string& out, std::int32_t days) {
  const CivilDate date = civil_from_days(days);
  if (date.year < 0 || date.year > 9999) {  // only in damaged data
    append_integer(out, date.year);
  } else {
    append_padded(out, static_cast<std::uint32_t>(date.year), 4);
  }
  out += '-';
  append_padded(out, static_cast<std::uint32_t>(date.month), 2);
  out += '-';
  append_padded(out, static_cast<std::uint32_t>(date.day), 2);
}

void append_date_time(std::string& out, std::int64_t micros) {
  std::int64_t days = micros / kMicrosPerDay;
  std::int64_t rest = micros % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --days;
  }
  append_date(out, static_cast<std::int32_t>(days));
  const auto second = static_cast<std::uint32_t>(rest / kMicrosPerSecond);
  const auto fraction = static_cast<std::uint32_t>(rest % kMicrosPerSecond);
  out += 'T';
  append_padded(out, second / 3600, 2);
  out += ':';
  append_padded(out, second / 60 % 60, 2);
  if (second % 60 == 0 && fraction == 0) return;
  out += ':';
  append_padded(out, second % 60, 2);
  if (fraction == 0) return;
  out += '.';
  if (fraction % 1000 == 0) {
    append_padded(out, fraction / 1000, 3);
  } else {
    append_padded(out, fraction, 6);
  }
}

void append_sql_date_time(std::string& out, std::int64_t micros, unsigned scale) {
  std::int64_t days = micros / kMicrosPerDay;
  std::int64_t rest = micros % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --days;
  }
  append_date(out, static_cast<std::int32_t>(days));
  const auto second = static_cast<std::uint32_t>(rest / kMicrosPerSecond);
  out += ' ';
  append_padded(out, second / 3600, 2);
  out += ':';
  append_padded(out, second / 60 % 60, 2);
  out += ':';
  append_padded(out, second % 60, 2);
  if (scale == 0) return;
  out += '.';
  append_padded(out, static_cast<std::uint32_t>(rest % kMicrosPerSecond), 6);
  if (scale < 6) out.resize(out.size() - (6 - scale));
}

namespace {

template <class T>
void append_floating(std::string& out, T value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value < 0 ? "-Infinity" : "Infinity";
  } else {
    char text[32];
    out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
  }
}

}  // namespace

void append_double(std::string& out, double value) { append_floating(out, value); }
void append_float(std::string& out, float value) { append_floating(out, value); }

void append_ipv4(std::string& out, std::uint32_t address) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    append_integer(out, address >> shift & 0xff);
    if (shift != 0) out += '.';
  }
}

// The longest run of at least two zero groups is `::` (the first of equal ones); an IPv4 address in the last 32
// bits is written as one where ::ffff: marks it.
void append_ipv6(std::string& out, UInt128 address) {
  const auto group = [address](unsigned i) {
    return static_cast<unsigned>(address >> (112 - 16 * i)) & 0xffff;
  };
  const bool is_mapped = address >> 32 == 0xffff;
  const unsigned count = is_mapped ? 6 : 8;
  unsigned run_begin = 8;
  unsigned run_size = 1;
  for (unsigned i = 0; i < count;) {
    unsigned end = i;
    while (end < count && group(end) == 0) ++end;
    if (end - i > run_size) {
      run_begin = i;
      run_size = end - i;
    }
    i = end + 1;
  }
  for (unsigned i = 0; i < count; ++i) {
    if (i == run_begin) {
      out += "::";
      i += run_size - 1;
      continue;
    }
    if (i != 0 && out.back() != ':') out += ':';
    char text[8];
    out.append(text, std::to_chars(text, text + sizeof text, group(i), 16).ptr);
  }
  if (!is_mapped) return;
  out += ':';
  append_ipv4(out, static_cast<std::uint32_t>(address));
}

namespace {

// As deep as the type, which kNestedDepthMax bounds.
class NestedText {
 public:
  NestedText(std::string& out, bool escapes) : out_(out), escapes_(escapes) {}

  void append(const ColumnView& column, std::size_t row) {
    const bool is_struct = column.type.kind == TypeKind::Struct;
    const bool is_array = column.type.kind == TypeKind::Array;
    const std::size_t begin = is_struct ? 0 : column.offsets[column.at(row)];
    const std::size_t end = is_struct ? column.children.size() : column.offsets[column.at(row) + 1];
    out_ += is_array ? '[' : '{';
    for (std::size_t i = begin; i < end; ++i) {
      if (i != begin) out_ += ", ";
      if (is_struct) {
        out_ += '"';
        append_text(column.type.nested->names[i]);
        out_ += "\":";
        append_inside(column.children[i], row);
        continue;
      }
      append_inside(column.children[0], i);
      if (is_array) continue;
      out_ += ':';
      append_inside(column.children[1], i);
    }
    out_ += is_array ? ']' : '}';
  }

 private:
  void append_text(std::string_view text) {
    if (escapes_) {
      append_escaped(out_, text);
    } else {
      out_ += text;
    }
  }

  void append_inside(const ColumnView& column, std::size_t row) {
    if (column.is_null(row)) {
      out_ += "null";
      return;
    }
    switch (column.type.kind) {
      case TypeKind::Array:
      case TypeKind::Map:
      case TypeKind::Struct:
        return append(column, row);
      case TypeKind::Json:
        return append_text(column.text_at(row));
      case TypeKind::Boolean:
        out_ += column.value<std::uint8_t>(row) != 0 ? '1' : '0';
        return;
      case TypeKind::Varchar:
      case TypeKind::String:
      case TypeKind::Char:
        out_ += '"';
        append_text(column.text_at(row));
        break;
      case TypeKind::DateTime:
        out_ += '"';
        append_sql_date_time(out_, column.value<std::int64_t>(row), column.type.scale);
        break;
      case TypeKind::Date:
      case TypeKind::IpV4:
      case TypeKind::IpV6:
        out_ += '"';
        append_cell(out_, column, row);
        break;
      default:
        return append_cell(out_, column, row);
    }
    out_ += '"';
  }

  std::string& out_;
  const bool escapes_;
};

}  // namespace

void append_nested_text(std::string& out, const ColumnView& column, std::size_t row) {
  NestedText(out, false).append(column, row);
}

void append_cell(std::string& out, const ColumnView& column, std::size_t row) {
  if (column.is_null(row)) {
    out += "\\N";
    return;
  }
  switch (column.type.kind) {
    case TypeKind::Boolean:
      out += column.value<std::uint8_t>(row) != 0 ? "true" : "false";
      break;
    case TypeKind::TinyInt:
      append_integer(out, column.value<std::int8_t>(row));
      break;
    case TypeKind::SmallInt:
      append_integer(out, column.value<std::int16_t>(row));
      break;
    case TypeKind::Int:
      append_integer(out, column.value<std::int32_t>(row));
      break;
    case TypeKind::BigInt:
      append_integer(out, column.value<std::int64_t>(row));
      break;
    case TypeKind::Double:
      append_double(out, column.value<double>(row));
      break;
    case TypeKind::Decimal:
      append_decimal(out,
                     column.type.precision <= kDecimalInt64PrecisionMax
                         ? Int128{column.value<std::int64_t>(row)}
                         : column.value<Int128>(row),
                     column.type.scale);
      break;
    case TypeKind::Date:
      append_date(out, column.value<std::int32_t>(row));
      break;
    case TypeKind::DateTime:
      append_date_time(out, column.value<std::int64_t>(row));
      break;
    case TypeKind::LargeInt:
      append_decimal(out, column.value<Int128>(row), 0);
      break;
    case TypeKind::Float:
      append_float(out, column.value<float>(row));
      break;
    case TypeKind::IpV4:
      append_ipv4(out, column.value<std::uint32_t>(row));
      break;
    case TypeKind::IpV6:
      append_ipv6(out, column.value<UInt128>(row));
      break;
    case TypeKind::Varchar:
    case TypeKind::String:
    case TypeKind::Char:
    case TypeKind::Json:
      append_escaped(out, column.text_at(row));
      break;
    case TypeKind::Array:
    case TypeKind::Map:
    case TypeKind::Struct:
      NestedText(out, true).append(column, row);
      break;
  }
}

}  // namespace penstock::txn
