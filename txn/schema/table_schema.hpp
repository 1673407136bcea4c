// What a table is: its columns, its key, how its rows are spread.
//
// Databases, tables, schemas and columns have ids that are never used again; names may change or be dropped,
// so everything durable refers to ids. A column's id is unique in its table; a schema's id in the whole
// store: a block carries it, and that says which columns the block has. Tables and schemas are immutable once
// they are in a Catalog.
//
// Journey:  plan_change -> [Table, TableSchema] -> Catalog -> decoders (columns by name), blocks (columns by
//           id).
// Shard:    any; values, or immutable behind std::shared_ptr<const>.
// Promise:  a Table that check_table() accepts has a schema, columns with names of their own, and refers only
//           to those.
// Failure:  Errc::InvalidArgument from check_table, with the reason in the context.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/units.hpp"
#include "txn/schema/partition.hpp"
#include "txn/schema/types.hpp"

namespace penstock::txn {

using DatabaseId = core::StrongId<struct DatabaseTag, std::uint64_t>;
using TableId = core::StrongId<struct TableTag, std::uint64_t>;
using SchemaId = core::StrongId<struct SchemaTag, std::uint64_t>;

inline constexpr std::size_t kColumnsMax = 4096;
// Bytes of all columns of a table together: of their defaults, of their initial values, of their comments. (A statement is
// no longer, so that only ALTER TABLE could go beyond it.)
inline constexpr std::size_t kColumnTextMax = core::kMiB;
inline constexpr std::uint32_t kBucketsMax = 4096;
inline constexpr std::uint32_t kBucketsDefault = 10;  // BUCKETS AUTO, or no BUCKETS at all

// PROPERTIES in the order they were written.
using Properties = std::vector<std::pair<std::string, std::string>>;
const std::string* find_property(const Properties& properties, std::string_view key);

// What a row gets that does not name the column.
enum class DefaultKind : std::uint8_t {
  None = 0,              // nothing was said: NULL if the column may be NULL, otherwise the row is in error
  Literal = 1,           // ColumnDef::default_value, as text, converted like a cell of a load
  Null = 2,              // DEFAULT NULL was written
  CurrentTimestamp = 3,  // the wall time of the load, with default_precision digits of fraction
  CurrentDate = 4,       // its day
};

struct ColumnDef {
  ColumnId id;
  std::string name;
  Type type;
  bool nullable = true;
  bool is_key = false;
  DefaultKind default_kind = DefaultKind::None;
  std::uint8_t default_precision = 0;        // CurrentTimestamp only
  std::optional<std::string> default_value;  // Literal only
  // What rows have that were there before the column was (ALTER TABLE ADD COLUMN), as text; none: NULL. Columns that
  // came with the table have none.
  std::optional<std::string> initial_value;
  std::string comment;

  friend bool operator==(const ColumnDef&, const ColumnDef&) = default;
};

struct TableSchema {
  SchemaId id;
  std::vector<ColumnDef> columns;

  // By name, ASCII letters in either case (Doris's column names are not case-sensitive). Linear: resolve
  // names once a load, not once a row.
  std::optional<std::size_t> index_of(std::string_view name) const;
  const ColumnDef* find(std::string_view name) const;
  const ColumnDef* find(ColumnId column) const;

  friend bool operator==(const TableSchema&, const TableSchema&) = default;
};

enum class KeyModel : std::uint8_t { Duplicate = 0, Unique = 1, Aggregate = 2 };
enum class Distribution : std::uint8_t { Random = 0, Hash = 1 };

struct Table {
  TableId id;
  DatabaseId database;
  std::string name;
  KeyModel key_model = KeyModel::Duplicate;
  std::vector<ColumnId> key_columns;  // the first columns of the schema, in its order
  Distribution distribution = Distribution::Random;
  std::vector<ColumnId> hash_columns;  // Distribution::Hash only
  std::uint32_t buckets = kBucketsDefault;
  Properties properties;
  std::string comment;
  Partitioning partitioning;
  std::vector<std::string> index_clauses;  // kept as they were written and shown back; they do nothing
  ColumnId next_column{1};                 // what the next ADD COLUMN takes
  std::shared_ptr<const TableSchema> schema;

  friend bool operator==(const Table& a, const Table& b);
};

// The types of the partition columns; one that is not there has none. Whether a row that fits no partition has a
// place all the same: there are none yet, or Doris makes them as they are needed.
std::vector<Type> partition_types(const Table& table);
bool takes_every_row(const Table& table);

// Whether the parts of a table fit each other. (Not whether DDL would allow it: plan_change judges that.)
core::Result<> check_table(const Table& table);
// What of the columns is longer than kColumnTextMax; empty: nothing.
std::string_view too_long_text(const TableSchema& schema);
// Whether rows that are made for one schema are rows of the other: all but the comments is the same.
bool have_same_rows(const TableSchema& a, const TableSchema& b);
// Whether a table can become another one by ALTER TABLE: rows of the first can be read as rows of the second.
core::Result<> check_alteration(const Table& before, const Table& after);

// ASCII letters in either case, all other bytes as they are.
bool equal_ignoring_case(std::string_view a, std::string_view b);
std::string lower_case(std::string_view text);

}  // namespace penstock::txn
