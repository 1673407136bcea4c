#include "txn/expression/time_format.hpp"

#include <fmt/format.h>

#include <array>

#include "txn/schema/table_schema.hpp"

namespace penstock::txn {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};

std::string_view in_our_words(std::string_view format) {
  if (format == "yyyyMMdd") return "%Y%m%d";
  if (format == "yyyy-MM-dd") return "%Y-%m-%d";
  if (format == "yyyy-MM-dd HH:mm:ss") return "%Y-%m-%d %H:%i:%s";
  return format;
}

std::int32_t day_of_year(const CivilDate& date, std::int32_t days) {
  return days - days_from_civil(date.year, 1, 1) + 1;
}

bool has_mark(std::string_view format, std::string_view marks) {
  format = in_our_words(format);
  for (std::size_t i = 0; i + 1 < format.size(); ++i) {
    if (format[i] != '%') continue;
    ++i;
    if (marks.find(format[i]) != std::string_view::npos) return true;
  }
  return false;
}

void append_number(std::string& out, std::int32_t value, unsigned digits) {
  fmt::format_to(std::back_inserter(out), "{:0{}}", value, digits);
}

// The day that week 1 of a year begins with; modes as in week_of().
std::int32_t first_week(std::int32_t year, unsigned mode) {
  const bool from_monday = (mode & 1) != 0;
  const bool four_days = ((mode & 4) != 0) != from_monday;  // week 1 has four days or more of the year
  const std::int32_t new_year = days_from_civil(year, 1, 1);
  const std::int32_t from_sunday = day_of_week(new_year);
  const std::int32_t weekday = from_monday ? (from_sunday + 6) % 7 : from_sunday;
  const bool counts = four_days ? weekday <= 3 : weekday == 0;
  return new_year - weekday + (counts ? 0 : 7);
}

// th, st, nd, rd
std::string_view ordinal(std::int32_t day) {
  if (day / 10 == 1) return "th";
  constexpr std::array<std::string_view, 4> kEnds = {"th", "st", "nd", "rd"};
  return day % 10 < 4 ? kEnds[static_cast<std::size_t>(day % 10)] : "th";
}

// Reads a text by a format, mark by mark.
class TimeParser {
 public:
  explicit TimeParser(std::string_view text) : rest_(text) {}

  bool read(std::string_view format) {
    for (std::size_t i = 0; i < format.size(); ++i) {
      if (format[i] == ' ') {
        skip_blanks();
        continue;
      }
      if (rest_.empty()) break;  // what the format has more is 0
      if (format[i] != '%' || i + 1 == format.size()) {
        skip_blanks_before(format[i]);
        if (rest_.empty() || rest_[0] != format[i]) return false;
        rest_.remove_prefix(1);
        continue;
      }
      ++i;
      if (format[i] != '%') skip_blanks();
      if (rest_.empty()) break;
      if (!read_mark(format[i])) return false;
    }
    skip_blanks();
    return rest_.empty();
  }

  bool finish(std::int64_t& micros) const {
    std::int32_t hour = hour_;
    if (is_twelve_) {
      if (hour < 1 || hour > 12) return false;
      hour = hour % 12 + (is_afternoon_ ? 12 : 0);
    }
    if (hour > 23 || minute_ > 59 || second_ > 59) return false;
    std::int32_t days = 0;
    if (day_of_year_ > 0) {
      if (!is_date(year_, 1, 1) || day_of_year_ > 365 + is_leap_year(year_)) return false;
      days = days_from_civil(year_, 1, 1) + day_of_year_ - 1;
    } else if (week_ >= 0 && weekday_ >= 0) {
      if (!day_of_week_number(days)) return false;
    } else {
      if (!is_date(year_, month_, day_)) return false;
      days = days_from_civil(year_, month_, day_);
    }
    const std::int64_t seconds = hour * 3600 + minute_ * 60 + second_;
    micros = days * kMicrosPerDay + seconds * kMicrosPerSecond + fraction_;
    return true;
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && (rest_[0] == ' ' || (rest_[0] >= '\t' && rest_[0] <= '\r')))
      rest_.remove_prefix(1);
  }
  void skip_blanks_before(char c) {
    if (c != ' ') skip_blanks();
  }
  bool number(unsigned digits_max, std::int32_t& value, unsigned* digits = nullptr) {
    unsigned count = 0;
    value = 0;
    while (count < digits_max && count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9') {
      value = value * 10 + (rest_[count] - '0');
      ++count;
    }
    rest_.remove_prefix(count);
    if (digits != nullptr) *digits = count;
    return count > 0;
  }
  template <std::size_t kSize>
  bool name(const std::array<std::string_view, kSize>& names, bool is_short, std::int32_t& index) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string_view name = is_short ? names[i].substr(0, 3) : names[i];
      if (rest_.size() < name.size() || !equal_ignoring_case(rest_.substr(0, name.size()), name)) continue;
      rest_.remove_prefix(name.size());
      index = static_cast<std::int32_t>(i);
      return true;
    }
    return false;
  }

  // %V goes with %X, %v with %x, the others with %Y.
  bool day_of_week_number(std::int32_t& days) const {
    const bool is_of_its_year = week_mode_ >= 2;
    if (is_of_its_year != (week_year_ >= 0)) return false;
    if (is_of_its_year && week_year_is_sunday_ != (week_mode_ == 2)) return false;
    const std::int32_t into_week = week_mode_ % 2 == 0 ? weekday_ : (weekday_ + 6) % 7;
    days = first_week(is_of_its_year ? week_year_ : year_, week_mode_) + (week_ - 1) * 7 + into_week;
    return days >= kDateMin && days <= kDateMax;
  }

  bool read_mark(char mark) {
    switch (mark) {
      case 'Y':
      case 'y': {
        unsigned digits = 0;
        if (!number(mark == 'Y' ? 4 : 2, year_, &digits)) return false;
        if (digits <= 2) year_ += year_ < 70 ? 2000 : 1900;
        return true;
      }
      case 'm':
      case 'c':
        return number(2, month_);
      case 'd':
      case 'e':
        return number(2, day_);
      case 'D': {
        if (!number(2, day_) || rest_.size() < 2) return false;
        rest_.remove_prefix(2);
        return true;
      }
      case 'H':
      case 'k':
        return number(2, hour_);
      case 'h':
      case 'I':
      case 'l':
        is_twelve_ = true;
        return number(2, hour_);
      case 'i':
        return number(2, minute_);
      case 's':
      case 'S':
        return number(2, second_);
      case 'f': {
        unsigned digits = 0;
        if (!number(6, fraction_, &digits)) return false;
        for (; digits < 6; ++digits) fraction_ *= 10;
        return true;
      }
      case 'p':
        if (rest_.size() < 2 || (rest_[1] != 'M' && rest_[1] != 'm')) return false;
        if (rest_[0] != 'A' && rest_[0] != 'a' && rest_[0] != 'P' && rest_[0] != 'p') return false;
        is_afternoon_ = rest_[0] == 'P' || rest_[0] == 'p';
        rest_.remove_prefix(2);
        return true;
      case 'j':
        return number(3, day_of_year_) && day_of_year_ > 0;
      case 'M':
      case 'b':
        if (!name(kMonths, mark == 'b', month_)) return false;
        ++month_;
        return true;
      case 'W':
      case 'a':
        return name(kDays, mark == 'a', weekday_);
      case 'w':
        return number(1, weekday_) && weekday_ < 7;
      case 'U':
      case 'u':
      case 'V':
      case 'v':
        week_mode_ = mark == 'U' ? 0 : mark == 'u' ? 1 : mark == 'V' ? 2 : 3;
        return number(2, week_) && week_ <= 53 && (week_ > 0 || week_mode_ < 2);
      case 'X':
      case 'x':
        week_year_is_sunday_ = mark == 'X';
        return number(4, week_year_);
      case 'T':
        return read("%H:%i:%s");  // to the end; one level deep
      case 'r':
        return read("%I:%i:%s %p");
      case '%':
        if (rest_[0] != '%') return false;
        rest_.remove_prefix(1);
        return true;
      default:
        return false;
    }
  }

  std::string_view rest_;
  std::int32_t year_ = 0;
  std::int32_t month_ = 0;
  std::int32_t day_ = 0;
  std::int32_t hour_ = 0;
  std::int32_t minute_ = 0;
  std::int32_t second_ = 0;
  std::int32_t fraction_ = 0;
  std::int32_t day_of_year_ = 0;
  std::int32_t week_ = -1;
  std::int32_t week_year_ = -1;
  std::int32_t weekday_ = -1;  // 0 is Sunday
  unsigned week_mode_ = 0;
  bool week_year_is_sunday_ = false;
  bool is_twelve_ = false;
  bool is_afternoon_ = false;
};

}  // namespace

ClockTime clock_time(std::int64_t micros) {
  ClockTime time;
  std::int64_t days = micros / kMicrosPerDay;
  if (micros % kMicrosPerDay < 0) --days;
  const std::int64_t rest = micros - days * kMicrosPerDay;
  time.days = static_cast<std::int32_t>(days);
  time.date = civil_from_days(time.days);
  const auto seconds = static_cast<std::int32_t>(rest / kMicrosPerSecond);
  time.hour = seconds / 3600;
  time.minute = seconds / 60 % 60;
  time.second = seconds % 60;
  time.micros = static_cast<std::int32_t>(rest % kMicrosPerSecond);
  return time;
}

Week week_of(const CivilDate& date, std::int32_t days, unsigned mode) {
  const bool week_has_year =
      (mode & 2) != 0;  // weeks count from 1, and may belong to the year before or after
  std::int32_t year = date.year;
  std::int32_t begin = first_week(year, mode);
  if (days < begin) {
    if (!week_has_year) return {year, 0};
    begin = first_week(--year, mode);
  } else if (week_has_year && days >= first_week(year + 1, mode)) {
    begin = first_week(++year, mode);
  }
  return {year, (days - begin) / 7 + 1};
}

bool has_time_of_day(std::string_view format) { return has_mark(format, "HkhIlisSfpTr"); }
bool has_fraction(std::string_view format) { return has_mark(format, "f"); }

bool format_time(std::string_view format, std::int64_t micros, std::string& out) {
  if (format.size() > kFormatBytesMax) return false;
  format = in_our_words(format);
  const ClockTime time = clock_time(micros);
  const CivilDate& date = time.date;
  const std::int32_t twelve = (time.hour + 11) % 12 + 1;
  const std::string_view month = kMonths[static_cast<std::size_t>(date.month - 1)];
  const std::string_view weekday = kDays[static_cast<std::size_t>(day_of_week(time.days))];
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    const char mark = format[++i];
    switch (mark) {
      case 'Y':
        append_number(out, date.year, 4);
        break;
      case 'y':
        append_number(out, date.year % 100, 2);
        break;
      case 'm':
        append_number(out, date.month, 2);
        break;
      case 'c':
        append_number(out, date.month, 1);
        break;
      case 'd':
        append_number(out, date.day, 2);
        break;
      case 'e':
        append_number(out, date.day, 1);
        break;
      case 'D':
        append_number(out, date.day, 1);
        out += ordinal(date.day);
        break;
      case 'H':
        append_number(out, time.hour, 2);
        break;
      case 'k':
        append_number(out, time.hour, 1);
        break;
      case 'h':
      case 'I':
        append_number(out, twelve, 2);
        break;
      case 'l':
        append_number(out, twelve, 1);
        break;
      case 'i':
        append_number(out, time.minute, 2);
        break;
      case 's':
      case 'S':
        append_number(out, time.second, 2);
        break;
      case 'f':
        append_number(out, time.micros, 6);
        break;
      case 'p':
        out += time.hour < 12 ? "AM" : "PM";
        break;
      case 'j':
        append_number(out, day_of_year(date, time.days), 3);
        break;
      case 'M':
        out += month;
        break;
      case 'b':
        out += month.substr(0, 3);
        break;
      case 'W':
        out += weekday;
        break;
      case 'a':
        out += weekday.substr(0, 3);
        break;
      case 'w':
        append_number(out, day_of_week(time.days), 1);
        break;
      case 'U':
        append_number(out, week_of(date, time.days, 0).number, 2);
        break;
      case 'u':
        append_number(out, week_of(date, time.days, 1).number, 2);
        break;
      case 'V':
        append_number(out, week_of(date, time.days, 2).number, 2);
        break;
      case 'v':
        append_number(out, week_of(date, time.days, 3).number, 2);
        break;
      case 'X':
        append_number(out, week_of(date, time.days, 2).year, 4);
        break;
      case 'x':
        append_number(out, week_of(date, time.days, 3).year, 4);
        break;
      case 'T':
        out += fmt::format("{:02}:{:02}:{:02}", time.hour, time.minute, time.second);
        break;
      case 'r':
        out += fmt::format("{:02}:{:02}:{:02} {}", twelve, time.minute, time.second,
                           time.hour < 12 ? "AM" : "PM");
        break;
      default:
        out += mark;
    }
  }
  return true;
}

bool parse_time(std::string_view format, std::string_view text, std::int64_t& micros) {
  if (format.size() > kFormatBytesMax) return false;
  TimeParser parser(text);
  return parser.read(in_our_words(format)) && parser.finish(micros);
}

}  // namespace penstock::txn
