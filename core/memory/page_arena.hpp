// PageArena: a shard's fixed set of page-aligned write buffers, in one mapping that the kernel may register.
//
// Journey:  Shard makes it -> Kernel registers it -> journal and commit log fill buffers and write them with O_DIRECT.
// Shard:    one per shard.
// Promise:  acquire() hands out each buffer to one holder at a time; all memory is allocated in the constructor.
// Failure:  acquire() returns an empty span when all are out: the caller waits for a release.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace penstock::core {

class PageArena {
 public:
  PageArena(std::size_t count, std::size_t bytes_each);
  ~PageArena();
  PageArena(const PageArena&) = delete;
  PageArena& operator=(const PageArena&) = delete;

  std::span<std::byte> memory() const { return {base_, count_ * bytes_each_}; }
  std::size_t bytes_each() const { return bytes_each_; }
  std::size_t free_count() const { return free_.size(); }

  std::span<std::byte> acquire();
  void release(std::span<std::byte> buffer);

 private:
  std::byte* base_ = nullptr;
  std::size_t count_;
  std::size_t bytes_each_;
  std::vector<std::byte*> free_;
};

}  // namespace penstock::core
