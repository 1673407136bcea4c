#include <gtest/gtest.h>

#include <functional>

#include "core/shard/shard.hpp"

namespace penstock::core {
namespace {

constexpr Instant kLate{1'000'000};

// Has nothing to deliver; says what it was asked for.
class BusyKernel final : public Kernel {
 public:
  void submit(Op& op) noexcept override {
    EXPECT_EQ(op.kind, OpKind::Wake);
    ++wakes;
  }
  void cancel(Op&) noexcept override { ADD_FAILURE(); }
  void poll(Instant deadline) override {
    (deadline == Instant{} ? looks : sleeps) += 1;
    if (on_poll) on_poll();
  }
  bool expects_soon() const noexcept override { return yields < yields_until_not_soon; }
  void yield_core() noexcept override {
    ++yields;
    if (on_yield) on_yield();
  }
  Clock now() const noexcept override { return Clock{time, 0}; }
  std::uint64_t entropy() noexcept override { return 0; }

  int yields_until_not_soon = 1000;
  std::function<void()> on_poll;
  std::function<void()> on_yield;
  Instant time{1000};
  int wakes = 0;
  int looks = 0;
  int sleeps = 0;
  int yields = 0;
};

Task<void> wait_for(Event* event) { co_await event->wait(); }
Task<void> set(Event* event) {
  event->set();
  co_return;
}

class BusyWait : public testing::Test {
 protected:
  BusyWait() {
    shard_.attach(kernel_);
    shards_.at(1).attach(other_);
    shard_.start(wait_for(&event_));
  }
  ~BusyWait() override {
    kernel_.on_poll = kernel_.on_yield = nullptr;
    end_task();
    while (shard_.scope().live() > 0) (void)shard_.turn(Instant{});
  }
  void end_task() { shard_.start(set(&event_)); }
  void post() {
    shards_.post(ShardId(1), ShardId(0), Message{[](void* mail) { ++*static_cast<int*>(mail); }, &mail_});
  }

  ShardSet shards_{2};
  Shard& shard_ = shards_.at(0);
  BusyKernel kernel_;
  BusyKernel other_;
  Event event_;
  int mail_ = 0;
};

TEST_F(BusyWait, a_shard_looks_and_yields_until_nothing_is_expected_soon_and_then_sleeps) {
  kernel_.yields_until_not_soon = 3;
  kernel_.on_poll = [this] {
    EXPECT_EQ(kernel_.looks + kernel_.sleeps, kernel_.yields + 1);
  };  // it looks first
  EXPECT_FALSE(shard_.turn(kLate));
  EXPECT_EQ(kernel_.looks, 3);
  EXPECT_EQ(kernel_.yields, 3);
  EXPECT_EQ(kernel_.sleeps, 1);
}

TEST_F(BusyWait, a_turn_that_may_not_sleep_does_not_yield_either) {
  (void)shard_.turn(Instant{});
  EXPECT_EQ(kernel_.looks, 1);
  EXPECT_EQ(kernel_.yields, 0);
}

TEST_F(BusyWait, mail_ends_it_without_a_wake) {
  kernel_.on_yield = [this] {
    if (kernel_.yields == 2) post();
  };
  EXPECT_TRUE(shard_.turn(kLate));
  EXPECT_EQ(kernel_.yields, 2);
  EXPECT_EQ(kernel_.sleeps, 0);
  EXPECT_EQ(other_.wakes, 0);
  kernel_.yields_until_not_soon = 0;
  (void)shard_.turn(Instant{});
  EXPECT_EQ(mail_, 1);
}

TEST_F(BusyWait, mail_that_comes_while_it_looks_is_read_before_the_core_is_given_away) {
  kernel_.on_poll = [this] {
    if (kernel_.looks == 1) post();
  };
  EXPECT_TRUE(shard_.turn(kLate));
  EXPECT_EQ(kernel_.yields, 0);
  EXPECT_EQ(kernel_.sleeps, 0);
}

TEST_F(BusyWait, what_a_poll_makes_ready_ends_it) {
  kernel_.on_poll = [this] {
    if (kernel_.looks == 2) event_.set();
  };
  EXPECT_TRUE(shard_.turn(kLate));
  EXPECT_EQ(kernel_.looks, 2);
  EXPECT_EQ(kernel_.yields, 1);
  EXPECT_EQ(kernel_.sleeps, 0);
}

TEST_F(BusyWait, it_ends_at_the_deadline_of_the_turn) {
  kernel_.on_yield = [this] { kernel_.time = Instant{kernel_.time.nanos + 300'000}; };
  EXPECT_FALSE(shard_.turn(kLate));
  EXPECT_EQ(kernel_.yields, 4);
}

TEST_F(BusyWait, the_turn_in_which_the_last_task_ends_does_not_wait) {
  end_task();
  EXPECT_TRUE(shard_.turn(kLate));
  EXPECT_EQ(shard_.scope().live(), 0u);
  EXPECT_EQ(kernel_.yields, 0);
  EXPECT_EQ(kernel_.sleeps, 0);
}

}  // namespace
}  // namespace penstock::core
