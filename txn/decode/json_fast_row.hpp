// take_fast_row: one JSON object that is written as most are, into the cells of one row, in one pass over its text.
//
// Most rows are flat objects whose keys come in the order of the row before. Such a row needs no index of its text:
// each key is compared with the one that is expected, a string ends at the next quote, a number where its digits do.
// Whatever it takes is JSON without a doubt. Anything else, and anything that is wrong, it leaves alone: then the row
// is taken apart with simdjson, which also says what is wrong with it.
//
// Journey:  JsonRowParser (a row's text) -> [take_fast_row] -> cells.
// Shard:    any; it writes where it is told, and into the load's JsonKeyBook.
// Promise:  a row that it takes has the cells that JsonRowParser would give it otherwise. Nothing is allocated but room
//           in the arena. 64 bytes behind a row's text must be readable; what is in them does not matter.
// Failure:  false: cells and `seen` of this row mean nothing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "txn/decode/cell_list.hpp"
#include "txn/decode/json_arena.hpp"
#include "txn/decode/json_key_book.hpp"
#include "txn/decode/simd_level.hpp"

namespace penstock::txn {

struct FastRowTask {
  const char* begin;  // of its text
  const char* end;
  Cell* cells;  // of the row: a field's is at [field * stride]
  std::size_t stride;
  std::uint32_t* seen;  // per field: becomes `stamp` if the row has it
  std::uint32_t stamp;
  JsonArena& arena;
};

struct FastRowTaken {
  std::uint64_t counted = 0;                                    // sums of JsonKeyBook::Key::counts
  std::size_t matched() const { return counted & 0xffffffff; }  // keys that are fields
  std::size_t matched_fed() const { return counted >> 32; }     // and feed columns
};

bool take_fast_row(SimdLevel level, const FastRowTask& task, JsonKeyBook& book, FastRowTaken& taken);

}  // namespace penstock::txn
