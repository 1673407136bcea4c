// The proleptic Gregorian calendar between day numbers and (year, month, day).
//
// Journey:  text_to_value (text -> day number), value_format (day number -> text) -> [calendar].
// Shard:    any; pure functions.
// Promise:  exact for years 0 to 9999, which is all the types can hold.
// Failure:  none; is_date() judges what comes from outside.
#pragma once

#include <cstdint>

namespace penstock::txn {

struct CivilDate {
  std::int32_t year = 1970;
  std::int32_t month = 1;
  std::int32_t day = 1;
};

inline constexpr std::int64_t kMicrosPerSecond = 1'000'000;
inline constexpr std::int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

constexpr bool is_leap_year(std::int32_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

constexpr std::int32_t days_in_month(std::int32_t year, std::int32_t month) {
  if (month == 2) return is_leap_year(year) ? 29 : 28;
  return 30 + ((month + (month >> 3)) & 1);  // 31 for odd months up to July and for even ones from August
}

constexpr bool is_date(std::int32_t year, std::int32_t month, std::int32_t day) {
  return year >= 0 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 &&
         day <= days_in_month(year, month);
}

// Days since 1970-01-01. The year is counted from March, so that the leap day comes last and the months
// before it have the regular lengths that 153 days in five months describe.
constexpr std::int32_t days_from_civil(std::int32_t year, std::int32_t month, std::int32_t day) {
  const std::int32_t march_year = year - (month <= 2) + 400;  // 400 keeps January of year 0 positive
  const std::int32_t march_month = (month + 9) % 12;
  const std::int32_t day_of_year = (153 * march_month + 2) / 5 + day - 1;
  const std::int32_t leaps = march_year / 4 - march_year / 100 + march_year / 400;
  return march_year * 365 + leaps + day_of_year - (719'468 + 146'097);
}

constexpr CivilDate civil_from_days(std::int32_t days) {
  const std::int64_t shifted = static_cast<std::int64_t>(days) + 719'468 + 146'097;
  const auto era = static_cast<std::int32_t>((shifted >= 0 ? shifted : shifted - 146'096) / 146'097);
  const auto day_of_era = static_cast<std::int32_t>(shifted - static_cast<std::int64_t>(era) * 146'097);
  const std::int32_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int32_t march_month = (5 * day_of_year + 2) / 153;
  const std::int32_t month = march_month < 10 ? march_month + 3 : march_month - 9;
  return {era * 400 + year_of_era + (month <= 2) - 400, month, day_of_year - (153 * march_month + 2) / 5 + 1};
}

inline constexpr std::int32_t kDateMin = days_from_civil(0, 1, 1);
inline constexpr std::int32_t kDateMax = days_from_civil(9999, 12, 31);
inline constexpr std::int64_t kDateTimeMin = kDateMin * kMicrosPerDay;
inline constexpr std::int64_t kDateTimeMax = (kDateMax + 1) * kMicrosPerDay - 1;

}  // namespace penstock::txn
