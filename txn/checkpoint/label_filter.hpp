// LabelFilter: which labels a run surely does not hold, in memory; so that a fresh label costs no read.
//
// A blocked Bloom filter: a hash sets 7 bits of one block of 512, so that a question touches one cache line. Blocks go by
// the upper bits of the hash: entries that come in the order of their hashes fill the filter from front to back, and its
// memory is taken in pieces as they do (nobody waits while megabytes are zeroed).
//
// Journey:  LabelRunWriter fills it -> [LabelFilter] -> LabelBook asks; its words are kept in the run's file.
// Shard:    shard 0.
// Promise:  may_contain of what was added is true. Of other hashes about 1 in 1000 pass with 16 bits an entry, 1 in 200 with
//           12.
// Failure:  none.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace penstock::txn {

class LabelFilter {
 public:
  static constexpr std::uint64_t kBlockWords = 8;  // 512 bits

  LabelFilter() = default;
  explicit LabelFilter(std::uint64_t words) : blocks_(words / kBlockWords) {
    chunks_.resize((blocks_ + kChunkBlocks - 1) / kChunkBlocks);
  }
  // The size of one for so many entries; fewer bits an entry for many.
  static std::uint64_t words_for(std::uint64_t entries) {
    const std::uint64_t bits = entries <= (1u << 22) ? 16 : 12;
    return (entries * bits / (kBlockWords * 64) + 1) * kBlockWords;
  }

  void add(std::uint64_t hash) {
    std::uint64_t* const block = block_to_write(block_of(hash));
    for (std::uint64_t bits = mixed(hash), i = 0; i < kBitsEach; ++i, bits >>= 9)
      block[bits >> 6 & 7] |= std::uint64_t{1} << (bits & 63);
  }
  bool may_contain(std::uint64_t hash) const {
    if (blocks_ == 0) return false;
    const std::uint64_t at = block_of(hash);
    const auto& chunk = chunks_[at / kChunkBlocks];
    if (chunk == nullptr) return false;
    const std::uint64_t* const block = chunk.get() + at % kChunkBlocks * kBlockWords;
    for (std::uint64_t bits = mixed(hash), i = 0; i < kBitsEach; ++i, bits >>= 9)
      if ((block[bits >> 6 & 7] >> (bits & 63) & 1) == 0) return false;
    return true;
  }

  std::uint64_t words() const { return blocks_ * kBlockWords; }
  std::uint64_t word(std::uint64_t index) const {
    const auto& chunk = chunks_[index / kChunkWords];
    return chunk == nullptr ? 0 : chunk[index % kChunkWords];
  }
  void set_word(std::uint64_t index, std::uint64_t value) {
    if (value != 0) block_to_write(index / kBlockWords)[index % kBlockWords] = value;
  }

 private:
  static constexpr std::uint64_t kBitsEach = 7;
  static constexpr std::uint64_t kChunkBlocks = 1024;  // 64 KiB
  static constexpr std::uint64_t kChunkWords = kChunkBlocks * kBlockWords;

  std::uint64_t block_of(std::uint64_t hash) const {
    return static_cast<std::uint64_t>(static_cast<unsigned __int128>(hash) * blocks_ >> 64);
  }
  static std::uint64_t mixed(
      std::uint64_t hash) {  // the upper bits chose the block: these must not follow from them
    hash *= 0x9E3779B97F4A7C15;
    hash ^= hash >> 32;
    return hash * 0xD6E8FEB86659FD93;
  }
  std::uint64_t* block_to_write(std::uint64_t block) {
    auto& chunk = chunks_[block / kChunkBlocks];
    if (chunk == nullptr) chunk = std::make_unique<std::uint64_t[]>(kChunkWords);
    return chunk.get() + block % kChunkBlocks * kBlockWords;
  }

  std::uint64_t blocks_ = 0;
  std::vector<std::unique_ptr<std::uint64_t[]>> chunks_;
};

}  // namespace penstock::txn
