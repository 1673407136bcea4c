#include "txn/schema/types.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

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
    TypeRow{TypeKind::String, 0, "text"},       TypeRow{TypeKind::LargeInt, 16, "largeint"},
    TypeRow{TypeKind::Float, 4, "float"},       TypeRow{TypeKind::Char, 0, "char"},
    TypeRow{TypeKind::Json, 0, "json"},         TypeRow{TypeKind::IpV4, 4, "ipv4"},
    TypeRow{TypeKind::IpV6, 16, "ipv6"},        TypeRow{TypeKind::Array, 0, "array"},
    TypeRow{TypeKind::Map, 0, "map"},           TypeRow{TypeKind::Struct, 0, "struct"},
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

bool is_valid_nested(const Type& type, std::size_t depth, std::size_t& nodes) {
  if (type.nested == nullptr || depth > kNestedDepthMax) return false;
  if (type.precision != 0 || type.scale != 0 || type.length != 0) return false;
  const NestedType& nested = *type.nested;
  const bool is_struct = type.kind == TypeKind::Struct;
  const std::size_t count = nested.children.size();
  if (is_struct ? count == 0 : count != (type.kind == TypeKind::Map ? 2U : 1U)) return false;
  if (nested.names.size() != (is_struct ? count : 0)) return false;
  std::unordered_set<std::string_view> names;
  for (const std::string& name : nested.names) {
    if (name.empty() || !names.insert(name).second) return false;
  }
  nodes += count;
  if (nodes > kNestedNodesMax) return false;
  for (const Type& child : nested.children) {
    if (!(is_nested(child) ? is_valid_nested(child, depth + 1, nodes) : is_valid(child))) return false;
  }
  return type.kind != TypeKind::Map || !is_nested(nested.children[0]);
}

}  // namespace

Type Type::array(Type element) {
  return {TypeKind::Array, 0, 0, 0, std::make_shared<const NestedType>(NestedType{{std::move(element)}, {}})};
}

Type Type::map(Type key, Type value) {
  return {TypeKind::Map, 0, 0, 0,
          std::make_shared<const NestedType>(NestedType{{std::move(key), std::move(value)}, {}})};
}

Type Type::structure(std::vector<std::string> names, std::vector<Type> fields) {
  return {TypeKind::Struct, 0, 0, 0,
          std::make_shared<const NestedType>(NestedType{std::move(fields), std::move(names)})};
}

std::span<const Type> Type::children() const {
  return nested == nullptr ? std::span<const Type>() : std::span<const Type>(nested->children);
}

bool operator==(const Type& a, const Type& b) {
  if (a.kind != b.kind || a.precision != b.precision || a.scale != b.scale || a.length != b.length)
    return false;
  if (a.nested == b.nested) return true;
  return a.nested != nullptr && b.nested != nullptr && *a.nested == *b.nested;
}

bool is_valid(const Type& type) {
  if (find_row(type.kind) == nullptr) return false;
  if (is_nested(type)) {
    std::size_t nodes = 0;
    return is_valid_nested(type, 1, nodes);
  }
  if (type.nested != nullptr) return false;
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
  if (type.kind == TypeKind::Char) return type.length >= 1 && type.length <= kCharLengthMax;
  if (type.kind == TypeKind::String || type.kind == TypeKind::Json)
    return type.length == kStringLengthDefault;
  return type.length == 0;
}

std::size_t fixed_width(const Type& type) {
  if (type.kind == TypeKind::Decimal) return type.precision <= kDecimalInt64PrecisionMax ? 8 : 16;
  return row_of(type.kind).width;
}

bool is_string(const Type& type) { return row_of(type.kind).width == 0 && !is_nested(type); }

bool is_nested(const Type& type) { return has_offsets(type) || type.kind == TypeKind::Struct; }

bool has_offsets(const Type& type) { return type.kind == TypeKind::Array || type.kind == TypeKind::Map; }

std::size_t row_width(const Type& type) {
  if (type.kind != TypeKind::Struct)
    return 1 + (is_string(type) || has_offsets(type) ? sizeof(std::uint32_t) : fixed_width(type));
  std::size_t sum = 1;
  for (const Type& field : type.children()) sum += row_width(field);
  return sum;
}

std::size_t expansion(const Type& type) {
  std::size_t most = 0;
  std::size_t here = 0;
  for (const Type& child : type.children()) {
    here += row_width(child);
    most = std::max(most, expansion(child));
  }
  if (has_offsets(type)) most = std::max(most, here + 1);
  return std::clamp<std::size_t>(most, 1, kExpansionMax);
}

namespace {

// How many bytes a whole number has; 0 for other kinds.
std::size_t integer_bytes(TypeKind kind) {
  switch (kind) {
    case TypeKind::TinyInt:
    case TypeKind::SmallInt:
    case TypeKind::Int:
    case TypeKind::BigInt:
    case TypeKind::LargeInt:
      return row_of(kind).width;
    default:
      return 0;
  }
}

bool is_limited_text(TypeKind kind) { return kind == TypeKind::Char || kind == TypeKind::Varchar; }

}  // namespace

bool can_widen(const Type& from, const Type& to) {
  if (from == to) return true;
  const std::size_t bytes = integer_bytes(from.kind);
  switch (to.kind) {
    case TypeKind::SmallInt:
    case TypeKind::Int:
    case TypeKind::BigInt:
    case TypeKind::LargeInt:
      return bytes != 0 && bytes <= integer_bytes(to.kind);
    case TypeKind::Float:
      return bytes != 0 && bytes <= 2;
    case TypeKind::Double:
      return from.kind == TypeKind::Float || (bytes != 0 && bytes <= 4);
    case TypeKind::Decimal:
      return from.kind == TypeKind::Decimal && to.scale >= from.scale &&
             to.precision - to.scale >= from.precision - from.scale;
    case TypeKind::DateTime:
      return from.kind == TypeKind::Date || (from.kind == TypeKind::DateTime && to.scale >= from.scale);
    case TypeKind::Char:
      return from.kind == TypeKind::Char && to.length >= from.length;
    case TypeKind::Varchar:
      return is_limited_text(from.kind) && to.length >= from.length;
    case TypeKind::String:
      return is_limited_text(from.kind);
    default:
      return false;
  }
}

namespace {

// As DDL can read it again.
std::string field_name(const std::string& name) {
  const bool is_plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return c >= 0x80 || c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
  });
  return is_plain ? name : "`" + name + "`";
}

}  // namespace

std::string type_name(const Type& type) {
  const std::string_view name = row_of(type.kind).name;
  if (type.kind == TypeKind::Decimal) return fmt::format("{}({},{})", name, type.precision, type.scale);
  if (type.kind == TypeKind::DateTime && type.scale != 0) return fmt::format("{}({})", name, type.scale);
  if (type.kind == TypeKind::Varchar || type.kind == TypeKind::Char)
    return fmt::format("{}({})", name, type.length);
  if (!is_nested(type)) return std::string(name);
  std::string out = fmt::format("{}<", name);
  for (std::size_t i = 0; i < type.children().size(); ++i) {
    if (i != 0) out += ',';
    if (type.kind == TypeKind::Struct) out += field_name(type.nested->names[i]) + ":";
    out += type_name(type.children()[i]);
  }
  return out + ">";
}

}  // namespace penstock::txn
