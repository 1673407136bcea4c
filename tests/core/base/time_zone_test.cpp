#include "core/base/time_zone.hpp"

#include <gtest/gtest.h>

namespace penstock::core {
namespace {

// A zone like central Europe in 2020 and 2021: an hour ahead, two in summer.
ZoneRules summer_time() {
  return {.first_offset = 3600,
          .changes = {1'585'443'600, 1'603'587'600, 1'616'893'200},
          .offsets = {7200, 3600, 7200}};
}

TimeZone test_zone() {
  static const bool once = [] {
    ZoneNames names;
    names.emplace("test/summer", std::make_shared<const ZoneRules>(summer_time()));
    install_time_zones(std::move(names));
    return true;
  }();
  EXPECT_TRUE(once);
  return *TimeZone::find("Test/SUMMER");
}

TEST(TimeZone, without_a_name_is_utc) {
  EXPECT_EQ(TimeZone().to_local(1000), 1000);
  EXPECT_EQ(TimeZone().to_utc(1000), 1000);
}

TEST(TimeZone, reads_offsets_in_the_spellings_people_use) {
  for (const char* text : {"+08:00", "+8:00", "+8", "+0800", "GMT+8", "utc+08:00", "CST"}) {
    ASSERT_TRUE(TimeZone::find(text)) << text;
    EXPECT_EQ(TimeZone::find(text)->offset_at(0), 8 * 3600) << text;
  }
  EXPECT_EQ(TimeZone::find("-03:30")->offset_at(0), -(3 * 3600 + 1800));
  EXPECT_EQ(TimeZone::find("Z")->offset_at(0), 0);
  EXPECT_EQ(TimeZone::find("+14:00")->offset_at(0), 14 * 3600);
}

TEST(TimeZone, takes_nothing_else) {
  for (const char* text : {"", "8", "+", "+15:00", "+14:01", "+08:60", "+08:0", "+123", "+12345", "+08:00x",
                           "GMT8", "Nowhere/Land", "../../etc/passwd"}) {
    EXPECT_FALSE(TimeZone::find(text)) << text;
  }
  EXPECT_FALSE(TimeZone::find(std::string(1000, 'a')));
}

TEST(TimeZone, a_named_zone_has_the_offset_of_its_day) {
  const TimeZone zone = test_zone();
  EXPECT_EQ(zone.offset_at(0), 3600);
  EXPECT_EQ(zone.offset_at(1'585'443'599), 3600);
  EXPECT_EQ(zone.offset_at(1'585'443'600), 7200);
  EXPECT_EQ(zone.offset_at(1'603'587'600), 3600);
  EXPECT_EQ(zone.offset_at(4'000'000'000), 7200);
  EXPECT_EQ(zone.micros_to_local(-1), 3'599'999'999);
}

TEST(TimeZone, local_times_go_back_to_utc_also_around_changes) {
  const TimeZone zone = test_zone();
  for (std::int64_t utc = 1'585'443'600 - 7200; utc < 1'585'443'600 + 7200; utc += 600) {
    EXPECT_EQ(zone.to_utc(zone.to_local(utc)), utc);
  }
  const std::int64_t back = 1'603'587'600;
  EXPECT_EQ(zone.to_utc(back + 3600), back - 3600) << "a time that came twice is the first";
  EXPECT_EQ(zone.to_utc(back + 7200), back + 3600);
  const std::int64_t ahead = 1'585'443'600;
  EXPECT_EQ(zone.to_utc(ahead + 3600 + 1800), ahead + 1800)
      << "a skipped time is read with the offset before";
}

}  // namespace
}  // namespace penstock::core
