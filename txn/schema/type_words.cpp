#include "txn/schema/type_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace penstock::txn {
namespace {

struct WordRow {
  std::string_view word;
  std::optional<TypeKind> kind;  // none: Doris has it, penstock does not yet
};

constexpr std::array kWords = {
    WordRow{"BOOLEAN", TypeKind::Boolean},
    WordRow{"TINYINT", TypeKind::TinyInt},
    WordRow{"SMALLINT", TypeKind::SmallInt},
    WordRow{"INT", TypeKind::Int},
    WordRow{"INTEGER", TypeKind::Int},
    WordRow{"BIGINT", TypeKind::BigInt},
    WordRow{"DOUBLE", TypeKind::Double},
    WordRow{"DECIMAL", TypeKind::Decimal},
    WordRow{"DECIMALV3", TypeKind::Decimal},
    WordRow{"DATE", TypeKind::Date},
    WordRow{"DATEV2", TypeKind::Date},
    WordRow{"DATETIME", TypeKind::DateTime},
    WordRow{"DATETIMEV2", TypeKind::DateTime},
    WordRow{"VARCHAR", TypeKind::Varchar},
    WordRow{"STRING", TypeKind::String},
    WordRow{"TEXT", TypeKind::String},
    WordRow{"LARGEINT", TypeKind::LargeInt},
    WordRow{"FLOAT", TypeKind::Float},
    WordRow{"CHAR", TypeKind::Char},
    WordRow{"JSON", TypeKind::Json},
    WordRow{"JSONB", TypeKind::Json},
    WordRow{"VARIANT", {}},
    WordRow{"IPV4", TypeKind::IpV4},
    WordRow{"IPV6", TypeKind::IpV6},
    WordRow{"ARRAY", TypeKind::Array},
    WordRow{"MAP", TypeKind::Map},
    WordRow{"STRUCT", TypeKind::Struct},
    WordRow{"BITMAP", {}},
    WordRow{"HLL", {}},
    WordRow{"QUANTILE_STATE", {}},
    WordRow{"AGG_STATE", {}},
    WordRow{"TIME", {}},
    WordRow{"DECIMALV2", TypeKind::Decimal},
    WordRow{"DATEV1", TypeKind::Date},
    WordRow{"DATETIMEV1", TypeKind::DateTime},
};

// A type's text for a message: at most 64 bytes, whole characters, on one line.
std::string shown(const TypeSpec& spec) {
  constexpr std::size_t kMost = 64;
  std::size_t end = std::min(kMost, spec.text.size());
  while (end < spec.text.size() && (static_cast<unsigned char>(spec.text[end]) & 0xC0U) == 0x80U) ++end;
  std::string out = spec.text.substr(0, end);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  if (end < spec.text.size()) out += "...";
  return out;
}

SqlResult<Type> resolve_decimal(const TypeSpec& spec, std::string_view column) {
  std::uint32_t precision = 9;  // DECIMAL alone is DECIMAL(9, 0)
  std::uint32_t scale = 0;
  if (!spec.arguments.empty()) precision = spec.arguments[0];
  if (spec.arguments.size() == 2) scale = spec.arguments[1];
  if (precision < 1 || precision > kDecimalPrecisionMax) {
    return sql_error(
        fmt::format("Precision of decimal must between 1 and {}. Precision was set to: {} (column {})",
                    kDecimalPrecisionMax, precision, column));
  }
  if (scale > precision) {
    return sql_error(
        fmt::format("Scale of decimal must be smaller than precision. Scale is {} and precision is {} "
                    "(column {})",
                    scale, precision, column));
  }
  return Type::decimal(static_cast<std::uint8_t>(precision), static_cast<std::uint8_t>(scale));
}

SqlResult<Type> resolve_date_time(const TypeSpec& spec, std::string_view column) {
  const std::uint32_t scale = spec.arguments.empty() ? 0 : spec.arguments[0];
  if (scale > kDateTimeScaleMax) {
    return sql_error(
        fmt::format("Scale of Datetime/Time must between 0 and {}. Scale was set to: {} (column {})",
                    kDateTimeScaleMax, scale, column));
  }
  return Type::date_time(static_cast<std::uint8_t>(scale));
}

SqlResult<Type> resolve_varchar(const TypeSpec& spec, std::string_view column) {
  if (spec.arguments.empty()) return Type::varchar();  // VARCHAR and VARCHAR(*)
  const std::uint32_t length = spec.arguments[0];
  if (length < 1) return sql_error(fmt::format("VARCHAR size must be > 0: {} (column {})", length, column));
  if (length > kVarcharLengthMax) {
    return sql_error(
        fmt::format("VARCHAR size must be <= {}: {} (column {})", kVarcharLengthMax, length, column));
  }
  return Type::varchar(length);
}

SqlResult<Type> resolve_char(const TypeSpec& spec, std::string_view column) {
  if (spec.arguments.empty()) return Type::character();
  const std::uint32_t length = spec.arguments[0];
  if (length < 1) return sql_error(fmt::format("CHAR size must be > 0: {} (column {})", length, column));
  if (length > kCharLengthMax) {
    return sql_error(fmt::format("CHAR size must be <= {}: {} (column {})", kCharLengthMax, length, column));
  }
  return Type::character(length);
}

// How many arguments may stand in brackets. Integers have a display width, strings a length: Doris ignores
// both.
std::size_t arguments_max(TypeKind kind) {
  switch (kind) {
    case TypeKind::Decimal:
      return 2;
    case TypeKind::Boolean:
    case TypeKind::Double:
    case TypeKind::Float:
    case TypeKind::Date:
    case TypeKind::Json:
    case TypeKind::IpV4:
    case TypeKind::IpV6:
      return 0;
    default:
      return 1;
  }
}

SqlResult<Type> resolve_nested(const TypeSpec& spec, TypeKind kind, std::string_view column) {
  const std::size_t count = spec.inside.size();
  if (!spec.nested || (kind == TypeKind::Array && count != 1) || (kind == TypeKind::Map && count != 2)) {
    return sql_error(
        fmt::format("type {} of column {}: ARRAY<type>, MAP<type, type> or STRUCT<name:type, ...> was "
                    "expected",
                    shown(spec), column));
  }
  std::vector<Type> inside;
  for (const TypeSpec& one : spec.inside) {
    TRY(Type type, resolve_type(one, column));
    inside.push_back(std::move(type));
  }
  Type type;
  if (kind == TypeKind::Array) {
    type = Type::array(std::move(inside[0]));
  } else if (kind == TypeKind::Map) {
    type = Type::map(std::move(inside[0]), std::move(inside[1]));
  } else {
    std::vector<std::string> names;
    for (const std::string& name : spec.names) {
      // Names of fields are not case-sensitive; Doris keeps them in lower case.
      names.push_back(lower_case(name));
      if (std::ranges::count(names, names.back()) > 1) {
        return sql_error(
            fmt::format("Duplicate field name {} in struct {}", name.substr(0, 64), shown(spec)));
      }
    }
    type = Type::structure(std::move(names), std::move(inside));
  }
  if (!is_valid(type)) {
    return sql_error(
        fmt::format("type {} of column {} is not supported: keys of a MAP must be of a simple type, and "
                    "there may be {} types inside at most",
                    shown(spec), column, kNestedNodesMax));
  }
  return type;
}

}  // namespace

SqlResult<Type> resolve_type(const TypeSpec& spec, std::string_view column) {
  const WordRow* row = nullptr;
  for (const WordRow& candidate : kWords) {
    if (candidate.word == spec.word) row = &candidate;
  }
  if (row == nullptr) return sql_error(fmt::format("unknown type {} of column {}", shown(spec), column));
  if (!row->kind)
    return sql_error(fmt::format("type {} of column {} is not supported yet", shown(spec), column));
  const TypeKind kind = *row->kind;
  if (is_nested(Type::of(kind)) && spec.arguments.empty() && !spec.wildcard)
    return resolve_nested(spec, kind, column);
  if (spec.nested || spec.arguments.size() > arguments_max(kind) ||
      (spec.wildcard && kind != TypeKind::Varchar)) {
    return sql_error(
        fmt::format("type {} of column {}: {} does not take that", shown(spec), column, spec.word));
  }
  switch (kind) {
    case TypeKind::Decimal:
      return resolve_decimal(spec, column);
    case TypeKind::DateTime:
      return resolve_date_time(spec, column);
    case TypeKind::Varchar:
      return resolve_varchar(spec, column);
    case TypeKind::Char:
      return resolve_char(spec, column);
    case TypeKind::String:
      return Type::string();
    case TypeKind::Json:
      return Type::json();
    default:
      return Type::of(kind);
  }
}

std::size_t short_key_bytes(const Type& type) {
  switch (type.kind) {
    case TypeKind::Varchar:
      return 20;  // Doris counts every VARCHAR so
    case TypeKind::String:
    case TypeKind::Json:
      return 16;
    case TypeKind::Char:
      return type.length;
    case TypeKind::Array:
    case TypeKind::Map:
    case TypeKind::Struct:
      return 16;
    case TypeKind::Decimal:
      return type.precision <= 9 ? 4 : fixed_width(type);
    default:
      return fixed_width(type);
  }
}

}  // namespace penstock::txn
