// ColumnView: the values of one column, to be read, wherever they lie.
//
// Arrow's layout: a validity bitmap (least significant bit first, 1 = present; no bitmap at all while nothing
// is NULL), fixed-width values one after the other, or u32 offsets into bytes. What lies under a NULL is
// zero, or an empty string. Array and Map are offsets into the rows of child columns, Struct is child columns with as
// many rows; children can have NULLs of their own, and are NULL where a Struct is.
//
// Journey:  ColumnBuilder, Block -> [ColumnView] -> encodings, merges, scans, value_format.
// Shard:    one; a view of somebody's buffers, valid while they stay as they are.
// Promise:  rows values can be read.
//           A constant view (row_mask 0) is for reading cells: its one value stands for every row.
// Failure:  none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "txn/schema/types.hpp"

namespace penstock::txn {

__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;

struct ColumnView {
  Type type;
  std::uint32_t rows = 0;
  std::uint32_t null_count = 0;
  const std::uint8_t* validity = nullptr;  // nullptr: no NULL
  const std::byte* values = nullptr;       // fixed width only
  const std::uint32_t* offsets = nullptr;  // strings, Array, Map: rows + 1 of them (none at all for no rows)
  const char* text = nullptr;              // strings only
  std::vector<ColumnView> children;        // of nested types: the elements; keys and values; fields
  std::size_t row_mask = SIZE_MAX;         // 0: constant

  // Where a row's value lies.
  std::size_t at(std::size_t row) const { return row & row_mask; }
  bool is_null(std::size_t row) const {
    return validity != nullptr && (validity[at(row) >> 3] >> (at(row) & 7) & 1) == 0;
  }
  template <class T>
  T value(std::size_t row) const {
    T out;
    std::memcpy(&out, values + at(row) * sizeof(T), sizeof(T));
    return out;
  }
  std::string_view text_at(std::size_t row) const {
    return {text + offsets[at(row)], offsets[at(row) + 1] - offsets[at(row)]};
  }
  std::size_t text_bytes() const { return rows == 0 ? 0 : offsets[at(rows - 1) + 1] - offsets[0]; }
};

}  // namespace penstock::txn
