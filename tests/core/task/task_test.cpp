#include "core/task/task.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/shard/shard.hpp"
#include "core/task/sync.hpp"
#include "core/task/task_scope.hpp"

namespace penstock::core {
namespace {

// A ready queue that is the current one for as long as it lives.
class Loop {
 public:
  Loop() : before_(exchange_current_ready_queue(&queue_)) {}
  ~Loop() { exchange_current_ready_queue(before_); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  std::size_t run() {
    std::size_t resumed = 0;
    while (!queue_.is_empty()) resumed += queue_.run(16);
    return resumed;
  }
  ReadyQueue& queue() { return queue_; }

 private:
  ReadyQueue queue_;
  ReadyQueue* before_;
};

struct Yield {
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) { current_ready_queue().push(handle); }
  void await_resume() const {}
};

[[gnu::noinline]] Task<int> at_once(int value) { co_return value; }
Task<int> later(int value) {
  co_await Yield{};
  co_return value;
}
Task<std::unique_ptr<int>> boxed(int value) {
  co_await Yield{};
  co_return std::make_unique<int>(value);
}
Task<int> sum_of_three() {
  const int a = co_await at_once(1);
  const int b = co_await later(10);
  const std::unique_ptr<int> c = co_await boxed(100);
  co_return a + b + *c;
}
Task<void> store(Task<int> task, int* out) { *out = co_await std::move(task); }

TEST(Task, gives_its_value_whether_it_waits_or_not) {
  Loop loop;
  TaskScope scope;
  int out = 0;
  scope.spawn(store(sum_of_three(), &out));
  EXPECT_EQ(out, 0);
  loop.run();
  EXPECT_EQ(out, 111);
}

TEST(Task, what_does_not_wait_ends_inside_spawn) {
  Loop loop;
  TaskScope scope;
  int out = 0;
  scope.spawn(store(at_once(7), &out));
  EXPECT_EQ(out, 7);
  EXPECT_EQ(scope.live(), 0u);
  EXPECT_EQ(loop.run(), 0u);
}

TEST(Task, one_that_never_starts_is_free) {
  const std::uint64_t live = frame_pool_stats().live;
  {
    const Task<int> never = at_once(1);
    EXPECT_EQ(frame_pool_stats().live, live + 1);
  }
  EXPECT_EQ(frame_pool_stats().live, live);
}

// How far the stack reaches down, seen from a leaf.
[[gnu::noinline]] std::uintptr_t stack_here() {
  return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}
struct Depth {
  std::uintptr_t highest = 0;
  std::uintptr_t lowest = UINTPTR_MAX;
  void look() {
    highest = std::max(highest, stack_here());
    lowest = std::min(lowest, stack_here());
  }
};
Task<int> leaf(Depth* depth, bool waits) {
  if (waits) co_await Yield{};
  depth->look();
  co_return 1;
}
Task<void> many_awaits(Depth* depth, bool waits, int* sum) {
  for (int i = 0; i < 10'000; ++i) *sum += co_await leaf(depth, waits);
}

TEST(Task, ten_thousand_awaits_keep_the_stack_flat) {
  for (const bool waits : {false, true}) {
    Loop loop;
    TaskScope scope;
    Depth depth;
    int sum = 0;
    scope.spawn(many_awaits(&depth, waits, &sum));
    loop.run();
    EXPECT_EQ(sum, 10'000);
    EXPECT_LT(depth.highest - depth.lowest, 4096u);
  }
}

TEST(Task, steady_state_allocates_nothing) {
  Loop loop;
  TaskScope scope;
  const auto round = [&] {
    for (int i = 0; i < 100; ++i) {
      int out = 0;
      scope.spawn(store(sum_of_three(), &out));
      loop.run();
      EXPECT_EQ(out, 111);
    }
  };
  round();
  const FramePoolStats before = frame_pool_stats();
  round();
  const FramePoolStats after = frame_pool_stats();
  EXPECT_EQ(after.from_malloc, before.from_malloc);
  EXPECT_EQ(after.live, before.live);
  EXPECT_EQ(after.live_bytes, before.live_bytes);
}

TEST(FramePool, a_freed_frame_is_used_again_for_its_class) {
  void* const first = allocate_frame(500);
  free_frame(first, 500);
  void* const again = allocate_frame(510);  // the same class of 512
  EXPECT_EQ(again, first);
  void* const other = allocate_frame(520);
  EXPECT_NE(other, first);
  free_frame(again, 510);
  free_frame(other, 520);
}

TEST(FramePool, every_size_is_writable_and_accounted) {
  const FramePoolStats before = frame_pool_stats();
  std::vector<std::pair<void*, std::size_t>> frames;
  for (std::size_t bytes = 1; bytes < 6000; bytes += 61) {
    void* const frame = allocate_frame(bytes);
    std::fill_n(static_cast<char*>(frame), bytes, 'x');
    frames.emplace_back(frame, bytes);
  }
  EXPECT_EQ(frame_pool_stats().live, before.live + frames.size());
  for (const auto& [frame, bytes] : frames) free_frame(frame, bytes);
  EXPECT_EQ(frame_pool_stats().live, before.live);
  EXPECT_EQ(frame_pool_stats().live_bytes, before.live_bytes);
}

Task<void> note(std::vector<int>* order, int number, int yields) {
  for (int i = 0; i < yields; ++i) co_await Yield{};
  order->push_back(number);
}

Task<void> yield_in_a_shard(std::vector<int>* order, int yields) {
  for (int i = 0; i < yields; ++i) {
    order->push_back(100 + i);
    co_await Shard::Yield{};
  }
  order->push_back(100 + yields);
}

TEST(ReadyQueue, is_first_come_first_served) {
  Loop loop;
  TaskScope scope;
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) scope.spawn(note(&order, i, 1 + i % 3));
  loop.run();
  ASSERT_EQ(order.size(), 100u);
  std::vector<int> expected;
  for (int yields = 1; yields <= 3; ++yields) {
    for (int i = 0; i < 100; ++i) {
      if (1 + i % 3 == yields) expected.push_back(i);
    }
  }
  EXPECT_EQ(order, expected);
}

TEST(ReadyQueue, who_yields_goes_on_in_the_next_run) {
  Loop loop;
  TaskScope scope;
  std::vector<int> order;
  scope.spawn(yield_in_a_shard(&order, 3));
  for (int run = 0; run < 3; ++run) {
    order.push_back(run);
    loop.queue().run(16);
  }
  loop.run();
  EXPECT_EQ(order, (std::vector<int>{100, 0, 101, 1, 102, 2, 103}));
}

TEST(ReadyQueue, a_chooser_picks_who_goes_next) {
  Loop loop;
  TaskScope scope;
  std::vector<int> order;
  for (int i = 0; i < 5; ++i) scope.spawn(note(&order, i, 1));
  loop.queue().set_chooser([](void*, std::size_t count) { return count - 1; }, nullptr);
  loop.run();
  ASSERT_EQ(order.size(), 5u);
  EXPECT_EQ(order.front(), 4);
  std::sort(order.begin(), order.end());
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(ReadyQueue, runs_at_most_as_many_as_asked) {
  Loop loop;
  TaskScope scope;
  std::vector<int> order;
  for (int i = 0; i < 5; ++i) scope.spawn(note(&order, i, 1));
  EXPECT_EQ(loop.queue().run(2), 2u);
  EXPECT_EQ(order.size(), 2u);
  loop.run();
}

Task<void> join_then(TaskScope* scope, bool* joined) {
  co_await scope->join();
  *joined = true;
}

TEST(TaskScope, join_waits_for_the_last_one) {
  Loop loop;
  TaskScope outer, inner;
  std::vector<int> order;
  bool joined = false;
  for (int i = 0; i < 3; ++i) inner.spawn(note(&order, i, 1 + i));
  outer.spawn(join_then(&inner, &joined));
  loop.queue().run(3);
  EXPECT_FALSE(joined);
  loop.run();
  EXPECT_TRUE(joined);
  EXPECT_EQ(inner.live(), 0u);
  bool again = false;
  outer.spawn(join_then(&inner, &again));  // nothing to wait for
  EXPECT_TRUE(again);
}

Task<void> wait_for(Event* event, int* passed) {
  co_await event->wait();
  ++*passed;
}

TEST(Event, lets_everyone_through_once_set) {
  Loop loop;
  TaskScope scope;
  Event event;
  int passed = 0;
  for (int i = 0; i < 3; ++i) scope.spawn(wait_for(&event, &passed));
  loop.run();
  EXPECT_EQ(passed, 0);
  event.set();
  loop.run();
  EXPECT_EQ(passed, 3);
  scope.spawn(wait_for(&event, &passed));
  EXPECT_EQ(passed, 4);
  event.reset();
  scope.spawn(wait_for(&event, &passed));
  loop.run();
  EXPECT_EQ(passed, 4);
  event.set();
  loop.run();
  EXPECT_EQ(passed, 5);
}

Task<void> wait_in(WaitList* list, std::vector<int>* order, int number) {
  co_await list->wait();
  order->push_back(number);
}

TEST(WaitList, goes_on_one_by_one_in_order_of_arrival) {
  Loop loop;
  TaskScope scope;
  WaitList list;
  std::vector<int> order;
  list.notify_one();  // nobody there: forgotten
  for (int i = 0; i < 20; ++i) scope.spawn(wait_in(&list, &order, i));
  EXPECT_EQ(list.waiting(), 20u);
  list.notify_one();
  list.notify_one();
  loop.run();
  EXPECT_EQ(order, (std::vector<int>{0, 1}));
  list.notify_all();
  loop.run();
  ASSERT_EQ(order.size(), 20u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

Task<void> work_with(Semaphore* semaphore, int* inside, int* most, int* done) {
  co_await semaphore->acquire();
  *most = std::max(*most, ++*inside);
  co_await Yield{};
  --*inside;
  ++*done;
  semaphore->release();
}

TEST(Semaphore, never_admits_more_than_its_permits) {
  Loop loop;
  TaskScope scope;
  Semaphore semaphore(3);
  int inside = 0;
  int most = 0;
  int done = 0;
  for (int i = 0; i < 50; ++i) scope.spawn(work_with(&semaphore, &inside, &most, &done));
  loop.run();
  EXPECT_EQ(most, 3);
  EXPECT_EQ(done, 50);
  EXPECT_EQ(semaphore.free(), 3u);
}

Task<void> take(Semaphore* semaphore, std::vector<int>* order, int number) {
  co_await semaphore->acquire();
  order->push_back(number);
}

TEST(Semaphore, a_newcomer_does_not_overtake_a_waiter) {
  Loop loop;
  TaskScope scope;
  Semaphore semaphore(0);
  std::vector<int> order;
  scope.spawn(take(&semaphore, &order, 1));
  semaphore.release();                       // the permit is the waiter's, though it has not gone on yet
  scope.spawn(take(&semaphore, &order, 2));  // has to wait
  loop.run();
  EXPECT_EQ(order, std::vector<int>{1});
  semaphore.release();
  loop.run();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(HandleQueue, keeps_order_while_it_grows_and_wraps) {
  HandleQueue queue;
  std::size_t pushed = 0;
  std::size_t popped = 0;
  const auto handle = [](std::size_t n) {
    return std::coroutine_handle<>::from_address(reinterpret_cast<void*>(n));
  };
  for (int round = 0; round < 200; ++round) {
    for (int i = 0; i < round % 17; ++i) queue.push(handle(++pushed * 8));
    for (int i = 0; i < round % 13 && !queue.is_empty(); ++i) EXPECT_EQ(queue.pop(), handle(++popped * 8));
    ASSERT_EQ(queue.size(), pushed - popped);
  }
  while (!queue.is_empty()) EXPECT_EQ(queue.pop(), handle(++popped * 8));
  EXPECT_EQ(popped, pushed);
}

}  // namespace
}  // namespace penstock::core
