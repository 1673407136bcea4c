#include "tools/bench/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tools/bench/random.hpp"
#include "tools/bench/rate_schedule.hpp"

namespace penstock::tools {
namespace {

TEST(histogram, nothing_has_no_percentile) {
  const Histogram of;
  EXPECT_EQ(of.weight(), 0u);
  EXPECT_EQ(of.percentile(99), 0);
  EXPECT_EQ(of.mean(), 0);
}

TEST(histogram, percentiles_are_those_of_a_sorted_list_within_a_thousandth) {
  Random chance(5);
  Histogram of;
  std::vector<Nanos> times;
  for (int i = 0; i < 20'000; ++i) {
    // From microseconds to minutes.
    const auto time = static_cast<Nanos>(std::exp(static_cast<double>(chance.below(1000)) / 50) * 1000);
    times.push_back(time);
    of.add(time);
  }
  std::ranges::sort(times);
  for (const double percent : {0.1, 1.0, 10.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    const auto at =
        static_cast<std::size_t>(std::ceil(percent / 100 * static_cast<double>(times.size()))) - 1;
    const auto exact = static_cast<double>(times[at]);
    const auto got = static_cast<double>(of.percentile(percent));
    EXPECT_GE(got, exact - 1000) << percent;
    EXPECT_LE(got, exact * 1.001 + 1000) << percent;
  }
  EXPECT_EQ(of.max(), times.back());
  EXPECT_EQ(of.percentile(100), times.back());
}

TEST(histogram, weights_count_as_so_many_values) {
  Histogram of;
  of.add(1 * kMillisecond, 98);
  of.add(100 * kMillisecond, 1);
  of.add(500 * kMillisecond, 1);
  EXPECT_EQ(of.weight(), 100u);
  EXPECT_NEAR(static_cast<double>(of.percentile(98)), 1e6, 1e4);
  EXPECT_NEAR(static_cast<double>(of.percentile(99)), 1e8, 1e6);
  EXPECT_EQ(of.percentile(99.5), 500 * kMillisecond);
  EXPECT_NEAR(static_cast<double>(of.mean()), 6.98e6, 1e4);
}

TEST(histogram, a_spread_lies_evenly_between_its_ends) {
  Histogram of;
  of.add_spread(1000 * kMillisecond, 0, 1'000'003);
  EXPECT_EQ(of.weight(), 1'000'003u);
  EXPECT_NEAR(static_cast<double>(of.percentile(50)), 5e8, 2e6);
  EXPECT_NEAR(static_cast<double>(of.percentile(90)), 9e8, 2e6);
  EXPECT_NEAR(static_cast<double>(of.percentile(99)), 9.9e8, 2e6);
  EXPECT_EQ(of.max(), 1000 * kMillisecond);
  Histogram few;
  few.add_spread(0, 2 * kMillisecond, 3);
  EXPECT_EQ(few.weight(), 3u);
  EXPECT_NEAR(static_cast<double>(few.percentile(50)), 1e6, 1e4);
}

TEST(histogram, a_spread_is_what_its_single_times_are) {
  struct Stretch {
    Nanos first, last;
  };
  constexpr std::uint64_t kWeight = 30'000;
  for (const Stretch& stretch :
       {Stretch{3 * kMillisecond, 7 * kMillisecond}, Stretch{900'100, 900'400}, Stretch{0, 60 * kSecond},
        Stretch{512 * kMillisecond, 511 * kMillisecond}, Stretch{-2 * kMillisecond, 6 * kMillisecond}}) {
    Histogram spread;
    Histogram single;
    spread.add_spread(stretch.first, stretch.last, kWeight);
    for (std::uint64_t i = 0; i < kWeight; ++i) {
      single.add(stretch.first + (stretch.last - stretch.first) * static_cast<Nanos>(2 * i + 1) /
                                     static_cast<Nanos>(2 * kWeight));
    }
    EXPECT_EQ(spread.weight(), kWeight);
    EXPECT_EQ(spread.max(), std::max(stretch.first, stretch.last));
    EXPECT_NEAR(static_cast<double>(spread.mean()), static_cast<double>(single.mean()), 2000) << stretch.last;
    const double step = std::abs(static_cast<double>(stretch.last - stretch.first)) / 512;
    for (const double percent : {0.1, 10.0, 30.0, 50.0, 90.0, 99.0, 99.9}) {
      const auto wanted = static_cast<double>(single.percentile(percent));
      EXPECT_NEAR(static_cast<double>(spread.percentile(percent)), wanted, wanted / 500 + step + 2000)
          << percent;
    }
  }
}

TEST(histogram, two_together_are_one) {
  Histogram a;
  Histogram b;
  Histogram both;
  for (int i = 1; i < 100; ++i) {
    (i % 3 == 0 ? a : b).add(i * kMillisecond, static_cast<std::uint64_t>(i));
    both.add(i * kMillisecond, static_cast<std::uint64_t>(i));
  }
  a.add(b);
  EXPECT_EQ(a.to_json(), both.to_json());
  a.clear();
  EXPECT_EQ(a.weight(), 0u);
}

TEST(histogram, times_below_zero_and_of_days_have_a_place) {
  Histogram of;
  of.add(-5);
  of.add(300LL * 3600 * kSecond);
  EXPECT_EQ(of.percentile(50), 1000);
  EXPECT_EQ(of.max(), 300LL * 3600 * kSecond);
}

TEST(rate_schedule, a_row_is_due_from_its_intended_time_on) {
  for (const double rate : {0.5, 1.0, 3.0, 777.0, 100'000.0, 12'345'678.9}) {
    const RateSchedule schedule(5 * kSecond, rate);
    EXPECT_EQ(schedule.due(5 * kSecond - 1), 0u);
    EXPECT_EQ(schedule.intended(0), 5 * kSecond);
    for (const std::uint64_t row : {0ULL, 1ULL, 2ULL, 999ULL, 1'000'000ULL, 123'456'789ULL}) {
      const Nanos when = schedule.intended(row);
      EXPECT_GE(schedule.due(when), row + 1) << rate;
      EXPECT_LE(schedule.due(when - 1'000), row + 1) << rate;
      EXPECT_NEAR(static_cast<double>(when - 5 * kSecond), static_cast<double>(row) / rate * 1e9,
                  2 + when * 1e-15);
    }
  }
}

TEST(rate_schedule, so_many_rows_are_due_a_second_as_the_rate_says) {
  const RateSchedule schedule(0, 1000);
  EXPECT_EQ(schedule.due(0), 1u);
  EXPECT_EQ(schedule.due(kSecond - 1), 1000u);
  EXPECT_EQ(schedule.due(kSecond), 1001u);
  EXPECT_EQ(schedule.due(3600 * kSecond), 3'600'001u);
}

TEST(rate_schedule, no_rate_is_no_schedule) {
  const RateSchedule schedule(0, 0);
  EXPECT_FALSE(schedule.is_paced());
  EXPECT_EQ(schedule.due(0), UINT64_MAX);
}

}  // namespace
}  // namespace penstock::tools
