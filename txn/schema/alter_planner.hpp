// ALTER TABLE's rules: which columns a table has afterwards.
//
// Clauses are applied in their order to a copy; the rows stay where they are. So what is allowed is what old rows can
// be read as: new columns with a value for the rows that are there, wider types, other names. Key, distribution and
// partition columns keep their type and stay.
//
// Journey:  plan_change -> [plan_alter] -> AlterTable.
// Shard:    any; pure.
// Promise:  what comes back passes check_alteration, but for the schema id, which is still to be given.
// Failure:  SqlError in Doris's words where Doris has some; nothing of the statement is done.
#pragma once

#include "txn/schema/sql_cursor.hpp"
#include "txn/schema/statement.hpp"

namespace penstock::txn {

SqlResult<Table> plan_alter(const Table& table, const AlterTableStatement& statement);

}  // namespace penstock::txn
