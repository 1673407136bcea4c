#include "txn/decode/text_to_value.hpp"

#include <fast_float/fast_float.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "txn/column/calendar.hpp"
#include "txn/schema/table_schema.hpp"

namespace penstock::txn {
namespace {

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool take_sign(std::string_view& text) {
  if (text.empty() || (text[0] != '-' && text[0] != '+')) return false;
  const bool negative = text[0] == '-';
  text.remove_prefix(1);
  return negative;
}

std::string_view take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

bool take_char(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

constexpr std::array<Int128, kDecimalPrecisionMax + 1> kWidePowersOfTen = [] {
  std::array<Int128, kDecimalPrecisionMax + 1> powers{1};
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

// A date and time as it was written, checked field by field.
struct WrittenTime {
  std::int32_t days = 0;
  std::int32_t seconds = 0;   // of the day
  std::int64_t fraction = 0;  // in 1e-7 s: one digit more than is kept, to round with
  bool has_zone = false;
  core::TimeZone zone;
};

class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(trim_blanks(text)) {}

  bool read(WrittenTime& time) {
    std::int32_t year = 0;
    std::int32_t month = 0;
    std::int32_t day = 0;
    const std::string_view head = take_digits(rest_);
    if (head.size() == 8 || head.size() == 14) {
      year = number(head.substr(0, 4));
    } else if (head.size() == 6 || head.size() == 12) {
      year = full_year(number(head.substr(0, 2)));
    } else if (head.size() == 4 || head.size() == 2) {
      year = head.size() == 4 ? number(head) : full_year(number(head));
      if (rest_.empty() || (rest_[0] != '-' && rest_[0] != '/' && rest_[0] != '.')) return false;
      const char separator = rest_[0];
      rest_.remove_prefix(1);
      if (!take_field(month) || !take_char(rest_, separator) || !take_field(day)) return false;
      return is_valid_date(year, month, day, time) && read_time(time) && rest_.empty();
    } else {
      return false;
    }
    const std::size_t at = head.size() % 6 == 0 ? 2 : 4;  // digits of the year
    month = number(head.substr(at, 2));
    day = number(head.substr(at + 2, 2));
    if (!is_valid_date(year, month, day, time)) return false;
    if (head.size() <= 8) return read_time(time) && rest_.empty();
    return set_time(number(head.substr(at + 4, 2)), number(head.substr(at + 6, 2)),
                    number(head.substr(at + 8, 2)), time) &&
           read_fraction(time) && read_zone(time) && rest_.empty();
  }

 private:
  static std::int32_t number(std::string_view digits) {
    std::int32_t value = 0;
    for (const char c : digits) value = value * 10 + (c - '0');
    return value;
  }
  static std::int32_t full_year(std::int32_t year) { return year < 70 ? 2000 + year : 1900 + year; }

  bool take_field(std::int32_t& value) {  // one or two digits
    const std::string_view digits = take_digits(rest_);
    if (digits.empty() || digits.size() > 2) return false;
    value = number(digits);
    return true;
  }
  static bool is_valid_date(std::int32_t year, std::int32_t month, std::int32_t day, WrittenTime& time) {
    if (!is_date(year, month, day)) return false;
    time.days = days_from_civil(year, month, day);
    return true;
  }
  static bool set_time(std::int32_t hour, std::int32_t minute, std::int32_t second, WrittenTime& time) {
    if (hour > 23 || minute > 59 || second > 59) return false;
    time.seconds = hour * 3600 + minute * 60 + second;
    return true;
  }
  // Nothing, or: a mark between date and time, then h, h:m or h:m:s[.f], all of one or two digits, or hhmmss;
  // a zone.
  bool read_time(WrittenTime& time) {
    if (rest_.empty()) return true;
    if (rest_[0] == 'Z' || rest_[0] == '+') return read_zone(time);
    if (rest_[0] != 'T' && rest_[0] != ':' && !is_blank(rest_[0])) return false;
    rest_.remove_prefix(1);
    rest_ = trim_blanks(rest_);
    const std::string_view head = take_digits(rest_);
    if (head.size() == 6) {
      return set_time(number(head.substr(0, 2)), number(head.substr(2, 2)), number(head.substr(4, 2)),
                      time) &&
             read_fraction(time) && read_zone(time);
    }
    if (head.empty() || head.size() > 2) return false;
    std::int32_t minute = 0;
    std::int32_t second = 0;
    if (take_char(rest_, ':')) {
      if (!take_field(minute)) return false;
      if (take_char(rest_, ':') && !(take_field(second) && read_fraction(time))) return false;
    }
    return set_time(number(head), minute, second, time) && read_zone(time);
  }
  bool read_fraction(WrittenTime& time) {
    if (!take_char(rest_, '.')) return true;
    const std::string_view digits = take_digits(rest_);
    if (digits.empty()) return false;
    for (std::size_t i = 0; i < 7; ++i)
      time.fraction = time.fraction * 10 + (i < digits.size() ? digits[i] - '0' : 0);
    return true;
  }
  bool read_zone(WrittenTime& time) {
    rest_ = trim_blanks(rest_);
    if (rest_.empty()) return true;
    time.has_zone = true;
    if (rest_[0] != '+' && rest_[0] != '-') return read_zone_name(time);
    const bool negative = take_sign(rest_);
    const std::string_view head = take_digits(rest_);
    std::int32_t minutes = 0;
    if (head.size() == 4) {
      minutes = number(head.substr(2));
    } else if (head.empty() || head.size() > 2 || (take_char(rest_, ':') && !take_field(minutes))) {
      return false;
    }
    const std::int32_t hours = number(head.substr(0, 2));
    if (hours > 14 || minutes > 59) return false;
    time.zone = core::TimeZone::fixed((hours * 60 + minutes) * (negative ? -60 : 60));
    return true;
  }
  bool read_zone_name(WrittenTime& time) {
    const auto zone = core::TimeZone::find(rest_);
    if (!zone) return false;
    time.zone = *zone;
    rest_ = {};
    return true;
  }

  std::string_view rest_;
};

std::int64_t local_seconds(const WrittenTime& time) {
  return time.days * std::int64_t{86'400} + time.seconds;
}

// What the written zone's clock is ahead of UTC at that time.
std::int64_t seconds_east(const WrittenTime& time) {
  const std::int64_t local = local_seconds(time);
  return local - time.zone.to_utc(local);
}

bool to_micros(std::string_view text, unsigned scale, const core::TimeZone& zone, std::int64_t& micros) {
  WrittenTime time;
  if (!TimeReader(text).read(time)) return false;
  std::int64_t unit = 10;
  for (unsigned digits = scale; digits < 6; ++digits) unit *= 10;
  const std::int64_t fraction = (time.fraction + unit / 2) / unit * unit / 10;
  micros = time.days * kMicrosPerDay + time.seconds * kMicrosPerSecond + fraction;
  if (time.has_zone) micros = zone.micros_to_local(micros - seconds_east(time) * kMicrosPerSecond);
  return micros >= kDateTimeMin && micros <= kDateTimeMax;
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

template <class T>
bool parse_floating(std::string_view text, T& value) {
  text = trim_blanks(text);
  if (!text.empty() && text[0] == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text[0] == '-') return false;
  }
  const char* end = text.data() + text.size();
  const auto result = fast_float::from_chars(text.data(), end, value);
  // Out of range is not an error here: the value is then infinity or zero, as a cast gives it.
  return result.ptr == end && !text.empty() &&
         (result.ec == std::errc() || result.ec == std::errc::result_out_of_range);
}

template <class T>
void store(FixedValue& value, T number) {
  std::memcpy(value.bytes, &number, sizeof number);
}

template <class T>
bool store_integer(std::string_view text, FixedValue& value) {
  std::int64_t number;
  if (!parse_integer(text, std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), number))
    return false;
  store(value, static_cast<T>(number));
  return true;
}

}  // namespace

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool parse_boolean(std::string_view text, std::uint8_t& value) {
  text = trim_blanks(text);
  for (const std::string_view word : {"true", "t", "yes", "on"}) {
    if (equal_ignoring_case(text, word)) return value = 1, true;
  }
  for (const std::string_view word : {"false", "f", "no", "off"}) {
    if (equal_ignoring_case(text, word)) return value = 0, true;
  }
  std::int64_t number;
  if (!parse_integer(text, 0, 1, number)) return false;
  value = static_cast<std::uint8_t>(number);
  return true;
}

bool parse_integer(std::string_view text, std::int64_t low, std::int64_t high, std::int64_t& value) {
  text = trim_blanks(text);
  const bool negative = take_sign(text);
  const std::string_view digits = take_digits(text);
  if (digits.empty()) return false;
  if (take_char(text, '.')) take_digits(text);
  if (!text.empty()) return false;
  const std::uint64_t limit =
      negative ? std::uint64_t{0} - static_cast<std::uint64_t>(std::min<std::int64_t>(low, 0))
               : static_cast<std::uint64_t>(high);
  std::uint64_t number = 0;
  for (const char c : digits) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (number > limit / 10 || number * 10 + digit > limit) return false;  // limit is below 2^63 + 1
    number = number * 10 + digit;
  }
  value = static_cast<std::int64_t>(negative ? std::uint64_t{0} - number : number);
  return true;
}

bool parse_large_integer(std::string_view text, Int128& value) {
  text = trim_blanks(text);
  const bool negative = take_sign(text);
  const std::string_view digits = take_digits(text);
  if (digits.empty()) return false;
  if (take_char(text, '.')) take_digits(text);
  if (!text.empty()) return false;
  const UInt128 limit = (UInt128{1} << 127) - !negative;
  UInt128 number = 0;
  for (const char c : digits) {
    const auto digit = static_cast<UInt128>(c - '0');
    if (number > (limit - digit) / 10) return false;
    number = number * 10 + digit;
  }
  value = static_cast<Int128>(negative ? UInt128{0} - number : number);
  return true;
}

bool parse_double(std::string_view text, double& value) { return parse_floating(text, value); }
bool parse_float(std::string_view text, float& value) { return parse_floating(text, value); }

bool parse_ipv4(std::string_view text, std::uint32_t& address) {
  text = trim_blanks(text);
  address = 0;
  for (int part = 0; part < 4; ++part) {
    if (part != 0 && !take_char(text, '.')) return false;
    const std::string_view digits = take_digits(text);
    if (digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits[0] == '0')) return false;
    std::uint32_t number = 0;
    for (const char c : digits) number = number * 10 + static_cast<std::uint32_t>(c - '0');
    if (number > 255) return false;
    address = address << 8 | number;
  }
  return text.empty();
}

bool parse_ipv6(std::string_view text, UInt128& address) {
  text = trim_blanks(text);
  std::uint32_t v4;
  if (parse_ipv4(text, v4)) {
    address = UInt128{0xffff} << 32 | v4;
    return true;
  }
  std::array<std::uint16_t, 8> groups{};
  std::size_t count = 0;
  std::size_t gap = groups.size() + 1;  // where :: stands, in groups
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    if (count == groups.size()) return false;
    if (count + 2 <= groups.size() && parse_ipv4(text, v4)) {
      groups[count++] = static_cast<std::uint16_t>(v4 >> 16);
      groups[count++] = static_cast<std::uint16_t>(v4);
      break;
    }
    std::size_t digits = 0;
    std::uint32_t group = 0;
    while (digits < text.size() && hex_digit(text[digits]) >= 0) {
      if (digits == 4) return false;
      group = group * 16 + static_cast<std::uint32_t>(hex_digit(text[digits++]));
    }
    if (digits == 0) return false;
    text.remove_prefix(digits);
    groups[count++] = static_cast<std::uint16_t>(group);
    if (text.empty()) break;
    if (!take_char(text, ':') || text.empty()) return false;
    if (take_char(text, ':')) {
      if (gap <= groups.size()) return false;
      gap = count;
    }
  }
  const bool has_gap = gap <= groups.size();
  if (has_gap ? count == groups.size() : count != groups.size()) return false;
  address = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t place = i < gap ? i : groups.size() - count + i;
    address |= static_cast<UInt128>(groups[i]) << (112 - 16 * place);
  }
  return true;
}

bool parse_decimal(std::string_view text, unsigned precision, unsigned scale, Int128& value) {
  text = trim_blanks(text);
  const bool negative = take_sign(text);
  const std::string_view whole = take_digits(text);
  std::string_view fraction;
  if (take_char(text, '.')) fraction = take_digits(text);
  if (whole.empty() && fraction.empty()) return false;
  std::int64_t exponent = 0;
  if (!text.empty() && (text[0] == 'e' || text[0] == 'E')) {
    text.remove_prefix(1);
    const bool down = take_sign(text);
    const std::string_view digits = take_digits(text);
    if (digits.empty()) return false;
    for (const char c : digits) exponent = std::min<std::int64_t>(exponent * 10 + (c - '0'), 1 << 30);
    if (down) exponent = -exponent;
  }
  if (!text.empty()) return false;

  // The result is made of the first `wanted` digits of the number as it is written without its point.
  const auto count = static_cast<std::int64_t>(whole.size() + fraction.size());
  const std::int64_t wanted = static_cast<std::int64_t>(whole.size()) + exponent + scale;
  const auto digit_at = [&](std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    return (at < whole.size() ? whole[at] : fraction[at - whole.size()]) - '0';
  };
  const Int128 limit = kWidePowersOfTen[precision];
  Int128 number = 0;
  for (std::int64_t i = 0; i < wanted; ++i) {
    if (i >= count && number == 0) break;
    if (number > (limit - 1) / 10)
      return false;  // ten times this would not fit (nor, for 38 digits, be an Int128)
    number = number * 10 + (i < count ? digit_at(i) : 0);
  }
  if (wanted >= 0 && wanted < count && digit_at(wanted) >= 5) ++number;
  if (number >= limit) return false;
  value = negative ? -number : number;
  return true;
}

bool parse_date(std::string_view text, const core::TimeZone& zone, std::int32_t& days) {
  WrittenTime time;
  if (!TimeReader(text).read(time)) return false;
  if (!time.has_zone) {
    days = time.days;
    return true;
  }
  const std::int64_t seconds = zone.to_local(local_seconds(time) - seconds_east(time));
  days =
      static_cast<std::int32_t>((seconds + 2'000'000 * std::int64_t{86'400}) / 86'400 - 2'000'000);  // floor
  return days >= kDateMin && days <= kDateMax;
}

bool parse_date_time(std::string_view text, unsigned scale, const core::TimeZone& zone,
                     std::int64_t& micros) {
  return to_micros(text, scale, zone, micros);
}

std::size_t utf8_prefix(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text.size();
  std::size_t cut = bytes_max;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;
  return cut;
}

bool parse_fixed(const Type& type, std::string_view text, const core::TimeZone& zone, FixedValue& value) {
  switch (type.kind) {
    case TypeKind::Boolean: {
      std::uint8_t flag;
      if (!parse_boolean(text, flag)) return false;
      store(value, flag);
      return true;
    }
    case TypeKind::TinyInt:
      return store_integer<std::int8_t>(text, value);
    case TypeKind::SmallInt:
      return store_integer<std::int16_t>(text, value);
    case TypeKind::Int:
      return store_integer<std::int32_t>(text, value);
    case TypeKind::BigInt:
      return store_integer<std::int64_t>(text, value);
    case TypeKind::Double: {
      double number;
      if (!parse_double(text, number)) return false;
      store(value, number);
      return true;
    }
    case TypeKind::Decimal: {
      Int128 number;
      if (!parse_decimal(text, type.precision, type.scale, number)) return false;
      if (type.precision <= kDecimalInt64PrecisionMax) {
        store(value, static_cast<std::int64_t>(number));
      } else {
        store(value, number);
      }
      return true;
    }
    case TypeKind::Date: {
      std::int32_t days;
      if (!parse_date(text, zone, days)) return false;
      store(value, days);
      return true;
    }
    case TypeKind::DateTime: {
      std::int64_t micros;
      if (!parse_date_time(text, type.scale, zone, micros)) return false;
      store(value, micros);
      return true;
    }
    case TypeKind::LargeInt: {
      Int128 number;
      if (!parse_large_integer(text, number)) return false;
      store(value, number);
      return true;
    }
    case TypeKind::Float: {
      float number;
      if (!parse_float(text, number)) return false;
      store(value, number);
      return true;
    }
    case TypeKind::IpV4: {
      std::uint32_t address;
      if (!parse_ipv4(text, address)) return false;
      store(value, address);
      return true;
    }
    case TypeKind::IpV6: {
      UInt128 address;
      if (!parse_ipv6(text, address)) return false;
      store(value, address);
      return true;
    }
    case TypeKind::Varchar:
    case TypeKind::String:
    case TypeKind::Char:
    case TypeKind::Json:
    case TypeKind::Array:
    case TypeKind::Map:
    case TypeKind::Struct:
      break;
  }
  return false;
}

}  // namespace penstock::txn
