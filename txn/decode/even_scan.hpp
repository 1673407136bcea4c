// The scan of rows that are as they should be: places of marks first, in one list, then rows, by counting.
//
// Where no byte means anything but two marks, and every row has the wanted number of fields, the ends of all fields are
// the places of all marks, in their order: every wanted-th is a delimiter, and there are no other delimiters. So a
// stretch of text is searched without looking at what is found, and then only the last mark of each row is looked at.
// A stretch in which this does not hold (an empty line, a row of another width) is given back from its begin: scan_rows()
// goes on there, row by row. Stretches are short at first, so that little is searched in vain.
//
// Journey:  scan_rows -> [scan_even_rows] -> RowBatch.
// Shard:    any; pure functions on a batch.
// Promise:  the rows that are in the batch afterwards are those that scan_rows() would have found.
// Failure:  none.
#pragma once

#include <cstdint>

#include "txn/decode/row_batch.hpp"
#include "txn/decode/simd_level.hpp"

namespace penstock::txn {

struct ScanTask;

struct EvenRows {
  bool is_done = false;       // all rows of the task, or as many as a batch takes; false: go on behind them
  bool is_full = false;       // done, because the batch takes no more
  bool has_high_bit = false;  // some byte of what was searched is not ASCII
  std::uint32_t next = 0;     // behind the last row
};

// Nothing is enclosed. Fills the batch from its begin; rows have their ends without a gap between them.
EvenRows scan_even_rows(SimdLevel level, const ScanTask& task, RowBatch& batch);

}  // namespace penstock::txn
