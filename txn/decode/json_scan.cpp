#include "txn/decode/json_scan.hpp"

#include <bit>
#include <cstring>

#include "txn/decode/json_text.hpp"

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace penstock::txn {
namespace {

struct Masks {
  std::uint64_t quotes = 0;
  std::uint64_t backslashes = 0;
  std::uint64_t opens = 0;
  std::uint64_t closes = 0;
};

// [ and { differ in one bit, as do ] and }.
Masks match(const char* at) {
  Masks masks;
#if defined(__x86_64__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i bit = _mm_set1_epi8(0x20);
  const __m128i open = _mm_set1_epi8('{');
  const __m128i close = _mm_set1_epi8('}');
  const auto mask = [](__m128i bytes) {
    return std::uint64_t{static_cast<std::uint32_t>(_mm_movemask_epi8(bytes))};
  };
  for (unsigned i = 0; i < 4; ++i) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 16 * i));
    const __m128i folded = _mm_or_si128(bytes, bit);
    masks.quotes |= mask(_mm_cmpeq_epi8(bytes, quote)) << 16 * i;
    masks.backslashes |= mask(_mm_cmpeq_epi8(bytes, backslash)) << 16 * i;
    masks.opens |= mask(_mm_cmpeq_epi8(folded, open)) << 16 * i;
    masks.closes |= mask(_mm_cmpeq_epi8(folded, close)) << 16 * i;
  }
#else
  for (unsigned i = 0; i < 64; ++i) {
    masks.quotes |= std::uint64_t{at[i] == '"'} << i;
    masks.backslashes |= std::uint64_t{at[i] == '\\'} << i;
    masks.opens |= std::uint64_t{(at[i] | 0x20) == '{'} << i;
    masks.closes |= std::uint64_t{(at[i] | 0x20) == '}'} << i;
  }
#endif
  return masks;
}

// The characters that a backslash before them robs of their meaning. `carried`: the first is one; afterwards: the next
// block's first is.
std::uint64_t escaped_characters(std::uint64_t backslashes, bool& carried) {
  std::uint64_t escaped = carried ? 1 : 0;
  std::uint64_t rest = backslashes & ~escaped;
  carried = false;
  while (rest != 0) {
    const auto i = static_cast<unsigned>(std::countr_zero(rest));
    if (i == 63) {
      carried = true;
      break;
    }
    escaped |= std::uint64_t{2} << i;
    rest &= ~(std::uint64_t{3} << i);
  }
  return escaped;
}

// Each bit: whether an odd number of bits are set up to and with it.
std::uint64_t prefix_xor(std::uint64_t bits) {
  for (unsigned shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
  return bits;
}

}  // namespace

std::size_t JsonBrackets::scan_block(const char* at) {
  const Masks masks = match(at);
  std::uint64_t quotes = masks.quotes;
  if ((masks.backslashes | std::uint64_t{escaped_}) != 0)
    quotes &= ~escaped_characters(masks.backslashes, escaped_);
  const std::uint64_t inside = prefix_xor(quotes) ^ (in_string_ ? ~std::uint64_t{0} : 0);
  in_string_ = (inside >> 63) != 0;
  const std::uint64_t opens = masks.opens & ~inside;
  const std::uint64_t closes = masks.closes & ~inside;
  const auto close_count = static_cast<std::uint64_t>(std::popcount(closes));
  if (close_count < depth_) {  // it cannot end here
    depth_ += static_cast<std::uint64_t>(std::popcount(opens)) - close_count;
    return std::string_view::npos;
  }
  for (std::uint64_t rest = opens | closes; rest != 0; rest &= rest - 1) {
    const auto i = static_cast<unsigned>(std::countr_zero(rest));
    if ((opens >> i & 1) != 0) {
      ++depth_;
    } else if (--depth_ == 0) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

std::size_t JsonBrackets::find_end(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); at += 64) {
    std::size_t found;
    if (text.size() - at >= 64) {
      found = scan_block(text.data() + at);
    } else {
      char last[64];
      std::memset(last, ' ', sizeof last);
      std::memcpy(last, text.data() + at, text.size() - at);
      // A backslash at the very end robs a character that is still to come, not the blank behind it here.
      const bool was_escaped = escaped_;
      found = scan_block(last);
      bool carried = was_escaped;
      for (std::size_t i = at; i < text.size(); ++i) carried = !carried && text[i] == '\\';
      escaped_ = carried;
    }
    if (found == std::string_view::npos) continue;
    *this = JsonBrackets();
    return at + found;
  }
  return std::string_view::npos;
}

JsonElements::Step JsonElements::next(std::string_view text) {
  using Kind = Step::Kind;
  std::size_t at = 0;
  while (at < text.size()) {
    if (place_ == Place::Container) {
      const std::size_t end = brackets_.find_end(text.substr(at));
      if (end == std::string_view::npos) return {Kind::More, at, text.size()};
      place_ = Place::Comma;
      return {Kind::Element, at, at + end};
    }
    if (place_ == Place::Scalar || place_ == Place::ScalarString) return scalar_step(text, at);
    const char c = text[at];
    if (is_json_blank(c)) {
      ++at;
      continue;
    }
    switch (place_) {
      case Place::Bracket:
        if (c != '[') return {Kind::Malformed, at, at};
        place_ = Place::FirstElement;
        ++at;
        continue;
      case Place::Comma:
        if (c != ',' && c != ']') return {Kind::Malformed, at, at};
        ++at;
        if (c == ',') {
          place_ = Place::Element;
          continue;
        }
        place_ = Place::Done;
        return {Kind::Done, at, at};
      case Place::FirstElement:
        if (c == ']') {
          place_ = Place::Done;
          return {Kind::Done, at + 1, at + 1};
        }
        [[fallthrough]];
      case Place::Element:
        if (c == ',' || c == ']' || c == '}' || c == ':') return {Kind::Malformed, at, at};
        has_elements_ = true;
        place_ = c == '{' || c == '[' ? Place::Container : Place::Scalar;
        escaped_ = false;
        continue;
      default:
        return {Kind::Malformed, at, at};
    }
  }
  return {Kind::More, text.size(), text.size()};
}

// An element that is no object or array: up to a comma, a closing bracket or a blank that is in no string.
JsonElements::Step JsonElements::scalar_step(std::string_view text, std::size_t begin) {
  for (std::size_t at = begin; at < text.size(); ++at) {
    const char c = text[at];
    if (place_ == Place::ScalarString) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        place_ = Place::Scalar;
      }
      continue;
    }
    if (c == '"') {
      place_ = Place::ScalarString;
    } else if (c == ',' || c == ']' || is_json_blank(c)) {
      place_ = Place::Comma;
      return {Step::Kind::Element, begin, at};
    }
  }
  return {Step::Kind::More, begin, text.size()};
}

}  // namespace penstock::txn
