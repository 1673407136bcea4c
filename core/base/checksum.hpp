// XXH3 checksums with a domain tag: bytes verify only in the place they were written for.
//
// The tag (store uuid, epoch, file kind, file number, offset) seeds the hash, so old, misplaced or foreign bytes never
// verify, whatever they contain.
//
// Journey:  journal and commit log writers -> [checksum] -> their readers.
// Shard:    any; values.
// Promise:  equal tag and bytes give equal sums, on any machine.
// Failure:  none.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/base/bytes.hpp"

namespace penstock::core {

using StoreUuid = std::array<std::byte, 16>;

struct DomainTag {
  StoreUuid store{};
  std::uint64_t epoch = 0;
  std::uint32_t kind = 0;  // a FileKind
  std::uint64_t file = 0;
  std::uint64_t offset = 0;
};

std::uint64_t checksum(const DomainTag& tag, Bytes bytes);
std::uint64_t hash64(Bytes bytes, std::uint64_t seed = 0);

}  // namespace penstock::core
