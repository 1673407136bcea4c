// AlignedBytes: zeroed whole pages for one direct write.
//
// Journey:  CommitLog and the first writes of a run -> [AlignedBytes] -> File.
// Shard:    the one that made it.
// Promise:  begins on a page; size() of span() is the asked-for size rounded up to whole pages.
// Failure:  CHECKs that there is memory.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <span>

#include "core/base/check.hpp"
#include "core/base/units.hpp"

namespace penstock::core {

class AlignedBytes {
 public:
  explicit AlignedBytes(std::size_t size)
      : size_(round_up(size, kPage)), data_(static_cast<std::byte*>(std::aligned_alloc(kPage, size_))) {
    CHECK(data_ != nullptr);
    std::fill_n(data_, size_, std::byte{0});
  }
  AlignedBytes(const AlignedBytes&) = delete;
  AlignedBytes& operator=(const AlignedBytes&) = delete;
  ~AlignedBytes() { std::free(data_); }
  std::span<std::byte> span() const { return {data_, size_}; }

 private:
  std::size_t size_;
  std::byte* data_;
};

}  // namespace penstock::core
