// StagedCells: the characters of some cells of a column, eight in a word, ready to be loaded into lanes.
//
// Cells lie anywhere; that makes one load each. They are made in a loop of their own, one cell after the other, which is
// faster than to collect them while computing (or by gathers).
//
// Journey:  column_decode (stage_*) -> [StagedCells] -> cell_lanes.
// Shard:    any; lives on the stack of a loop.
// Promise:  words behind the last cell, up to a whole number of lanes, belong to empty cells.
// Failure:  none.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "txn/decode/cell_list.hpp"
#include "txn/decode/swar.hpp"

namespace penstock::txn {

struct StagedCells {
  static constexpr std::size_t kMax = 128;
  static constexpr std::size_t kLanesMax = 8;

  std::size_t count = 0;
  std::size_t longest = 0;
  alignas(64) std::uint64_t sizes[kMax];
  alignas(64) std::uint64_t heads[kMax];      // the first eight
  alignas(64) std::uint64_t tails[kMax];      // the last eight, or the first of a cell with fewer
  alignas(64) std::uint64_t days[kMax];       // from the eighth on: of 2017-10-03 17:05:45 the 03
  alignas(64) std::uint64_t clocks[kMax];     // from the eleventh on: 17:05:45
  alignas(64) std::uint64_t fractions[kMax];  // behind that

  void end(std::size_t cells) {
    count = cells;
    for (std::size_t i = cells; i % kLanesMax != 0; ++i) {
      sizes[i] = heads[i] = tails[i] = days[i] = clocks[i] = fractions[i] = 0;
    }
  }
};

// Those of the cells from `first` on, `count` of them (at most StagedCells::kMax).
enum class Stage : std::uint8_t {
  Heads,
  Tails,
  Days,
  Clocks,
  Fractions
};  // from Days on, each with those before
template <Stage kStage, class CellsOf>
[[gnu::noinline]] void stage_cells(const CellsOf& cells, std::size_t first, std::size_t count,
                                   StagedCells& to) {
  std::size_t longest = 0;
#pragma clang loop unroll_count(4)
  for (std::size_t i = 0; i < count; ++i) {
    const Cell cell = cells[first + i];
    to.sizes[i] = cell.size;
    longest = std::max(longest, cell.size);
    to.heads[i] = swar::load8(cell.begin);
    if constexpr (kStage == Stage::Tails)
      to.tails[i] = swar::load8(cell.begin + std::max<std::size_t>(cell.size, 8) - 8);
    if constexpr (kStage >= Stage::Days) to.days[i] = swar::load8(cell.begin + 8);
    if constexpr (kStage >= Stage::Clocks) to.clocks[i] = swar::load8(cell.begin + 11);
    if constexpr (kStage == Stage::Fractions) to.fractions[i] = swar::load8(cell.begin + 19);
  }
  to.longest = longest;
  to.end(count);
}

}  // namespace penstock::txn
