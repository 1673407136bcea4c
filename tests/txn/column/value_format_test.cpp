#include "txn/column/value_format.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "txn/column/calendar.hpp"

namespace penstock::txn {
namespace {

std::string date(int year, int month, int day) {
  std::string out;
  append_date(out, days_from_civil(year, month, day));
  return out;
}
std::string date_time(std::int64_t micros) {
  std::string out;
  append_date_time(out, micros);
  return out;
}
std::string decimal(Int128 value, unsigned scale) {
  std::string out;
  append_decimal(out, value, scale);
  return out;
}
std::string number(double value) {
  std::string out;
  append_double(out, value);
  return out;
}

TEST(Calendar, every_day_of_ten_thousand_years_comes_back) {
  EXPECT_EQ(days_from_civil(1970, 1, 1), 0);
  EXPECT_EQ(days_from_civil(2000, 3, 1), 11017);
  std::int32_t expected = kDateMin;
  for (std::int32_t year = 0; year <= 9999; ++year) {
    for (std::int32_t month = 1; month <= 12; ++month) {
      for (std::int32_t day = 1; day <= days_in_month(year, month); ++day, ++expected) {
        if (year > 10 && year % 100 > 4 && year % 100 < 96 && day % 9 != 0) continue;
        ASSERT_EQ(days_from_civil(year, month, day), expected);
        const CivilDate back = civil_from_days(expected);
        ASSERT_TRUE(back.year == year && back.month == month && back.day == day)
            << year << ' ' << month << ' ' << day;
      }
    }
  }
  EXPECT_EQ(expected - 1, kDateMax);
}

TEST(ValueFormat, dates_have_four_digits_of_year) {
  EXPECT_EQ(date(2017, 10, 1), "2017-10-01");
  EXPECT_EQ(date(0, 1, 1), "0000-01-01");
  EXPECT_EQ(date(9999, 12, 31), "9999-12-31");
}

TEST(ValueFormat, date_times_drop_seconds_that_are_zero) {
  const std::int64_t day = days_from_civil(2017, 10, 1) * kMicrosPerDay;
  EXPECT_EQ(date_time(day + 6 * 3600 * kMicrosPerSecond), "2017-10-01T06:00");
  EXPECT_EQ(date_time(day + 5 * kMicrosPerSecond), "2017-10-01T00:00:05");
  EXPECT_EQ(date_time(day + 500'000), "2017-10-01T00:00:00.500");
  EXPECT_EQ(date_time(day + 1), "2017-10-01T00:00:00.000001");
  EXPECT_EQ(date_time(-1), "1969-12-31T23:59:59.999999");
}

TEST(ValueFormat, decimals_have_all_digits_of_their_scale) {
  EXPECT_EQ(decimal(2'390'000, 4), "239.0000");
  EXPECT_EQ(decimal(0, 0), "0");
  EXPECT_EQ(decimal(0, 3), "0.000");
  EXPECT_EQ(decimal(-5, 2), "-0.05");
  EXPECT_EQ(decimal(Int128{1} << 126, 38), "0.85070591730234615865843651857942052864");
  decimal(std::numeric_limits<Int128>::min(), 10);
}

TEST(ValueFormat, doubles_are_the_shortest_text_that_reads_back) {
  EXPECT_EQ(number(0.1), "0.1");
  EXPECT_EQ(number(123.3423), "123.3423");
  EXPECT_EQ(number(std::numeric_limits<double>::infinity()), "Infinity");
  EXPECT_EQ(number(-std::numeric_limits<double>::infinity()), "-Infinity");
  EXPECT_EQ(number(std::numeric_limits<double>::quiet_NaN()), "NaN");
}

TEST(ValueFormat, strings_never_break_their_line) {
  std::string out;
  append_escaped(out, std::string("a\nb\tc\\d\re\\N", 11));
  EXPECT_EQ(out, "a\\nb\\tc\\\\d\\re\\\\N");
}

TEST(ValueFormat, any_bit_pattern_gives_some_text) {
  std::string out;
  append_date(out, std::numeric_limits<std::int32_t>::max());
  append_date(out, std::numeric_limits<std::int32_t>::min());
  append_date_time(out, std::numeric_limits<std::int64_t>::max());
  append_date_time(out, std::numeric_limits<std::int64_t>::min());
  EXPECT_FALSE(out.empty());
}

}  // namespace
}  // namespace penstock::txn
