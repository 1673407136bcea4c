// information_schema, as far as clients look for names in it: schemata, tables and columns.
//
// Journey:  net/query: SELECT ... FROM information_schema.columns -> [select_names] -> reply.
// Shard:    any; pure.
// Promise:  rows by database, table and place of the column, unless the statement orders them. Texts are compared as
//           they are written, names of columns in any case.
// Failure:  SqlError that names the column, or says that the answer is too long.
#pragma once

#include "txn/schema/catalog.hpp"
#include "txn/schema/show.hpp"
#include "txn/schema/sql_cursor.hpp"

namespace penstock::txn {

SqlResult<ColumnList> select_names(const Catalog& catalog, const SelectNamesStatement& statement);

}  // namespace penstock::txn
