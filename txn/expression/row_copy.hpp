// Chosen rows of a column, to be added behind another's.
//
// Journey:  DerivingDecoder -> [append_rows] -> ColumnBuilder.
// Shard:    any.
// Promise:  neighbours are copied together: a filter that keeps nearly everything costs a memcpy.
// Failure:  none.
#pragma once

#include <cstdint>
#include <span>

#include "txn/column/column_builder.hpp"

namespace penstock::txn {

// `rows` are counted from `begin` on and ascend; both columns are of the same type.
void append_rows(const ColumnView& from, std::size_t begin, std::span<const std::uint32_t> rows,
                 ColumnBuilder& to);

}  // namespace penstock::txn
