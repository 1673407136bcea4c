// Shards on real threads, each with a small UringKernel, for the tests of this folder.
//
// Journey:  tests/core/shard -> [run_shards] -> ShardSet::run_threads.   Shard: all.
// Promise:  returns when no shard has a task left.   Failure:  a failed expectation.
#pragma once

#include <gtest/gtest.h>

#include "core/kernel/uring_kernel.hpp"
#include "core/shard/shard.hpp"

namespace penstock::core {

inline std::string with_small_kernel(Shard& shard, const std::function<void(Kernel&)>& run_with,
                                     Duration busy_poll = {}) {
  UringOptions options{.entries = 64, .body_buffers = 2, .body_buffer_bytes = 4096, .head_buffers = 2};
  options.busy_poll = busy_poll;
  options.buffer_returned = {
      [](void* turns, BufferRing ring) { static_cast<RecvTurns*>(turns)->buffer_returned(ring); },
      &shard.recv_turns()};
  const auto kernel = UringKernel::make(options);
  if (!kernel) return kernel.error();
  run_with(**kernel);
  return {};
}

inline void run_shards(std::uint32_t count, std::function<Task<void>(Shard&)> main, Duration busy_poll = {}) {
  ShardSet shards(count);
  const auto with_kernel = [busy_poll](Shard& shard, const std::function<void(Kernel&)>& run_with) {
    return with_small_kernel(shard, run_with, busy_poll);
  };
  const std::string error = shards.run_threads({.with_kernel = with_kernel, .main = std::move(main)});
  EXPECT_EQ(error, "");
}

}  // namespace penstock::core
