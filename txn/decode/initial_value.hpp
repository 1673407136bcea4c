// What the rows that are there get when a column is added: its default, as of the statement.
//
// Journey:  Store::execute (ALTER TABLE) -> [set_initial_values] -> plan_change, ColumnDef::initial_value -> block_lift.
// Shard:    any; pure.
// Promise:  each initial value is a text that parse_initial_value reads as the same value on any machine, in any zone.
// Failure:  SqlError when a default does not fit its column: rows could not be given it.
#pragma once

#include <expected>
#include <string>

#include "txn/decode/column_mapping.hpp"
#include "txn/schema/sql_cursor.hpp"
#include "txn/schema/statement.hpp"

namespace penstock::txn {

// Fills in ColumnSpec::initial_value of the columns that the statement adds; all other statements stay as they are.
SqlResult<> set_initial_values(Statement& statement, std::int64_t now_micros, const core::TimeZone& zone);

// The value of a column for rows that were there before it. An error only for what set_initial_values did not write.
std::expected<FillValue, std::string> parse_initial_value(const ColumnDef& column);

}  // namespace penstock::txn
