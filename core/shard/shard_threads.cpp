// ShardSet::run_threads: the one place that makes threads.
#include <pthread.h>
#include <sched.h>

#include <barrier>
#include <mutex>
#include <thread>

#include "core/base/log.hpp"
#include "core/shard/shard.hpp"

namespace penstock::core {
namespace {

void pin_to_core(std::uint32_t index) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &allowed)) cores.push_back(core);
  }
  if (cores.empty()) return;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cores[index % cores.size()], &one);
  if (pthread_setaffinity_np(pthread_self(), sizeof one, &one) != 0) {
    log_warn("shard_not_pinned", "shard", index, "why", "sched_setaffinity refused");
  }
}

}  // namespace

// The end. A shard is busy while it has tasks or mail. A call between shards keeps its caller's shard busy
// until the answer is there, and the called shard counts itself busy before it looks at its mail: so when the
// count reaches zero, nobody works and nobody waits, and nothing can begin again.
bool ShardSet::join_busy() {
  std::uint32_t count = busy_.load();
  while (count != 0 && !busy_.compare_exchange_weak(count, count + 1)) {
  }
  return count != 0;
}

void ShardSet::leave_busy(Shard& shard) {
  if (busy_.fetch_sub(1) != 1) return;
  for (std::uint32_t other = 0; other < count(); ++other) {  // the last one tells the sleepers
    if (ShardId(other) != shard.id()) post(shard.id(), ShardId(other), Message{[](void*) {}, nullptr});
  }
}

void ShardSet::run_until_idle(Shard& shard) {
  for (bool is_busy = true; busy_.load() != 0;) {
    if (!is_busy) {
      shard.rest();
      if (!shard.has_mail()) continue;
      if (!join_busy()) break;
      is_busy = true;
    }
    shard.turn(shard.scope().live() > 0 ? Instant::never() : Instant{});
    if (shard.scope().live() == 0 && shard.ready().is_empty() && !shard.has_mail() && !shard.has_overflow()) {
      is_busy = false;
      leave_busy(shard);
    }
  }
  shard.settle();
}

std::string ShardSet::run_threads(const ThreadOptions& options) {
  std::mutex error_mutex;
  std::string first_error;
  std::barrier start(static_cast<std::ptrdiff_t>(count()));
  std::barrier end(static_cast<std::ptrdiff_t>(count()));
  std::atomic<bool> failed{false};
  busy_.store(count());

  const auto run_shard = [&](std::uint32_t index) {
    if (options.pin) pin_to_core(index);
    Shard& shard = at(index);
    bool arrived = false;
    const std::string error = options.with_kernel(shard, [&](Kernel& kernel) {
      shard.attach(kernel);
      arrived = true;
      start.arrive_and_wait();  // nobody runs before every Kernel is there: a wake needs its target
      if (failed.load()) return;
      shard.start(options.main(shard));
      run_until_idle(shard);
      end.arrive_and_wait();  // another shard may still be waking this one's Kernel
    });
    if (!error.empty()) {
      const std::lock_guard lock(error_mutex);
      if (first_error.empty()) first_error = error;
    }
    if (!arrived) {
      failed.store(true);
      start.arrive_and_wait();
    }
  };

  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < count(); ++i) threads.emplace_back(run_shard, i);
  for (std::thread& thread : threads) thread.join();
  return first_error;
}

}  // namespace penstock::core
