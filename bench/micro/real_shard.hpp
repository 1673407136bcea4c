// One shard over UringKernel, set up as the server sets its shards up, on the benchmark's own thread: so that the CPU time
// that is reported is the shard's and nobody else's.
#pragma once

#include <memory>

#include "core/kernel/uring_kernel.hpp"
#include "core/memory/page_arena.hpp"
#include "core/shard/shard.hpp"

namespace penstock::bench {

class RealShard {
 public:
  RealShard();

  core::Shard& shard() { return set_.at(0u); }
  core::ShardSet& set() { return set_; }
  core::Kernel& kernel() { return *kernel_; }
  core::PageArena& arena() { return arena_; }
  std::uint64_t enters() const { return kernel_->stats().enters; }  // io_uring_enter calls so far
  std::uint64_t sqes() const { return kernel_->stats().sqes; }

  // Until the task, and whatever it spawned, has ended.
  void run(core::Task<void> task);

 private:
  core::PageArena arena_{4, core::kMiB};
  core::ShardSet set_{1};
  std::unique_ptr<core::UringKernel> kernel_;
};

}  // namespace penstock::bench
