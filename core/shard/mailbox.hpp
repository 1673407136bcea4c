// Mailbox: messages from one shard to another, without a lock.
//
// One single-producer single-consumer ring for each ordered pair of shards. A full ring is met by an overflow queue on
// the sender's side, flushed at its next turn; order is kept.
//
// Journey:  ShardSet::post -> [Mailbox] -> Shard::turn on the target delivers.
// Shard:    push and flush: the source shard; pop: the target shard.
// Promise:  every message is delivered once, in order; what the source wrote before push is seen at delivery.
// Failure:  none; the overflow is bounded by the number of coroutines that wait for an answer.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <deque>

namespace penstock::core {

struct Message {
  void (*deliver)(void* context) = nullptr;
  void* context = nullptr;
};

class Mailbox {
 public:
  static constexpr std::size_t kCapacity = 1024;  // a power of two

  void push(Message message) {
    if (!overflow_.empty() || !try_push(message)) overflow_.push_back(message);
  }
  bool has_overflow() const { return !overflow_.empty(); }
  // Returns whether anything went into the ring: then its reader may have to be woken.
  bool flush() {
    bool any = false;
    for (; !overflow_.empty() && try_push(overflow_.front()); any = true) overflow_.pop_front();
    return any;
  }

  bool pop(Message& out) {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return false;
    out = ring_[head & (kCapacity - 1)];
    head_.store(head + 1, std::memory_order_release);
    return true;
  }
  bool is_empty() const {  // target side, or after a full fence
    return head_.load(std::memory_order_relaxed) == tail_.load(std::memory_order_acquire);
  }

 private:
  bool try_push(Message message) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) == kCapacity) return false;
    ring_[tail & (kCapacity - 1)] = message;
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  alignas(64) std::atomic<std::size_t> head_{0};
  alignas(64) std::atomic<std::size_t> tail_{0};
  alignas(64) std::array<Message, kCapacity> ring_;
  std::deque<Message> overflow_;
};

}  // namespace penstock::core
