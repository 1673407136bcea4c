// The column types, in Doris's words, and how a value of each lies in memory and on disk.
//
// A Type is a small value. Its kind's number is durable, so numbers are never reused and never change. Values
// of a column lie one after the other, little-endian, without padding; NULL is a bitmap beside them and not
// part of this:
//
//   Boolean           1 byte, 0 or 1
//   TinyInt SmallInt  1 or 2 bytes, two's complement
//   Int BigInt        4 or 8 bytes, two's complement
//   Double            8 bytes, IEEE 754
//   Decimal(p,s)      value * 10^s as an integer: 8 bytes for p <= 18, otherwise 16
//   Date              4 bytes, days since 1970-01-01, signed
//   DateTime(s)       8 bytes, microseconds since 1970-01-01 00:00:00, signed, without a zone
//   Varchar String    u32 offsets (one more than there are values) into the bytes, which follow each other
//   Char Json         likewise; Char without padding, Json as compact text
//   LargeInt          16 bytes, two's complement
//   Float             4 bytes, IEEE 754
//   IpV4 IpV6         4 or 16 bytes: the address as an unsigned number
//   Array Map         u32 offsets (one more than there are values) into child columns: the elements, or keys and values
//   Struct            child columns with as many rows: the fields
//
// Adding a type means a number here, a row in kTypes (types.cpp) and a row in kWords (type_words.cpp).
//
// Journey:  type_words (parsed text) -> [Type] -> column builders, decoders, SHOW CREATE TABLE.
// Shard:    any; values.
// Promise:  a Type for which is_valid() holds has exactly one spelling in type_name(), and equal types have
//           equal fields.
// Failure:  none; bytes from outside are judged by is_valid() before anything else looks at them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::txn {

enum class TypeKind : std::uint8_t {
  Boolean = 1,
  TinyInt = 2,
  SmallInt = 3,
  Int = 4,
  BigInt = 5,
  Double = 6,
  Decimal = 7,
  Date = 8,
  DateTime = 9,
  Varchar = 10,
  String = 11,
  LargeInt = 12,
  Float = 13,
  Char = 14,
  Json = 15,
  IpV4 = 16,
  IpV6 = 17,
  Array = 18,
  Map = 19,
  Struct = 20,
};

inline constexpr std::uint8_t kDecimalPrecisionMax = 38;
inline constexpr std::uint8_t kDecimalInt64PrecisionMax = 18;  // up to here 8 bytes are enough
inline constexpr std::uint8_t kDateTimeScaleMax = 6;
inline constexpr std::uint32_t kVarcharLengthMax = 65533;
inline constexpr std::uint32_t kCharLengthMax = 255;
inline constexpr std::uint32_t kStringLengthDefault = 1048576;  // Doris's string_type_length_soft_limit_bytes

inline constexpr std::size_t kNestedDepthMax = 8;     // levels of Array, Map and Struct
inline constexpr std::size_t kNestedNodesMax = 1024;  // types inside of one column's type, at any level

struct NestedType;

struct Type {
  TypeKind kind = TypeKind::Int;
  std::uint8_t precision = 0;  // Decimal: all digits, 1..38. Others: 0
  // Decimal: digits after the point. DateTime: digits of the fraction, 0..6. Others: 0
  std::uint8_t scale = 0;
  std::uint32_t length = 0;                            // strings: the most BYTES a value may have. Others: 0
  std::shared_ptr<const NestedType> nested = nullptr;  // Array, Map, Struct: what is inside. Others: nothing

  static Type of(TypeKind kind) { return {kind, 0, 0, 0}; }
  static Type decimal(std::uint8_t precision, std::uint8_t scale) {
    return {TypeKind::Decimal, precision, scale, 0};
  }
  static Type date_time(std::uint8_t scale = 0) { return {TypeKind::DateTime, 0, scale, 0}; }
  static Type varchar(std::uint32_t length = kVarcharLengthMax) { return {TypeKind::Varchar, 0, 0, length}; }
  static Type character(std::uint32_t length = 1) { return {TypeKind::Char, 0, 0, length}; }
  static Type json() { return {TypeKind::Json, 0, 0, kStringLengthDefault}; }
  static Type string() { return {TypeKind::String, 0, 0, kStringLengthDefault}; }
  static Type array(Type element);
  static Type map(Type key, Type value);
  static Type structure(std::vector<std::string> names, std::vector<Type> fields);

  std::span<const Type> children() const;  // element; key and value; fields

  friend bool operator==(const Type& a, const Type& b);
};

struct NestedType {
  std::vector<Type> children;
  std::vector<std::string> names;  // of a Struct's fields

  friend bool operator==(const NestedType&, const NestedType&) = default;
};

// Whether the kind is one we know and the fields hold what that kind allows (and 0 where it has no use for
// them).
bool is_valid(const Type& type);

// Bytes of one value; 0 for strings and nested types, whose values have no common width.
std::size_t fixed_width(const Type& type);

// Whether values are bytes behind offsets: Varchar, String, Char, Json.
bool is_string(const Type& type);
bool is_nested(const Type& type);    // Array, Map, Struct
bool has_offsets(const Type& type);  // Array, Map

// Bytes that a row of the type takes at most, a byte of bitmap counted for each column inside, without its text and the
// elements of its lists: what a NULL takes.
std::size_t row_width(const Type& type);
// How many bytes one byte of a nested value's text can become at most: an element of a list may be a comma, or a STRUCT
// of a thousand NULLs. 1 for all other types. At most kExpansionMax: values that would become more are refused.
std::size_t expansion(const Type& type);
inline constexpr std::size_t kExpansionMax = 64;

// Whether each value of one type is a value of the other as well: what MODIFY COLUMN may do. Readers convert such
// values as they find them (txn/rowset/block_lift).
bool can_widen(const Type& from, const Type& to);

// As SHOW CREATE TABLE prints it: `int`, `decimal(10,2)`, `datetime`, `datetime(3)`, `varchar(20)`, `text`,
// `array<int>`, `map<int,text>`, `struct<a:int,b:text>`.
std::string type_name(const Type& type);

}  // namespace penstock::txn
