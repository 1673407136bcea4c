#include "txn/decode/json_fast_row.hpp"

#include <simdjson.h>

#include <bit>
#include <cstring>
#include <string_view>

#include "txn/decode/json_text.hpp"
#include "txn/decode/swar.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace penstock::txn {
namespace {

// Of 32 bytes: where a quote is, and where what a string cannot have as it is.
struct StringMarks {
  std::uint32_t quotes;
  std::uint32_t others;  // backslashes and control characters
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Digits with perhaps a point and more digits, and what follows them, in 8 bytes.
struct PlainNumber {
  std::size_t digits;  // before the point
  std::size_t size;    // 0: it is longer, or none
};
inline PlainNumber plain_number(const char* at) {
  // The lowest bits are exact: no character below 0x80 carries into the next.
  const std::uint64_t bytes = swar::load8(at) ^ swar::kZeros;
  const std::uint64_t others = ((bytes + swar::kOnes * 0x76) | bytes) & swar::kHighs;
  if (others == 0) return {0, 0};
  const auto digits = static_cast<std::size_t>(std::countr_zero(others)) / 8;
  if (at[digits] != '.') return {digits, digits};
  const std::uint64_t behind = others & (others - 1);
  return {digits, behind == 0 ? 0 : static_cast<std::size_t>(std::countr_zero(behind)) / 8};
}

const char* skip_blanks(const char* at, const char* end) {
  while (at < end && is_json_blank(*at)) ++at;
  return at;
}

// What a string with escapes says.
[[gnu::noinline]] bool resolve(Cell& cell, const char* end, JsonArena& arena) {
  if (cell.begin + cell.size > end) return false;
  char* said = arena.room(cell.size);
  const std::size_t size = resolve_json_string({cell.begin, cell.size}, said);
  if (size == std::string_view::npos) return false;
  arena.keep(size);
  cell = {said, size};
  return true;
}

// Words, objects and arrays.
[[gnu::noinline]] bool take_rare(const char*& at, const char* end, const JsonKeyBook::Meaning& meaning,
                                 JsonArena& arena, bool& has_high, Cell& cell) {
  const std::string_view rest(at, static_cast<std::size_t>(end - at));
  if (rest.starts_with("true")) {
    cell = json_word(true, meaning.keeps_words);
    at += 4;
    return true;
  }
  if (rest.starts_with("false")) {
    cell = json_word(false, meaning.keeps_words);
    at += 5;
    return true;
  }
  if (rest.starts_with("null")) {
    cell = CellList::null_cell();
    at += 4;
    return meaning.nullable || !meaning.is_fed;
  }
  if (rest.front() != '{' && rest.front() != '[') return false;
  const JsonText value = compact_json(rest, nullptr);
  if (value.size == 0) return false;
  has_high = true;  // perhaps
  at += value.size;
  cell = {rest.data(), value.size};
  if (value.written == value.size || !meaning.is_fed) return true;
  char* to = arena.room(value.written);
  compact_json(rest.substr(0, value.size), to);
  arena.keep(value.written);
  cell = {to, value.written};
  return true;
}

class ScalarBytes {
 public:
  bool has_all(const char* at, const char* wanted, std::uint32_t mask) const {
    return std::memcmp(at, wanted, static_cast<std::size_t>(std::countr_one(mask))) == 0;
  }
  StringMarks string_marks(const char* at) {
    StringMarks marks{0, 0};
    for (unsigned i = 0; i < 32; ++i) {
      const auto c = static_cast<unsigned char>(at[i]);
      high_ |= c;
      marks.quotes |= std::uint32_t{c == '"'} << i;
      marks.others |= std::uint32_t{c == '\\' || c < 0x20} << i;
    }
    return marks;
  }
  std::uint32_t digits(const char* at) const {
    std::uint32_t marks = 0;
    for (unsigned i = 0; i < 32; ++i) marks |= std::uint32_t{is_digit(at[i])} << i;
    return marks;
  }
  bool has_high() const { return high_ >= 0x80; }

 private:
  unsigned char high_ = 0;
};

#define PENSTOCK_FAST_TARGET
#define PENSTOCK_FAST_NAME take_scalar
#define PENSTOCK_FAST_BYTES ScalarBytes
#include "txn/decode/json_fast_row_body.inc"
#undef PENSTOCK_FAST_TARGET
#undef PENSTOCK_FAST_NAME
#undef PENSTOCK_FAST_BYTES

#if defined(__x86_64__)

class Sse2Bytes {
 public:
  bool has_all(const char* at, const char* wanted, std::uint32_t mask) const {
    const std::uint32_t same =
        both(_mm_cmpeq_epi8(load(at), load(wanted)), _mm_cmpeq_epi8(load(at + 16), load(wanted + 16)));
    return (mask & ~same) == 0;
  }
  StringMarks string_marks(const char* at) {
    const __m128i low = load(at);
    const __m128i high = load(at + 16);
    seen_ = _mm_or_si128(seen_, _mm_or_si128(low, high));
    const __m128i quote = _mm_set1_epi8('"');
    return {both(_mm_cmpeq_epi8(low, quote), _mm_cmpeq_epi8(high, quote)), both(others(low), others(high))};
  }
  std::uint32_t digits(const char* at) const { return both(digits_of(load(at)), digits_of(load(at + 16))); }
  bool has_high() const { return _mm_movemask_epi8(seen_) != 0; }

 private:
  static __m128i load(const char* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }
  static std::uint32_t both(__m128i low, __m128i high) {
    return static_cast<std::uint32_t>(_mm_movemask_epi8(low)) |
           static_cast<std::uint32_t>(_mm_movemask_epi8(high)) << 16;
  }
  static __m128i others(__m128i bytes) {
    const __m128i last = _mm_set1_epi8(0x1f);
    return _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')),
                        _mm_cmpeq_epi8(_mm_max_epu8(bytes, last), last));
  }
  static __m128i digits_of(__m128i bytes) {
    const __m128i value = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
    return _mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value);
  }
  __m128i seen_ = _mm_setzero_si128();
};

#define PENSTOCK_FAST_TARGET
#define PENSTOCK_FAST_NAME take_sse2
#define PENSTOCK_FAST_BYTES Sse2Bytes
#include "txn/decode/json_fast_row_body.inc"
#undef PENSTOCK_FAST_TARGET
#undef PENSTOCK_FAST_NAME
#undef PENSTOCK_FAST_BYTES

class Avx2Bytes {
 public:
  PENSTOCK_AVX2 Avx2Bytes() : seen_(_mm256_setzero_si256()) {}
  PENSTOCK_AVX2 bool has_all(const char* at, const char* wanted, std::uint32_t mask) const {
    return (mask & ~bits(_mm256_cmpeq_epi8(load(at), load(wanted)))) == 0;
  }
  PENSTOCK_AVX2 StringMarks string_marks(const char* at) {
    const __m256i bytes = load(at);
    const __m256i last = _mm256_set1_epi8(0x1f);
    seen_ = _mm256_or_si256(seen_, bytes);
    return {bits(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"'))),
            bits(_mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\\')),
                                 _mm256_cmpeq_epi8(_mm256_max_epu8(bytes, last), last)))};
  }
  PENSTOCK_AVX2 std::uint32_t digits(const char* at) const {
    const __m256i value = _mm256_sub_epi8(load(at), _mm256_set1_epi8('0'));
    return bits(_mm256_cmpeq_epi8(_mm256_min_epu8(value, _mm256_set1_epi8(9)), value));
  }
  PENSTOCK_AVX2 bool has_high() const { return bits(seen_) != 0; }

 private:
  PENSTOCK_AVX2 static __m256i load(const char* at) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  }
  PENSTOCK_AVX2 static std::uint32_t bits(__m256i bytes) {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(bytes));
  }
  __m256i seen_;
};

#define PENSTOCK_FAST_TARGET PENSTOCK_AVX2
#define PENSTOCK_FAST_NAME take_avx2
#define PENSTOCK_FAST_BYTES Avx2Bytes
#include "txn/decode/json_fast_row_body.inc"
#undef PENSTOCK_FAST_TARGET
#undef PENSTOCK_FAST_NAME
#undef PENSTOCK_FAST_BYTES

#endif

}  // namespace

bool take_fast_row(SimdLevel level, const FastRowTask& task, JsonKeyBook& book, FastRowTaken& taken) {
  if (book.is_empty()) return false;
#if defined(__x86_64__)
  if (level >= SimdLevel::Avx2) return take_avx2(task, book, taken);
  if (level == SimdLevel::Sse2) return take_sse2(task, book, taken);
#endif
  return take_scalar(task, book, taken);
}

}  // namespace penstock::txn
