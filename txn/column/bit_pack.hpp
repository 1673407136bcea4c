// Bit packing: `width` low bits of each value, one after the other, least significant first, in little-endian
// words.
//
// Widths 8, 16, 32 and 64 are therefore plain little-endian arrays, and are copied as such.
//
// Journey:  encode_block, decode_block -> [pack, unpack].
// Shard:    any; pure functions.
// Promise:  packed_bytes(count, width) bytes are written and read, never more.
// Failure:  none; callers check widths and sizes that come from outside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace penstock::txn {

// A whole number of 8-byte words; width is at most 64, so no overflow for any block's row count.
constexpr std::size_t packed_bytes(std::size_t count, unsigned width) {
  return (count * width + 63) / 64 * 8;
}

namespace bit_pack_detail {
template <class Narrow, class Get>
void pack_whole(std::byte* out, std::size_t count, Get get) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = static_cast<Narrow>(get(i));
    std::memcpy(out + i * sizeof value, &value, sizeof value);
  }
  const std::size_t used = count * sizeof(Narrow);
  if (count != 0) std::memset(out + used, 0, packed_bytes(count, 8 * sizeof(Narrow)) - used);
}
template <class Narrow, class Put>
void unpack_whole(const std::byte* in, std::size_t count, Put put) {
  for (std::size_t i = 0; i < count; ++i) {
    Narrow value;
    std::memcpy(&value, in + i * sizeof value, sizeof value);
    put(i, std::uint64_t{value});
  }
}
}  // namespace bit_pack_detail

// get(i) gives the value of row i, which must fit in `width` bits.
template <class Get>
void pack(std::byte* out, std::size_t count, unsigned width, Get get) {
  using namespace bit_pack_detail;
  if (width == 0) return;
  if (width == 8) return pack_whole<std::uint8_t>(out, count, get);
  if (width == 16) return pack_whole<std::uint16_t>(out, count, get);
  if (width == 32) return pack_whole<std::uint32_t>(out, count, get);
  if (width == 64) return pack_whole<std::uint64_t>(out, count, get);
  std::uint64_t word = 0;
  unsigned used = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t value = get(i);
    word |= value << used;
    used += width;
    if (used >= 64) {
      std::memcpy(out, &word, sizeof word);
      out += sizeof word;
      used -= 64;
      word = used == 0 ? 0 : value >> (width - used);
    }
  }
  if (used != 0) std::memcpy(out, &word, sizeof word);
}

// put(i, value) takes the value of row i.
template <class Put>
void unpack(const std::byte* in, std::size_t count, unsigned width, Put put) {
  using namespace bit_pack_detail;
  if (width == 0) {
    for (std::size_t i = 0; i < count; ++i) put(i, std::uint64_t{0});
    return;
  }
  if (width == 8) return unpack_whole<std::uint8_t>(in, count, put);
  if (width == 16) return unpack_whole<std::uint16_t>(in, count, put);
  if (width == 32) return unpack_whole<std::uint32_t>(in, count, put);
  if (width == 64) return unpack_whole<std::uint64_t>(in, count, put);
  if (count == 0) return;
  const std::uint64_t mask = (std::uint64_t{1} << width) - 1;
  std::uint64_t word;
  std::memcpy(&word, in, sizeof word);
  unsigned used = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t value = word >> used;
    used += width;
    if (used >= 64) {
      used -= 64;
      in += sizeof word;
      if (used != 0 || i + 1 < count) {  // behind the last value there may be no further word
        std::memcpy(&word, in, sizeof word);
        if (used != 0) value |= word << (width - used);
      }
    }
    put(i, value & mask);
  }
}

}  // namespace penstock::txn
