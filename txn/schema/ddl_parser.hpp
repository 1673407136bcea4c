// Doris's DDL, from text to Statement.
//
// Keywords in either case, `names`, both kinds of strings, comments, a trailing `;`. CREATE and DROP of
// databases and tables, CREATE TABLE LIKE, TRUNCATE TABLE, the columns part of ALTER TABLE, SHOW DATABASES, SHOW TABLES,
// SHOW CREATE TABLE, SHOW [FULL] COLUMNS, DESC, SELECT from information_schema. Index clauses are checked for their
// brackets and kept as text.
//
// Journey:  net/query (POST /api/query), ctl sql -> [parse_statement] -> plan_change.
// Shard:    any; pure.
// Promise:  never recurses, reads at most kStatementBytesMax bytes, keeps no more than a few times that.
// Failure:  SqlError naming the token, its position and what was expected, or the clause that is not
//           supported yet.
#pragma once

#include <string_view>

#include "txn/schema/sql_cursor.hpp"
#include "txn/schema/statement.hpp"

namespace penstock::txn {

inline constexpr std::size_t kStatementBytesMax = 1048576;

SqlResult<Statement> parse_statement(std::string_view text);

// The rest of a CREATE TABLE, from IF NOT EXISTS or the name on (create_table_parser.cpp).
SqlResult<Statement> parse_create_table(SqlCursor& cursor);

// A column of a table: name, type and all words behind it (create_table_parser.cpp).
SqlResult<ColumnSpec> parse_column(SqlCursor& cursor);

// The rest of an ALTER, from TABLE on (alter_parser.cpp).
SqlResult<Statement> parse_alter(SqlCursor& cursor);

// The rest of a SELECT from information_schema (select_parser.cpp).
SqlResult<Statement> parse_select(SqlCursor& cursor);

// From [AUTO] PARTITION BY to the end of the list of partitions (partition_parser.cpp).
SqlResult<PartitioningSpec> parse_partitioning(SqlCursor& cursor);

}  // namespace penstock::txn
