#include "txn/schema/table_planner.hpp"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <unordered_set>
#include <utility>

#include "txn/schema/names.hpp"
#include "txn/schema/partition_planner.hpp"
#include "txn/schema/type_words.hpp"

namespace penstock::txn {
namespace {

constexpr std::string_view kNoKeyProperty = "enable_duplicate_without_keys_by_default";
constexpr std::string_view kMergeOnWriteProperty = "enable_unique_key_merge_on_write";
constexpr std::size_t kShortKeyColumnsMax = 3;
constexpr std::size_t kShortKeyBytesMax = 36;

SqlResult<> plan_default(const ColumnSpec& spec, ColumnDef& column) {
  column.default_kind = spec.default_kind;
  column.default_value = spec.default_value;
  if (spec.default_kind == DefaultKind::Null && !column.nullable) {
    return sql_error(fmt::format("Can not set null default value to non nullable column: {}", spec.name));
  }
  if (spec.default_kind == DefaultKind::Literal && is_nested(column.type) &&
      !(column.type.kind == TypeKind::Array && spec.default_value == "[]") &&
      !(column.type.kind == TypeKind::Map && spec.default_value == "{}")) {
    return sql_error(
        fmt::format("The default of column {} of type {} can only be NULL, [] of an ARRAY or {{}} "
                    "of a MAP",
                    spec.name, type_name(column.type)));
  }
  if (spec.default_kind == DefaultKind::CurrentDate && column.type.kind != TypeKind::Date) {
    return sql_error(fmt::format(
        "Types other than DATE and DATEV2 cannot use current_date as the default value (column {})",
        spec.name));
  }
  if (spec.default_kind != DefaultKind::CurrentTimestamp) return {};
  if (column.type.kind != TypeKind::DateTime) {
    return sql_error(
        fmt::format("Types other than DATETIME and DATETIMEV2 cannot use current_timestamp as the default "
                    "value (column {})",
                    spec.name));
  }
  const std::uint32_t precision = spec.default_precision.value_or(0);
  if (precision > column.type.scale) {
    return sql_error(
        fmt::format("default value precision: {} can not be greater than type precision: {} (column {})",
                    precision, column.type.scale, spec.name));
  }
  column.default_precision = static_cast<std::uint8_t>(precision);
  return {};
}

}  // namespace

SqlResult<ColumnDef> plan_column(const ColumnSpec& spec) {
  if (!is_column_name(spec.name) || spec.name.starts_with("__DORIS_")) {
    return sql_error(fmt::format("Incorrect column name '{}'", spec.name));
  }
  ColumnDef column;
  column.name = spec.name;
  TRY(column.type, resolve_type(spec.type, spec.name));
  column.nullable = spec.nullable.value_or(true);
  column.comment = spec.comment;
  TRY_VOID(plan_default(spec, column));
  return column;
}

namespace {

SqlResult<std::vector<ColumnDef>> plan_columns(const CreateTableStatement& statement) {
  if (statement.columns.empty()) return sql_error("A table must have at least 1 column");
  std::vector<ColumnDef> columns;
  std::unordered_set<std::string> names;
  for (const ColumnSpec& spec : statement.columns) {
    if (!names.insert(lower_case(spec.name)).second) {
      return sql_error(fmt::format("Duplicate column name '{}'", spec.name));
    }
    TRY(ColumnDef column, plan_column(spec));
    column.id = ColumnId{static_cast<std::uint32_t>(columns.size() + 1)};
    columns.push_back(std::move(column));
  }
  return columns;
}

KeyModel key_model_of(const CreateTableStatement& statement) {
  if (statement.key_model) return *statement.key_model;
  for (const ColumnSpec& spec : statement.columns) {
    if (!spec.aggregate.empty()) return KeyModel::Aggregate;  // as Doris takes a table without a key clause
  }
  return KeyModel::Duplicate;
}

SqlResult<> check_key_model(const CreateTableStatement& statement, KeyModel model) {
  if (model != KeyModel::Duplicate) {
    return sql_error(fmt::format("CREATE TABLE {}: {} KEY tables are not supported yet: use DUPLICATE KEY",
                                 statement.name.table, model == KeyModel::Unique ? "UNIQUE" : "AGGREGATE"));
  }
  for (const ColumnSpec& spec : statement.columns) {
    if (spec.aggregate.empty()) continue;
    return sql_error(
        fmt::format("DUP_KEYS table should not specify aggregate type for non-key column[{}]", spec.name));
  }
  if (find_property(statement.properties, kMergeOnWriteProperty) != nullptr) {
    return sql_error(fmt::format("{} property only support unique key table", kMergeOnWriteProperty));
  }
  return {};
}

// The key clause, or else the columns marked KEY.
std::vector<std::string> written_key(const CreateTableStatement& statement) {
  if (statement.key_model) return statement.key_columns;
  std::vector<std::string> names;
  for (const ColumnSpec& spec : statement.columns) {
    if (spec.is_key) names.push_back(spec.name);
  }
  return names;
}

bool can_be_key(const Type& type) {
  switch (type.kind) {
    case TypeKind::Double:
    case TypeKind::Float:
    case TypeKind::String:
    case TypeKind::Json:
    case TypeKind::Array:
    case TypeKind::Map:
    case TypeKind::Struct:
      return false;
    default:
      return true;
  }
}

// How many of the first columns are the key of a table that names none: Doris's short key.
std::size_t short_key_columns(const std::vector<ColumnDef>& columns) {
  std::size_t bytes = 0;
  std::size_t count = 0;
  for (const ColumnDef& column : columns) {
    bytes += short_key_bytes(column.type);
    if (count >= kShortKeyColumnsMax || bytes > kShortKeyBytesMax) break;
    if (!can_be_key(column.type)) break;
    ++count;
    if (column.type.kind == TypeKind::Varchar) break;
  }
  return count;
}

SqlResult<> check_key_column(const ColumnDef& column) {
  if (can_be_key(column.type)) return {};
  switch (column.type.kind) {
    case TypeKind::Double:
    case TypeKind::Float:
      return sql_error("Float or double can not used as a key, use decimal instead.");
    case TypeKind::String:
      return sql_error(fmt::format("String Type should not be used in key column[{}]", column.name));
    case TypeKind::Json:
      return sql_error(fmt::format("JsonType type should not be used in key column[{}].", column.name));
    default:
      return sql_error(
          fmt::format("{} can only be used in the non-key column of the duplicate table at present.",
                      type_name(column.type)));
  }
}

SqlResult<std::size_t> count_key_columns(const CreateTableStatement& statement, const TableSchema& schema) {
  const std::string* no_key = find_property(statement.properties, kNoKeyProperty);
  const bool without_key = no_key != nullptr && equal_ignoring_case(*no_key, "true");
  const std::vector<std::string> names = written_key(statement);
  if (names.empty()) {
    if (without_key) return 0;
    const std::size_t count = short_key_columns(schema.columns);
    if (count > 0) return count;
    return sql_error(
        "The olap table first column could not be float, double, string or array, struct, map, please use "
        "decimal or "
        "varchar instead.");
  }
  if (without_key) {
    return sql_error(fmt::format("table property '{}' only can set 'true' when create olap table by default.",
                                 kNoKeyProperty));
  }
  std::unordered_set<std::string> seen;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!seen.insert(lower_case(names[i])).second) {
      return sql_error(fmt::format("Duplicate key column '{}'", names[i]));
    }
    if (!schema.index_of(names[i])) return sql_error(fmt::format("Key column[{}] doesn't exist.", names[i]));
    const std::string& in_schema = schema.columns[i].name;
    if (!equal_ignoring_case(names[i], in_schema)) {
      return sql_error(fmt::format(
          "Key columns should be a ordered prefix of the schema. KeyColumns[{}] (starts from zero) is {}, "
          "but corresponding column is {} in the previous columns declaration.",
          i, names[i], in_schema));
    }
    TRY_VOID(check_key_column(schema.columns[i]));
  }
  for (const ColumnSpec& spec : statement.columns) {
    if (!spec.is_key || seen.contains(lower_case(spec.name))) continue;
    return sql_error(fmt::format("column {} is marked KEY but is not in the table's key", spec.name));
  }
  return names.size();
}

SqlResult<> plan_distribution(const CreateTableStatement& statement, const TableSchema& schema,
                              Table& table) {
  if (!statement.distribution) return {};  // Doris: RANDOM, BUCKETS AUTO
  const DistributionSpec& spec = *statement.distribution;
  table.distribution = spec.kind;
  table.buckets = spec.buckets.value_or(kBucketsDefault);
  if (table.buckets < 1) {
    return sql_error(fmt::format("Buckets number of {} distribution should be greater than zero.",
                                 spec.kind == Distribution::Hash ? "hash" : "random"));
  }
  if (table.buckets > kBucketsMax) {
    return sql_error(fmt::format("CREATE TABLE {}: BUCKETS {} is more than {}", statement.name.table,
                                 table.buckets, kBucketsMax));
  }
  std::unordered_set<std::uint32_t> seen;
  for (const std::string& name : spec.columns) {
    const ColumnDef* column = schema.find(name);
    if (column == nullptr) return sql_error(fmt::format("Distribution column({}) doesn't exist.", name));
    if (!seen.insert(column->id.value).second) {
      return sql_error(fmt::format("Duplicated distribution column {}", name));
    }
    if (column->type.kind == TypeKind::Double || column->type.kind == TypeKind::Float) {
      return sql_error(
          fmt::format("Floating point type should not be used in distribution column[{}].", column->name));
    }
    if (column->type.kind == TypeKind::String) {
      return sql_error(
          fmt::format("String Type should not be used in distribution column[{}].", column->name));
    }
    if (!can_be_key(column->type)) {
      return sql_error(fmt::format("{} should not be used in distribution column[{}].",
                                   type_name(column->type), column->name));
    }
    table.hash_columns.push_back(column->id);
  }
  return {};
}

SqlResult<> plan_indexes(const CreateTableStatement& statement, const TableSchema& schema, Table& table) {
  std::unordered_set<std::string> names;
  std::unordered_set<std::string> columns;
  for (const ColumnDef& column : schema.columns) columns.insert(lower_case(column.name));
  for (const IndexSpec& index : statement.indexes) {
    if (!names.insert(lower_case(index.name)).second) return sql_error("index name must be unique.");
    for (const std::string& column : index.columns) {
      if (columns.contains(lower_case(column))) continue;
      return sql_error(fmt::format("Column does not exist in table. invalid column: {}", column));
    }
    table.index_clauses.push_back(index.text);
  }
  return {};
}

}  // namespace

SqlResult<Table> plan_table(const CreateTableStatement& statement) {
  Table table;
  table.name = statement.name.table;
  table.key_model = key_model_of(statement);
  TRY_VOID(check_key_model(statement, table.key_model));

  auto schema = std::make_shared<TableSchema>();
  TRY(schema->columns, plan_columns(statement));
  table.next_column = ColumnId{static_cast<std::uint32_t>(schema->columns.size() + 1)};
  TRY(const std::size_t key_columns, count_key_columns(statement, *schema));
  for (std::size_t i = 0; i < key_columns; ++i) {
    schema->columns[i].is_key = true;
    table.key_columns.push_back(schema->columns[i].id);
  }
  TRY_VOID(plan_distribution(statement, *schema, table));
  TRY_VOID(plan_indexes(statement, *schema, table));
  table.properties = statement.properties;
  table.comment = statement.comment;
  if (statement.partitioning) {
    TRY(table.partitioning, plan_partitions(*statement.partitioning, *schema));
  }
  table.schema = std::move(schema);
  return table;
}

}  // namespace penstock::txn
