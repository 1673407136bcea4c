#include "core/memory/page_arena.hpp"

#include <cstdlib>

#include "core/base/check.hpp"
#include "core/base/units.hpp"

namespace penstock::core {

PageArena::PageArena(std::size_t count, std::size_t bytes_each) : count_(count), bytes_each_(bytes_each) {
  CHECK_EQ(bytes_each % kPage, 0u);
  base_ = static_cast<std::byte*>(std::aligned_alloc(kPage, count * bytes_each));
  CHECK(base_ != nullptr);
  for (std::size_t i = count; i-- > 0;) free_.push_back(base_ + i * bytes_each);
}

PageArena::~PageArena() { std::free(base_); }

std::span<std::byte> PageArena::acquire() {
  if (free_.empty()) return {};
  std::byte* const at = free_.back();
  free_.pop_back();
  return {at, bytes_each_};
}

void PageArena::release(std::span<std::byte> buffer) {
  CHECK(buffer.data() >= base_ && buffer.data() < base_ + count_ * bytes_each_);
  CHECK_LT(free_.size(), count_);
  free_.push_back(buffer.data());
}

}  // namespace penstock::core
