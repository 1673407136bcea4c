#include "txn/schema/catalog.hpp"

#include <algorithm>
#include <utility>

namespace penstock::txn {
namespace {

std::unexpected<core::Error> refuse(const char* why) { return core::fail(core::Errc::InvalidArgument, why); }

}  // namespace

std::shared_ptr<const Catalog> Catalog::empty() { return std::make_shared<const Catalog>(); }

const Database* Catalog::find_database(std::string_view name) const {
  const auto found = databases_.find(name);
  return found == databases_.end() ? nullptr : found->second.get();
}

const Database* Catalog::find_database(DatabaseId id) const {
  const auto found = database_names_.find(id);
  return found == database_names_.end() ? nullptr : find_database(found->second);
}

std::shared_ptr<const Table> Catalog::find_table(std::string_view database, std::string_view table) const {
  const Database* in = find_database(database);
  if (in == nullptr) return nullptr;
  const auto found = in->tables.find(table);
  return found == in->tables.end() ? nullptr : find_table(found->second);
}

std::shared_ptr<const Table> Catalog::find_table(TableId id) const {
  const auto found = tables_.find(id);
  return found == tables_.end() ? nullptr : found->second;
}

std::shared_ptr<const Catalog> Catalog::only(const std::function<bool(std::string_view)>& is_seen) const {
  auto out = std::make_shared<Catalog>();
  for (const auto& [name, database] : databases_) {
    if (!is_seen(name)) continue;
    out->databases_.emplace(name, database);
    out->database_names_.emplace(database->id, name);
    for (const auto& [table, id] : database->tables) {
      if (const auto found = find_table(id)) out->tables_.emplace(id, found);
    }
  }
  return out;
}

core::Result<std::shared_ptr<const Catalog>> Catalog::apply(const CatalogChange& one) const {
  return apply_all(std::span(&one, 1));
}

core::Result<std::shared_ptr<const Catalog>> Catalog::apply_all(
    std::span<const CatalogChange> changes) const {
  auto copy = std::make_shared<Catalog>(*this);
  for (const CatalogChange& one : changes) {
    TRY_VOID(std::visit([&](const auto& which) { return copy->change(which); }, one));
    ++copy->version_;
  }
  return copy;
}

// An id at or above the next one is new; the next one moves behind it.
core::Result<> Catalog::change(const CreateDatabase& create) {
  if (create.name.empty()) return refuse("creating a database without a name");
  if (create.id < next_database_ || create.id.value == UINT64_MAX)
    return refuse("creating a database with a used id");
  if (databases_.contains(create.name)) return refuse("creating a database that exists");
  databases_.emplace(
      create.name, std::make_shared<const Database>(Database{create.id, create.name, create.properties, {}}));
  database_names_.emplace(create.id, create.name);
  next_database_ = DatabaseId{create.id.value + 1};
  return {};
}

core::Result<> Catalog::change(const DropDatabase& drop) {
  const auto name = database_names_.find(drop.id);
  if (name == database_names_.end()) return refuse("dropping an unknown database");
  const auto database = databases_.find(name->second);
  for (const auto& [table_name, id] : database->second->tables) tables_.erase(id);
  databases_.erase(database);
  database_names_.erase(name);
  return {};
}

core::Result<> Catalog::change(const CreateTable& create) {
  if (!create.table) return refuse("creating no table");
  const Table& table = *create.table;
  TRY_VOID(check_table(table));
  if (table.id < next_table_ || table.id.value == UINT64_MAX)
    return refuse("creating a table with a used id");
  if (table.schema->id < next_schema_ || table.schema->id.value == UINT64_MAX) {
    return refuse("creating a table with a used schema id");
  }
  const auto name = database_names_.find(table.database);
  if (name == database_names_.end()) return refuse("creating a table in an unknown database");
  auto& slot = databases_.find(name->second)->second;
  if (slot->tables.contains(table.name)) return refuse("creating a table that exists");
  auto database = std::make_shared<Database>(*slot);
  database->tables.emplace(table.name, table.id);
  slot = std::move(database);
  tables_.emplace(table.id, create.table);
  next_table_ = TableId{table.id.value + 1};
  next_schema_ = SchemaId{table.schema->id.value + 1};
  return {};
}

core::Result<> Catalog::change(const DropTable& drop) {
  const auto found = tables_.find(drop.id);
  if (found == tables_.end()) return refuse("dropping an unknown table");
  auto& slot = databases_.find(database_names_.find(found->second->database)->second)->second;
  auto database = std::make_shared<Database>(*slot);
  database->tables.erase(found->second->name);
  slot = std::move(database);
  tables_.erase(found);
  return {};
}

core::Result<> Catalog::change(const TruncateTable& truncate) {
  const auto found = tables_.find(truncate.id);
  if (found == tables_.end()) return refuse("truncating an unknown table");
  if (truncate.new_id < next_table_ || truncate.new_id.value == UINT64_MAX) {
    return refuse("truncating a table into a used id");
  }
  if (truncate.new_schema < next_schema_ || truncate.new_schema.value == UINT64_MAX) {
    return refuse("truncating a table into a used schema id");
  }
  auto table = std::make_shared<Table>(*found->second);
  auto schema = std::make_shared<TableSchema>(*table->schema);
  schema->id = truncate.new_schema;
  table->id = truncate.new_id;
  table->schema = std::move(schema);
  auto& slot = databases_.find(database_names_.find(table->database)->second)->second;
  auto database = std::make_shared<Database>(*slot);
  database->tables[table->name] = table->id;
  slot = std::move(database);
  tables_.erase(found);
  next_table_ = TableId{table->id.value + 1};
  next_schema_ = SchemaId{truncate.new_schema.value + 1};
  tables_.emplace(table->id, std::move(table));
  return {};
}

core::Result<> Catalog::change(const AlterTable& alter) {
  if (!alter.table) return refuse("altering no table");
  const auto found = tables_.find(alter.table->id);
  if (found == tables_.end()) return refuse("altering an unknown table");
  TRY_VOID(check_alteration(*found->second, *alter.table));
  const SchemaId schema = alter.table->schema->id;
  if (schema < next_schema_ || schema.value == UINT64_MAX)
    return refuse("altering a table into a used schema id");
  found->second = alter.table;
  next_schema_ = SchemaId{schema.value + 1};
  return {};
}

bool operator==(const Catalog& a, const Catalog& b) {
  const auto same = [](const auto& x, const auto& y) { return x.first == y.first && *x.second == *y.second; };
  return a.version_ == b.version_ && a.next_database_ == b.next_database_ && a.next_table_ == b.next_table_ &&
         a.next_schema_ == b.next_schema_ &&
         std::equal(a.databases_.begin(), a.databases_.end(), b.databases_.begin(), b.databases_.end(),
                    same) &&
         std::equal(a.tables_.begin(), a.tables_.end(), b.tables_.begin(), b.tables_.end(), same);
}

}  // namespace penstock::txn
