// A block of an earlier schema, read as if it had been written under the one that is asked for.
//
// Columns are found by their id, so a renamed one is found and one that was dropped, and made again under its name, is
// not. What the block has in a narrower type is converted; what it does not have at all is the column's initial value
// in every row, or NULL. Nothing else looks at a block's own schema.
//
// Journey:  decode_block -> [lift_block] -> Scan, merges.
// Shard:    any; a pure function.
// Promise:  afterwards the block has each wanted column once, in the schema's type. Columns that are missing in the block
//           take the memory of one value, whatever the number of its rows.
// Failure:  Errc::Corrupt: a column's type is none that MODIFY COLUMN can have made the schema's type of.
#pragma once

#include <span>

#include "core/base/result.hpp"
#include "txn/column/block_format.hpp"
#include "txn/schema/table_schema.hpp"

namespace penstock::txn {

core::Result<> lift_block(Block& block, const TableSchema& schema, std::span<const ColumnId> wanted);

}  // namespace penstock::txn
