// AwaitOp: the awaitable around one Op. `co_await AwaitOp(kernel, op)` yields the op's raw result.
//
// Journey:  core/io builds one -> Kernel -> the awaiting coroutine goes on from the ready queue.
// Shard:    the awaiting coroutine's.
// Promise:  one submit, one completion, one resume.
// Failure:  the raw result is -errno; core/io turns it into a Result.
#pragma once

#include <coroutine>
#include <utility>

#include "core/base/result.hpp"
#include "core/kernel/kernel.hpp"
#include "core/task/ready_queue.hpp"

namespace penstock::core {

struct AwaitOp : Op {
  AwaitOp(Kernel& k, Op request) : Op(std::move(request)), kernel(k) {}
  AwaitOp(const AwaitOp&) = delete;  // its address is the kernel's user data
  AwaitOp& operator=(const AwaitOp&) = delete;

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    waiter = handle;
    complete = [](Op& op) { current_ready_queue().push(static_cast<AwaitOp&>(op).waiter); };
    kernel.submit(*this);
  }
  std::int64_t await_resume() const { return result; }

  Kernel& kernel;
  std::coroutine_handle<> waiter;
};

// The same, turned into a Result with a context for its error.
struct ResultOp : AwaitOp {
  ResultOp(Kernel& k, const char* what, Op request) : AwaitOp(k, std::move(request)), context(what) {}
  Result<std::uint64_t> await_resume() const {
    if (result < 0) return std::unexpected(error_from_os(static_cast<std::int32_t>(-result), context));
    return static_cast<std::uint64_t>(result);
  }
  const char* context;
};

}  // namespace penstock::core
