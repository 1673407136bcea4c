// JsonArena: the text of cells that do not lie in their row as they are meant.
//
// Strings with escapes and objects or arrays with blanks are written anew, here. Words have their text here, too.
//
// Journey:  JsonRowParser, take_fast_row -> [JsonArena] -> cells -> decode_cells; cleared with each batch.
// Shard:    one, inside JsonScratch.
// Promise:  what is in it stays where it is until clear(). 64 bytes behind each text can be read and written.
// Failure:  none.
#pragma once

#include <cstddef>
#include <deque>

#include "core/base/units.hpp"
#include "txn/column/grow_buffer.hpp"
#include "txn/decode/cell_list.hpp"

namespace penstock::txn {

class JsonArena {
 public:
  char* room(std::size_t bytes);  // at the end; keep() says how many of them stay
  void keep(std::size_t bytes) { used_ += bytes + GrowBuffer::kSlack; }
  void clear();
  std::size_t reserved_bytes() const;

 private:
  static constexpr std::size_t kChunkMin = 64 * core::kKiB;
  std::deque<GrowBuffer> chunks_;
  std::size_t used_ = 0;  // of the last
};

// true or false, as a column gets it: as 1 or 0, unless it keeps words.
Cell json_word(bool is_true, bool keeps_words);

}  // namespace penstock::txn
