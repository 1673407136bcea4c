#include "txn/schema/types.hpp"

#include <fmt/format.h>

#include <array>

#include "core/base/check.hpp"

namespace penstock::txn {
namespace {

struct TypeRow {
  TypeKind kind;
  std::uint8_t width;  // 0: strings; Decimal is decided by its precision
  std::string_view name;
};

constexpr std::array kTypes = {
    TypeRow{TypeKind::Boolean, 1, "boolean"},   TypeRow{TypeKind::TinyInt, 1, "tinyint"},
    TypeRow{TypeKind::SmallInt, 2, "smallint"}, TypeRow{TypeKind::Int, 4, "int"},
    TypeRow{TypeKind::BigInt, 8, "bigint"},     TypeRow{TypeKind::Double, 8, "double"},
    TypeRow{TypeKind::Decimal, 16, "decimal"},  TypeRow{TypeKind::Date, 4, "date"},
    TypeRow{TypeKind::DateTime, 8, "datetime"}, TypeRow{TypeKind::Varchar, 0, "varchar"},
    TypeRow{TypeKind::String, 0, "text"},
};

const TypeRow* find_row(TypeKind kind) {
  for (const TypeRow& row : kTypes) {
    if (row.kind == kind) return &row;
  }
  return nullptr;
}

const TypeRow& row_of(TypeKind kind) {
  const TypeRow* row = find_row(kind);
  CHECK(row != nullptr);
  return *row;
}

}  // namespace

bool is_valid(const Type& type) {
  if (find_row(type.kind) == nullptr) return false;
  const bool decimal = type.kind == TypeKind::Decimal;
  const bool date_time = type.kind == TypeKind::DateTime;
  if (decimal) {
    if (type.precision < 1 || type.precision > kDecimalPrecisionMax || type.scale > type.precision)
      return false;
  } else if (type.precision != 0) {
    return false;
  }
  if (date_time && type.scale > kDateTimeScaleMax) return false;
  if (!decimal && !date_time && type.scale != 0) return false;
  if (type.kind == TypeKind::Varchar) return type.length >= 1 && type.length <= kVarcharLengthMax;
  if (type.kind == TypeKind::String) return type.length == kStringLengthDefault;
  return type.length == 0;
}

std::size_t fixed_width(const Type& type) {
  if (type.kind == TypeKind::Decimal) return type.precision <= kDecimalInt64PrecisionMax ? 8 : 16;
  return row_of(type.kind).width;
}

bool is_string(const Type& type) { return row_of(type.kind).width == 0; }

std::string type_name(const Type& type) {
  const std::string_view name = row_of(type.kind).name;
  if (type.kind == TypeKind::Decimal) return fmt::format("{}({},{})", name, type.precision, type.scale);
  if (type.kind == TypeKind::DateTime && type.scale != 0) return fmt::format("{}({})", name, type.scale);
  if (type.kind == TypeKind::Varchar) return fmt::format("{}({})", name, type.length);
  return std::string(name);
}

}  // namespace penstock::txn
