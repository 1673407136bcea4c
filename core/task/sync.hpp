// WaitList, Event, Countdown, Semaphore: how the coroutines of ONE shard wait for each other. No locks, no other shard.
//
// Journey:  journal buffers, group sync, coordinator, connections.
// Shard:    one shard each.
// Promise:  waiters are resumed from the ready queue, first come first served.
// Failure:  none.
#pragma once

#include <coroutine>
#include <cstddef>
#include <utility>

#include "core/base/check.hpp"
#include "core/task/ready_queue.hpp"

namespace penstock::core {

// Waiters wait until notify_all(); no memory of past notifications: check your condition in a loop.
class WaitList {
 public:
  struct Wait {
    WaitList& list;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> handle) { list.waiters_.push(handle); }
    void await_resume() const {}
  };
  Wait wait() { return Wait{*this}; }
  void notify_one() {
    if (!waiters_.is_empty()) current_ready_queue().push(waiters_.pop());
  }
  void notify_all() {
    while (!waiters_.is_empty()) notify_one();
  }
  std::size_t waiting() const { return waiters_.size(); }

 private:
  HandleQueue waiters_;
};

// Set once (or reset); everyone who waits goes on.
class Event {
 public:
  struct Wait {
    Event& event;
    bool await_ready() const { return event.set_; }
    void await_suspend(std::coroutine_handle<> handle) { event.waiters_.wait().await_suspend(handle); }
    void await_resume() const {}
  };
  Wait wait() { return Wait{*this}; }
  void set() {
    set_ = true;
    waiters_.notify_all();
  }
  void reset() { set_ = false; }
  bool is_set() const { return set_; }

 private:
  bool set_ = false;
  WaitList waiters_;
};

// Waits for several tasks that run at the same time.
class Countdown {
 public:
  explicit Countdown(std::size_t count) : left_(count) {
    if (left_ == 0) done_.set();
  }
  void one_done() {
    if (--left_ == 0) done_.set();
  }
  Event::Wait wait() { return done_.wait(); }

 private:
  std::size_t left_;
  Event done_;
};

// Counted permits, handed over in order of arrival.
class Semaphore {
 public:
  explicit Semaphore(std::size_t permits) : permits_(permits) {}
  struct Acquire {
    Semaphore& semaphore;
    bool await_ready() {
      if (semaphore.permits_ == 0 || semaphore.waiters_.waiting() > 0) return false;
      --semaphore.permits_;
      return true;
    }
    void await_suspend(std::coroutine_handle<> handle) { semaphore.waiters_.wait().await_suspend(handle); }
    void await_resume() const {}
  };
  Acquire acquire() { return Acquire{*this}; }
  void release() {
    if (waiters_.waiting() > 0) {
      waiters_.notify_one();  // the permit goes straight to the waiter
    } else {
      ++permits_;
    }
  }
  std::size_t free() const { return permits_; }
  std::size_t waiting() const { return waiters_.waiting(); }

 private:
  std::size_t permits_;
  WaitList waiters_;
};

}  // namespace penstock::core
