#include "txn/decode/even_scan.hpp"

#include <algorithm>
#include <bit>

#include "txn/decode/row_scan.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace penstock::txn {

#if defined(__x86_64__)

namespace {

// The first is one block: a body of bad rows makes a scan for each of them.
constexpr std::uint32_t kStretchFirst = 64;
constexpr std::uint32_t kStretchMin = 512;
constexpr std::uint32_t kStretchMax = 4096;

// Text that comes from afar is asked for this early: decoding a window interrupts what the machine foresees by itself.
constexpr std::uint32_t kAhead = 8192;

struct EvenMarks {
  std::uint64_t all;
  std::uint64_t delimiters;
};

class Avx2Marks {
 public:
  PENSTOCK_AVX2 Avx2Marks(char separator, char delimiter)
      : separator_(_mm256_set1_epi8(separator)),
        delimiter_(_mm256_set1_epi8(delimiter)),
        seen_(_mm256_setzero_si256()) {}
  PENSTOCK_AVX2 EvenMarks match(const char* at) {
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + 32));
    const __m256i low_lines = _mm256_cmpeq_epi8(low, delimiter_);
    const __m256i high_lines = _mm256_cmpeq_epi8(high, delimiter_);
    seen_ = _mm256_or_si256(seen_, _mm256_or_si256(low, high));
    return {mask(_mm256_or_si256(_mm256_cmpeq_epi8(low, separator_), low_lines)) |
                mask(_mm256_or_si256(_mm256_cmpeq_epi8(high, separator_), high_lines)) << 32,
            mask(low_lines) | mask(high_lines) << 32};
  }
  // Eight at a time, whether there are so many or not: what is too much is overwritten by the next block, and most
  // blocks have no more, so that the branch is foreseen.
  PENSTOCK_AVX2 static void put_places(std::uint64_t bits, std::uint32_t block, std::uint32_t* out) {
    while (bits != 0) {
      for (int i = 0; i < 8; ++i) {
        *out++ = block + static_cast<std::uint32_t>(std::countr_zero(bits));
        bits &= bits - 1;
      }
    }
  }
  PENSTOCK_AVX2 bool has_high() const { return mask(seen_) != 0; }

 private:
  PENSTOCK_AVX2 static std::uint64_t mask(__m256i bytes) {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(bytes));
  }
  __m256i separator_;
  __m256i delimiter_;
  __m256i seen_;
};

#define PENSTOCK_EVEN_TARGET PENSTOCK_AVX2
#define PENSTOCK_EVEN_NAME scan_avx2
#define PENSTOCK_EVEN_MATCHER Avx2Marks
#include "txn/decode/even_scan_body.inc"
#undef PENSTOCK_EVEN_TARGET
#undef PENSTOCK_EVEN_NAME
#undef PENSTOCK_EVEN_MATCHER

class Avx512Marks {
 public:
  PENSTOCK_AVX512 Avx512Marks(char separator, char delimiter)
      : separator_(_mm512_set1_epi8(separator)),
        delimiter_(_mm512_set1_epi8(delimiter)),
        seen_(_mm512_setzero_si512()) {}
  PENSTOCK_AVX512 EvenMarks match(const char* at) {
    const __m512i bytes = _mm512_loadu_si512(at);
    seen_ = _mm512_or_si512(seen_, bytes);
    const __mmask64 lines = _mm512_cmpeq_epi8_mask(bytes, delimiter_);
    return {_mm512_cmpeq_epi8_mask(bytes, separator_) | lines, lines};
  }
  // The numbers 0 to 63, those of the marks moved together: sixteen are written whether there are so many or not.
  PENSTOCK_AVX512 static void put_places(std::uint64_t bits, std::uint32_t block, std::uint32_t* out) {
    const __m512i numbers =
        _mm512_set_epi8(63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43,
                        42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22,
                        21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i places = _mm512_maskz_compress_epi8(bits, numbers);
    const __m512i base = _mm512_set1_epi32(static_cast<int>(block));
    put_sixteen(_mm512_castsi512_si128(places), base, out);
    const int count = std::popcount(bits);
    if (count <= 16) [[likely]]
      return;
    put_sixteen(_mm512_extracti32x4_epi32(places, 1), base, out + 16);
    if (count <= 32) return;
    put_sixteen(_mm512_extracti32x4_epi32(places, 2), base, out + 32);
    put_sixteen(_mm512_extracti32x4_epi32(places, 3), base, out + 48);
  }
  PENSTOCK_AVX512 bool has_high() const { return _mm512_movepi8_mask(seen_) != 0; }

 private:
  PENSTOCK_AVX512 static void put_sixteen(__m128i places, __m512i base, std::uint32_t* out) {
    _mm512_storeu_si512(out, _mm512_add_epi32(_mm512_cvtepu8_epi32(places), base));
  }
  __m512i separator_;
  __m512i delimiter_;
  __m512i seen_;
};

#define PENSTOCK_EVEN_TARGET PENSTOCK_AVX512
#define PENSTOCK_EVEN_NAME scan_avx512
#define PENSTOCK_EVEN_MATCHER Avx512Marks
#include "txn/decode/even_scan_body.inc"
#undef PENSTOCK_EVEN_TARGET
#undef PENSTOCK_EVEN_NAME
#undef PENSTOCK_EVEN_MATCHER

}  // namespace

EvenRows scan_even_rows(SimdLevel level, const ScanTask& task, RowBatch& batch) {
  if (level >= SimdLevel::Avx512) return scan_avx512(task, batch);
  if (level == SimdLevel::Avx2) return scan_avx2(task, batch);
  return {};
}

#else

EvenRows scan_even_rows(SimdLevel, const ScanTask&, RowBatch&) { return {}; }

#endif

}  // namespace penstock::txn
