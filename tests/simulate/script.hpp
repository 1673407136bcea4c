// Script: a simulated client as a coroutine, and Scripts, who resumes it.
//
//   Script<> client(Clients* clients) { co_await clients->scripts.until([=] { return ...; }); }
//
// A script waits for a condition of the world, looked at between two turns of the server's shards, or for a moment of
// virtual time. All that are ready go in an order of the dice. Destroying Scripts destroys every script where it stands: the
// clients are gone, and their connections with them.
#pragma once

#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/check.hpp"
#include "core/base/units.hpp"
#include "tests/sim/sim_random.hpp"

namespace penstock::simulate {

template <class T>
class Script;

namespace script_detail {
struct PromiseBase {
  std::coroutine_handle<> continuation;
  std::suspend_always initial_suspend() noexcept { return {}; }
  struct Final {
    bool await_ready() noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> handle) noexcept {
      const auto next = handle.promise().continuation;
      return next ? next : std::noop_coroutine();
    }
    void await_resume() noexcept {}
  };
  Final final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept {
    core::check_failed(__FILE__, __LINE__, "exception left a script", "");
  }
};
template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Script<T> get_return_object();
  template <class U>
  void return_value(U&& v) {
    value.emplace(std::forward<U>(v));
  }
  T take() { return std::move(*value); }
};
template <>
struct Promise<void> : PromiseBase {
  Script<void> get_return_object();
  void return_void() {}
  void take() {}
};
}  // namespace script_detail

template <class T = void>
class [[nodiscard]] Script {
 public:
  using promise_type = script_detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;
  explicit Script(Handle handle) : handle_(handle) {}
  Script(Script&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Script& operator=(Script&&) = delete;
  ~Script() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> parent) {
    handle_.promise().continuation = parent;
    return handle_;
  }
  T await_resume() { return handle_.promise().take(); }

  void begin() { handle_.resume(); }
  bool is_done() const { return handle_.done(); }

 private:
  Handle handle_;
};

template <class T>
Script<T> script_detail::Promise<T>::get_return_object() {
  return Script<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Script<void> script_detail::Promise<void>::get_return_object() {
  return Script<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

class Scripts {
 public:
  Scripts(sim::SimRandom& dice, std::function<core::Instant()> now) : dice_(dice), now_(std::move(now)) {}
  Scripts(const Scripts&) = delete;
  Scripts& operator=(const Scripts&) = delete;
  ~Scripts() { clear(); }

  void start(Script<> script) {
    running_.push_back(std::make_unique<Script<>>(std::move(script)));
    running_.back()->begin();
  }
  void clear() {
    waiting_.clear();
    while (!running_.empty()) running_.pop_back();
  }
  bool is_idle() const {
    for (const auto& script : running_) {
      if (!script->is_done()) return false;
    }
    return true;
  }

  // True: the condition holds; false: its time is over.
  struct Wait {
    Scripts& scripts;
    std::function<bool()> condition;  // empty: only the time
    core::Instant deadline;
    bool held = false;

    bool await_ready() {
      held = condition && condition();
      return held || deadline <= scripts.now_();
    }
    void await_suspend(std::coroutine_handle<> handle) { scripts.waiting_.push_back({handle, this}); }
    bool await_resume() const { return held; }
  };
  Wait until(std::function<bool()> condition, core::Duration at_most) {
    return Wait{*this, std::move(condition), now_() + at_most};
  }
  Wait pause(core::Duration time) { return Wait{*this, {}, now_() + time}; }

  bool any_ready() const {
    for (const Waiting& each : waiting_) {
      if (is_ready(each)) return true;
    }
    return false;
  }
  core::Instant next_deadline() const {
    core::Instant next = core::Instant::never();
    for (const Waiting& each : waiting_) next = std::min(next, each.wait->deadline);
    return next;
  }
  // Resumes all that are ready now. Whether there were any.
  bool pump() {
    std::vector<Waiting> ready;
    for (std::size_t i = 0; i < waiting_.size();) {
      if (is_ready(waiting_[i])) {
        ready.push_back(waiting_[i]);
        waiting_[i] = waiting_.back();
        waiting_.pop_back();
      } else {
        ++i;
      }
    }
    const bool any = !ready.empty();
    while (!ready.empty()) {
      std::swap(ready[dice_.below(ready.size())], ready.back());
      const Waiting next = ready.back();
      ready.pop_back();
      next.wait->held = next.wait->condition && next.wait->condition();
      next.handle.resume();
    }
    return any;
  }

 private:
  struct Waiting {
    std::coroutine_handle<> handle;
    Wait* wait;
  };
  bool is_ready(const Waiting& each) const {
    return each.wait->deadline <= now_() || (each.wait->condition && each.wait->condition());
  }

  sim::SimRandom& dice_;
  const std::function<core::Instant()> now_;
  std::vector<Waiting> waiting_;
  std::vector<std::unique_ptr<Script<>>> running_;
};

}  // namespace penstock::simulate
