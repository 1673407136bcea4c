// All databases and tables, as of one change: an immutable value.
//
// Shard 0 plans a change against the newest catalog, makes it durable as a Ddl record, applies it and hands
// the new catalog to every shard; whoever still holds the old one keeps a consistent view. A catalog's
// version counts the changes since the store was made. Ids come from the catalog and are never given twice,
// whatever is dropped.
//
// Journey:  plan_change -> CatalogChange -> commit log -> [Catalog::apply] -> every shard; recovery: decode,
//           apply_all.
// Shard:    any; shared as std::shared_ptr<const Catalog>, never changed.
// Promise:  the same catalog and changes give the same catalog, byte for byte in encode(), on any machine.
// Failure:  apply: Errc::InvalidArgument for a change that does not fit. decode: Errc::Corrupt.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "txn/schema/table_schema.hpp"

namespace penstock::txn {

struct Database {
  DatabaseId id;
  std::string name;
  Properties properties;
  std::map<std::string, TableId, std::less<>> tables;  // by name

  friend bool operator==(const Database&, const Database&) = default;
};

// The changes, with every id already given.
struct CreateDatabase {
  DatabaseId id;
  std::string name;
  Properties properties;
  friend bool operator==(const CreateDatabase&, const CreateDatabase&) = default;
};
struct DropDatabase {  // with its tables
  DatabaseId id;
  friend bool operator==(const DropDatabase&, const DropDatabase&) = default;
};
struct CreateTable {
  std::shared_ptr<const Table> table;
  friend bool operator==(const CreateTable& a, const CreateTable& b) {
    return a.table && b.table ? *a.table == *b.table : a.table == b.table;
  }
};
struct DropTable {
  TableId id;
  friend bool operator==(const DropTable&, const DropTable&) = default;
};
// The table goes on under a new id (and its schema under one of its own): its rows, and the loads that began before,
// belong to the old one.
struct TruncateTable {
  TableId id;
  TableId new_id;
  SchemaId new_schema;
  friend bool operator==(const TruncateTable&, const TruncateTable&) = default;
};
// The table as it is from now on, under a schema id of its own. Its rows stay as they are: those that were written
// under an earlier schema are lifted to the new one whenever they are read.
struct AlterTable {
  std::shared_ptr<const Table> table;
  friend bool operator==(const AlterTable& a, const AlterTable& b) {
    return a.table && b.table ? *a.table == *b.table : a.table == b.table;
  }
};
using CatalogChange =
    std::variant<CreateDatabase, DropDatabase, CreateTable, DropTable, TruncateTable, AlterTable>;

void encode_change(const CatalogChange& change, core::ByteWriter& out);
core::Result<CatalogChange> decode_change(
    core::ByteReader& in);  // reads one; what follows it is the caller's

class Catalog {
 public:
  using Databases = std::map<std::string, std::shared_ptr<const Database>, std::less<>>;
  using Tables = std::map<TableId, std::shared_ptr<const Table>>;

  static std::shared_ptr<const Catalog> empty();

  std::uint64_t version() const { return version_; }
  DatabaseId next_database() const { return next_database_; }
  TableId next_table() const { return next_table_; }
  SchemaId next_schema() const { return next_schema_; }

  // Names of databases and tables are case-sensitive, as in Doris by default. Pointers live as long as the
  // catalog.
  const Databases& databases() const { return databases_; }
  const Tables& tables() const { return tables_; }
  const Database* find_database(std::string_view name) const;
  const Database* find_database(DatabaseId id) const;
  std::shared_ptr<const Table> find_table(std::string_view database, std::string_view table) const;
  std::shared_ptr<const Table> find_table(TableId id) const;

  core::Result<std::shared_ptr<const Catalog>> apply(const CatalogChange& change) const;
  // All or nothing; copies the catalog once (recovery replays many).
  core::Result<std::shared_ptr<const Catalog>> apply_all(std::span<const CatalogChange> changes) const;

  // What somebody sees who may know of those databases only. For answers: not to be changed or written.
  std::shared_ptr<const Catalog> only(const std::function<bool(std::string_view)>& is_seen) const;

  void encode(core::ByteWriter& out) const;
  static core::Result<std::shared_ptr<const Catalog>> decode(core::ByteReader& in);

  friend bool operator==(const Catalog& a, const Catalog& b);

 private:
  core::Result<> change(const CreateDatabase& create);
  core::Result<> change(const DropDatabase& drop);
  core::Result<> change(const CreateTable& create);
  core::Result<> change(const DropTable& drop);
  core::Result<> change(const TruncateTable& truncate);
  core::Result<> change(const AlterTable& alter);

  std::uint64_t version_ = 0;
  DatabaseId next_database_{1};
  TableId next_table_{1};
  SchemaId next_schema_{1};
  Databases databases_;
  std::map<DatabaseId, std::string> database_names_;
  Tables tables_;
};

}  // namespace penstock::txn
