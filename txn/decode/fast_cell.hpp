// One cell of the usual form to a value: short digits, 12.50, 2017-10-03 17:05:45.
//
// What nearly all cells look like, without a loop over their characters (swar.hpp). Where the machine has lanes, most of
// them are taken several at a time before (cell_lanes.hpp), and the rest comes here.
//
// Journey:  column_decode -> [fast_*, Fast*].
// Shard:    any; what remembers a day lives as long as a column's loop.
// Promise:  a value is what parse_fixed() would give for the same text.
// Failure:  false: the cell is not of the usual form, or does not fit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "txn/column/calendar.hpp"
#include "txn/column/column_view.hpp"
#include "txn/decode/cell_list.hpp"
#include "txn/decode/swar.hpp"

namespace penstock::txn {

template <class T>
bool fast_integer(Cell cell, T& value) {
  const bool negative = *cell.begin == '-';
  const char* const at = cell.begin + negative;
  const std::size_t size = cell.size - negative;
  std::uint64_t number;
  if (!(size - 1 < 8 ? swar::parse_short(at, size, number) : swar::parse_digits(at, size, number)))
    return false;
  if (number > static_cast<std::uint64_t>(std::numeric_limits<T>::max()) + negative) return false;
  value = static_cast<T>(negative ? std::uint64_t{0} - number : number);
  return true;
}

inline bool fast_large_integer(Cell cell, Int128& value) {
  const bool negative = *cell.begin == '-';
  std::uint64_t number;
  if (!swar::parse_digits(cell.begin + negative, cell.size - negative, number)) return false;
  value = negative ? -static_cast<Int128>(number) : static_cast<Int128>(number);
  return true;
}

inline bool fast_boolean(Cell cell, std::uint8_t& value) {
  value = static_cast<std::uint8_t>(*cell.begin - '0');
  return cell.size == 1 && value <= 1;
}

struct FastDecimal {
  unsigned precision;
  unsigned scale;

  [[gnu::always_inline]] bool operator()(Cell cell, std::int64_t& value) const {
    const bool negative = *cell.begin == '-';
    const char* at = cell.begin + negative;
    const std::size_t size = cell.size - negative;
    std::uint64_t digits;
    unsigned fraction = 0;
    if (size - 1 < 8) {
      if (!swar::parse_short_fixed_point(at, size, digits, fraction)) return false;
    } else if (!read_long(at, size, digits, fraction)) {
      return false;
    }
    if (fraction > scale) return false;
    const unsigned shift = scale - fraction;
    if (digits >= swar::kPowersOfTen[precision - shift]) return false;
    digits *= swar::kPowersOfTen[shift];
    value = static_cast<std::int64_t>(negative ? std::uint64_t{0} - digits : digits);
    return true;
  }

  static bool read_long(const char* at, std::size_t size, std::uint64_t& digits, unsigned& fraction) {
    if (size - 1 >= 19) return false;
    digits = 0;
    std::size_t point = size;
    for (std::size_t i = 0; i < size; ++i) {
      const auto digit = static_cast<unsigned>(at[i] - '0');
      if (digit <= 9) {
        digits = digits * 10 + digit;
      } else if (at[i] == '.' && point == size) {
        point = i;
      } else {
        return false;
      }
    }
    if (point != size) fraction = static_cast<unsigned>(size - 1 - point);
    return true;
  }
};

// 2017-10-03, remembering the day before: neighbours in a log have the same date.
class FastDate {
 public:
  bool days_of(const char* at, std::int32_t& days) {
    const std::uint64_t head = swar::load8(at);
    const std::uint16_t tail = swar::load2(at + 8);
    if (head == head_ && tail == tail_) [[likely]] {
      days = days_;
      return true;
    }
    constexpr std::uint64_t kShape = 0x2d30302d30303030;  // "0000-00-"
    const std::uint64_t bytes = head ^ kShape;
    if (!swar::are_digits(bytes) || (bytes & 0xff0000ff00000000) != 0) return false;
    const auto digit = [bytes](unsigned i) { return static_cast<std::int32_t>(bytes >> 8 * i & 0xf); };
    const auto ten = static_cast<std::uint32_t>(tail & 0xff) - '0';
    const auto one = static_cast<std::uint32_t>(tail >> 8) - '0';
    if (ten > 9 || one > 9) return false;
    const std::int32_t year = digit(0) * 1000 + digit(1) * 100 + digit(2) * 10 + digit(3);
    const std::int32_t month = digit(5) * 10 + digit(6);
    const auto day = static_cast<std::int32_t>(ten * 10 + one);
    if (!is_date(year, month, day)) return false;
    head_ = head;
    tail_ = tail;
    days = days_ = days_from_civil(year, month, day);
    return true;
  }

  bool operator()(Cell cell, std::int32_t& days) { return cell.size == 10 && days_of(cell.begin, days); }

 private:
  std::uint64_t head_ = 0x2d31302d30373931;  // "1970-01-" and "01": nothing is remembered that is not a date
  std::uint16_t tail_ = 0x3130;
  std::int32_t days_ = 0;
};

// 2017-10-03 17:05:45, with T or a blank, and a fraction of at most six digits if the column keeps them.
struct FastDateTime {
  unsigned scale;
  FastDate date{};

  [[gnu::always_inline]] bool operator()(Cell cell, std::int64_t& micros) {
    std::int32_t days;
    if (cell.size < 19 || (cell.begin[10] != ' ' && cell.begin[10] != 'T') ||
        !date.days_of(cell.begin, days)) {
      return false;
    }
    constexpr std::uint64_t kShape = 0x30303a30303a3030;  // "00:00:00"
    const std::uint64_t bytes = swar::load8(cell.begin + 11) ^ kShape;
    if (!swar::are_digits(bytes) || (bytes & 0x0000ff0000ff0000) != 0) return false;
    const std::uint64_t pairs = bytes * 10 + (bytes >> 8);  // hours in byte 0, minutes in 3, seconds in 6
    const auto hour = static_cast<std::uint32_t>(pairs & 0xff);
    const auto minute = static_cast<std::uint32_t>(pairs >> 24 & 0xff);
    const auto second = static_cast<std::uint32_t>(pairs >> 48 & 0xff);
    if (hour > 23 || minute > 59 || second > 59) return false;
    std::uint64_t fraction = 0;
    if (cell.size != 19) {
      const std::size_t digits = cell.size - 20;
      if (cell.begin[19] != '.' || digits - 1 >= scale ||
          !swar::parse_short(cell.begin + 20, digits, fraction)) {
        return false;
      }
      fraction *= swar::kPowersOfTen[6 - digits];
    }
    const std::int64_t seconds = days * std::int64_t{86'400} + hour * 3600 + minute * 60 + second;
    micros = seconds * kMicrosPerSecond + static_cast<std::int64_t>(fraction);
    return true;
  }
};

}  // namespace penstock::txn
