// PARTITION BY's rules: its columns, the values of its partitions, what lies between them.
//
// Journey:  plan_table -> [plan_partitions].
// Shard:    any; pure.
// Promise:  what comes back passes check_partitioning with the types of its columns; FROM ... TO ... INTERVAL has become
//           ranges with Doris's names.
// Failure:  SqlError in Doris's words where Doris has some.
#pragma once

#include "txn/schema/sql_cursor.hpp"
#include "txn/schema/statement.hpp"

namespace penstock::txn {

SqlResult<Partitioning> plan_partitions(const PartitioningSpec& spec, const TableSchema& schema);

}  // namespace penstock::txn
