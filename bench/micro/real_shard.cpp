#include "bench/micro/real_shard.hpp"

#include "core/base/check.hpp"
#include "core/base/log.hpp"

namespace penstock::bench {

RealShard::RealShard() {
  core::set_log_level(core::LogLevel::Error);
  core::UringOptions options;
  options.write_arena = arena_.memory();
  options.buffer_returned = {[](void* context, core::BufferRing ring) {
                               static_cast<core::Shard*>(context)->recv_turns().buffer_returned(ring);
                             },
                             &shard()};
  auto kernel = core::UringKernel::make(options);
  if (!kernel) core::check_failed(__FILE__, __LINE__, "no io_uring", kernel.error());
  kernel_ = std::move(*kernel);
  shard().attach(*kernel_);
}

void RealShard::run(core::Task<void> task) {
  shard().start(std::move(task));
  while (shard().scope().live() > 0) (void)shard().turn(core::Instant::never());
}

}  // namespace penstock::bench
