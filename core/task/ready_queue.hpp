// ReadyQueue: every coroutine of a shard that can go on waits here, and nowhere else is one resumed.
//
// Parents are resumed from this queue, never from inside their child (no symmetric transfer): the stack stays flat in
// every build, and it is the one place where the simulator chooses the order.
//
// Journey:  a completed Op, Event or child -> [ReadyQueue] -> the coroutine goes on.
// Shard:    one per shard; push() only from the shard's own thread.
// Promise:  first come first served, unless a chooser is set. Who yields goes on in the next run, and so behind what the
//           Kernel has completed by then.
// Failure:  none.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>

#include "core/task/handle_queue.hpp"
#include "core/task/root_frames.hpp"

namespace penstock::core {

class ReadyQueue {
 public:
  // Returns an index below `count`: which of the waiting coroutines goes next.
  using Chooser = std::size_t (*)(void* context, std::size_t count);

  void push(std::coroutine_handle<> handle) {
    if (!closed_) queue_.push(handle);
  }
  // For the next run, not for the one under way.
  void push_later(std::coroutine_handle<> handle) {
    if (!closed_) later_.push(handle);
  }
  bool is_empty() const { return queue_.is_empty() && later_.is_empty(); }
  std::size_t size() const { return queue_.size() + later_.size(); }
  void set_chooser(Chooser chooser, void* context) {
    chooser_ = chooser;
    chooser_context_ = context;
  }

  // Resumes at most `max` coroutines; returns how many.
  std::size_t run(std::size_t max);
  // Forgets what waits without resuming it (a simulated crash).
  void clear() {
    queue_.clear();
    later_.clear();
  }
  // From now on whatever is pushed is forgotten: the shard is being taken down, nobody is resumed any more.
  void close() {
    closed_ = true;
    clear();
  }
  bool is_closed() const { return closed_; }
  RootFrames& roots() { return roots_; }

 private:
  HandleQueue queue_;
  HandleQueue later_;
  Chooser chooser_ = nullptr;
  void* chooser_context_ = nullptr;
  bool closed_ = false;
  RootFrames roots_;
};

// The queue of the shard that runs on this thread now. Set by Shard::turn.
ReadyQueue& current_ready_queue();
ReadyQueue* exchange_current_ready_queue(ReadyQueue* queue);
// Frames are being destroyed where they stand: a destructor must not insist on what an orderly end would have done.
bool is_tearing_down();
// Numbers the roots of all shards that run on this thread in the order of their start.
std::uint64_t next_root_birth();

}  // namespace penstock::core
