#include "txn/schema/plan.hpp"

#include <fmt/format.h>

#include <utility>

#include "txn/schema/alter_planner.hpp"
#include "txn/schema/names.hpp"
#include "txn/schema/table_planner.hpp"

namespace penstock::txn {
namespace {

using Change = std::optional<CatalogChange>;

SqlResult<std::string> database_or_current(const std::string& database, std::string_view current) {
  if (!database.empty()) return database;
  if (current.empty()) return sql_error("No database selected");
  return std::string(current);
}

SqlResult<Change> plan(const Catalog& catalog, const CreateDatabaseStatement& statement, std::string_view) {
  const bool exists = catalog.find_database(statement.name) != nullptr || is_system_database(statement.name);
  if (exists) {
    if (statement.if_not_exists) return std::nullopt;
    return sql_error(fmt::format("Can't create database '{}'; database exists", statement.name));
  }
  if (!is_database_or_table_name(statement.name)) {
    return sql_error(fmt::format("Incorrect database name '{}'", statement.name));
  }
  return CreateDatabase{catalog.next_database(), statement.name, statement.properties};
}

SqlResult<Change> plan(const Catalog& catalog, const DropDatabaseStatement& statement, std::string_view) {
  const Database* database = catalog.find_database(statement.name);
  if (database != nullptr) return DropDatabase{database->id};
  if (is_system_database(statement.name)) {
    return sql_error(fmt::format("Access denied; database '{}' can't be dropped", statement.name));
  }
  if (statement.if_exists) return std::nullopt;
  return sql_error(fmt::format("Unknown database '{}'", statement.name));
}

SqlResult<Change> plan(const Catalog& catalog, const CreateTableStatement& statement,
                       std::string_view current) {
  TRY(const std::string database_name, database_or_current(statement.name.database, current));
  const Database* database = catalog.find_database(database_name);
  if (database == nullptr) return sql_error(fmt::format("Unknown database '{}'", database_name));
  if (database->tables.contains(statement.name.table)) {
    if (statement.if_not_exists) return std::nullopt;
    return sql_error(fmt::format("Table '{}' already exists", statement.name.table));
  }
  if (!is_database_or_table_name(statement.name.table)) {
    return sql_error(fmt::format("Incorrect table name '{}'", statement.name.table));
  }
  TRY(Table table, plan_table(statement));
  table.id = catalog.next_table();
  table.database = database->id;
  auto schema = std::make_shared<TableSchema>(*table.schema);
  schema->id = catalog.next_schema();
  table.schema = std::move(schema);
  return CreateTable{std::make_shared<const Table>(std::move(table))};
}

SqlResult<std::shared_ptr<const Table>> find_table(const Catalog& catalog, const TableName& name,
                                                   std::string_view current) {
  TRY(const std::string database, database_or_current(name.database, current));
  if (catalog.find_database(database) == nullptr)
    return sql_error(fmt::format("Unknown database '{}'", database));
  auto table = catalog.find_table(database, name.table);
  if (table == nullptr) return sql_error(fmt::format("Unknown table '{}'", name.table));
  return table;
}

SqlResult<Change> plan(const Catalog& catalog, const CreateTableLikeStatement& statement,
                       std::string_view current) {
  TRY(const auto like, find_table(catalog, statement.like, current));
  TRY(const std::string database_name, database_or_current(statement.name.database, current));
  const Database* database = catalog.find_database(database_name);
  if (database == nullptr) return sql_error(fmt::format("Unknown database '{}'", database_name));
  if (database->tables.contains(statement.name.table)) {
    if (statement.if_not_exists) return std::nullopt;
    return sql_error(fmt::format("Table '{}' already exists", statement.name.table));
  }
  if (!is_database_or_table_name(statement.name.table)) {
    return sql_error(fmt::format("Incorrect table name '{}'", statement.name.table));
  }
  Table table = *like;
  table.name = statement.name.table;
  table.id = catalog.next_table();
  table.database = database->id;
  auto schema = std::make_shared<TableSchema>(*like->schema);
  schema->id = catalog.next_schema();
  for (ColumnDef& column : schema->columns) column.initial_value.reset();  // there are no rows to have it
  table.schema = std::move(schema);
  return CreateTable{std::make_shared<const Table>(std::move(table))};
}

SqlResult<Change> plan(const Catalog& catalog, const TruncateTableStatement& statement,
                       std::string_view current) {
  TRY(const auto table, find_table(catalog, statement.name, current));
  return TruncateTable{table->id, catalog.next_table(), catalog.next_schema()};
}

SqlResult<Change> plan(const Catalog& catalog, const AlterTableStatement& statement,
                       std::string_view current) {
  TRY(const auto before, find_table(catalog, statement.name, current));
  TRY(Table after, plan_alter(*before, statement));
  if (after == *before) return std::nullopt;
  auto schema = std::make_shared<TableSchema>(*after.schema);
  schema->id = catalog.next_schema();
  after.schema = std::move(schema);
  return AlterTable{std::make_shared<const Table>(std::move(after))};
}

SqlResult<Change> plan(const Catalog& catalog, const DropTableStatement& statement,
                       std::string_view current) {
  TRY(const std::string database_name, database_or_current(statement.name.database, current));
  const Database* database = catalog.find_database(database_name);
  if (database == nullptr) {
    if (statement.if_exists) return std::nullopt;
    return sql_error(fmt::format("Unknown database '{}'", database_name));
  }
  const auto found = database->tables.find(statement.name.table);
  if (found != database->tables.end()) return DropTable{found->second};
  if (statement.if_exists) return std::nullopt;
  return sql_error(fmt::format("Unknown table '{}'", statement.name.table));
}

template <class Show>
SqlResult<Change> plan(const Catalog&, const Show&, std::string_view) {
  return sql_error("SHOW and SELECT do not change anything");
}

}  // namespace

bool is_change(const Statement& statement) {
  return std::holds_alternative<CreateDatabaseStatement>(statement) ||
         std::holds_alternative<DropDatabaseStatement>(statement) ||
         std::holds_alternative<CreateTableStatement>(statement) ||
         std::holds_alternative<CreateTableLikeStatement>(statement) ||
         std::holds_alternative<TruncateTableStatement>(statement) ||
         std::holds_alternative<DropTableStatement>(statement) ||
         std::holds_alternative<AlterTableStatement>(statement);
}

SqlResult<Change> plan_change(const Catalog& catalog, const Statement& statement,
                              std::string_view current_database) {
  return std::visit([&](const auto& which) { return plan(catalog, which, current_database); }, statement);
}

namespace {

std::uint64_t partition_bytes_of(const PartitioningSpec& spec) {
  constexpr std::uint64_t kNumberBytes = 17;
  std::uint64_t bytes = 64 + spec.clause.size();
  for (const PartitionSpec& partition : spec.partitions) {
    const std::uint64_t both_ends = 64 + 2 * kNumberBytes * spec.columns.size();
    bytes += partition.name.size() + both_ends;
    for (const auto& values : partition.values) {
      for (const PartitionValueSpec& value : values) bytes += 2 * (kNumberBytes + value.text.size());
    }
    if (partition.form == PartitionSpec::Form::Steps) bytes += kPartitionsMax * both_ends;
  }
  return bytes;
}

}  // namespace

std::uint64_t change_bytes_max(const Statement& statement) {
  std::uint64_t bytes = 4096;
  // A copy is as large as what it copies, and an altered table is written whole. Only the catalog knows how large that
  // is: it goes into a record of its own.
  if (std::holds_alternative<CreateTableLikeStatement>(statement) ||
      std::holds_alternative<AlterTableStatement>(statement)) {
    return UINT64_MAX / 2;
  }
  const auto* create = std::get_if<CreateTableStatement>(&statement);
  if (create == nullptr) return bytes;
  for (const ColumnSpec& column : create->columns) {
    constexpr std::uint64_t kTypeBytesPerCharacter = 8;  // one inside of another takes 11 bytes and its name
    bytes += 128 + kTypeBytesPerCharacter * column.type.text.size() + column.name.size() +
             column.comment.size() + column.default_value.value_or("").size();
  }
  for (const IndexSpec& index : create->indexes) bytes += 16 + index.text.size();
  for (const auto& [key, value] : create->properties) bytes += 16 + key.size() + value.size();
  if (create->partitioning) bytes += partition_bytes_of(*create->partitioning);
  return bytes + create->comment.size();
}

}  // namespace penstock::txn
