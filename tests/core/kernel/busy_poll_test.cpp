#include "core/kernel/busy_poll.hpp"

#include <gtest/gtest.h>

namespace penstock::core {
namespace {

using std::chrono::microseconds;

constexpr Instant kStart{5'000'000'000};
constexpr Duration kMoment = microseconds(1);

TEST(BusyPoll, it_pays_while_a_write_is_under_way_and_no_longer_than_the_window) {
  BusyPoll poll(microseconds(300));
  EXPECT_FALSE(poll.pays(kStart));
  poll.write_began(kStart);
  EXPECT_TRUE(poll.pays(kStart));
  EXPECT_TRUE(poll.pays(kStart + microseconds(299)));
  EXPECT_FALSE(poll.pays(kStart + microseconds(300)));
  poll.write_ended();
  EXPECT_FALSE(poll.pays(kStart));
}

TEST(BusyPoll, another_write_begins_the_window_anew) {
  BusyPoll poll(microseconds(300));
  poll.write_began(kStart);
  poll.write_began(kStart + microseconds(200));
  EXPECT_TRUE(poll.pays(kStart + microseconds(400)));
  poll.write_ended();
  EXPECT_TRUE(poll.pays(kStart + microseconds(400)));
  poll.write_ended();
  EXPECT_FALSE(poll.pays(kStart + microseconds(400)));
}

TEST(BusyPoll, without_a_window_it_never_pays) {
  BusyPoll poll(Duration{});
  poll.write_began(kStart);
  EXPECT_FALSE(poll.pays(kStart));
}

TEST(BusyPoll, it_does_not_pay_for_a_while_after_somebody_has_kept_the_core) {
  BusyPoll poll(std::chrono::hours(1));
  poll.write_began(kStart);
  poll.yielded(kStart, kStart + BusyPoll::kYieldMax);
  EXPECT_TRUE(poll.pays(kStart + BusyPoll::kYieldMax));
  const Instant back = kStart + BusyPoll::kYieldMax + kMoment;
  poll.yielded(kStart, back);
  EXPECT_FALSE(poll.pays(back));
  EXPECT_FALSE(poll.pays(back + (BusyPoll::kPauseMin - kMoment)));
  EXPECT_TRUE(poll.pays(back + BusyPoll::kPauseMin));
}

TEST(BusyPoll, the_pause_doubles_up_to_a_bound_while_the_core_is_kept_and_is_short_again_later) {
  BusyPoll poll(std::chrono::hours(1));
  poll.write_began(kStart);
  Instant now = kStart;
  Duration pause = BusyPoll::kPauseMin;
  for (int turn = 0; turn < 10; ++turn) {
    const Instant back = now + 2 * BusyPoll::kYieldMax;
    poll.yielded(now, back);
    EXPECT_FALSE(poll.pays(back + (pause - kMoment))) << turn;
    EXPECT_TRUE(poll.pays(back + pause)) << turn;
    now = back + pause;
    pause = std::min(2 * pause, BusyPoll::kPauseMax);
  }
  EXPECT_EQ(pause, BusyPoll::kPauseMax);
  now = now + BusyPoll::kPauseMax;  // so long it was well
  poll.yielded(now, now + 2 * BusyPoll::kYieldMax);
  EXPECT_TRUE(poll.pays(now + 2 * BusyPoll::kYieldMax + BusyPoll::kPauseMin));
}

}  // namespace
}  // namespace penstock::core
