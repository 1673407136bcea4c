// Whole numbers, decimals, dates and times of a column, several cells at a time.
//
// The first and last eight characters of four or eight cells are put side by side (lanes.hpp) and converted at once.
// What a cell must look like for that: at most 16 characters, digits with perhaps a sign or one point; 2017-10-03;
// 2017-10-03 17:05:45 with perhaps a fraction. Each lane is judged: a cell that looks different (blanks, NULL, an
// exponent, one digit too many) or does not fit its type is listed as odd, and the caller converts it alone, as where
// there are no lanes.
//
// Journey:  column_decode -> StagedCells -> [lanes_*] -> values.
// Shard:    any; pure functions.
// Promise:  cells that are not odd have the value that column_decode's loops would give them. Up to 64 bytes behind the
//           last value are written.
// Failure:  none: whatever is wrong is odd.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "txn/decode/row_batch.hpp"
#include "txn/decode/simd_level.hpp"
#include "txn/decode/staged_cells.hpp"

namespace penstock::txn {

inline bool has_lanes(SimdLevel level) { return level >= SimdLevel::Avx2; }

// Rows, in their order, whose values are still to be made.
struct OddRows {
  std::size_t count = 0;
  std::array<std::uint16_t, StagedCells::kMax> rows;
};

// The cells must be staged with Stage::Tails if one of them has more than eight characters; is_long says that they are.
// T: the integers of 1, 2, 4 and 8 bytes.
template <class T>
void lanes_to_integers(SimdLevel level, const StagedCells& cells, bool is_long, T* values, OddRows& odd);
void lanes_to_decimals(SimdLevel level, unsigned precision, unsigned scale, const StagedCells& cells,
                       bool is_long, std::int64_t* values, OddRows& odd);
// Stage::Days.
void lanes_to_dates(SimdLevel level, const StagedCells& cells, std::int32_t* values, OddRows& odd);
// Stage::Fractions, or Stage::Clocks if no cell has more than 19 characters.
void lanes_to_date_times(SimdLevel level, unsigned scale, const StagedCells& cells, std::int64_t* values,
                         OddRows& odd);

}  // namespace penstock::txn
