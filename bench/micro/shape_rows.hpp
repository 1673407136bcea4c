// Rows of `penstock bench`'s shapes (log, lineitem, wide, metric), as text and as a full block's columns.
#pragma once

#include <memory>
#include <string>

#include "tools/bench/row_shapes.hpp"
#include "txn/column/block_builder.hpp"

namespace penstock::bench {

std::shared_ptr<const txn::TableSchema> shape_schema(tools::Shape shape);
std::string shape_text(tools::Shape shape, tools::RowFormat format, std::size_t bytes);
// As many rows as a load puts into one block.
txn::BlockBuilder shape_block(tools::Shape shape);

}  // namespace penstock::bench
