// Functions of dates and times. Beyond the years 0 to 9999 there is NULL.
#include <array>

#include "txn/column/calendar.hpp"
#include "txn/expression/cast.hpp"
#include "txn/expression/function.hpp"
#include "txn/expression/time_format.hpp"
#include "txn/schema/table_schema.hpp"

namespace penstock::txn {
namespace {

constexpr Int128 kUnixSecondsMax = 253'402'271'999;  // 9999-12-31 23:59:59 in Doris's eastern zones

std::int64_t micros_at(const Vector& values, std::size_t row) {
  const auto value = static_cast<std::int64_t>(values.number(row));
  return values.type.kind == ValueKind::Date ? value * kMicrosPerDay : value;
}

// ---- Parts ----

template <std::int64_t (*kPart)(const ClockTime&)>
void part(Evaluation&, Args args, Vector& out) {
  each_row(out, [&](std::size_t row) { out.numbers[row] = kPart(clock_time(micros_at(*args[0], row))); });
}
std::int64_t year_of(const ClockTime& time) { return time.date.year; }
std::int64_t quarter_of(const ClockTime& time) { return (time.date.month + 2) / 3; }
std::int64_t month_of(const ClockTime& time) { return time.date.month; }
std::int64_t day_of(const ClockTime& time) { return time.date.day; }
std::int64_t hour_of(const ClockTime& time) { return time.hour; }
std::int64_t minute_of(const ClockTime& time) { return time.minute; }
std::int64_t second_of(const ClockTime& time) { return time.second; }
std::int64_t microsecond_of(const ClockTime& time) { return time.micros; }
std::int64_t from_sunday(const ClockTime& time) { return day_of_week(time.days) + 1; }
std::int64_t from_monday(const ClockTime& time) { return (day_of_week(time.days) + 6) % 7; }
std::int64_t in_year(const ClockTime& time) { return time.days - days_from_civil(time.date.year, 1, 1) + 1; }
std::int64_t iso_week(const ClockTime& time) { return week_of(time.date, time.days, 3).number; }
std::int64_t since_year_zero(const ClockTime& time) { return time.days - days_from_civil(0, 1, 1); }

void week(Evaluation&, Args args, Vector& out) {
  each_row(out, [&](std::size_t row) {
    const ClockTime time = clock_time(micros_at(*args[0], row));
    const auto mode = static_cast<unsigned>(args.size() == 2 ? args[1]->number(row) & 7 : Int128{0});
    out.numbers[row] = week_of(time.date, time.days, mode).number;
  });
}
void to_date(Evaluation&, Args args, Vector& out) {
  each_row(out, [&](std::size_t row) { out.numbers[row] = args[0]->number(row); });
}
void last_day(Evaluation&, Args args, Vector& out) {
  each_row(out, [&](std::size_t row) {
    const CivilDate date = civil_from_days(static_cast<std::int32_t>(args[0]->number(row)));
    out.numbers[row] = days_from_civil(date.year, date.month, days_in_month(date.year, date.month));
  });
}
void date_diff(Evaluation&, Args args, Vector& out) {
  each_row(out, [&](std::size_t row) { out.numbers[row] = args[0]->number(row) - args[1]->number(row); });
}

// ---- Moving ----

bool store_micros(Int128 micros, Vector& out, std::size_t row) {
  if (micros < kDateTimeMin || micros > kDateTimeMax) return set_null(out, row), false;
  out.numbers[row] = micros;
  return true;
}

template <std::int64_t kMicros, int kSign>
void move_time(Evaluation&, Args args, Vector& out) {
  const bool is_date = out.type.kind == ValueKind::Date;
  const std::int64_t unit = is_date ? kMicros / kMicrosPerDay : kMicros;
  each_row(out, [&](std::size_t row) {
    const Int128 count = args[1]->number(row);
    if (count > 1'000'000'000'000 || count < -1'000'000'000'000) return set_null(out, row);
    const Int128 moved = args[0]->number(row) + count * kSign * unit;
    if (is_date) {
      if (moved < kDateMin || moved > kDateMax) return set_null(out, row);
      out.numbers[row] = moved;
    } else {
      store_micros(moved, out, row);
    }
  });
}

template <int kMonths, int kSign>
void move_months(Evaluation&, Args args, Vector& out) {
  each_row(out, [&](std::size_t row) {
    const Int128 count = args[1]->number(row);
    if (count > 200'000 || count < -200'000) return set_null(out, row);
    const std::int64_t micros = micros_at(*args[0], row);
    const ClockTime time = clock_time(micros);
    const std::int64_t months =
        time.date.year * 12LL + time.date.month - 1 + static_cast<std::int64_t>(count) * kSign * kMonths;
    if (months < 0 || months >= 10'000 * 12) return set_null(out, row);
    const auto year = static_cast<std::int32_t>(months / 12);
    const auto month = static_cast<std::int32_t>(months % 12 + 1);
    const std::int32_t last = days_in_month(year, month);
    const std::int32_t days = days_from_civil(year, month, time.date.day < last ? time.date.day : last);
    out.numbers[row] = out.type.kind == ValueKind::Date
                           ? Int128{days}
                           : Int128{micros} + Int128{days - time.days} * kMicrosPerDay;
  });
}

void date_trunc(Evaluation&, Args args, Vector& out) {
  each_row(out, [&](std::size_t row) {
    const std::string_view unit = args[1]->text(row);
    const std::int64_t micros = micros_at(*args[0], row);
    const ClockTime time = clock_time(micros);
    const auto is = [&](std::string_view name) { return equal_ignoring_case(unit, name); };
    std::int32_t days = time.days;
    std::int64_t of_day = 0;
    if (is("year")) {
      days = days_from_civil(time.date.year, 1, 1);
    } else if (is("quarter")) {
      days = days_from_civil(time.date.year, (time.date.month - 1) / 3 * 3 + 1, 1);
    } else if (is("month")) {
      days = days_from_civil(time.date.year, time.date.month, 1);
    } else if (is("week")) {
      days -= static_cast<std::int32_t>(from_monday(time));
    } else if (is("hour")) {
      of_day = time.hour * 3600;
    } else if (is("minute")) {
      of_day = time.hour * 3600 + time.minute * 60;
    } else if (is("second")) {
      of_day = time.hour * 3600 + time.minute * 60 + time.second;
    } else if (!is("day")) {
      return set_null(out, row);
    }
    if (days < kDateMin) return set_null(out, row);
    out.numbers[row] = out.type.kind == ValueKind::Date
                           ? Int128{days}
                           : Int128{days * kMicrosPerDay + of_day * kMicrosPerSecond};
  });
}

// ---- Text and numbers ----

void date_format(Evaluation& evaluation, Args args, Vector& out) {
  std::string text;
  each_row(out, [&](std::size_t row) {
    text.clear();
    if (!format_time(args[1]->text(row), micros_at(*args[0], row), text)) return set_null(out, row);
    out.texts[row] = evaluation.text.keep(text);
  });
}

void from_unixtime(Evaluation& evaluation, Args args, Vector& out) {
  std::string text;
  each_row(out, [&](std::size_t row) {
    const Int128 seconds = args[0]->number(row);
    if (seconds < 0 || seconds > kUnixSecondsMax) return set_null(out, row);
    const std::int64_t local = evaluation.options.zone.to_local(static_cast<std::int64_t>(seconds));
    text.clear();
    const std::string_view format =
        args.size() == 2 ? args[1]->text(row) : std::string_view("%Y-%m-%d %H:%i:%s");
    if (local * kMicrosPerSecond > kDateTimeMax || !format_time(format, local * kMicrosPerSecond, text)) {
      return set_null(out, row);
    }
    out.texts[row] = evaluation.text.keep(text);
  });
}

// Whole seconds; what was before 1970 is 0.
Int128 unix_seconds(std::int64_t micros, const ExpressionOptions& options) {
  std::int64_t seconds = micros / kMicrosPerSecond;
  if (micros % kMicrosPerSecond < 0) --seconds;
  seconds = options.zone.to_utc(seconds);
  return seconds < 0 ? 0 : seconds;
}
void unix_timestamp(Evaluation& evaluation, Args args, Vector& out) {
  each_row(out, [&](std::size_t row) {
    const std::int64_t micros = args.empty() ? evaluation.options.now_micros : micros_at(*args[0], row);
    out.numbers[row] = unix_seconds(micros, evaluation.options);
  });
}
void unix_timestamp_by_format(Evaluation& evaluation, Args args, Vector& out) {
  each_row(out, [&](std::size_t row) {
    std::int64_t micros;
    if (!parse_time(args[1]->text(row), args[0]->text(row), micros)) return set_null(out, row);
    out.numbers[row] = unix_seconds(micros, evaluation.options);
  });
}

void str_to_date(Evaluation&, Args args, Vector& out) {
  each_row(out, [&](std::size_t row) {
    std::int64_t micros;
    if (!parse_time(args[1]->text(row), args[0]->text(row), micros)) return set_null(out, row);
    out.numbers[row] = out.type.kind == ValueKind::Date ? clock_time(micros).days : micros;
  });
}
// A format without a time of day gives a DATE.
ValueType parsed_type(std::span<ValueType> args, Args literals) {
  args[0] = args[1] = kStringValue;
  if (literals[1] == nullptr || literals[1]->is_null(0) || literals[1]->type.kind != ValueKind::String)
    return kTimeValue;
  const std::string_view format = literals[1]->text(0);
  if (!has_time_of_day(format)) return kDateValue;
  return {ValueKind::DateTime, static_cast<std::uint8_t>(has_fraction(format) ? 6 : 0)};
}

// ---- Now ----

std::int64_t cut_to(std::int64_t micros, Int128 digits) {
  std::int64_t unit = kMicrosPerSecond;
  for (Int128 i = 0; i < digits && unit > 1; ++i) unit /= 10;
  std::int64_t rest = micros % unit;
  if (rest < 0) rest += unit;
  return micros - rest;
}
template <bool kUtc>
void now(Evaluation& evaluation, Args args, Vector& out) {
  const ExpressionOptions& options = evaluation.options;
  const std::int64_t local_seconds = options.now_micros / kMicrosPerSecond;
  const std::int64_t ahead =
      kUtc ? (local_seconds - options.zone.to_utc(local_seconds)) * kMicrosPerSecond : 0;
  each_row(out, [&](std::size_t row) {
    store_micros(cut_to(options.now_micros - ahead, out.type.scale), out, row);
  });
}
void today(Evaluation& evaluation, Args, Vector& out) {
  each_row(out, [&](std::size_t row) { out.numbers[row] = clock_time(evaluation.options.now_micros).days; });
}
ValueType now_type(std::span<ValueType> args, Args literals) {
  std::uint8_t scale = 0;
  if (!args.empty()) {
    args[0] = kIntegerValue;
    if (literals[0] != nullptr && literals[0]->type.kind == ValueKind::Integer && !literals[0]->is_null(0)) {
      const Int128 said = literals[0]->number(0);
      scale = static_cast<std::uint8_t>(said < 0 ? 0 : said > 6 ? 6 : said);
    }
  }
  return {ValueKind::DateTime, scale};
}

constexpr std::int64_t kHour = 3600 * kMicrosPerSecond;

constexpr auto kTable = std::to_array<Function>({
    {"year", 1, 1, "e", 'i', part<year_of>},
    {"quarter", 1, 1, "e", 'i', part<quarter_of>},
    {"month", 1, 1, "e", 'i', part<month_of>},
    {"day", 1, 1, "e", 'i', part<day_of>},
    {"dayofmonth", 1, 1, "e", 'i', part<day_of>},
    {"hour", 1, 1, "e", 'i', part<hour_of>},
    {"minute", 1, 1, "e", 'i', part<minute_of>},
    {"second", 1, 1, "e", 'i', part<second_of>},
    {"microsecond", 1, 1, "e", 'i', part<microsecond_of>},
    {"dayofweek", 1, 1, "e", 'i', part<from_sunday>},
    {"weekday", 1, 1, "e", 'i', part<from_monday>},
    {"dayofyear", 1, 1, "e", 'i', part<in_year>},
    {"week", 1, 2, "ei", 'i', week},
    {"weekofyear", 1, 1, "e", 'i', part<iso_week>},
    {"to_days", 1, 1, "e", 'i', part<since_year_zero>},
    {"to_date", 1, 1, "D", 'D', to_date},
    {"date", 1, 1, "D", 'D', to_date},
    {"last_day", 1, 1, "D", 'D', last_day},
    {"datediff", 2, 2, "DD", 'i', date_diff},
    {"date_add", 2, 2, "ei", '1', move_time<kMicrosPerDay, 1>},
    {"adddate", 2, 2, "ei", '1', move_time<kMicrosPerDay, 1>},
    {"date_sub", 2, 2, "ei", '1', move_time<kMicrosPerDay, -1>},
    {"subdate", 2, 2, "ei", '1', move_time<kMicrosPerDay, -1>},
    {"years_add", 2, 2, "ei", '1', move_months<12, 1>},
    {"years_sub", 2, 2, "ei", '1', move_months<12, -1>},
    {"quarters_add", 2, 2, "ei", '1', move_months<3, 1>},
    {"quarters_sub", 2, 2, "ei", '1', move_months<3, -1>},
    {"months_add", 2, 2, "ei", '1', move_months<1, 1>},
    {"add_months", 2, 2, "ei", '1', move_months<1, 1>},
    {"months_sub", 2, 2, "ei", '1', move_months<1, -1>},
    {"weeks_add", 2, 2, "ei", '1', move_time<7 * kMicrosPerDay, 1>},
    {"weeks_sub", 2, 2, "ei", '1', move_time<7 * kMicrosPerDay, -1>},
    {"days_add", 2, 2, "ei", '1', move_time<kMicrosPerDay, 1>},
    {"days_sub", 2, 2, "ei", '1', move_time<kMicrosPerDay, -1>},
    {"hours_add", 2, 2, "ti", '1', move_time<kHour, 1>},
    {"hours_sub", 2, 2, "ti", '1', move_time<kHour, -1>},
    {"minutes_add", 2, 2, "ti", '1', move_time<kHour / 60, 1>},
    {"minutes_sub", 2, 2, "ti", '1', move_time<kHour / 60, -1>},
    {"seconds_add", 2, 2, "ti", '1', move_time<kMicrosPerSecond, 1>},
    {"seconds_sub", 2, 2, "ti", '1', move_time<kMicrosPerSecond, -1>},
    {"date_trunc", 2, 2, "es", '1', date_trunc},
    {"date_format", 2, 2, "es", 's', date_format},
    {"from_unixtime", 1, 2, "is", 's', from_unixtime},
    {"unix_timestamp", 0, 1, "e", 'i', unix_timestamp},
    {"op:unix_timestamp by format", 2, 2, "ss", 'i', unix_timestamp_by_format},
    {"str_to_date", 2, 2, "ss", 't', str_to_date, false, parsed_type},
    {"now", 0, 1, "i", 't', now<false>, false, now_type},
    {"current_timestamp", 0, 1, "i", 't', now<false>, false, now_type},
    {"localtime", 0, 0, "", 't', now<false>, false, now_type},
    {"localtimestamp", 0, 0, "", 't', now<false>, false, now_type},
    {"utc_timestamp", 0, 1, "i", 't', now<true>, false, now_type},
    {"curdate", 0, 0, "", 'D', today},
    {"current_date", 0, 0, "", 'D', today},
});

}  // namespace

std::span<const Function> time_functions() { return kTable; }

}  // namespace penstock::txn
