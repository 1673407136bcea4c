// HandleQueue: coroutines in a row, first in first out. A ring that grows and never shrinks, so that in
// steady state nothing is allocated; an empty one has no memory at all.
//
// Journey:  ReadyQueue and WaitList keep their coroutines here.
// Shard:    one shard's.
// Promise:  push and pop are O(1).
// Failure:  none.
#pragma once

#include <coroutine>
#include <cstddef>
#include <utility>
#include <vector>

namespace penstock::core {

class HandleQueue {
 public:
  bool is_empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  void push(std::coroutine_handle<> handle) {
    if (size_ == ring_.size()) grow();
    at(size_) = handle;
    ++size_;
  }
  std::coroutine_handle<> pop() {
    const std::coroutine_handle<> handle = at(0);
    head_ = (head_ + 1) & (ring_.size() - 1);
    --size_;
    return handle;
  }
  void bring_to_front(std::size_t index) { std::swap(at(0), at(index)); }
  void clear() { size_ = 0; }

 private:
  std::coroutine_handle<>& at(std::size_t index) { return ring_[(head_ + index) & (ring_.size() - 1)]; }
  void grow() {
    std::vector<std::coroutine_handle<>> larger(ring_.empty() ? 8 : ring_.size() * 2);  // a power of two
    for (std::size_t i = 0; i < size_; ++i) larger[i] = at(i);
    ring_ = std::move(larger);
    head_ = 0;
  }

  std::vector<std::coroutine_handle<>> ring_;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace penstock::core
