// Shard: one core's engine. One ready queue, one Kernel, mailboxes to and from every other shard; nothing shared.
//
// turn() is the whole loop: deliver mail, resume what is ready, let the Kernel deliver completions. ShardSet runs it on a
// pinned thread; the simulator calls it for each shard in an order of its choice.
//
// Journey:  tools/penstock makes a ShardSet; every coroutine runs inside some Shard::turn.
// Shard:    itself. Other shards reach it only by ShardSet::post and call_on.
// Promise:  what is spawned runs on this shard, and on no other, for ever.
// Failure:  none of its own.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/units.hpp"
#include "core/io/recv_turns.hpp"
#include "core/kernel/await_op.hpp"
#include "core/kernel/kernel.hpp"
#include "core/shard/mailbox.hpp"
#include "core/task/ready_queue.hpp"
#include "core/task/task.hpp"
#include "core/task/task_scope.hpp"

namespace penstock::core {

class ShardSet;

class Shard {
 public:
  Shard(ShardSet& set, ShardId id);
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  ShardId id() const { return id_; }
  ShardSet& set() { return set_; }
  Kernel& kernel() { return *kernel_; }
  void attach(Kernel& kernel) { kernel_ = &kernel; }
  ReadyQueue& ready() { return ready_; }
  RecvTurns& recv_turns() { return recv_turns_; }
  Clock now() const { return kernel_->now(); }
  bool perhaps(Perhaps site) { return kernel_->perhaps(site); }  // see core/base/perhaps.hpp

  void spawn(Task<void> task) { scope_.spawn(std::move(task)); }
  // The same from outside any turn (before the first one).
  void start(Task<void> task);
  TaskScope& scope() { return scope_; }
  // Completes when the monotonic clock reaches `deadline`.
  AwaitOp sleep_until(Instant deadline) {
    return AwaitOp(*kernel_, Op{.kind = OpKind::Timer, .deadline = deadline});
  }
  AwaitOp sleep_for(Duration duration) { return sleep_until(now().monotonic + duration); }
  // Lets everything else that is ready go first, and the Kernel be looked at: it goes on in the next turn.
  struct Yield {
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> handle) { current_ready_queue().push_later(handle); }
    void await_resume() const {}
  };
  Yield yield() { return {}; }

  // One turn of the loop. May sleep in the Kernel until `sleep_deadline` when there is nothing to do (a deadline in the
  // past never sleeps); does not sleep in the turn in which the last task ended. Returns whether anything ran.
  bool turn(Instant sleep_deadline);

  // For the simulator, when a process dies: destroys the newest coroutine that nobody awaits, and all it awaits, where
  // they stand. The ready queue must be closed, and the Kernel must have let go of every Op.
  void destroy_newest_root();

 private:
  friend class ShardSet;
  bool deliver_mail();
  bool has_mail() const;
  bool has_overflow() const;  // mail of ours that did not fit
  void flush_overflow();
  bool busy_wait(Instant deadline);  // whether anything is ready after it
  void poll_unless_mail(Instant sleep_deadline);
  void rest();    // sleeps until there is mail (or any wake); delivers nothing
  void settle();  // waits until no wake of ours is under way
  void wake_if_asleep(ShardId target);
  void wake(ShardId target);

  ShardSet& set_;
  const ShardId id_;
  Kernel* kernel_ = nullptr;
  ReadyQueue ready_;
  RecvTurns recv_turns_;
  TaskScope scope_;
  std::atomic<bool> sleeping_{false};
  std::vector<Op> wake_ops_;  // one per target shard
  std::vector<bool> wake_in_flight_;
};

// All shards of a process (or of a simulated one) and the mail between them.
class ShardSet {
 public:
  explicit ShardSet(std::uint32_t count);
  ~ShardSet();

  std::uint32_t count() const { return static_cast<std::uint32_t>(shards_.size()); }
  Shard& at(ShardId id) { return *shards_[id.value]; }
  Shard& at(std::uint32_t index) { return *shards_[index]; }

  // From `source`'s own thread. Delivered at the target's next turn.
  void post(ShardId source, ShardId target, Message message);

  // Runs every shard on its own thread (pinned to core i when `pin`) until no shard has a task left. A shard whose own
  // tasks have ended still serves the others' calls; a bare post() alone does not keep the shards running.
  struct ThreadOptions {
    bool pin = false;
    // Makes the shard's Kernel on its own thread, calls run_with(kernel), and returns what went wrong, empty if nothing.
    std::function<std::string(Shard&, const std::function<void(Kernel&)>& run_with)> with_kernel;
    std::function<Task<void>(Shard&)> main;  // spawned on each shard
  };
  // The error of a Kernel that could not be made (then nothing has run), or empty.
  std::string run_threads(const ThreadOptions& options);

 private:
  friend class Shard;
  Mailbox& mailbox(ShardId source, ShardId target) {
    return *mailboxes_[source.value * shards_.size() + target.value];
  }
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::unique_ptr<Mailbox>> mailboxes_;
  void run_until_idle(Shard& shard);
  bool join_busy();
  void leave_busy(Shard& shard);
  std::atomic<std::uint32_t> busy_{0};  // shards that have tasks or mail; zero is final
};

// The shard whose turn runs on this thread now.
Shard& current_shard();

// call_on(target, f): runs f() (which returns Task<R>) on shard `target` and resumes the caller here with its result.
// f is moved into the call and must own or outlive what it uses; R is moved back.
template <class R, class F>
class RemoteCall {
 public:
  RemoteCall(Shard& home, ShardId target, F function)
      : home_(home), target_(target), function_(std::move(function)) {}
  RemoteCall(const RemoteCall&) = delete;
  RemoteCall& operator=(const RemoteCall&) = delete;

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    waiter_ = handle;
    if (target_ == home_.id()) {
      deliver_request(this);
      return;
    }
    home_.set().post(home_.id(), target_, Message{&RemoteCall::deliver_request, this});
  }
  R await_resume() {
    if constexpr (!std::is_void_v<R>) return std::move(*result_);
  }

 private:
  static void deliver_request(void* context) {
    auto* const call = static_cast<RemoteCall*>(context);
    current_shard().spawn(run(call));
  }
  static Task<void> run(RemoteCall* call) {
    if constexpr (std::is_void_v<R>) {
      co_await call->function_();
    } else {
      call->result_.emplace(co_await call->function_());
    }
    Shard& here = current_shard();
    if (call->target_ == call->home_.id()) {
      deliver_answer(call);
    } else {
      here.set().post(here.id(), call->home_.id(), Message{&RemoteCall::deliver_answer, call});
    }
  }
  static void deliver_answer(void* context) {
    auto* const call = static_cast<RemoteCall*>(context);
    current_ready_queue().push(call->waiter_);
  }

  Shard& home_;
  const ShardId target_;
  F function_;
  std::conditional_t<std::is_void_v<R>, char, std::optional<R>> result_{};
  std::coroutine_handle<> waiter_;
};

template <class T>
struct TaskValue;
template <class T>
struct TaskValue<Task<T>> {
  using type = T;
};

template <class F>
auto call_on(ShardId target, F function) {
  using R = typename TaskValue<std::invoke_result_t<F&>>::type;
  return RemoteCall<R, F>(current_shard(), target, std::move(function));
}

}  // namespace penstock::core
