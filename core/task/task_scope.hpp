// TaskScope: tasks nobody awaits, and a way to know when they have all ended.
//
// Journey:  a listener spawns connections, a store spawns its loops; close by waiting for join().
// Shard:    one shard.
// Promise:  spawn() starts the task at once; join() returns when none is left.
// Failure:  destroying a scope with live tasks is a bug (CHECK). When a simulated process dies its tasks are
// destroyed
//           first (RootFrames), each of which leaves its scope in order.
#pragma once

#include <coroutine>
#include <cstddef>

#include "core/task/task.hpp"

namespace penstock::core {

class TaskScope {
 public:
  TaskScope() = default;
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;
  ~TaskScope() { CHECK_EQ(live_, 0u); }

  // Inside a turn.
  void spawn(Task<void> task) {
    ++live_;
    run(this, std::move(task));
  }
  std::size_t live() const { return live_; }

  struct Join {
    TaskScope& scope;
    bool await_ready() const { return scope.live_ == 0; }
    void await_suspend(std::coroutine_handle<> handle) {
      CHECK(!scope.joiner_);
      scope.joiner_ = handle;
    }
    void await_resume() const {}
  };
  Join join() { return Join{*this}; }

 private:
  struct Detached {
    struct promise_type {
      promise_type(TaskScope* its_scope, const Task<void>&) : scope(its_scope) {
        current_ready_queue().roots().add(link, std::coroutine_handle<promise_type>::from_promise(*this),
                                          next_root_birth());
      }
      ~promise_type() { scope->ended(); }

      static void* operator new(std::size_t bytes) { return allocate_frame(bytes); }
      static void operator delete(void* frame, std::size_t bytes) noexcept { free_frame(frame, bytes); }
      Detached get_return_object() { return {}; }
      std::suspend_never initial_suspend() noexcept { return {}; }
      std::suspend_never final_suspend() noexcept { return {}; }
      void return_void() {}
      void unhandled_exception() { check_failed(__FILE__, __LINE__, "exception left a coroutine", ""); }

      TaskScope* scope;
      RootFrames::Link link;
    };
  };
  // The task is taken out of the parameter so that its frame is gone before the scope hears of the end.
  static Detached run(TaskScope*, Task<void> task) {
    Task<void> own = std::move(task);
    co_await own;
  }
  void ended() {
    if (--live_ == 0 && joiner_) current_ready_queue().push(std::exchange(joiner_, {}));
  }

  std::size_t live_ = 0;
  std::coroutine_handle<> joiner_;
};

}  // namespace penstock::core
