// Lanes: four or eight 64-bit numbers side by side, and what decoding cells needs to do with them.
//
// A lane holds eight characters of a cell (the first is the lowest byte), and then the number that they are. Loops that
// are written for Lanes256 and Lanes512 alike are in cell_lanes_body.inc.
//
// Journey:  cell_lanes -> [Lanes256, Lanes512].
// Shard:    any; values.
// Promise:  both do the same, lane by lane.
// Failure:  none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "txn/decode/simd_level.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace penstock::txn {

// clang-format off
struct Lanes256 {
  using V = __m256i;
  static constexpr unsigned kCount = 4;

  PENSTOCK_AVX2 static V all(std::uint64_t word) { return _mm256_set1_epi64x(static_cast<long long>(word)); }
  PENSTOCK_AVX2 static V load(const std::uint64_t* of) {
    return _mm256_load_si256(reinterpret_cast<const V*>(of));
  }
  // Powers of ten up to 10^7, one of them for each lane.
  PENSTOCK_AVX2 static V power_of_ten(V exponents) {
    const V powers = _mm256_setr_epi32(1, 10, 100, 1000, 10'000, 100'000, 1'000'000, 10'000'000);
    return _mm256_permutevar8x32_epi32(powers, exponents);
  }
  PENSTOCK_AVX2 static V shift_up(V x, V bits) { return _mm256_sllv_epi64(x, bits); }
  PENSTOCK_AVX2 static V shift_down(V x, V bits) { return _mm256_srlv_epi64(x, bits); }
  PENSTOCK_AVX2 static V times(V x, V y) { return _mm256_mul_epu32(x, y); }  // of the lower halves
  PENSTOCK_AVX2 static V pairs(V bytes, V weights) { return _mm256_maddubs_epi16(bytes, weights); }
  PENSTOCK_AVX2 static V fours(V words, V weights) { return _mm256_madd_epi16(words, weights); }
  PENSTOCK_AVX2 static V sum_of_bytes(V bytes) { return _mm256_sad_epu8(bytes, _mm256_setzero_si256()); }
  // All bits of the lanes, or bytes, for which it is so. Lanes are compared as signed numbers.
  PENSTOCK_AVX2 static V equal(V x, V y) { return _mm256_cmpeq_epi64(x, y); }
  PENSTOCK_AVX2 static V above(V x, V y) { return _mm256_cmpgt_epi64(x, y); }
  PENSTOCK_AVX2 static V equal_bytes(V x, V y) { return _mm256_cmpeq_epi8(x, y); }
  PENSTOCK_AVX2 static V excess_bytes(V x, V most) { return _mm256_subs_epu8(x, most); }
  // A bit for each lane that is not 0.
  PENSTOCK_AVX2 static unsigned which(V x) {
    const V zeros = _mm256_cmpeq_epi64(x, _mm256_setzero_si256());
    return static_cast<unsigned>(_mm256_movemask_pd(_mm256_castsi256_pd(zeros))) ^ 0xf;
  }

  PENSTOCK_AVX2 static void store(std::int64_t* to, V x) { _mm256_storeu_si256(reinterpret_cast<V*>(to), x); }
  PENSTOCK_AVX2 static void store(std::int32_t* to, V x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), halves(x));
  }
  PENSTOCK_AVX2 static void store(std::int16_t* to, V x) {
    const __m128i low = _mm_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_shuffle_epi8(halves(x), low));
  }
  PENSTOCK_AVX2 static void store(std::int8_t* to, V x) {
    const __m128i low = _mm_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    const int bytes = _mm_cvtsi128_si32(_mm_shuffle_epi8(halves(x), low));
    std::memcpy(to, &bytes, sizeof bytes);
  }

 private:
  PENSTOCK_AVX2 static __m128i halves(V x) {
    return _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(x, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6)));
  }
};

struct Lanes512 {
  using V = __m512i;
  static constexpr unsigned kCount = 8;

  PENSTOCK_AVX512 static V all(std::uint64_t word) { return _mm512_set1_epi64(static_cast<long long>(word)); }
  PENSTOCK_AVX512 static V load(const std::uint64_t* of) { return _mm512_load_si512(of); }
  PENSTOCK_AVX512 static V power_of_ten(V exponents) {
    const __m256i powers = _mm256_setr_epi32(1, 10, 100, 1000, 10'000, 100'000, 1'000'000, 10'000'000);
    return _mm512_permutexvar_epi64(exponents, _mm512_cvtepu32_epi64(powers));
  }
  PENSTOCK_AVX512 static V shift_up(V x, V bits) { return _mm512_sllv_epi64(x, bits); }
  PENSTOCK_AVX512 static V shift_down(V x, V bits) { return _mm512_srlv_epi64(x, bits); }
  PENSTOCK_AVX512 static V times(V x, V y) { return _mm512_mul_epu32(x, y); }
  PENSTOCK_AVX512 static V pairs(V bytes, V weights) { return _mm512_maddubs_epi16(bytes, weights); }
  PENSTOCK_AVX512 static V fours(V words, V weights) { return _mm512_madd_epi16(words, weights); }
  PENSTOCK_AVX512 static V sum_of_bytes(V bytes) { return _mm512_sad_epu8(bytes, _mm512_setzero_si512()); }
  PENSTOCK_AVX512 static V equal(V x, V y) { return _mm512_movm_epi64(_mm512_cmpeq_epi64_mask(x, y)); }
  PENSTOCK_AVX512 static V above(V x, V y) { return _mm512_movm_epi64(_mm512_cmpgt_epi64_mask(x, y)); }
  PENSTOCK_AVX512 static V equal_bytes(V x, V y) { return _mm512_movm_epi8(_mm512_cmpeq_epi8_mask(x, y)); }
  PENSTOCK_AVX512 static V excess_bytes(V x, V most) { return _mm512_subs_epu8(x, most); }
  PENSTOCK_AVX512 static unsigned which(V x) { return _mm512_test_epi64_mask(x, x); }

  PENSTOCK_AVX512 static void store(std::int64_t* to, V x) { _mm512_storeu_si512(to, x); }
  PENSTOCK_AVX512 static void store(std::int32_t* to, V x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtepi64_epi32(x));
  }
  PENSTOCK_AVX512 static void store(std::int16_t* to, V x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi64_epi16(x));
  }
  PENSTOCK_AVX512 static void store(std::int8_t* to, V x) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm512_cvtepi64_epi8(x));
  }
};
// clang-format on

}  // namespace penstock::txn
#endif
