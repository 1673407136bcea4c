// Parsed DDL: what was written, before anyone asks whether the catalog allows it.
//
// Types are words and numbers here and key models are all three, so a statement penstock does not take yet
// parses and is then refused by plan_change with a message that names the part.
//
// Journey:  parse_statement -> [Statement] -> plan_change (CREATE, DROP) or whoever answers SHOW.
// Shard:    any; values.
// Promise:  plain data; names without quotes, strings without escapes, `internal.` and `default_cluster:`
//           removed.
// Failure:  none; SqlError is how this folder tells a person what is wrong with a statement.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "txn/schema/table_schema.hpp"

namespace penstock::txn {

struct SqlError {
  std::string message;
};

struct TableName {
  std::string database;  // empty: the session's
  std::string table;
};

struct TypeSpec {
  std::string word;                      // upper case: DECIMAL
  std::vector<std::uint32_t> arguments;  // (10, 2)
  bool wildcard = false;                 // VARCHAR(*)
  bool nested = false;                   // ARRAY<...> and the like
  std::string text;                      // as it was written
  std::vector<TypeSpec> inside;          // what stands between < and >
  std::vector<std::string> names;        // STRUCT: of its fields
};

struct ColumnSpec {
  std::string name;
  TypeSpec type;
  bool is_key = false;
  std::string aggregate;  // upper case: SUM; empty for none
  std::optional<bool> nullable;
  DefaultKind default_kind = DefaultKind::None;
  std::optional<std::uint32_t> default_precision;  // CURRENT_TIMESTAMP(3)
  std::optional<std::string> default_value;
  std::optional<std::string> initial_value;  // ColumnDef's; set_initial_values (txn/decode) works it out
  std::string comment;
};

struct IndexSpec {
  std::string name;
  std::vector<std::string> columns;
  std::string text;  // the whole clause as it was written
};

// One of the words between the brackets of a partition's values.
struct PartitionValueSpec {
  PartitionValue::Kind kind = PartitionValue::Kind::Text;  // Text: any literal
  std::string text;
};

struct PartitionSpec {
  enum class Form : std::uint8_t {
    LessThan,    // values[0]: the end
    FixedRange,  // values[0] and [1]: begin and end
    Steps,       // the same, cut in pieces of `step` units
    In,          // values: the list
  };
  Form form = Form::LessThan;
  std::string name;  // Steps: of the statement's making
  std::vector<std::vector<PartitionValueSpec>> values;
  std::uint32_t step = 0;
  std::string unit;  // upper case: DAY; empty: of numbers
};

struct PartitioningSpec {
  PartitionKind kind = PartitionKind::Range;
  bool is_automatic = false;
  std::vector<std::string> columns;
  std::vector<PartitionSpec> partitions;
  std::string clause;  // as it was written, up to the list of partitions
};

struct DistributionSpec {
  Distribution kind = Distribution::Random;
  std::vector<std::string> columns;
  std::optional<std::uint32_t> buckets;  // none: AUTO or not said
};

struct CreateDatabaseStatement {
  bool if_not_exists = false;
  std::string name;
  Properties properties;
};

struct DropDatabaseStatement {
  bool if_exists = false;
  std::string name;
  bool force = false;
};

struct CreateTableStatement {
  bool if_not_exists = false;
  TableName name;
  std::vector<ColumnSpec> columns;
  std::vector<IndexSpec> indexes;
  std::optional<KeyModel> key_model;
  std::vector<std::string> key_columns;
  std::string comment;
  std::optional<PartitioningSpec> partitioning;
  std::optional<DistributionSpec> distribution;
  Properties properties;
};

// CREATE TABLE t LIKE other: everything of the other one but its rows.
struct CreateTableLikeStatement {
  bool if_not_exists = false;
  TableName name;
  TableName like;
};

// The table stays, its rows go.
struct TruncateTableStatement {
  TableName name;
};

struct DropTableStatement {
  bool if_exists = false;
  TableName name;
  bool force = false;
};

// Where a column comes to stand. Neither: behind all others, or where it is.
struct ColumnPlace {
  bool is_first = false;
  std::optional<std::string> after;
};

// ADD COLUMN a INT AFTER x, ADD COLUMN (a INT, b INT).
struct AddColumns {
  bool if_not_exists = false;
  std::vector<ColumnSpec> columns;
  ColumnPlace place;
};
struct DropColumn {
  bool if_exists = false;
  std::string name;
};
struct RenameColumn {
  std::string from;
  std::string to;
};
struct ModifyColumn {
  ColumnSpec column;  // without a comment, or a default: it keeps its own
  ColumnPlace place;
};
struct CommentColumn {
  std::string name;
  std::string comment;
};
struct CommentTable {
  std::string comment;
};
using AlterClause =
    std::variant<AddColumns, DropColumn, RenameColumn, ModifyColumn, CommentColumn, CommentTable>;

// All clauses or none of them, in their order.
struct AlterTableStatement {
  TableName name;
  std::vector<AlterClause> clauses;
};

struct ShowDatabasesStatement {
  std::optional<std::string> like;
};

struct ShowTablesStatement {
  bool full = false;     // with the kind of each
  std::string database;  // empty: the session's
  std::optional<std::string> like;
};

struct ShowCreateTableStatement {
  TableName name;
};

// SHOW [FULL] COLUMNS FROM t, DESC t.
struct ShowColumnsStatement {
  enum class Form : std::uint8_t { Show, ShowFull, Describe };
  Form form = Form::Show;
  TableName name;
  std::optional<std::string> like;
};

// SELECT a, b FROM information_schema.columns WHERE a = 'x' AND ... ORDER BY a LIMIT 5: how clients look for names.
struct SelectNamesStatement {
  std::vector<std::string> columns;  // empty: *
  std::string view;                  // of information_schema
  std::vector<std::pair<std::string, std::string>> conditions;
  std::vector<std::string> order_by;
  std::optional<std::uint32_t> limit;
};

using Statement = std::variant<CreateDatabaseStatement, DropDatabaseStatement, CreateTableStatement,
                               CreateTableLikeStatement, TruncateTableStatement, DropTableStatement,
                               AlterTableStatement, ShowDatabasesStatement, ShowTablesStatement,
                               ShowCreateTableStatement, ShowColumnsStatement, SelectNamesStatement>;

}  // namespace penstock::txn
