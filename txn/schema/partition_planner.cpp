#include "txn/schema/partition_planner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <unordered_set>
#include <utility>

#include "txn/schema/names.hpp"

namespace penstock::txn {
namespace {

using Kind = PartitionValue::Kind;
using Values = std::vector<PartitionValueSpec>;

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int64_t kMicrosPerHour = 3600 * kMicrosPerSecond;
constexpr std::int64_t kMicrosPerDay = 24 * kMicrosPerHour;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<Int128> parse_integer(std::string_view text, const NumberRange& range) {
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.size() > 60) return std::nullopt;
  Int128 value = 0;
  for (const char c : text) {  // below zero, where there is one number more
    if (!is_digit(c)) return std::nullopt;
    const int digit = c - '0';
    if (__builtin_mul_overflow(value, 10, &value) || __builtin_sub_overflow(value, digit, &value))
      return std::nullopt;
  }
  if (!is_negative && __builtin_sub_overflow(static_cast<Int128>(0), value, &value)) return std::nullopt;
  if (value < range.least || value > range.most) return std::nullopt;
  return value;
}

// The digits at the front of the text, as many as wanted.
std::optional<int> take_number(std::string_view& text, std::size_t digits_min, std::size_t digits_max) {
  int value = 0;
  std::size_t digits = 0;
  while (digits < digits_max && digits < text.size() && is_digit(text[digits]))
    value = value * 10 + (text[digits++] - '0');
  if (digits < digits_min) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}
bool take_symbol(std::string_view& text, char symbol) {
  if (!text.starts_with(symbol)) return false;
  text.remove_prefix(1);
  return true;
}

// 2024-01-31, 20240131; and with a time, 2024-01-31 10:00:00.5, 20240131100000. Microseconds since 1970.
std::optional<std::int64_t> parse_time(std::string_view text) {
  const auto year = take_number(text, 4, 4);
  const bool has_dashes = take_symbol(text, '-');
  const std::size_t least = has_dashes ? 1 : 2;
  const auto month = take_number(text, least, 2);
  if (has_dashes && !take_symbol(text, '-')) return std::nullopt;
  const auto day = take_number(text, least, 2);
  if (!year || !month || !day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  if (text.empty()) return days * kMicrosPerDay;
  if (!take_symbol(text, ' ')) take_symbol(text, 'T');
  const auto hour = take_number(text, least, 2);
  take_symbol(text, ':');
  const auto minute = take_number(text, least, 2);
  take_symbol(text, ':');
  const auto second = take_number(text, least, 2);
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  std::int64_t micros = 0;
  if (take_symbol(text, '.')) {
    std::int64_t unit = kMicrosPerSecond;
    while (!text.empty() && unit > 1) {
      const auto digit = take_number(text, 1, 1);
      if (!digit) return std::nullopt;
      micros += *digit * (unit /= 10);
    }
  }
  if (!text.empty()) return std::nullopt;
  return days * kMicrosPerDay + *hour * kMicrosPerHour + (*minute * 60 + *second) * kMicrosPerSecond + micros;
}

std::string shown(std::string_view text) {
  std::size_t end = std::min<std::size_t>(text.size(), 64);
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
  return std::string(text.substr(0, end));
}

std::unexpected<SqlError> invalid_value(std::string_view text, const ColumnDef& column) {
  return sql_error(fmt::format("Invalid partition value '{}' for column {} of type {}", shown(text),
                               column.name, type_name(column.type)));
}

SqlResult<PartitionValue> plan_value(const PartitionValueSpec& spec, const ColumnDef& column) {
  if (spec.kind == Kind::Null && !column.nullable) {
    return sql_error(fmt::format("Partition value NULL of column {} that is not nullable", column.name));
  }
  if (spec.kind != Kind::Text) return PartitionValue::word(spec.kind);
  const Type& type = column.type;
  if (is_string(type)) {
    if (spec.text.size() > type.length) return invalid_value(spec.text, column);
    return PartitionValue{Kind::Text, 0, spec.text};
  }
  if (type.kind == TypeKind::Boolean) {
    if (equal_ignoring_case(spec.text, "true")) return PartitionValue::of(1);
    if (equal_ignoring_case(spec.text, "false")) return PartitionValue::of(0);
  }
  if (type.kind != TypeKind::Date && type.kind != TypeKind::DateTime) {
    const auto number = parse_integer(spec.text, partition_numbers(type));
    if (!number) return invalid_value(spec.text, column);
    return PartitionValue::of(*number);
  }
  const auto micros = parse_time(spec.text);
  if (!micros) return invalid_value(spec.text, column);
  if (type.kind == TypeKind::Date) {
    std::int64_t days = *micros / kMicrosPerDay;
    if (*micros % kMicrosPerDay < 0) --days;
    return PartitionValue::of(days);
  }
  std::int64_t unit = kMicrosPerSecond;  // digits that the column does not have are cut
  for (unsigned i = 0; i < type.scale; ++i) unit /= 10;
  const std::int64_t rest = (*micros % unit + unit) % unit;
  return PartitionValue::of(*micros - rest);
}

class Planner {
 public:
  Planner(const PartitioningSpec& spec, const TableSchema& schema) : spec_(spec), schema_(schema) {}

  SqlResult<Partitioning> plan() {
    out_.kind = spec_.kind;
    out_.is_automatic = spec_.is_automatic;
    out_.clause = spec_.clause;
    TRY_VOID(plan_columns());
    for (const PartitionSpec& partition : spec_.partitions) {
      const bool is_list = partition.form == PartitionSpec::Form::In;
      if (is_list != (spec_.kind == PartitionKind::List)) {
        return sql_error(is_list ? "VALUES IN can only be used with PARTITION BY LIST"
                                 : "PARTITION BY LIST needs VALUES IN");
      }
      switch (partition.form) {
        case PartitionSpec::Form::LessThan:
          TRY_VOID(plan_less_than(partition));
          break;
        case PartitionSpec::Form::FixedRange:
          TRY_VOID(plan_fixed_range(partition));
          break;
        case PartitionSpec::Form::Steps:
          TRY_VOID(plan_steps(partition));
          break;
        case PartitionSpec::Form::In:
          TRY_VOID(plan_list(partition));
          break;
      }
    }
    for (auto& [upper, partition] : ranges_) out_.partitions.push_back(std::move(partition));
    return std::move(out_);
  }

 private:
  struct KeyLess {
    bool operator()(const PartitionKey& a, const PartitionKey& b) const { return compare(a, b) < 0; }
  };

  SqlResult<> plan_columns() {
    for (const std::string& name : spec_.columns) {
      const ColumnDef* const column = schema_.find(name);
      if (column == nullptr) return sql_error(fmt::format("Partition column[{}] does not found", name));
      if (std::ranges::find(columns_, column) != columns_.end())
        return sql_error(fmt::format("Duplicated partition column {}", name));
      if (column->type.kind == TypeKind::Float || column->type.kind == TypeKind::Double)
        return sql_error("Floating point type column can not be partition column");
      if (!can_partition(spec_.kind, column->type)) {
        return sql_error(fmt::format("Column[{}] type[{}] cannot be a {} partition key.", column->name,
                                     type_name(column->type),
                                     spec_.kind == PartitionKind::List ? "list" : "range"));
      }
      columns_.push_back(column);
      out_.columns.push_back(column->id);
    }
    return {};
  }

  SqlResult<> check_name(const std::string& name) {
    if (!is_column_name(name) || name.find(',') != std::string::npos)
      return sql_error(fmt::format("Incorrect partition name '{}'", name));
    if (!names_.insert(lower_case(name)).second)
      return sql_error(fmt::format("Duplicate partition name '{}'", name));
    if (names_.size() > kPartitionsMax)
      return sql_error(fmt::format("PARTITION BY: more than {} partitions", kPartitionsMax));
    return {};
  }

  // An end of a range: what is not said is lowest.
  SqlResult<PartitionKey> plan_end(const Values& values) {
    if (values.size() > columns_.size()) {
      return sql_error(fmt::format("partition values number is more than partition column number: {} > {}",
                                   values.size(), columns_.size()));
    }
    PartitionKey key;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i].kind == Kind::Null)
        return sql_error("NULL can only be used in lists: it lies below everything in a range");
      TRY(PartitionValue value, plan_value(values[i], *columns_[i]));
      key.push_back(std::move(value));
    }
    const bool is_all_most = key.size() == 1 && key[0].kind == Kind::Max;
    while (key.size() < columns_.size())
      key.push_back(PartitionValue::word(is_all_most ? Kind::Max : Kind::Min));
    return key;
  }

  // Whether nothing lies below, as Doris shows a range that is open there: the least of its type, all through.
  bool is_lowest(const PartitionKey& key) const {
    for (std::size_t i = 0; i < key.size(); ++i) {
      if (key[i].kind == Kind::Min) continue;
      if (key[i].kind != Kind::Number || key[i].number != partition_numbers(columns_[i]->type).least)
        return false;
    }
    return true;
  }

  std::string range_text(const Partition& partition) const {
    Partitioning one;
    one.kind = PartitionKind::Range;
    one.partitions.push_back(partition);
    return partition_list_text(one, types());
  }
  std::vector<Type> types() const {
    std::vector<Type> types;
    for (const ColumnDef* column : columns_) types.push_back(column->type);
    return types;
  }

  SqlResult<> add_range(Partition partition) {
    TRY_VOID(check_name(partition.name));
    if (is_lowest(partition.lower)) partition.lower.clear();
    if (compare(partition.lower, partition.upper) >= 0) {
      return sql_error(
          fmt::format("The partition {} is empty: its begin is not below its end", partition.name));
    }
    // The first that ends above the new one's begin must not begin below its end.
    const auto next = ranges_.upper_bound(partition.lower);
    if (next != ranges_.end() && compare(next->second.lower, partition.upper) < 0) {
      return sql_error(fmt::format("Range {} is intersected with range: {}", range_text(partition),
                                   range_text(next->second)));
    }
    PartitionKey upper = partition.upper;
    ranges_.emplace(std::move(upper), std::move(partition));
    return {};
  }

  // Begins where the one before it ends.
  SqlResult<> plan_less_than(const PartitionSpec& spec) {
    Partition partition;
    partition.name = spec.name;
    TRY(partition.upper, plan_end(spec.values[0]));
    const auto next = ranges_.upper_bound(partition.upper);
    if (next != ranges_.begin()) partition.lower = std::prev(next)->first;
    if (!partition.lower.empty() && compare(partition.lower, partition.upper) == 0) {
      return sql_error(fmt::format("Range {} is intersected with range: {}", range_text(partition),
                                   range_text(std::prev(next)->second)));
    }
    return add_range(std::move(partition));
  }

  SqlResult<> plan_fixed_range(const PartitionSpec& spec) {
    Partition partition;
    partition.name = spec.name;
    TRY(partition.lower, plan_end(spec.values[0]));
    TRY(partition.upper, plan_end(spec.values[1]));
    return add_range(std::move(partition));
  }

  SqlResult<> plan_list(const PartitionSpec& spec) {
    TRY_VOID(check_name(spec.name));
    Partition partition;
    partition.name = spec.name;
    for (const Values& values : spec.values) {
      if (values.size() != columns_.size()) {
        return sql_error(
            fmt::format("partition key desc list size[{}] is not equal to partition column size[{}]",
                        values.size(), columns_.size()));
      }
      PartitionKey key;
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i].kind == Kind::Min || values[i].kind == Kind::Max)
          return sql_error("MAXVALUE can only be used in ranges");
        TRY(PartitionValue value, plan_value(values[i], *columns_[i]));
        key.push_back(std::move(value));
      }
      if (!seen_.insert(key).second) {
        return sql_error(fmt::format(
            "The partition {} has a value that another one, or it itself, has already", partition.name));
      }
      partition.values.push_back(std::move(key));
    }
    out_.partitions.push_back(std::move(partition));
    return {};
  }

  SqlResult<> plan_steps(const PartitionSpec& spec) {
    if (columns_.size() != 1) return sql_error("partition column size in multi partition clause must be one");
    TRY(const PartitionKey begin, plan_end(spec.values[0]));
    TRY(const PartitionKey end, plan_end(spec.values[1]));
    if (begin[0].kind != Kind::Number || end[0].kind != Kind::Number)
      return sql_error("FROM ... TO ... needs values on both sides");
    if (spec.step == 0) return sql_error("Multi partition time interval must be larger than zero.");
    const Type& type = columns_[0]->type;
    const bool has_time = type.kind == TypeKind::DateTime;
    if (has_time || type.kind == TypeKind::Date) {
      if (spec.unit.empty())
        return sql_error("Unknown time interval type: FROM ... TO ... INTERVAL needs one");
    } else if (!spec.unit.empty()) {
      return sql_error(fmt::format("INTERVAL {} does not fit column {} of type {}", shown(spec.unit),
                                   columns_[0]->name, type_name(type)));
    }
    if (begin[0].number >= end[0].number) {
      return sql_error(fmt::format("Multi build partition start value should less than end value: {} and {}",
                                   partition_value_text(begin[0], type), partition_value_text(end[0], type)));
    }
    const Int128 scale = type.kind == TypeKind::Date ? kMicrosPerDay : 1;
    Int128 at = begin[0].number * (spec.unit.empty() ? 1 : scale);
    const Int128 last = end[0].number * (spec.unit.empty() ? 1 : scale);
    while (at < last) {
      std::string name;
      Int128 next = at;
      if (spec.unit.empty()) {
        const std::string text = partition_value_text(PartitionValue::of(at), type);  // in quotes
        name = "p_" + text.substr(1, text.size() - 2);
        if (__builtin_add_overflow(at, static_cast<Int128>(spec.step), &next) || next > last) next = last;
      } else {
        TRY(const Step step, step_from(static_cast<std::int64_t>(at), spec, has_time));
        name = step.name;
        next = std::min<Int128>(step.next, last);
      }
      Partition partition;
      partition.name = std::move(name);
      partition.lower = {PartitionValue::of(spec.unit.empty() ? at : at / scale)};
      partition.upper = {PartitionValue::of(spec.unit.empty() ? next : next / scale)};
      TRY_VOID(add_range(std::move(partition)));
      at = next;
    }
    return {};
  }

  struct Step {
    std::string name;
    std::int64_t next;
  };

  // The step that begins at `micros`, and where the next begins: a week on Monday, a month and a year on their first.
  static SqlResult<Step> step_from(std::int64_t micros, const PartitionSpec& spec, bool has_time) {
    using namespace std::chrono;
    std::int64_t day = micros / kMicrosPerDay;
    if (micros % kMicrosPerDay < 0) --day;
    const sys_days date{days{day}};
    const year_month_day parts{date};
    const int year_number = static_cast<int>(parts.year());
    const auto month_number = static_cast<unsigned>(parts.month());
    const auto at = [](sys_days when) {
      return std::int64_t{when.time_since_epoch().count()} * kMicrosPerDay;
    };
    const std::int64_t of_day = micros - day * kMicrosPerDay;
    const auto count = static_cast<int>(std::min<std::uint32_t>(spec.step, 1'000'000));
    if (spec.unit == "HOUR" && has_time) {
      return Step{fmt::format("p_{:04}{:02}{:02}{:02}", year_number, month_number,
                              static_cast<unsigned>(parts.day()), of_day / kMicrosPerHour),
                  micros + count * kMicrosPerHour};
    }
    if (spec.unit == "DAY") {
      return Step{
          fmt::format("p_{:04}{:02}{:02}", year_number, month_number, static_cast<unsigned>(parts.day())),
          micros + count * kMicrosPerDay};
    }
    if (spec.unit == "WEEK") {
      const sys_days first{parts.year() / January / 1};
      const auto from_monday = (weekday{first}.iso_encoding() + 6) % 7;  // days of the first week before it
      const auto week = (static_cast<unsigned>((date - first).count()) + from_monday) / 7 + 1;
      const sys_days monday = date - days{weekday{date}.iso_encoding() - 1};
      return Step{fmt::format("p_{:04}_{:02}", year_number, week),
                  at(monday) + of_day + count * 7 * kMicrosPerDay};
    }
    if (spec.unit == "MONTH") {
      const year_month next = year_month{parts.year(), parts.month()} + months{std::min(count, 120'000)};
      return Step{fmt::format("p_{:04}{:02}", year_number, month_number), at(sys_days{next / 1}) + of_day};
    }
    if (spec.unit == "YEAR") {
      const year next = parts.year() + years{std::min(count, 10'000)};
      return Step{fmt::format("p_{:04}", year_number), at(sys_days{next / January / 1}) + of_day};
    }
    return sql_error(
        fmt::format("unsupported time interval type: {} (HOUR with DATETIME only, DAY, WEEK, MONTH, YEAR)",
                    shown(spec.unit)));
  }

  const PartitioningSpec& spec_;
  const TableSchema& schema_;
  Partitioning out_;
  std::vector<const ColumnDef*> columns_;
  std::unordered_set<std::string> names_;
  std::map<PartitionKey, Partition, KeyLess> ranges_;  // by their ends
  std::set<PartitionKey, KeyLess> seen_;               // in lists
};

}  // namespace

SqlResult<Partitioning> plan_partitions(const PartitioningSpec& spec, const TableSchema& schema) {
  return Planner(spec, schema).plan();
}

}  // namespace penstock::txn
