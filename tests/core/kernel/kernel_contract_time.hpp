// The Kernel contract, time, wakes and randomness. Included by kernel_contract.hpp only.
//
// Journey:  kernel_contract.hpp -> [cases].   Shard: one.   Promise: see op.hpp.   Failure: a failed
// expectation.
#pragma once

#include <cerrno>
#include <set>

#include "tests/core/kernel/kernel_contract.hpp"

namespace penstock::core {

TEST_P(KernelContract, timers_fire_in_order_and_not_early) {
  using std::chrono::milliseconds;
  struct Alarm : Op {
    std::vector<int>* order = nullptr;
    Kernel* kernel = nullptr;
    Instant fired;
    int number = 0;
  };
  std::vector<int> order;
  const Instant start = now();
  std::vector<std::unique_ptr<Alarm>> alarms;
  for (const int at : {30, 10, 20, 10, 0, 40, 5}) {
    auto alarm = std::make_unique<Alarm>();
    alarm->kind = OpKind::Timer;
    alarm->deadline = start + milliseconds(at);
    alarm->order = &order;
    alarm->kernel = &kernel();
    alarm->number = static_cast<int>(alarms.size());
    alarm->complete = [](Op& op) {
      auto& self = static_cast<Alarm&>(op);
      self.order->push_back(self.number);
      self.fired = self.kernel->now().monotonic;
    };
    alarms.push_back(std::move(alarm));
  }
  for (auto& alarm : alarms) kernel().submit(*alarm);
  EXPECT_TRUE(order.empty());
  EXPECT_TRUE(pump_until([&] { return order.size() == alarms.size(); }));
  EXPECT_EQ(order, (std::vector<int>{4, 6, 1, 3, 2, 0, 5}));  // equal deadlines: in order of submission
  for (auto& alarm : alarms) {
    EXPECT_GE(alarm->fired, alarm->deadline);
    EXPECT_EQ(alarm->result, 0);
  }
}

TEST_P(KernelContract, a_sleeping_poll_wakes_for_a_timer) {
  CountedOp timer(Op{.kind = OpKind::Timer, .deadline = now() + std::chrono::milliseconds(10)});
  kernel().submit(timer);
  for (int i = 0; i < 10 && !timer.is_done(); ++i) kernel().poll(now() + std::chrono::seconds(20));
  EXPECT_TRUE(timer.is_done());
  EXPECT_LT(now(), timer.deadline + std::chrono::seconds(15));
}

TEST_P(KernelContract, a_cancelled_timer_completes_at_the_next_poll) {
  CountedOp far(Op{.kind = OpKind::Timer, .deadline = now() + std::chrono::hours(1)});
  CountedOp near(Op{.kind = OpKind::Timer, .deadline = now() + std::chrono::milliseconds(5)});
  kernel().submit(far);
  kernel().submit(near);
  world().pump();
  kernel().cancel(far);
  EXPECT_FALSE(far.is_done());
  world().pump();
  EXPECT_EQ(far.completions, 1);
  EXPECT_EQ(far.result, -ECANCELED);
  EXPECT_TRUE(pump_until([&] { return near.is_done(); }));
  EXPECT_EQ(near.result, 0);
  EXPECT_EQ(far.completions, 1);
}

TEST_P(KernelContract, many_timers_many_cancelled) {
  std::vector<std::unique_ptr<CountedOp>> timers;
  std::uint64_t mixed = 12345;
  for (int i = 0; i < 500; ++i) {
    mixed = mixed * 6364136223846793005u + 1442695040888963407u;
    timers.push_back(std::make_unique<CountedOp>(
        Op{.kind = OpKind::Timer, .deadline = now() + std::chrono::microseconds(mixed % 30'000)}));
    kernel().submit(*timers.back());
  }
  for (std::size_t i = 0; i < timers.size(); i += 3) kernel().cancel(*timers[i]);
  const auto all_done = [&] {
    for (auto& timer : timers) {
      if (!timer->is_done()) return false;
    }
    return true;
  };
  EXPECT_TRUE(pump_until(all_done));
  for (std::size_t i = 0; i < timers.size(); ++i) {
    EXPECT_EQ(timers[i]->completions, 1);
    EXPECT_EQ(timers[i]->result, i % 3 == 0 ? -ECANCELED : 0);
  }
}

TEST_P(KernelContract, a_wake_makes_a_sleeping_poll_return) {
  const Instant before = now();
  const std::int64_t result = world().wake_while([&] { kernel().poll(before + std::chrono::seconds(60)); });
  EXPECT_EQ(result, 0);
  kernel().poll(Instant{});
  EXPECT_LT(now(), before + std::chrono::seconds(30));
}

TEST_P(KernelContract, now_is_frozen_between_polls_and_never_goes_back) {
  Clock last = kernel().now();
  EXPECT_GT(last.wall_micros, 1'500'000'000'000'000);
  for (int i = 0; i < 20; ++i) {
    for (int spin = 0; spin < 2000; ++spin) {
      ASSERT_EQ(kernel().now().monotonic, last.monotonic);
      ASSERT_EQ(kernel().now().wall_micros, last.wall_micros);
    }
    world().pump();
    EXPECT_GE(kernel().now().monotonic, last.monotonic);
    last = kernel().now();
  }
}

TEST_P(KernelContract, a_poll_with_a_past_deadline_does_not_sleep) {
  CountedOp timer(Op{.kind = OpKind::Timer, .deadline = now() + std::chrono::seconds(30)});
  kernel().submit(timer);
  const Instant before = now();
  for (int i = 0; i < 100; ++i) kernel().poll(Instant{});
  EXPECT_LT(now(), before + std::chrono::seconds(10));
  EXPECT_FALSE(timer.is_done());
  kernel().cancel(timer);
  EXPECT_TRUE(pump_until([&] { return timer.is_done(); }));
}

TEST_P(KernelContract, entropy_differs) {
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 100; ++i) seen.insert(kernel().entropy());
  EXPECT_EQ(seen.size(), 100u);
}

}  // namespace penstock::core
