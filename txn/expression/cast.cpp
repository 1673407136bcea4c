#include "txn/expression/cast.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/base/check.hpp"
#include "txn/column/calendar.hpp"
#include "txn/column/value_format.hpp"
#include "txn/decode/text_to_value.hpp"

namespace penstock::txn {
namespace {

constexpr std::array<Int128, 39> kPowers = [] {
  std::array<Int128, 39> powers{1};
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

constexpr double kWideMax = 1.7e38;  // an Int128 holds a little more

bool is_number(ValueKind kind) {
  return kind == ValueKind::Boolean || kind == ValueKind::Integer || kind == ValueKind::Decimal;
}

std::int64_t floor_days(Int128 micros) {
  auto value = static_cast<std::int64_t>(micros);
  std::int64_t days = value / kMicrosPerDay;
  if (value % kMicrosPerDay < 0) --days;
  return days;
}

double to_double(const Vector& in, std::size_t row) {
  if (in.type.kind == ValueKind::Double) return in.real(row);
  return decimal_to_double(in.number(row), in.type.kind == ValueKind::Decimal ? in.type.scale : 0);
}

// One value of `in` as a whole number; false: none.
bool to_integer(const Vector& in, std::size_t row, Int128& value) {
  switch (in.type.kind) {
    case ValueKind::Boolean:
    case ValueKind::Integer:
      value = in.number(row);
      return true;
    case ValueKind::Decimal:
      value = in.number(row) / kPowers[in.type.scale];
      return true;
    case ValueKind::Double: {
      const double real = in.real(row);
      if (!(std::fabs(real) < kWideMax)) return false;
      value = static_cast<Int128>(real);
      return true;
    }
    case ValueKind::Date:
    case ValueKind::DateTime: {  // 20200102, 20200102030405
      const bool has_time = in.type.kind == ValueKind::DateTime;
      const std::int64_t days =
          has_time ? floor_days(in.number(row)) : static_cast<std::int64_t>(in.number(row));
      const CivilDate date = civil_from_days(static_cast<std::int32_t>(days));
      std::int64_t number = date.year * 10'000LL + date.month * 100 + date.day;
      if (has_time) {
        const std::int64_t second =
            (static_cast<std::int64_t>(in.number(row)) - days * kMicrosPerDay) / kMicrosPerSecond;
        number = number * 1'000'000 + second / 3600 * 10'000 + second / 60 % 60 * 100 + second % 60;
      }
      value = number;
      return true;
    }
    case ValueKind::String:
      return parse_wide_integer(in.text(row), value);
    case ValueKind::Null:
      break;
  }
  return false;
}

bool to_decimal(const Vector& in, std::size_t row, unsigned scale, Int128& value) {
  if (in.type.kind == ValueKind::String) return parse_decimal(in.text(row), 38, scale, value);
  if (in.type.kind == ValueKind::Decimal)
    return to_decimal_scale(in.number(row), in.type.scale, scale, value);
  if (in.type.kind == ValueKind::Double) {
    char text[32];
    const double real = in.real(row);
    if (!std::isfinite(real)) return false;
    const auto end = std::to_chars(text, text + sizeof text, real).ptr;
    return parse_decimal({text, static_cast<std::size_t>(end - text)}, 38, scale, value);
  }
  return to_integer(in, row, value) && to_decimal_scale(value, 0, scale, value);
}

bool to_boolean(const Vector& in, std::size_t row, Int128& value) {
  if (in.type.kind == ValueKind::String) {
    std::uint8_t flag;
    if (!parse_boolean(in.text(row), flag)) return false;
    value = flag;
    return true;
  }
  if (in.type.kind == ValueKind::Double) {
    value = in.real(row) != 0 ? 1 : 0;
    return true;
  }
  value = in.number(row) != 0 ? 1 : 0;
  return true;
}

// To days, or to microseconds of `scale` digits.
bool to_time(const Vector& in, std::size_t row, ValueType to, const core::TimeZone& zone, Int128& value) {
  const bool to_date = to.kind == ValueKind::Date;
  if (in.type.kind == ValueKind::Date) {
    value = to_date ? in.number(row) : in.number(row) * kMicrosPerDay;
    return true;
  }
  if (in.type.kind == ValueKind::DateTime) {
    if (to_date) {
      value = floor_days(in.number(row));
      return true;
    }
    std::int64_t unit = 1;
    for (unsigned digits = to.scale; digits < 6; ++digits) unit *= 10;
    const auto micros = static_cast<std::int64_t>(in.number(row)) - kDateTimeMin;  // not negative
    const std::int64_t rounded = (micros + unit / 2) / unit * unit + kDateTimeMin;
    value = rounded;
    return rounded <= kDateTimeMax;
  }
  char digits[48];
  std::string_view text;
  if (in.type.kind == ValueKind::String) {
    text = in.text(row);
  } else {
    Int128 number;
    if (!to_integer(in, row, number) || number < 0 || number > std::numeric_limits<std::int64_t>::max())
      return false;
    const auto end = std::to_chars(digits, digits + sizeof digits, static_cast<std::int64_t>(number)).ptr;
    text = {digits, static_cast<std::size_t>(end - digits)};
  }
  if (to_date) {
    std::int32_t days;
    if (!parse_date(text, zone, days)) return false;
    value = days;
    return true;
  }
  std::int64_t micros;
  if (!parse_date_time(text, to.scale, zone, micros)) return false;
  value = micros;
  return true;
}

template <class Convert>
void each_number(const Vector& in, std::size_t rows, Vector& out, Convert convert) {
  for (std::size_t row = 0; row < rows; ++row) {
    Int128 value = 0;
    if (out.nulls[row] == 0 && !convert(row, value)) {
      out.nulls[row] = 1;
      value = 0;
    }
    out.numbers[row] = value;
  }
}

struct Range {
  Int128 low;
  Int128 high;
};
template <class T>
constexpr Range range_of() {
  return {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
}
bool integer_range(const Type& type, Range& range) {
  switch (type.kind) {
    case TypeKind::TinyInt:
      range = range_of<std::int8_t>();
      return true;
    case TypeKind::SmallInt:
      range = range_of<std::int16_t>();
      return true;
    case TypeKind::Int:
      range = range_of<std::int32_t>();
      return true;
    case TypeKind::BigInt:
      range = range_of<std::int64_t>();
      return true;
    default:
      return false;
  }
}

}  // namespace

Int128 power_of_ten(unsigned exponent) { return kPowers[exponent]; }

double decimal_to_double(Int128 value, unsigned scale) {
  return scale == 0 ? static_cast<double>(value)
                    : static_cast<double>(value) / static_cast<double>(kPowers[scale]);
}

bool to_decimal_scale(Int128 value, unsigned from, unsigned to, Int128& out) {
  if (to >= from) {
    const Int128 factor = kPowers[to - from];
    const Int128 limit = (kPowers[38] - 1) / factor;
    if (value > limit || value < -limit) return false;
    out = value * factor;
    return true;
  }
  const Int128 factor = kPowers[from - to];
  const Int128 half = value < 0 ? -(factor / 2) : factor / 2;
  out = (value + half) / factor;
  return true;
}

bool parse_wide_integer(std::string_view text, Int128& value) {
  text = trim_blanks(text);
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  std::size_t at = 0;
  Int128 number = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    if (number > (kPowers[38] - 1) / 10) return false;
    number = number * 10 + (text[at] - '0');
  }
  if (at == 0) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
  }
  if (at != text.size()) return false;
  value = negative ? -number : number;
  return true;
}

ValueType value_type(const Type& type) {
  Range range;
  if (integer_range(type, range)) return kIntegerValue;
  switch (type.kind) {
    case TypeKind::Boolean:
      return kBooleanValue;
    case TypeKind::LargeInt:
      return kIntegerValue;
    case TypeKind::Float:
    case TypeKind::Double:
      return kDoubleValue;
    case TypeKind::Decimal:
      return {ValueKind::Decimal, type.scale};
    case TypeKind::Date:
      return kDateValue;
    case TypeKind::DateTime:
      return {ValueKind::DateTime, type.scale};
    case TypeKind::Varchar:
    case TypeKind::String:
    case TypeKind::Char:
    case TypeKind::Json:
      return kStringValue;
    default:
      return {};
  }
}

void append_value(std::string& out, const Vector& values, std::size_t row) {
  if (values.is_null(row)) {
    out += "NULL";
    return;
  }
  switch (values.type.kind) {
    case ValueKind::Null:
      break;
    case ValueKind::String:
      out += values.text(row);
      break;
    case ValueKind::Double:
      append_double(out, values.real(row));
      break;
    case ValueKind::Boolean:
    case ValueKind::Integer:
      append_decimal(out, values.number(row), 0);
      break;
    case ValueKind::Decimal:
      append_decimal(out, values.number(row), values.type.scale);
      break;
    case ValueKind::Date:
      append_date(out, static_cast<std::int32_t>(values.number(row)));
      break;
    case ValueKind::DateTime: {
      const auto micros = static_cast<std::int64_t>(values.number(row));
      const std::int64_t days = floor_days(micros);
      const std::int64_t rest = micros - days * kMicrosPerDay;
      append_date(out, static_cast<std::int32_t>(days));
      const std::int64_t second = rest / kMicrosPerSecond;
      const auto two = [&out](char before, std::int64_t number) {
        out += before;
        out += static_cast<char>('0' + number / 10);
        out += static_cast<char>('0' + number % 10);
      };
      two(' ', second / 3600);
      two(':', second / 60 % 60);
      two(':', second % 60);
      if (values.type.scale == 0) break;
      out += '.';
      std::int64_t fraction = rest % kMicrosPerSecond;
      for (unsigned i = 0; i < values.type.scale; ++i) {
        fraction *= 10;
        out += static_cast<char>('0' + fraction / kMicrosPerSecond);
        fraction %= kMicrosPerSecond;
      }
      break;
    }
  }
}

void cast_values(Evaluation& evaluation, const Vector& in, ValueType to, Vector& out) {
  const std::size_t rows = evaluation.rows;
  out.prepare(to, rows);
  const bool reads_texts = in.type.kind == ValueKind::String && to.kind != ValueKind::String;
  for (std::size_t row = 0; row < rows; ++row) {
    const bool is_null = in.is_null(row) || (reads_texts && !evaluation.spend(in.text(row).size()));
    out.nulls[row] = is_null ? 1 : 0;
  }
  const core::TimeZone& zone = evaluation.options.zone;
  switch (to.kind) {
    case ValueKind::Null:
      std::fill(out.nulls.begin(), out.nulls.end(), std::uint8_t{1});
      break;
    case ValueKind::Boolean:
      each_number(in, rows, out, [&](std::size_t row, Int128& value) { return to_boolean(in, row, value); });
      break;
    case ValueKind::Integer:
      each_number(in, rows, out, [&](std::size_t row, Int128& value) { return to_integer(in, row, value); });
      break;
    case ValueKind::Decimal:
      each_number(in, rows, out,
                  [&](std::size_t row, Int128& value) { return to_decimal(in, row, to.scale, value); });
      break;
    case ValueKind::Date:
    case ValueKind::DateTime:
      each_number(in, rows, out,
                  [&](std::size_t row, Int128& value) { return to_time(in, row, to, zone, value); });
      break;
    case ValueKind::Double:
      for (std::size_t row = 0; row < rows; ++row) {
        if (out.nulls[row] != 0) continue;
        if (in.type.kind == ValueKind::String) {
          if (!parse_double(in.text(row), out.doubles[row])) {
            out.nulls[row] = 1;
            out.doubles[row] = 0;
          }
        } else if (in.type.kind == ValueKind::Double || is_number(in.type.kind)) {
          out.doubles[row] = to_double(in, row);
        } else {
          Int128 value = 0;
          to_integer(in, row, value);
          out.doubles[row] = static_cast<double>(value);
        }
      }
      break;
    case ValueKind::String: {
      std::string text;
      for (std::size_t row = 0; row < rows; ++row) {
        if (out.nulls[row] != 0) continue;
        text.clear();
        append_value(text, in, row);
        out.texts[row] = in.type.kind == ValueKind::String ? in.text(row) : evaluation.text.keep(text);
      }
      break;
    }
  }
}

void cast_to_type(Evaluation& evaluation, const Vector& in, const Type& type, Vector& out) {
  cast_values(evaluation, in, value_type(type), out);
  Range range;
  if (type.kind == TypeKind::Decimal) {
    range.high = kPowers[type.precision] - 1;
    range.low = -range.high;
  } else if (type.kind == TypeKind::Varchar || type.kind == TypeKind::Char) {
    for (std::string_view& text : out.texts) text = text.substr(0, utf8_prefix(text, type.length));
    return;
  } else if (type.kind == TypeKind::Float) {
    for (double& value : out.doubles) value = static_cast<double>(static_cast<float>(value));
    return;
  } else if (!integer_range(type, range)) {
    return;
  }
  for (std::size_t row = 0; row < evaluation.rows; ++row) {
    if (out.numbers[row] >= range.low && out.numbers[row] <= range.high) continue;
    out.numbers[row] = 0;
    out.nulls[row] = 1;
  }
}

}  // namespace penstock::txn
