// Eight characters at a time in a machine word: digits and decimal points without a loop.
//
// Words are loaded as they lie (little-endian), so the first character is the lowest byte. Callers must be
// able to read 8 bytes from where a text begins, however short it is.
//
// Journey:  column_decode -> [swar].
// Shard:    any; pure functions.
// Promise:  a text is accepted only if every character of it is what the function says.
// Failure:  false: the caller tries the slow, complete conversion.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace penstock::txn::swar {

static_assert(std::endian::native == std::endian::little);

inline constexpr std::uint64_t kOnes = 0x0101010101010101;
inline constexpr std::uint64_t kHighs = 0x8080808080808080;
inline constexpr std::uint64_t kZeros = kOnes * '0';

inline std::uint64_t load8(const char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}
inline std::uint16_t load2(const char* at) {
  std::uint16_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Whether all bytes are 0..9. Adding 0x76 sets the high bit of any byte above 9.
inline bool are_digits(std::uint64_t bytes) { return (((bytes + kOnes * 0x76) | bytes) & kHighs) == 0; }

// Eight bytes 0..9 (first digit lowest) as a number: pairs, then fours, then all.
inline std::uint32_t join_digits(std::uint64_t bytes) {
  bytes = (bytes * 10 + (bytes >> 8)) & 0x00ff00ff00ff00ff;
  bytes = (bytes * 100 + (bytes >> 16)) & 0x0000ffff0000ffff;
  return static_cast<std::uint32_t>(bytes * 10000 + (bytes >> 32));
}

// 1 to 8 digits.
[[gnu::always_inline]] inline bool parse_short(const char* at, std::size_t count, std::uint64_t& value) {
  const std::uint64_t bytes = (load8(at) ^ kZeros)
                              << (64 - 8 * count);  // leading zeros where there is no text
  value = join_digits(bytes);
  return are_digits(bytes);
}

// 1 to 19 digits: what fits in 64 bits whatever they are.
inline bool parse_digits(const char* at, std::size_t count, std::uint64_t& value) {
  if (count - 1 < 8) return parse_short(at, count, value);
  if (count - 1 >= 19) return false;
  std::uint64_t head;
  std::uint64_t tail;
  if (!parse_short(at + count - 8, 8, tail)) return false;
  if (count <= 16) {
    if (!parse_short(at, count - 8, head)) return false;
    value = head * 100'000'000 + tail;
    return true;
  }
  std::uint64_t middle;
  if (!parse_short(at, count - 16, head) || !parse_short(at + count - 16, 8, middle)) return false;
  value = (head * 100'000'000 + middle) * 100'000'000 + tail;
  return true;
}

inline constexpr std::array<std::uint64_t, 20> kPowersOfTen = [] {
  std::array<std::uint64_t, 20> powers{1};
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

// 1 to 8 characters: digits with at most one point among them. `fraction` is how many digits follow the
// point.
inline bool parse_short_fixed_point(const char* at, std::size_t count, std::uint64_t& digits,
                                    unsigned& fraction) {
  std::uint64_t bytes = load8(at) ^ kZeros;
  const std::uint64_t points = bytes ^ (kOnes * ('.' ^ '0'));
  const std::uint64_t found = (points - kOnes) & ~points & kHighs;  // the lowest mark is exact
  const auto place = found == 0 ? std::size_t{8} : static_cast<std::size_t>(std::countr_zero(found)) / 8;
  fraction = 0;
  if (place < count) {
    fraction = static_cast<unsigned>(count - 1 - place);
    const std::uint64_t before = bytes & ((std::uint64_t{1} << 8 * place) - 1);
    bytes = before | (bytes >> 8 * place >> 8) << 8 * place;
    if (--count == 0) return false;
  }
  bytes <<= 64 - 8 * count;
  digits = join_digits(bytes);
  return are_digits(bytes);
}

}  // namespace penstock::txn::swar
