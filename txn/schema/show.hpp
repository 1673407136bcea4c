// The catalog in words: SHOW CREATE TABLE, SHOW DATABASES, SHOW TABLES, SHOW COLUMNS and DESC.
//
// Journey:  net/query, ctl sql -> [show_create_table, list_*].
// Shard:    any; pure.
// Promise:  show_create_table's text, parsed and planned, gives an equal table (ids apart). Lists are in name
//           order.
// Failure:  none.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "txn/schema/catalog.hpp"
#include "txn/schema/statement.hpp"

namespace penstock::txn {

std::string show_create_table(const Catalog& catalog, const Table& table);

// `like` is a LIKE pattern (%, _ and backslash); none takes all.
std::vector<std::string> list_databases(const Catalog& catalog, const std::optional<std::string>& like);
std::vector<std::string> list_tables(const Database& database, const std::optional<std::string>& like);

// SHOW [FULL] COLUMNS and DESC: a result set with the names, and in the words, of Doris. A cell may be NULL.
struct ColumnList {
  std::vector<std::string> names;
  std::vector<std::vector<std::optional<std::string>>> rows;
};
ColumnList list_columns(const Table& table, const ShowColumnsStatement& statement);

bool matches_like(std::string_view text, std::string_view pattern);

// A name in back-quotes; a text in `quote`s with everything escaped that must be.
std::string quote_name(std::string_view name);
std::string quote_text(std::string_view text, char quote);

}  // namespace penstock::txn
