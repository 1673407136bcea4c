// SimdLevel: which of the machine's instructions the decoders may use.
//
// What is written for several levels is compiled for each of them, in functions marked PENSTOCK_AVX2 or PENSTOCK_AVX512,
// and chosen when it runs: one program serves all machines.
//
// Journey:  CsvOptions, JsonOptions -> [SimdLevel] -> row_scan, column_decode, json_fast_row.
// Shard:    any; a value.
// Promise:  all levels give the same rows, values and reasons.
// Failure:  none.
#pragma once

#include <cstdint>

namespace penstock::txn {

// Avx512 is what came with VBMI2 (bytes can be compressed), not only the foundation.
enum class SimdLevel : std::uint8_t { Scalar, Sse2, Avx2, Avx512 };
SimdLevel best_simd_level();

}  // namespace penstock::txn

#if defined(__x86_64__)
#define PENSTOCK_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt")))
#define PENSTOCK_AVX512 \
  __attribute__((target("avx2,bmi,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi,avx512vbmi2")))
#endif
