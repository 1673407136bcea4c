#include "core/base/checksum.hpp"

#include <xxhash.h>

#include <cstring>

namespace penstock::core {

std::uint64_t checksum(const DomainTag& tag, Bytes bytes) {
  std::array<std::byte, 16 + 8 + 8 + 8 + 8> packed{};
  const std::uint64_t kind = tag.kind;
  std::memcpy(packed.data(), tag.store.data(), 16);
  std::memcpy(packed.data() + 16, &tag.epoch, 8);
  std::memcpy(packed.data() + 24, &kind, 8);
  std::memcpy(packed.data() + 32, &tag.file, 8);
  std::memcpy(packed.data() + 40, &tag.offset, 8);
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), XXH3_64bits(packed.data(), packed.size()));
}

std::uint64_t hash64(Bytes bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace penstock::core
