// Kernel: THE SEAM. The only door to the outside world: disk, network, clock, randomness, other shards.
//
// UringKernel is the real one; SimKernel (tests/sim) is a simulated one that can crash us at any point.
// Everything above is the same object code with both.
//
// Journey:  core/io, core/shard -> [Kernel] -> Linux, or the simulated world.
// Shard:    one per shard; called only from the shard's own thread (Wake names another shard's Kernel as its
// target, and
//           that is the one thing another thread's Kernel is touched for).
// Promise:  every submitted Op completes exactly once, from poll(). now() is frozen between two polls.
// Failure:  of an Op: in its result. Kernels that lack what is needed are refused at construction, by name.
#pragma once

#include "core/base/perhaps.hpp"
#include "core/base/units.hpp"
#include "core/kernel/op.hpp"

namespace penstock::core {

class Kernel {
 public:
  virtual void submit(Op& op) noexcept = 0;
  virtual void cancel(Op& op) noexcept = 0;  // asks; the completion still arrives from poll()
  // Delivers completions. Sleeps until `deadline`, a completion, a due Timer or a Wake; a deadline in the
  // past only looks.
  virtual void poll(Instant deadline) = 0;
  // Whether something is expected sooner than a core that sleeps for it would wake: then yield_core() and poll again, rather
  // than sleep. Becomes false in bounded time, whatever happens.
  virtual bool expects_soon() const noexcept { return false; }
  // Whoever else waits for this core has it first.
  virtual void yield_core() noexcept {}
  virtual Clock now() const noexcept = 0;
  virtual std::uint64_t entropy() noexcept = 0;
  // Whether to take a rare path though nothing asks for it. Only a simulated kernel ever says yes.
  virtual bool perhaps(Perhaps) noexcept { return false; }

 protected:
  ~Kernel() = default;
};

}  // namespace penstock::core
