// CREATE TABLE's rules, apart from the catalog: columns, key, distribution.
//
// Journey:  plan_change -> [plan_table].
// Shard:    any; pure.
// Promise:  the Table passes check_table; its own id, database and schema id are still to be given.
// Failure:  SqlError in Doris's words where Doris has some, otherwise naming the part and "not supported
//           yet".
#pragma once

#include "txn/schema/sql_cursor.hpp"
#include "txn/schema/statement.hpp"

namespace penstock::txn {

SqlResult<Table> plan_table(const CreateTableStatement& statement);
// One column of a table, apart from its key and its id.
SqlResult<ColumnDef> plan_column(const ColumnSpec& spec);

}  // namespace penstock::txn
