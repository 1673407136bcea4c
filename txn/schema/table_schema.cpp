#include "txn/schema/table_schema.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace penstock::txn {
namespace {

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return to_lower(x) == to_lower(y); });
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = to_lower(c);
  return out;
}

const std::string* find_property(const Properties& properties, std::string_view key) {
  for (const auto& [name, value] : properties) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::optional<std::size_t> TableSchema::index_of(std::string_view name) const {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (equal_ignoring_case(columns[i].name, name)) return i;
  }
  return std::nullopt;
}

const ColumnDef* TableSchema::find(std::string_view name) const {
  const auto index = index_of(name);
  return index ? &columns[*index] : nullptr;
}

const ColumnDef* TableSchema::find(ColumnId column) const {
  for (const ColumnDef& def : columns) {
    if (def.id == column) return &def;
  }
  return nullptr;
}

bool operator==(const Table& a, const Table& b) {
  const bool same_schema = a.schema && b.schema ? *a.schema == *b.schema : a.schema == b.schema;
  return same_schema && a.id == b.id && a.database == b.database && a.name == b.name &&
         a.key_model == b.key_model && a.key_columns == b.key_columns && a.distribution == b.distribution &&
         a.hash_columns == b.hash_columns && a.buckets == b.buckets && a.properties == b.properties &&
         a.comment == b.comment && a.partitioning == b.partitioning && a.index_clauses == b.index_clauses &&
         a.next_column == b.next_column;
}

std::vector<Type> partition_types(const Table& table) {
  std::vector<Type> types;
  for (const ColumnId id : table.partitioning.columns) {
    const ColumnDef* const column = table.schema->find(id);
    if (column != nullptr) types.push_back(column->type);
  }
  return types;
}

bool takes_every_row(const Table& table) {
  const Partitioning& partitioning = table.partitioning;
  if (partitioning.is_automatic || partitioning.partitions.empty()) return true;
  const std::string* const dynamic = find_property(table.properties, "dynamic_partition.enable");
  return dynamic != nullptr && equal_ignoring_case(*dynamic, "true");
}

core::Result<> check_table(const Table& table) {
  const auto refuse = [](const char* why) { return core::fail(core::Errc::InvalidArgument, why); };
  if (!table.schema) return refuse("a table without a schema");
  const auto& columns = table.schema->columns;
  if (table.name.empty()) return refuse("a table without a name");
  if (columns.empty()) return refuse("a table without columns");
  if (columns.size() > kColumnsMax) return refuse("a table with too many columns");
  if (table.buckets < 1 || table.buckets > kBucketsMax) return refuse("a table's BUCKETS out of range");

  std::unordered_set<std::string> names;
  std::unordered_set<std::uint32_t> ids;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const ColumnDef& column = columns[i];
    if (column.name.empty()) return refuse("a column without a name");
    if (!names.insert(lower_case(column.name)).second) return refuse("two columns with one name");
    if (column.id.value == 0 || column.id >= table.next_column) return refuse("a column's id out of range");
    if (!ids.insert(column.id.value).second) return refuse("two columns with one id");
    if (!is_valid(column.type)) return refuse("a column's type");
    if (column.default_value.has_value() != (column.default_kind == DefaultKind::Literal)) {
      return refuse("a column's default value");
    }
    if (column.default_kind != DefaultKind::CurrentTimestamp && column.default_precision != 0) {
      return refuse("a column's default precision");
    }
    if (column.default_precision > kDateTimeScaleMax) return refuse("a column's default precision");
    if (column.initial_value && column.initial_value->size() > kColumnTextMax)
      return refuse("a column's initial value");
    const bool is_key = i < table.key_columns.size();
    if (column.is_key != is_key) return refuse("key columns that are not the first columns");
    if (is_key && column.id != table.key_columns[i])
      return refuse("key columns that are not the first columns");
  }
  if (table.key_columns.size() > columns.size()) return refuse("more key columns than columns");
  if (table.key_columns.empty() && table.key_model != KeyModel::Duplicate)
    return refuse("a key without columns");

  if ((table.distribution == Distribution::Hash) == table.hash_columns.empty()) {
    return refuse("a table's distribution columns");
  }
  std::unordered_set<std::uint32_t> hashed;
  for (const ColumnId id : table.hash_columns) {
    if (!ids.contains(id.value) || !hashed.insert(id.value).second)
      return refuse("a table's distribution columns");
  }
  std::unordered_set<std::uint32_t> partitioned;
  for (const ColumnId id : table.partitioning.columns) {
    if (!partitioned.insert(id.value).second) return refuse("a table's partition columns");
  }
  return check_partitioning(table.partitioning, partition_types(table));
}

std::string_view too_long_text(const TableSchema& schema) {
  std::size_t defaults = 0;
  std::size_t initial_values = 0;
  std::size_t comments = 0;
  for (const ColumnDef& column : schema.columns) {
    if (column.default_value) defaults += column.default_value->size();
    if (column.initial_value) initial_values += column.initial_value->size();
    comments += column.comment.size();
  }
  if (defaults > kColumnTextMax) return "the default values of the columns";
  if (initial_values > kColumnTextMax) return "the values of added columns for older rows";
  return comments > kColumnTextMax ? "the comments of the columns" : "";
}

bool have_same_rows(const TableSchema& a, const TableSchema& b) {
  return std::ranges::equal(a.columns, b.columns, [](const ColumnDef& x, const ColumnDef& y) {
    return x.id == y.id && x.name == y.name && x.type == y.type && x.nullable == y.nullable &&
           x.default_kind == y.default_kind && x.default_precision == y.default_precision &&
           x.default_value == y.default_value;
  });
}

core::Result<> check_alteration(const Table& before, const Table& after) {
  const auto refuse = [](const char* why) { return core::fail(core::Errc::InvalidArgument, why); };
  TRY_VOID(check_table(after));
  if (after.id != before.id || after.database != before.database || after.name != before.name) {
    return refuse("an altered table that is another one");
  }
  if (after.key_model != before.key_model || after.key_columns != before.key_columns ||
      after.distribution != before.distribution || after.hash_columns != before.hash_columns ||
      after.buckets != before.buckets || after.partitioning != before.partitioning) {
    return refuse("altering how a table keeps its rows");
  }
  if (after.next_column < before.next_column) return refuse("altering a table with used column ids");
  if (!too_long_text(*after.schema).empty()) return refuse("altering a table to columns with too much text");
  std::unordered_map<std::uint32_t, const ColumnDef*> columns;
  for (const ColumnDef& column : before.schema->columns) columns.emplace(column.id.value, &column);
  for (const ColumnDef& column : after.schema->columns) {
    const auto found = columns.find(column.id.value);
    const ColumnDef* const was = found == columns.end() ? nullptr : found->second;
    if (was == nullptr) {
      if (column.id < before.next_column) return refuse("adding a column with a used id");
      const bool has_value = column.nullable || column.initial_value.has_value();
      if (!has_value) return refuse("adding a column that has no value for the rows that are there");
      continue;
    }
    if (!can_widen(was->type, column.type)) return refuse("altering a column to a type that is not wider");
    if (was->nullable && !column.nullable) return refuse("altering a column from NULL to NOT NULL");
    if (column.initial_value != was->initial_value) return refuse("altering a column's initial value");
  }
  return {};
}

}  // namespace penstock::txn
