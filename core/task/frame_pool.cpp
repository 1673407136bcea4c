#include "core/task/frame_pool.hpp"

#include <array>
#include <cstdlib>

#include "core/base/check.hpp"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define PENSTOCK_POISONS_FRAMES 1
#endif
#endif

namespace penstock::core {
namespace {

constexpr std::size_t kGrain = 64;
constexpr std::size_t kClasses = 33;  // up to 2 KiB; larger frames go to malloc

// Under AddressSanitizer a frame on a free list is poisoned: touching a finished coroutine is reported as
// with malloc.
#ifdef PENSTOCK_POISONS_FRAMES
void poison(void* at, std::size_t bytes) { __asan_poison_memory_region(at, bytes); }
void unpoison(void* at, std::size_t bytes) { __asan_unpoison_memory_region(at, bytes); }
#else
void poison(void*, std::size_t) {}
void unpoison(void*, std::size_t) {}
#endif

struct FreeFrame {
  FreeFrame* next;
};

struct Pool {
  std::array<FreeFrame*, kClasses> free{};
  FramePoolStats stats;
  void* take(std::size_t size_class) {
    FreeFrame* const frame = free[size_class];
    if (frame == nullptr) return nullptr;
    unpoison(frame, size_class * kGrain);
    free[size_class] = frame->next;
    return frame;
  }
  ~Pool() {
    for (std::size_t size_class = 0; size_class < kClasses; ++size_class) {
      while (void* const frame = take(size_class)) std::free(frame);
    }
  }
};

Pool& pool() {
  static thread_local Pool instance;
  return instance;
}

}  // namespace

void* allocate_frame(std::size_t bytes) {
  Pool& p = pool();
  const std::size_t size_class = (bytes + kGrain - 1) / kGrain;
  ++p.stats.live;
  p.stats.live_bytes += size_class * kGrain;
  if (size_class < kClasses) {
    if (void* const frame = p.take(size_class)) return frame;
  }
  ++p.stats.from_malloc;
  void* const frame = std::malloc(size_class * kGrain);
  CHECK(frame != nullptr);
  return frame;
}

void free_frame(void* frame, std::size_t bytes) noexcept {
  Pool& p = pool();
  const std::size_t size_class = (bytes + kGrain - 1) / kGrain;
  --p.stats.live;
  p.stats.live_bytes -= size_class * kGrain;
  if (size_class >= kClasses) {
    std::free(frame);
    return;
  }
  auto* const free = static_cast<FreeFrame*>(frame);
  free->next = p.free[size_class];
  p.free[size_class] = free;
  poison(frame, size_class * kGrain);
}

FramePoolStats frame_pool_stats() { return pool().stats; }

}  // namespace penstock::core
