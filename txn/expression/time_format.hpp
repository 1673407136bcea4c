// Times to text and back by a format in MySQL's words: %Y-%m-%d %H:%i:%s.
//
// The three formats that Doris also takes in Java's words (yyyyMMdd, yyyy-MM-dd, yyyy-MM-dd HH:mm:ss) are known too.
//
// Journey:  date_format, from_unixtime, str_to_date, unix_timestamp -> [format_time, parse_time].
// Shard:    any; pure.
// Promise:  a time that comes out is one of the calendar.
// Failure:  false: the text does not have the form, or the form has a mark that nobody knows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "txn/column/calendar.hpp"

namespace penstock::txn {

struct ClockTime {
  CivilDate date;
  std::int32_t days = 0;  // since 1970-01-01
  std::int32_t hour = 0;
  std::int32_t minute = 0;
  std::int32_t second = 0;
  std::int32_t micros = 0;
};
ClockTime clock_time(std::int64_t micros);

inline constexpr std::size_t kFormatBytesMax = 128;  // as Doris has it; a longer one gives NULL

bool format_time(std::string_view format, std::int64_t micros, std::string& out);
bool parse_time(std::string_view format, std::string_view text, std::int64_t& micros);
// Whether a format speaks of the time of day; whether of its fraction.
bool has_time_of_day(std::string_view format);
bool has_fraction(std::string_view format);

// ISO and MySQL weeks. mode: as in MySQL's WEEK(); the year the week belongs to comes with it.
struct Week {
  std::int32_t year;
  std::int32_t number;
};
Week week_of(const CivilDate& date, std::int32_t days, unsigned mode);
// 0 is Sunday.
inline std::int32_t day_of_week(std::int32_t days) { return ((days % 7) + 11) % 7; }

}  // namespace penstock::txn
