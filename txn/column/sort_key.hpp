// A cell as bytes whose plain byte order is the order of the values.
//
// Keys of several columns, one behind the other, order rows by the first column, then by the second, and so on. NULL is
// the smallest value. Numbers order as numbers (NaN behind all others, -0 as 0), strings by their bytes, dates by time.
// `descending` turns a column's part around, NULL included.
//
//   key := u8 0 for NULL, otherwise u8 1 and
//          integers, dates   big-endian, sign bit flipped
//          floating point    big-endian bits; positive: sign bit flipped, negative: all bits flipped
//          text              the bytes, with 00 FF for 00, then 00 00
//
// Journey:  scan with order_by -> [append_sort_key] -> RowSorter.
// Shard:    any; pure functions.
// Promise:  equal values give equal bytes, and no key is the beginning of another one of the same column.
// Failure:  none.
#pragma once

#include <cstddef>
#include <string>

#include "txn/column/column_view.hpp"

namespace penstock::txn {

// `column` may be nullptr: the block has no such column, so the cell is NULL.
void append_sort_key(std::string& out, const ColumnView* column, std::size_t row, bool descending);

}  // namespace penstock::txn
