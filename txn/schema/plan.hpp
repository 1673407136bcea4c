// Statement + Catalog -> the change to make, or why not.
//
// All rules of DDL are here: names, duplicates, key and distribution columns, what is not supported yet. Ids
// are given here, too, so a CatalogChange replays to the same catalog.
//
// Journey:  parse_statement -> [plan_change] -> Ddl record in the commit log -> Catalog::apply.
// Shard:    shard 0, where the newest catalog is; pure.
// Promise:  a change that comes back applies to that very catalog; nullopt where IF [NOT] EXISTS makes it a
//           no-op.
// Failure:  SqlError in Doris's words where Doris has some.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "txn/schema/catalog.hpp"
#include "txn/schema/sql_cursor.hpp"
#include "txn/schema/statement.hpp"

namespace penstock::txn {

// Whether a statement changes the catalog (CREATE, DROP, TRUNCATE, ALTER) rather than asking about it (SHOW, DESC).
bool is_change(const Statement& statement);

SqlResult<std::optional<CatalogChange>> plan_change(const Catalog& catalog, const Statement& statement,
                                                    std::string_view current_database);

// No less than what the encoded change of a statement takes: more than there is, where only the catalog could tell.
std::uint64_t change_bytes_max(const Statement& statement);

}  // namespace penstock::txn
