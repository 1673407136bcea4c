// Finding rows and fields: text to RowBatch.
//
// scan_rows() is for a one-byte separator and a one-byte delimiter: it looks at 64 bytes at a time, and makes
// the ends of all fields from the two bit masks that comparing gives. With an enclose character, what is
// enclosed is a running exclusive or over the mask of its places; a block in which one stands where it opens
// nothing is gone through bit by bit. find_delimiter(), split_row() and walk_row() (quoted_row.hpp) do the
// same for anything else, and for what does not fit a window. All give the same rows for the same text.
//
// Journey:  CsvDecoder -> [scan_rows, find_delimiter, split_row] -> RowBatch.
// Shard:    any; pure functions on a batch.
// Promise:  only whole rows, and only up to the first that has the wrong number of fields.
// Failure:  none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "txn/decode/row_batch.hpp"
#include "txn/decode/simd_level.hpp"

namespace penstock::txn {

struct ScanTask {
  const char* text = nullptr;
  std::uint32_t size = 0;  // up to here; 63 bytes more can be read
  char separator = '\t';
  char delimiter = '\n';
  char enclose = 0;  // 0: none. All marks are different bytes
  char escape = 0;   // inside enclosed fields; 0: none
};

struct ScanResult {
  enum class Stop : std::uint8_t { End, BatchFull, WrongFieldCount };
  Stop stop = Stop::End;
  bool has_high_bit = false;  // some byte (perhaps behind the last row) is not ASCII
  bool has_escapes = false;   // false: no enclosed field has an escape or a doubled enclose character
  std::uint32_t next = 0;     // behind the last row, or empty line, that was dealt with
  // Stop::WrongFieldCount: that row, which is not in the batch. `next` is its begin.
  std::uint32_t bad_end = 0;
  std::uint32_t bad_next = 0;
  std::uint64_t bad_fields = 0;
};

// Rows go into `batch` (prepared, emptied; its text is task.text). A carriage return before a newline
// delimiter is no part of the row; empty lines are skipped.
ScanResult scan_rows(SimdLevel level, const ScanTask& task, RowBatch& batch);

// The first place of `delimiter` in text at or after `from`; npos if there is none.
std::size_t find_delimiter(std::string_view text, std::string_view delimiter, std::size_t from);

// Where, in `piece`, the first delimiter ends of what `carry` and the piece are together; npos: there is none. It may have
// begun in the carry, which itself holds no whole one.
std::size_t end_of_carried(std::string_view carry, std::string_view piece, std::string_view delimiter);

// Appends the ends of a row's fields to the batch as far as they fit, and returns how many fields it has.
std::uint64_t split_row(RowBatch& batch, std::uint32_t first, std::uint32_t begin, std::uint32_t end,
                        std::string_view separator);

}  // namespace penstock::txn
