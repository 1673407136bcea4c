#include "txn/decode/row_scan.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/base/check.hpp"
#include "txn/decode/even_scan.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace penstock::txn {
namespace {

struct BlockMasks {
  std::uint64_t separators;
  std::uint64_t delimiters;
  std::uint64_t high;
};

// What is enclosed, block by block. Inlined into each scan, so that it is compiled for the same instruction set.
struct Enclosing {
  std::uint64_t open = 0;         // all ones while the block before ended inside an enclosed field
  std::uint64_t field_start = 1;  // bit 0: the next block begins with a field's first byte
  std::uint64_t closed = 0;       // bit 0: the last byte of the block before closed a field
  std::uint64_t escaping = 0;     // bit 0: the last byte of the block before was an escape
  bool has_escapes = false;

  // Which bytes follow an escape that is not itself escaped: the second of each pair in a run.
  [[gnu::always_inline]] std::uint64_t take_escapes(std::uint64_t escapes) {
    if ((escapes | escaping) == 0) return 0;
    constexpr std::uint64_t kEven = 0x5555555555555555;
    has_escapes = true;
    const std::uint64_t active = escapes & ~escaping;
    const std::uint64_t behind = active << 1 | escaping;
    // Adding the starts of runs at odd places to the runs leaves a carry behind each such run: there the even
    // and odd places are exchanged.
    const std::uint64_t odd_starts = active & ~kEven & ~behind;
    std::uint64_t sum;
    escaping = __builtin_add_overflow(odd_starts, active, &sum) ? 1 : 0;
    return (kEven ^ sum << 1) & behind;
  }

  [[gnu::always_inline]] void take_block(std::uint64_t encloses, std::uint64_t escapes, BlockMasks& masks) {
    encloses &= ~take_escapes(escapes);
    std::uint64_t inside = encloses;  // becomes: from an opening character on, up to before the closing one
    for (unsigned shift = 1; shift < 64; shift *= 2) inside ^= inside << shift;
    inside ^= open;
    const std::uint64_t outside_marks = (masks.separators | masks.delimiters) & ~inside;
    const std::uint64_t starts = outside_marks << 1 | field_start;
    const std::uint64_t closing = encloses & ~inside;
    const std::uint64_t reopening = encloses & inside & (closing << 1 | closed);
    if ((encloses & inside & ~starts & ~reopening) != 0) [[unlikely]] {
      return take_block_slowly(encloses, masks);
    }
    has_escapes |= reopening != 0;
    masks.separators &= ~inside;
    masks.delimiters &= ~inside;
    open = std::uint64_t{0} - (inside >> 63);
    field_start = outside_marks >> 63;
    closed = closing >> 63;
  }

  // Some enclose character is only a character: mark by mark.
  [[gnu::noinline]] void take_block_slowly(std::uint64_t encloses, BlockMasks& masks) {
    has_escapes = true;  // perhaps
    bool is_open = open != 0;
    std::uint64_t starts = field_start;
    std::uint64_t closings = closed != 0 ? 1 : 0;  // shifted: bit i + 1 for a field closed at i
    std::uint64_t last_closed = 0;
    std::uint64_t last_mark = 0;
    for (std::uint64_t bits = encloses | masks.separators | masks.delimiters; bits != 0; bits &= bits - 1) {
      const std::uint64_t bit = bits & (std::uint64_t{0} - bits);
      if ((encloses & bit) != 0) {
        if (is_open) {
          is_open = false;
          closings |= bit << 1;
          last_closed = bit;
        } else if ((starts & bit) != 0) {
          is_open = true;
        } else if ((closings & bit) != 0) {
          is_open = true;
        }
      } else if (is_open) {
        masks.separators &= ~bit;
        masks.delimiters &= ~bit;
      } else {
        starts |= bit << 1;
        last_mark = bit;
      }
    }
    open = is_open ? ~std::uint64_t{0} : 0;
    field_start = last_mark >> 63;
    closed = last_closed >> 63;
  }
};

class ScalarMatcher {
 public:
  ScalarMatcher(char separator, char delimiter) : separator_(separator), delimiter_(delimiter) {}
  BlockMasks match(const char* at) const {
    BlockMasks masks{0, 0, 0};
    for (unsigned i = 0; i < 64; ++i) {
      masks.separators |= std::uint64_t{at[i] == separator_} << i;
      masks.delimiters |= std::uint64_t{at[i] == delimiter_} << i;
      masks.high |= std::uint64_t{static_cast<unsigned char>(at[i]) >= 0x80} << i;
    }
    return masks;
  }

 private:
  char separator_;
  char delimiter_;
};

#define PENSTOCK_SCAN_TARGET
#define PENSTOCK_SCAN_NAME scan_scalar
#define PENSTOCK_SCAN_MATCHER ScalarMatcher
#define PENSTOCK_SCAN_ENCLOSED 0
#include "txn/decode/row_scan_body.inc"
#undef PENSTOCK_SCAN_NAME
#undef PENSTOCK_SCAN_ENCLOSED
#define PENSTOCK_SCAN_NAME scan_scalar_enclosed
#define PENSTOCK_SCAN_ENCLOSED 1
#include "txn/decode/row_scan_body.inc"
#undef PENSTOCK_SCAN_TARGET
#undef PENSTOCK_SCAN_NAME
#undef PENSTOCK_SCAN_MATCHER
#undef PENSTOCK_SCAN_ENCLOSED

#if defined(__x86_64__)

class Sse2Matcher {
 public:
  Sse2Matcher(char separator, char delimiter)
      : separator_(_mm_set1_epi8(separator)), delimiter_(_mm_set1_epi8(delimiter)) {}
  BlockMasks match(const char* at) const {
    BlockMasks masks{0, 0, 0};
    for (unsigned i = 0; i < 4; ++i) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 16 * i));
      masks.separators |= mask(_mm_cmpeq_epi8(bytes, separator_)) << 16 * i;
      masks.delimiters |= mask(_mm_cmpeq_epi8(bytes, delimiter_)) << 16 * i;
      masks.high |= mask(bytes) << 16 * i;
    }
    return masks;
  }

 private:
  static std::uint64_t mask(__m128i bytes) { return static_cast<std::uint32_t>(_mm_movemask_epi8(bytes)); }
  __m128i separator_;
  __m128i delimiter_;
};

#define PENSTOCK_SCAN_TARGET
#define PENSTOCK_SCAN_NAME scan_sse2
#define PENSTOCK_SCAN_MATCHER Sse2Matcher
#define PENSTOCK_SCAN_ENCLOSED 0
#include "txn/decode/row_scan_body.inc"
#undef PENSTOCK_SCAN_NAME
#undef PENSTOCK_SCAN_ENCLOSED
#define PENSTOCK_SCAN_NAME scan_sse2_enclosed
#define PENSTOCK_SCAN_ENCLOSED 1
#include "txn/decode/row_scan_body.inc"
#undef PENSTOCK_SCAN_TARGET
#undef PENSTOCK_SCAN_NAME
#undef PENSTOCK_SCAN_MATCHER
#undef PENSTOCK_SCAN_ENCLOSED

class Avx2Matcher {
 public:
  PENSTOCK_AVX2 Avx2Matcher(char separator, char delimiter)
      : separator_(_mm256_set1_epi8(separator)), delimiter_(_mm256_set1_epi8(delimiter)) {}
  PENSTOCK_AVX2 BlockMasks match(const char* at) const {
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + 32));
    return {mask(_mm256_cmpeq_epi8(low, separator_)) | mask(_mm256_cmpeq_epi8(high, separator_)) << 32,
            mask(_mm256_cmpeq_epi8(low, delimiter_)) | mask(_mm256_cmpeq_epi8(high, delimiter_)) << 32,
            mask(low) | mask(high) << 32};
  }

 private:
  PENSTOCK_AVX2 static std::uint64_t mask(__m256i bytes) {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(bytes));
  }
  __m256i separator_;
  __m256i delimiter_;
};

#define PENSTOCK_SCAN_TARGET PENSTOCK_AVX2
#define PENSTOCK_SCAN_NAME scan_avx2
#define PENSTOCK_SCAN_MATCHER Avx2Matcher
#define PENSTOCK_SCAN_ENCLOSED 0
#include "txn/decode/row_scan_body.inc"
#undef PENSTOCK_SCAN_NAME
#undef PENSTOCK_SCAN_ENCLOSED
#define PENSTOCK_SCAN_NAME scan_avx2_enclosed
#define PENSTOCK_SCAN_ENCLOSED 1
#include "txn/decode/row_scan_body.inc"
#undef PENSTOCK_SCAN_TARGET
#undef PENSTOCK_SCAN_NAME
#undef PENSTOCK_SCAN_MATCHER
#undef PENSTOCK_SCAN_ENCLOSED

#endif

}  // namespace

ScanResult scan_rows(SimdLevel level, const ScanTask& task, RowBatch& batch) {
  batch.text = task.text;
  batch.count = 0;
  EvenRows even;
  if (task.enclose == 0) even = scan_even_rows(level, task, batch);
  batch.is_even = even.is_done;
  if (even.is_done) {
    ScanResult result;
    result.stop = even.is_full ? ScanResult::Stop::BatchFull : ScanResult::Stop::End;
    result.has_high_bit = even.has_high_bit;
    result.next = even.next;
    return result;
  }
#if defined(__x86_64__)
  if (level >= SimdLevel::Avx2)
    return task.enclose != 0 ? scan_avx2_enclosed(task, even, batch) : scan_avx2(task, even, batch);
  if (level == SimdLevel::Sse2)
    return task.enclose != 0 ? scan_sse2_enclosed(task, even, batch) : scan_sse2(task, even, batch);
#endif
  return task.enclose != 0 ? scan_scalar_enclosed(task, even, batch) : scan_scalar(task, even, batch);
}

std::size_t find_delimiter(std::string_view text, std::string_view delimiter, std::size_t from) {
  if (from >= text.size()) return std::string_view::npos;
  const char* begin = text.data() + from;
  const std::size_t size = text.size() - from;
  const void* at = delimiter.size() == 1 ? std::memchr(begin, delimiter[0], size)
                                         : ::memmem(begin, size, delimiter.data(), delimiter.size());
  if (at == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(at) - text.data());
}

std::size_t end_of_carried(std::string_view carry, std::string_view piece, std::string_view delimiter) {
  const std::size_t overlap = std::min(delimiter.size() - 1, carry.size());
  if (overlap != 0) {
    char seam[2 * 255];
    const std::size_t ahead = std::min(delimiter.size() - 1, piece.size());
    CHECK_LE(overlap + ahead, sizeof seam);
    std::memcpy(seam, carry.data() + carry.size() - overlap, overlap);
    if (ahead != 0) std::memcpy(seam + overlap, piece.data(), ahead);
    const std::size_t found = find_delimiter({seam, overlap + ahead}, delimiter, 0);
    if (found != std::string_view::npos) return found + delimiter.size() - overlap;
  }
  const std::size_t found = find_delimiter(piece, delimiter, 0);
  return found == std::string_view::npos ? found : found + delimiter.size();
}

std::uint64_t split_row(RowBatch& batch, std::uint32_t first, std::uint32_t begin, std::uint32_t end,
                        std::string_view separator) {
  const std::string_view row(batch.text, end);
  std::uint64_t fields = 0;
  std::size_t at = begin;
  for (;;) {
    const std::size_t found = find_delimiter(row, separator, at);
    const std::size_t field_end = found == std::string_view::npos ? end : found;
    if (fields < batch.field_count) batch.ends[first + fields] = static_cast<std::uint32_t>(field_end);
    ++fields;
    if (found == std::string_view::npos) return fields;
    at = found + separator.size();
  }
}

}  // namespace penstock::txn
