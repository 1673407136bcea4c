// How a table's rows are split into partitions: named ranges, or named lists, of the values of a few columns.
//
// Rows are not kept apart by this. It says which rows a table takes (txn/decode/partition_filter), and which of them a
// load may be restricted to. A value is a number (integers; BOOLEAN 0 or 1; DATE in days and DATETIME in microseconds
// since 1970), a text, or one of the words around them. Numbers of the kinds are durable.
//
// Journey:  plan_partitions -> [Partitioning] in Table -> catalog, PartitionFilter, SHOW CREATE TABLE.
// Shard:    any; values.
// Promise:  of what check_partitioning accepts, ranges ascend and do not overlap, lists share no value, and every
//           value fits its column.
// Failure:  Errc::InvalidArgument from check_partitioning.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/units.hpp"
#include "txn/schema/types.hpp"

namespace penstock::txn {

using ColumnId = core::StrongId<struct ColumnTag, std::uint32_t>;
__extension__ using Int128 = __int128;

inline constexpr std::size_t kPartitionsMax = 4096;  // Doris's max_multi_partition_num
inline constexpr std::size_t kPartitionColumnsMax = 8;
inline constexpr std::size_t kPartitionValuesMax = 65536;  // of all lists of a table

struct PartitionValue {
  enum class Kind : std::uint8_t {
    Min = 0,   // below all values; a range's end only
    Null = 1,  // as low as Min; in lists only
    Number = 2,
    Text = 3,
    Max = 4,  // above all values; a range's end only
  };
  Kind kind = Kind::Min;
  Int128 number = 0;
  std::string text = {};

  static PartitionValue of(Int128 value) { return {Kind::Number, value}; }
  static PartitionValue word(Kind kind) { return {kind, 0}; }
  friend bool operator==(const PartitionValue&, const PartitionValue&) = default;
};
// One value for each partition column.
using PartitionKey = std::vector<PartitionValue>;
std::strong_ordering compare(const PartitionKey& a, const PartitionKey& b);

struct Partition {
  std::string name;
  PartitionKey lower;                // Range: the first key that is in; empty: there is none below
  PartitionKey upper;                // Range: the first key that is not
  std::vector<PartitionKey> values;  // List

  friend bool operator==(const Partition&, const Partition&) = default;
};

enum class PartitionKind : std::uint8_t { None = 0, Range = 1, List = 2 };

struct Partitioning {
  PartitionKind kind = PartitionKind::None;
  bool is_automatic = false;  // a row that fits nowhere makes itself a place
  std::string clause;         // as it was written, up to the list of partitions
  std::vector<ColumnId> columns;
  std::vector<Partition> partitions;  // ranges in their order, lists as they were written

  const Partition* find(std::string_view name) const;  // ASCII letters in either case
  friend bool operator==(const Partitioning&, const Partitioning&) = default;
};

// Whether columns of the type can split a table. (Doris: no fractions, no TEXT; strings in lists only.)
bool can_partition(PartitionKind kind, const Type& type);
// What a number of the type may be.
struct NumberRange {
  Int128 least;
  Int128 most;
};
NumberRange partition_numbers(const Type& type);

// `types`: of the partition columns.
core::Result<> check_partitioning(const Partitioning& partitioning, const std::vector<Type>& types);

// A value as SHOW CREATE TABLE writes it: "60", "2024-01-01", MAXVALUE.
std::string partition_value_text(const PartitionValue& value, const Type& type);
// The list of partitions, brackets and all.
std::string partition_list_text(const Partitioning& partitioning, const std::vector<Type>& types);

}  // namespace penstock::txn
