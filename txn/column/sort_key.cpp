#include "txn/column/sort_key.hpp"

#include <bit>
#include <cmath>

#include "txn/column/value_format.hpp"

namespace penstock::txn {
namespace {

template <class Unsigned>
void append_big_endian(std::string& out, Unsigned value) {
  for (std::size_t i = sizeof value; i-- > 0;)
    out += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
}

template <class Unsigned, class Signed>
void append_signed(std::string& out, Signed value) {
  append_big_endian(
      out, static_cast<Unsigned>(static_cast<Unsigned>(value) ^ (Unsigned{1} << (8 * sizeof value - 1))));
}

void append_floating(std::string& out, double value) {
  if (value == 0) value = 0;  // -0 is 0
  auto bits = std::bit_cast<std::uint64_t>(value);
  if (std::isnan(value)) bits = 0x7FFFFFFFFFFFFFFFU;
  append_big_endian(out, bits >> 63 != 0 ? ~bits : bits ^ (std::uint64_t{1} << 63));
}

void append_text(std::string& out, std::string_view text) {
  for (;;) {
    const std::size_t zero = text.find('\0');
    out.append(text.substr(0, zero));
    if (zero == std::string_view::npos) break;
    out += '\0';
    out += '\xFF';
    text.remove_prefix(zero + 1);
  }
  out.append(2, '\0');
}

void append_value(std::string& out, const ColumnView& column, std::size_t row) {
  switch (column.type.kind) {
    case TypeKind::Boolean:
      out += static_cast<char>(column.value<std::uint8_t>(row));
      break;
    case TypeKind::TinyInt:
      append_signed<std::uint8_t>(out, column.value<std::int8_t>(row));
      break;
    case TypeKind::SmallInt:
      append_signed<std::uint16_t>(out, column.value<std::int16_t>(row));
      break;
    case TypeKind::Int:
    case TypeKind::Date:
      append_signed<std::uint32_t>(out, column.value<std::int32_t>(row));
      break;
    case TypeKind::BigInt:
    case TypeKind::DateTime:
      append_signed<std::uint64_t>(out, column.value<std::int64_t>(row));
      break;
    case TypeKind::Double:
      append_floating(out, column.value<double>(row));
      break;
    case TypeKind::Decimal:
      if (column.type.precision <= kDecimalInt64PrecisionMax) {
        append_signed<std::uint64_t>(out, column.value<std::int64_t>(row));
      } else {
        append_signed<UInt128>(out, column.value<Int128>(row));
      }
      break;
    case TypeKind::LargeInt:
      append_signed<UInt128>(out, column.value<Int128>(row));
      break;
    case TypeKind::Float:
      append_floating(out, column.value<float>(row));
      break;
    case TypeKind::IpV4:
      append_big_endian(out, column.value<std::uint32_t>(row));
      break;
    case TypeKind::IpV6:
      append_big_endian(out, column.value<UInt128>(row));
      break;
    case TypeKind::Varchar:
    case TypeKind::String:
    case TypeKind::Char:
      append_text(out, column.text_at(row));
      break;
    default: {  // whatever has no order of its own: as it is written
      std::string text;
      append_cell(text, column, row);
      append_text(out, text);
    }
  }
}

}  // namespace

void append_sort_key(std::string& out, const ColumnView* column, std::size_t row, bool descending) {
  const std::size_t from = out.size();
  if (column == nullptr || column->is_null(row)) {
    out += '\0';
  } else {
    out += '\1';
    append_value(out, *column, row);
  }
  if (!descending) return;
  for (std::size_t i = from; i < out.size(); ++i)
    out[i] = static_cast<char>(~static_cast<unsigned char>(out[i]));
}

}  // namespace penstock::txn
