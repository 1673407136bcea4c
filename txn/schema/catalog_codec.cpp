// Catalogs and changes as bytes. All numbers little-endian; text is a u32 length and the bytes; a list is a
// u32 count and its items; a flag is a u8, 0 or 1. Every valid value has exactly one encoding.
//
//   change   := u8 format = 1, u8 kind, then by kind
//                 1 CreateDatabase  u64 id, text name, properties
//                 2 DropDatabase    u64 id
//                 3 CreateTable     table
//                 4 DropTable       u64 id
//                 5 TruncateTable   u64 id, u64 new id, u64 new schema id
//                 6 AlterTable      table (as it is after it)
//   catalog  := u8 format = 1, u64 version, u64 next_database, u64 next_table, u64 next_schema,
//               list of (u64 id, text name, properties) by name, list of table by id
//   table    := u64 id, u64 database, text name, u8 key_model, list of u32 key column, u8 distribution,
//               list of u32 hash column, u32 buckets, properties, text comment, partitioning,
//               list of text index_clause, u32 next_column, u64 schema id, list of column
//   partitioning := text clause, and unless it is empty: u8 kind, flag is_automatic, list of u32 partition column,
//               list of (text name, and of a Range: key lower, key upper, of a List: list of key)
//   key      := list of (u8 kind, and of a Number: u64 low and u64 high half, of a Text: text)
//   column   := u32 id, text name, type, flag nullable, flag is_key,
//               u8 default_kind (and 128 if there is an initial_value), u8 default_precision,
//               text default_value (Literal only), text initial_value (if there is one), text comment
//   type     := u8 kind, u8 precision, u8 scale, u32 length, and of nested kinds: list of (text name, of a Struct's
//               fields only; type)
//   properties := list of (text key, text value)
#include <optional>
#include <utility>

#include "txn/schema/catalog.hpp"

namespace penstock::txn {
namespace {

using core::ByteReader;
using core::ByteWriter;

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kTextBytesMin = 4;  // an empty text
constexpr std::uint8_t kHasInitialValue = 128;

enum class ChangeKind : std::uint8_t {
  CreateDatabase = 1,
  DropDatabase = 2,
  CreateTable = 3,
  DropTable = 4,
  TruncateTable = 5,
  AlterTable = 6
};

std::unexpected<core::Error> corrupt(const char* what) { return core::fail(core::Errc::Corrupt, what); }

void put_count(std::size_t count, ByteWriter& out) { out.put(static_cast<std::uint32_t>(count)); }

bool get_flag(ByteReader& in) {
  const auto flag = in.get<std::uint8_t>();
  if (flag > 1) in.fail();
  return flag == 1;
}

// An enum whose values run from 0 to `last`.
template <class Enum>
Enum get_enum(ByteReader& in, Enum last) {
  const auto value = in.get<std::uint8_t>();
  if (value > static_cast<std::uint8_t>(last)) {
    in.fail();
    return Enum{};
  }
  return static_cast<Enum>(value);
}

void put_properties(const Properties& properties, ByteWriter& out) {
  put_count(properties.size(), out);
  for (const auto& [key, value] : properties) {
    out.put_text(key);
    out.put_text(value);
  }
}

Properties get_properties(ByteReader& in) {
  Properties properties;
  for (std::uint32_t left = in.get_count(2 * kTextBytesMin); left > 0 && in.ok(); --left) {
    std::string key = in.get_text();
    std::string value = in.get_text();
    properties.emplace_back(std::move(key), std::move(value));
  }
  return properties;
}

void put_column_ids(const std::vector<ColumnId>& ids, ByteWriter& out) {
  put_count(ids.size(), out);
  for (const ColumnId id : ids) out.put(id.value);
}

std::vector<ColumnId> get_column_ids(ByteReader& in) {
  std::vector<ColumnId> ids;
  for (std::uint32_t left = in.get_count(sizeof(std::uint32_t)); left > 0 && in.ok(); --left) {
    ids.emplace_back(in.get<std::uint32_t>());
  }
  return ids;
}

void put_type(const Type& type, ByteWriter& out) {
  out.put(type.kind);
  out.put(type.precision);
  out.put(type.scale);
  out.put(type.length);
  if (!is_nested(type)) return;
  put_count(type.children().size(), out);
  for (std::size_t i = 0; i < type.children().size(); ++i) {
    if (type.kind == TypeKind::Struct) out.put_text(type.nested->names[i]);
    put_type(type.children()[i], out);
  }
}

// Whether the type is one is for check_table to judge; only its depth is bounded here.
Type get_type(ByteReader& in, std::size_t depth = 1) {
  constexpr std::size_t kTypeBytesMin = 7;
  Type type = Type::of(static_cast<TypeKind>(in.get<std::uint8_t>()));
  type.precision = in.get<std::uint8_t>();
  type.scale = in.get<std::uint8_t>();
  type.length = in.get<std::uint32_t>();
  if (!is_nested(type) || !in.ok()) return type;
  if (depth > kNestedDepthMax) {
    in.fail();
    return type;
  }
  NestedType nested;
  for (std::uint32_t left = in.get_count(kTypeBytesMin); left > 0 && in.ok(); --left) {
    if (type.kind == TypeKind::Struct) nested.names.push_back(in.get_text());
    nested.children.push_back(get_type(in, depth + 1));
  }
  type.nested = std::make_shared<const NestedType>(std::move(nested));
  return type;
}

void put_column(const ColumnDef& column, ByteWriter& out) {
  out.put(column.id.value);
  out.put_text(column.name);
  put_type(column.type, out);
  out.put(static_cast<std::uint8_t>(column.nullable));
  out.put(static_cast<std::uint8_t>(column.is_key));
  const auto default_kind = static_cast<std::uint8_t>(column.default_kind);
  out.put(static_cast<std::uint8_t>(default_kind | (column.initial_value ? kHasInitialValue : 0)));
  out.put(column.default_precision);
  if (column.default_kind == DefaultKind::Literal) out.put_text(column.default_value.value_or(""));
  if (column.initial_value) out.put_text(*column.initial_value);
  out.put_text(column.comment);
}

ColumnDef get_column(ByteReader& in) {
  ColumnDef column;
  column.id = ColumnId{in.get<std::uint32_t>()};
  column.name = in.get_text();
  column.type = get_type(in);
  column.nullable = get_flag(in);
  column.is_key = get_flag(in);
  const auto default_kind = in.get<std::uint8_t>();
  if ((default_kind & ~kHasInitialValue) > static_cast<std::uint8_t>(DefaultKind::CurrentDate)) in.fail();
  if (in.ok()) column.default_kind = static_cast<DefaultKind>(default_kind & ~kHasInitialValue);
  column.default_precision = in.get<std::uint8_t>();
  if (column.default_kind == DefaultKind::Literal) column.default_value = in.get_text();
  if ((default_kind & kHasInitialValue) != 0) column.initial_value = in.get_text();
  column.comment = in.get_text();
  return column;
}

constexpr std::size_t kColumnBytesMin = 23;

void put_key(const PartitionKey& key, ByteWriter& out) {
  put_count(key.size(), out);
  for (const PartitionValue& value : key) {
    out.put(value.kind);
    if (value.kind == PartitionValue::Kind::Number) {
      out.put(static_cast<std::uint64_t>(value.number));
      out.put(static_cast<std::uint64_t>(value.number >> 64));
    }
    if (value.kind == PartitionValue::Kind::Text) out.put_text(value.text);
  }
}

PartitionKey get_key(ByteReader& in) {
  PartitionKey key;
  for (std::uint32_t left = in.get_count(1); left > 0 && in.ok(); --left) {
    PartitionValue value;
    value.kind = get_enum(in, PartitionValue::Kind::Max);
    if (value.kind == PartitionValue::Kind::Number) {
      const auto low = in.get<std::uint64_t>();
      const auto high = in.get<std::uint64_t>();
      value.number = static_cast<Int128>(static_cast<Int128>(static_cast<std::int64_t>(high)) << 64 | low);
    }
    if (value.kind == PartitionValue::Kind::Text) value.text = in.get_text();
    key.push_back(std::move(value));
    if (key.size() > kPartitionColumnsMax) in.fail();
  }
  return key;
}

void put_partitioning(const Partitioning& partitioning, ByteWriter& out) {
  out.put_text(partitioning.clause);
  if (partitioning.clause.empty()) return;
  out.put(partitioning.kind);
  out.put(static_cast<std::uint8_t>(partitioning.is_automatic));
  put_column_ids(partitioning.columns, out);
  put_count(partitioning.partitions.size(), out);
  for (const Partition& partition : partitioning.partitions) {
    out.put_text(partition.name);
    if (partitioning.kind == PartitionKind::Range) {
      put_key(partition.lower, out);
      put_key(partition.upper, out);
      continue;
    }
    put_count(partition.values.size(), out);
    for (const PartitionKey& key : partition.values) put_key(key, out);
  }
}

// Whether keys fit their columns, and each other, is for check_table to judge.
Partitioning get_partitioning(ByteReader& in) {
  constexpr std::size_t kKeyBytesMin = 4;
  constexpr std::size_t kPartitionBytesMin = kTextBytesMin + kKeyBytesMin;
  Partitioning out;
  out.clause = in.get_text();
  if (out.clause.empty()) return out;
  out.kind = get_enum(in, PartitionKind::List);
  if (out.kind == PartitionKind::None) in.fail();
  out.is_automatic = get_flag(in);
  out.columns = get_column_ids(in);
  for (std::uint32_t left = in.get_count(kPartitionBytesMin); left > 0 && in.ok(); --left) {
    Partition partition;
    partition.name = in.get_text();
    if (out.kind == PartitionKind::Range) {
      partition.lower = get_key(in);
      partition.upper = get_key(in);
    } else {
      for (std::uint32_t keys = in.get_count(kKeyBytesMin); keys > 0 && in.ok(); --keys)
        partition.values.push_back(get_key(in));
    }
    out.partitions.push_back(std::move(partition));
  }
  return out;
}

void put_table(const Table& table, ByteWriter& out) {
  out.put(table.id.value);
  out.put(table.database.value);
  out.put_text(table.name);
  out.put(table.key_model);
  put_column_ids(table.key_columns, out);
  out.put(table.distribution);
  put_column_ids(table.hash_columns, out);
  out.put(table.buckets);
  put_properties(table.properties, out);
  out.put_text(table.comment);
  put_partitioning(table.partitioning, out);
  put_count(table.index_clauses.size(), out);
  for (const std::string& clause : table.index_clauses) out.put_text(clause);
  out.put(table.next_column.value);
  out.put(table.schema->id.value);
  put_count(table.schema->columns.size(), out);
  for (const ColumnDef& column : table.schema->columns) put_column(column, out);
}

constexpr std::size_t kTableBytesMin = 8 + 8 + 4 + 1 + 4 + 1 + 4 + 4 + 4 + 4 + 4 + 4 + 4 + 8 + 4;

// nullptr unless the table is whole and its parts fit each other.
std::shared_ptr<const Table> get_table(ByteReader& in) {
  auto table = std::make_shared<Table>();
  table->id = TableId{in.get<std::uint64_t>()};
  table->database = DatabaseId{in.get<std::uint64_t>()};
  table->name = in.get_text();
  table->key_model = get_enum(in, KeyModel::Aggregate);
  table->key_columns = get_column_ids(in);
  table->distribution = get_enum(in, Distribution::Hash);
  table->hash_columns = get_column_ids(in);
  table->buckets = in.get<std::uint32_t>();
  table->properties = get_properties(in);
  table->comment = in.get_text();
  table->partitioning = get_partitioning(in);
  for (std::uint32_t left = in.get_count(kTextBytesMin); left > 0 && in.ok(); --left) {
    table->index_clauses.push_back(in.get_text());
  }
  table->next_column = ColumnId{in.get<std::uint32_t>()};
  auto schema = std::make_shared<TableSchema>();
  schema->id = SchemaId{in.get<std::uint64_t>()};
  for (std::uint32_t left = in.get_count(kColumnBytesMin); left > 0 && in.ok(); --left) {
    schema->columns.push_back(get_column(in));
  }
  table->schema = std::move(schema);
  if (!in.ok() || !check_table(*table)) return nullptr;
  return table;
}

}  // namespace

void encode_change(const CatalogChange& change, ByteWriter& out) {
  out.put(kFormat);
  if (const auto* create_database = std::get_if<CreateDatabase>(&change)) {
    out.put(ChangeKind::CreateDatabase);
    out.put(create_database->id.value);
    out.put_text(create_database->name);
    put_properties(create_database->properties, out);
  } else if (const auto* drop_database = std::get_if<DropDatabase>(&change)) {
    out.put(ChangeKind::DropDatabase);
    out.put(drop_database->id.value);
  } else if (const auto* create_table = std::get_if<CreateTable>(&change)) {
    out.put(ChangeKind::CreateTable);
    put_table(*create_table->table, out);
  } else if (const auto* drop_table = std::get_if<DropTable>(&change)) {
    out.put(ChangeKind::DropTable);
    out.put(drop_table->id.value);
  } else if (const auto* truncate = std::get_if<TruncateTable>(&change)) {
    out.put(ChangeKind::TruncateTable);
    out.put(truncate->id.value);
    out.put(truncate->new_id.value);
    out.put(truncate->new_schema.value);
  } else if (const auto* alter = std::get_if<AlterTable>(&change)) {
    out.put(ChangeKind::AlterTable);
    put_table(*alter->table, out);
  }
}

core::Result<CatalogChange> decode_change(ByteReader& in) {
  if (in.get<std::uint8_t>() != kFormat) return corrupt("a catalog change of an unknown format");
  std::optional<CatalogChange> change;
  switch (static_cast<ChangeKind>(in.get<std::uint8_t>())) {
    case ChangeKind::CreateDatabase: {
      CreateDatabase create{DatabaseId{in.get<std::uint64_t>()}, in.get_text(), {}};
      create.properties = get_properties(in);
      change = std::move(create);
      break;
    }
    case ChangeKind::DropDatabase:
      change = DropDatabase{DatabaseId{in.get<std::uint64_t>()}};
      break;
    case ChangeKind::CreateTable: {
      auto table = get_table(in);
      if (!table) return corrupt("a table in a catalog change");
      change = CreateTable{std::move(table)};
      break;
    }
    case ChangeKind::DropTable:
      change = DropTable{TableId{in.get<std::uint64_t>()}};
      break;
    case ChangeKind::TruncateTable: {
      TruncateTable truncate;
      truncate.id = TableId{in.get<std::uint64_t>()};
      truncate.new_id = TableId{in.get<std::uint64_t>()};
      truncate.new_schema = SchemaId{in.get<std::uint64_t>()};
      change = truncate;
      break;
    }
    case ChangeKind::AlterTable: {
      auto table = get_table(in);
      if (!table) return corrupt("a table in a catalog change");
      change = AlterTable{std::move(table)};
      break;
    }
  }
  if (!change || !in.ok()) return corrupt("a catalog change");
  return std::move(*change);
}

void Catalog::encode(ByteWriter& out) const {
  out.put(kFormat);
  out.put(version_);
  out.put(next_database_.value);
  out.put(next_table_.value);
  out.put(next_schema_.value);
  put_count(databases_.size(), out);
  for (const auto& [name, database] : databases_) {
    out.put(database->id.value);
    out.put_text(name);
    put_properties(database->properties, out);
  }
  put_count(tables_.size(), out);
  for (const auto& [id, table] : tables_) put_table(*table, out);
}

core::Result<std::shared_ptr<const Catalog>> Catalog::decode(ByteReader& in) {
  if (in.get<std::uint8_t>() != kFormat) return corrupt("a catalog of an unknown format");
  auto catalog = std::make_shared<Catalog>();
  catalog->version_ = in.get<std::uint64_t>();
  catalog->next_database_ = DatabaseId{in.get<std::uint64_t>()};
  catalog->next_table_ = TableId{in.get<std::uint64_t>()};
  catalog->next_schema_ = SchemaId{in.get<std::uint64_t>()};

  // Databases are filled first and become const afterwards: a copy for every table would be quadratic.
  std::vector<std::shared_ptr<Database>> databases;
  std::map<DatabaseId, Database*> by_id;
  constexpr std::size_t kDatabaseBytesMin = 8 + kTextBytesMin + 4;
  for (std::uint32_t left = in.get_count(kDatabaseBytesMin); left > 0 && in.ok(); --left) {
    auto database = std::make_shared<Database>();
    database->id = DatabaseId{in.get<std::uint64_t>()};
    database->name = in.get_text();
    database->properties = get_properties(in);
    const bool in_order = databases.empty() || databases.back()->name < database->name;
    if (!in.ok() || database->name.empty() || !in_order || database->id.value == 0 ||
        database->id >= catalog->next_database_ || !by_id.emplace(database->id, database.get()).second) {
      return corrupt("a database in a catalog");
    }
    databases.push_back(std::move(database));
  }

  std::map<SchemaId, TableId> schemas;
  TableId last;
  for (std::uint32_t left = in.get_count(kTableBytesMin); left > 0 && in.ok(); --left) {
    auto table = get_table(in);
    if (!table || table->id <= last || table->id >= catalog->next_table_)
      return corrupt("a table in a catalog");
    const SchemaId schema = table->schema->id;
    if (schema.value == 0 || schema >= catalog->next_schema_ || !schemas.emplace(schema, table->id).second) {
      return corrupt("a table's schema in a catalog");
    }
    const auto database = by_id.find(table->database);
    if (database == by_id.end() || !database->second->tables.emplace(table->name, table->id).second) {
      return corrupt("a table's database in a catalog");
    }
    last = table->id;
    catalog->tables_.emplace(table->id, std::move(table));
  }
  if (!in.ok()) return corrupt("a catalog");

  for (auto& database : databases) {
    catalog->database_names_.emplace(database->id, database->name);
    std::string name = database->name;
    catalog->databases_.emplace(std::move(name), std::move(database));
  }
  return catalog;
}

}  // namespace penstock::txn
