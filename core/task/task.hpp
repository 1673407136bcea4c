// Task<T>: a coroutine that its awaiter owns.
//
// Lazy: it starts when awaited, inside the parent's await_ready; if it finishes without waiting the parent simply goes
// on. Otherwise its end pushes the parent on the shard's ready queue.
//
// Journey:  everything that waits for the kernel, a peer or another shard. Never per row.
// Shard:    lives and dies on one shard.
// Promise:  a Task that is awaited runs to its end; destroying one that has not started is free.
// Failure:  an exception that leaves a coroutine aborts: errors are Results.
// Rules:    parameters by value, or references to services that outlive the coroutine; no capturing-lambda coroutines.
#pragma once

#include <coroutine>
#include <optional>
#include <utility>

#include "core/base/check.hpp"
#include "core/task/frame_pool.hpp"
#include "core/task/ready_queue.hpp"

namespace penstock::core {

template <class T>
class Task;

namespace task_detail {

struct PromiseBase {
  std::coroutine_handle<> continuation;

  static void* operator new(std::size_t bytes) { return allocate_frame(bytes); }
  static void operator delete(void* frame, std::size_t bytes) noexcept { free_frame(frame, bytes); }

  std::suspend_always initial_suspend() noexcept { return {}; }
  struct Final {
    bool await_ready() noexcept { return false; }
    template <class P>
    void await_suspend(std::coroutine_handle<P> handle) noexcept {
      if (handle.promise().continuation) current_ready_queue().push(handle.promise().continuation);
    }
    void await_resume() noexcept {}
  };
  Final final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { check_failed(__FILE__, __LINE__, "exception left a coroutine", ""); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  template <class U>
  void return_value(U&& v) {
    value.emplace(std::forward<U>(v));
  }
  T take() { return std::move(*value); }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() {}
  void take() {}
};

}  // namespace task_detail

template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = task_detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() {
    handle_.resume();
    return handle_.done();
  }
  void await_suspend(std::coroutine_handle<> parent) { handle_.promise().continuation = parent; }
  T await_resume() { return handle_.promise().take(); }

 private:
  Handle handle_;
};

namespace task_detail {
template <class T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}
}  // namespace task_detail

}  // namespace penstock::core
