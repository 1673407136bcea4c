#include "txn/decode/cell_lanes.hpp"

#include <bit>
#include <limits>

#include "core/base/check.hpp"
#include "txn/column/calendar.hpp"
#include "txn/decode/lanes.hpp"

namespace penstock::txn {

#if defined(__x86_64__)

namespace {

#define PENSTOCK_LANES_TARGET PENSTOCK_AVX2
#define PENSTOCK_LANES Lanes256
namespace avx2 {
#include "txn/decode/cell_lanes_body.inc"
}
#undef PENSTOCK_LANES_TARGET
#undef PENSTOCK_LANES
#define PENSTOCK_LANES_TARGET PENSTOCK_AVX512
#define PENSTOCK_LANES Lanes512
namespace avx512 {
#include "txn/decode/cell_lanes_body.inc"
}
#undef PENSTOCK_LANES_TARGET
#undef PENSTOCK_LANES

}  // namespace

template <class T>
void lanes_to_integers(SimdLevel level, const StagedCells& cells, bool is_long, T* values, OddRows& odd) {
  odd.count = 0;
  if (level >= SimdLevel::Avx512) return avx512::integers(cells, is_long, values, odd);
  avx2::integers(cells, is_long, values, odd);
}

void lanes_to_decimals(SimdLevel level, unsigned precision, unsigned scale, const StagedCells& cells,
                       bool is_long, std::int64_t* values, OddRows& odd) {
  odd.count = 0;
  if (level >= SimdLevel::Avx512) return avx512::decimals(precision, scale, cells, is_long, values, odd);
  avx2::decimals(precision, scale, cells, is_long, values, odd);
}

void lanes_to_dates(SimdLevel level, const StagedCells& cells, std::int32_t* values, OddRows& odd) {
  odd.count = 0;
  if (level >= SimdLevel::Avx512) return avx512::dates(cells, values, odd);
  avx2::dates(cells, values, odd);
}

void lanes_to_date_times(SimdLevel level, unsigned scale, const StagedCells& cells, std::int64_t* values,
                         OddRows& odd) {
  odd.count = 0;
  if (level >= SimdLevel::Avx512) return avx512::date_times(scale, cells, values, odd);
  avx2::date_times(scale, cells, values, odd);
}

#else  // has_lanes() is false: nobody comes here

template <class T>
void lanes_to_integers(SimdLevel, const StagedCells&, bool, T*, OddRows&) {
  CHECK(false);
}
void lanes_to_decimals(SimdLevel, unsigned, unsigned, const StagedCells&, bool, std::int64_t*, OddRows&) {
  CHECK(false);
}
void lanes_to_dates(SimdLevel, const StagedCells&, std::int32_t*, OddRows&) { CHECK(false); }
void lanes_to_date_times(SimdLevel, unsigned, const StagedCells&, std::int64_t*, OddRows&) { CHECK(false); }

#endif

template void lanes_to_integers(SimdLevel, const StagedCells&, bool, std::int8_t*, OddRows&);
template void lanes_to_integers(SimdLevel, const StagedCells&, bool, std::int16_t*, OddRows&);
template void lanes_to_integers(SimdLevel, const StagedCells&, bool, std::int32_t*, OddRows&);
template void lanes_to_integers(SimdLevel, const StagedCells&, bool, std::int64_t*, OddRows&);

}  // namespace penstock::txn
