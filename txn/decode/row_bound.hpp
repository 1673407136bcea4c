// RowBound: how many bytes of column memory rows can take, from the size of their text alone.
//
// Decoders ask before they decode a batch, so that where a block ends does not depend on how rows came in batches.
//
// Journey:  CsvDecoder, JsonDecoder (at their begin) -> [RowBound] -> rows that may be decoded at once.
// Shard:    any; a value.
// Promise:  no rows take more: their values, bitmaps and offsets, all of their text, and what lists unfold to.
// Failure:  none.
#pragma once

#include <algorithm>
#include <cstddef>

#include "txn/schema/types.hpp"

namespace penstock::txn {

class RowBound {
 public:
  // A column, and the text of its default if rows get that.
  void add(const Type& type, std::size_t fill_bytes) {
    columns_ += count(type);
    width_ += row_width(type) + fill_bytes;
    expansion_ = std::max(expansion_, expansion(type));
  }
  std::size_t bytes(std::size_t rows, std::size_t text_bytes) const {
    return rows * width_ + (rows / 8 + 2) * columns_ * 2 + text_bytes * expansion_;
  }

 private:
  // Columns with those inside of nested ones: each has a bitmap that begins with a byte, and perhaps an offset more.
  static std::size_t count(const Type& type) {
    std::size_t sum = is_nested(type) ? 4 : 1;
    for (const Type& child : type.children()) sum += 3 + count(child);
    return sum;
  }

  std::size_t columns_ = 0;
  std::size_t width_ = 0;
  std::size_t expansion_ = 1;
};

}  // namespace penstock::txn
