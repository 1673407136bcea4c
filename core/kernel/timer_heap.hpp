// TimerHeap: the Timers of one shard, earliest first. An indexed binary heap: no system call and no
// allocation (in steady state) for a timer, and cancelling one is O(log n).
//
// Journey:  UringKernel::submit and cancel -> [TimerHeap] -> UringKernel::poll completes what is due.
// Shard:    one per Kernel.
// Promise:  equal deadlines come out in order of submission.
// Failure:  none.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/check.hpp"
#include "core/kernel/op.hpp"

namespace penstock::core {

class TimerHeap {
 public:
  static constexpr std::size_t kOut = SIZE_MAX;  // heap_index of an Op that is not in the heap

  bool is_empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  Instant first() const { return heap_.empty() ? Instant::never() : heap_[0]->deadline; }

  void push(Op& op) {
    op.kernel_state = next_turn_++;
    heap_.push_back(&op);
    op.heap_index = heap_.size() - 1;
    sift_up(op.heap_index);
  }
  Op* pop_due(Instant now) {
    if (heap_.empty() || heap_[0]->deadline > now) return nullptr;
    Op* const op = heap_[0];
    remove(*op);
    return op;
  }
  void remove(Op& op) {
    const std::size_t at = op.heap_index;
    CHECK(at < heap_.size() && heap_[at] == &op);
    op.heap_index = kOut;
    Op* const last = heap_.back();
    heap_.pop_back();
    if (last == &op) return;
    place(at, last);
    sift_up(at);
    sift_down(last->heap_index);
  }

 private:
  static bool earlier(const Op& a, const Op& b) {
    if (a.deadline != b.deadline) return a.deadline < b.deadline;
    return static_cast<std::int32_t>(a.kernel_state - b.kernel_state) < 0;  // the turns may wrap
  }
  void place(std::size_t at, Op* op) {
    heap_[at] = op;
    op->heap_index = at;
  }
  void sift_up(std::size_t at) {
    Op* const op = heap_[at];
    while (at > 0) {
      const std::size_t parent = (at - 1) / 2;
      if (!earlier(*op, *heap_[parent])) break;
      place(at, heap_[parent]);
      at = parent;
    }
    place(at, op);
  }
  void sift_down(std::size_t at) {
    Op* const op = heap_[at];
    for (;;) {
      std::size_t child = 2 * at + 1;
      if (child >= heap_.size()) break;
      if (child + 1 < heap_.size() && earlier(*heap_[child + 1], *heap_[child])) ++child;
      if (!earlier(*heap_[child], *op)) break;
      place(at, heap_[child]);
      at = child;
    }
    place(at, op);
  }

  std::vector<Op*> heap_;
  std::uint32_t next_turn_ = 0;
};

}  // namespace penstock::core
