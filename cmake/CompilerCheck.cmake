# Refuses a compiler that miscompiles coroutines (gcc 12 does: the awaited comparison below never resumes).
# The test is compiled and RUN at configure time.
set(_penstock_coroutine_test [[
#include <coroutine>
#include <expected>
#include <cstdio>
struct Task {
  struct promise_type {
    int value = 0;
    std::coroutine_handle<> parent;
    Task get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_value(int v) { value = v; }
    void unhandled_exception() {}
  };
  std::coroutine_handle<promise_type> handle;
};
struct Parked {
  std::coroutine_handle<>* slot;
  bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<> h) { *slot = h; }
  int await_resume() { return 5; }
};
static std::coroutine_handle<> parked;
Task test() {
  if (co_await Parked{&parked} == 5) { co_return 1; }
  co_return 2;
}
int main() {
  Task t = test();
  t.handle.resume();
  if (!parked) return 3;
  parked.resume();
  std::expected<int, int> e = 1;
  return t.handle.done() && t.handle.promise().value == 1 && e ? 0 : 4;
}
]])
set(_penstock_saved_flags "${CMAKE_REQUIRED_FLAGS}")
set(CMAKE_REQUIRED_FLAGS "-std=c++23")
include(CheckCXXSourceRuns)
check_cxx_source_runs("${_penstock_coroutine_test}" PENSTOCK_COMPILER_RUNS_COROUTINES)
set(CMAKE_REQUIRED_FLAGS "${_penstock_saved_flags}")
if(NOT PENSTOCK_COMPILER_RUNS_COROUTINES)
  message(FATAL_ERROR
    "${CMAKE_CXX_COMPILER} (${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}) fails the coroutine self-test "
    "(gcc 12 miscompiles coroutines, clang 14 lacks std::expected). Use clang 16 or newer: "
    "cmake --preset release, or -DCMAKE_CXX_COMPILER=clang++-19.")
endif()
