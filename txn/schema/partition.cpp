#include "txn/schema/partition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <set>
#include <unordered_set>

#include "txn/schema/show.hpp"
#include "txn/schema/table_schema.hpp"

namespace penstock::txn {
namespace {

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
constexpr Int128 kDaysMin = -719528;  // 0000-01-01
constexpr Int128 kDaysMax = 2932896;  // 9999-12-31

int rank_of(PartitionValue::Kind kind) {
  switch (kind) {
    case PartitionValue::Kind::Min:
    case PartitionValue::Kind::Null:
      return 0;
    case PartitionValue::Kind::Max:
      return 2;
    default:
      return 1;
  }
}

std::unexpected<core::Error> refuse(const char* why) { return core::fail(core::Errc::InvalidArgument, why); }

bool fits(const PartitionValue& value, const Type& type) {
  if (value.kind == PartitionValue::Kind::Number) {
    if (is_string(type) || !value.text.empty()) return false;
    const NumberRange range = partition_numbers(type);
    return value.number >= range.least && value.number <= range.most;
  }
  if (value.number != 0) return false;
  if (value.kind != PartitionValue::Kind::Text) return value.text.empty();
  return is_string(type) && value.text.size() <= type.length;
}

core::Result<> check_range_key(const PartitionKey& key, const std::vector<Type>& types) {
  if (key.size() != types.size()) return refuse("a partition's range");
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (key[i].kind == PartitionValue::Kind::Null || !fits(key[i], types[i]))
      return refuse("a partition's range");
  }
  return {};
}

core::Result<> check_ranges(const Partitioning& partitioning, const std::vector<Type>& types) {
  const PartitionKey* before = nullptr;
  for (const Partition& partition : partitioning.partitions) {
    TRY_VOID(check_range_key(partition.upper, types));
    if (!partition.values.empty()) return refuse("a partition's values");
    if (partition.lower.empty()) {
      if (before != nullptr) return refuse("partitions that overlap");
    } else {
      TRY_VOID(check_range_key(partition.lower, types));
      if (compare(partition.lower, partition.upper) >= 0) return refuse("an empty partition");
      if (before != nullptr && compare(*before, partition.lower) > 0)
        return refuse("partitions that overlap");
    }
    before = &partition.upper;
  }
  return {};
}

struct KeyLess {
  bool operator()(const PartitionKey* a, const PartitionKey* b) const { return compare(*a, *b) < 0; }
};

core::Result<> check_lists(const Partitioning& partitioning, const std::vector<Type>& types) {
  std::set<const PartitionKey*, KeyLess> seen;
  for (const Partition& partition : partitioning.partitions) {
    if (!partition.lower.empty() || !partition.upper.empty() || partition.values.empty())
      return refuse("a partition's values");
    for (const PartitionKey& key : partition.values) {
      if (key.size() != types.size()) return refuse("a partition's values");
      for (std::size_t i = 0; i < key.size(); ++i) {
        if (key[i].kind == PartitionValue::Kind::Min || key[i].kind == PartitionValue::Kind::Max ||
            !fits(key[i], types[i])) {
          return refuse("a partition's values");
        }
      }
      if (!seen.insert(&key).second) return refuse("a value in two partitions");
      if (seen.size() > kPartitionValuesMax) return refuse("too many values of partitions");
    }
  }
  return {};
}

std::string date_text(std::int64_t days) {
  const std::chrono::year_month_day date{
      std::chrono::sys_days{std::chrono::days{static_cast<std::int32_t>(days)}}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

std::string date_time_text(std::int64_t micros) {
  std::int64_t days = micros / kMicrosPerDay;
  if (micros % kMicrosPerDay < 0) --days;
  const std::int64_t of_day = micros - days * kMicrosPerDay;
  const std::int64_t seconds = of_day / 1'000'000;
  std::string out =
      fmt::format("{} {:02}:{:02}:{:02}", date_text(days), seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (of_day % 1'000'000 != 0) {
    out += fmt::format(".{:06}", of_day % 1'000'000);
    while (out.back() == '0') out.pop_back();
  }
  return out;
}

std::string number_text(Int128 value) {
  if (value == 0) return "0";
  __extension__ using Unsigned = unsigned __int128;
  std::string digits;
  for (Unsigned left = value < 0 ? -static_cast<Unsigned>(value) : static_cast<Unsigned>(value); left != 0;
       left /= 10) {
    digits += static_cast<char>('0' + static_cast<int>(left % 10));
  }
  if (value < 0) digits += '-';
  std::ranges::reverse(digits);
  return digits;
}

std::string key_text(const PartitionKey& key, const std::vector<Type>& types) {
  std::string out = "(";
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (key[i].kind == PartitionValue::Kind::Min) break;  // and so are all behind it
    if (i > 0) out += ", ";
    out += partition_value_text(key[i], types[i]);
  }
  return out + ")";
}

}  // namespace

std::strong_ordering compare(const PartitionKey& a, const PartitionKey& b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (const auto order = rank_of(a[i].kind) <=> rank_of(b[i].kind); order != 0) return order;
    if (rank_of(a[i].kind) != 1) continue;
    if (a[i].number != b[i].number) {
      return a[i].number < b[i].number ? std::strong_ordering::less : std::strong_ordering::greater;
    }
    if (const auto order = a[i].text <=> b[i].text; order != 0) return order;
  }
  return a.size() <=> b.size();
}

const Partition* Partitioning::find(std::string_view name) const {
  for (const Partition& partition : partitions) {
    if (equal_ignoring_case(partition.name, name)) return &partition;
  }
  return nullptr;
}

bool can_partition(PartitionKind kind, const Type& type) {
  switch (type.kind) {
    case TypeKind::TinyInt:
    case TypeKind::SmallInt:
    case TypeKind::Int:
    case TypeKind::BigInt:
    case TypeKind::LargeInt:
    case TypeKind::Date:
    case TypeKind::DateTime:
      return true;
    case TypeKind::Boolean:
    case TypeKind::Char:
    case TypeKind::Varchar:
      return kind == PartitionKind::List;
    default:
      return false;
  }
}

NumberRange partition_numbers(const Type& type) {
  const auto of_bits = [](int bits) {
    const Int128 most = (static_cast<Int128>(1) << (bits - 1)) - 1;
    return NumberRange{-most - 1, most};
  };
  switch (type.kind) {
    case TypeKind::Boolean:
      return {0, 1};
    case TypeKind::TinyInt:
      return of_bits(8);
    case TypeKind::SmallInt:
      return of_bits(16);
    case TypeKind::Int:
      return of_bits(32);
    case TypeKind::BigInt:
      return of_bits(64);
    case TypeKind::LargeInt: {
      const Int128 half = static_cast<Int128>(1) << 126;
      return {-half - half, half - 1 + half};
    }
    case TypeKind::Date:
      return {kDaysMin, kDaysMax};
    case TypeKind::DateTime:
      return {kDaysMin * kMicrosPerDay, (kDaysMax + 1) * kMicrosPerDay - 1};
    default:
      return {0, 0};
  }
}

core::Result<> check_partitioning(const Partitioning& partitioning, const std::vector<Type>& types) {
  if (partitioning.kind == PartitionKind::None) {
    if (partitioning == Partitioning{}) return {};
    return refuse("partitions of a table without any");
  }
  if (partitioning.clause.empty()) return refuse("a partition clause");
  if (types.empty() || types.size() > kPartitionColumnsMax || types.size() != partitioning.columns.size())
    return refuse("a table's partition columns");
  for (const Type& type : types) {
    if (!can_partition(partitioning.kind, type)) return refuse("a table's partition columns");
  }
  if (partitioning.partitions.size() > kPartitionsMax) return refuse("too many partitions");
  std::unordered_set<std::string> names;
  for (const Partition& partition : partitioning.partitions) {
    if (partition.name.empty()) return refuse("a partition without a name");
    if (!names.insert(lower_case(partition.name)).second) return refuse("two partitions with one name");
  }
  return partitioning.kind == PartitionKind::Range ? check_ranges(partitioning, types)
                                                   : check_lists(partitioning, types);
}

std::string partition_value_text(const PartitionValue& value, const Type& type) {
  switch (value.kind) {
    case PartitionValue::Kind::Min:
      return "MINVALUE";
    case PartitionValue::Kind::Null:
      return "NULL";
    case PartitionValue::Kind::Max:
      return "MAXVALUE";
    case PartitionValue::Kind::Text:
      return quote_text(value.text, '"');
    case PartitionValue::Kind::Number:
      break;
  }
  switch (type.kind) {
    case TypeKind::Boolean:
      return value.number != 0 ? "\"true\"" : "\"false\"";
    case TypeKind::Date:
      return "\"" + date_text(static_cast<std::int64_t>(value.number)) + "\"";
    case TypeKind::DateTime:
      return "\"" + date_time_text(static_cast<std::int64_t>(value.number)) + "\"";
    default:
      return "\"" + number_text(value.number) + "\"";
  }
}

// A range with nothing below it is shown as LESS THAN: its first key has no other words.
std::string partition_list_text(const Partitioning& partitioning, const std::vector<Type>& types) {
  std::string out = "(";
  for (const Partition& partition : partitioning.partitions) {
    if (out.size() > 1) out += ",\n";
    out += "PARTITION " + quote_name(partition.name) + " VALUES ";
    if (partitioning.kind == PartitionKind::List) {
      out += "IN (";
      for (std::size_t i = 0; i < partition.values.size(); ++i) {
        if (i > 0) out += ", ";
        out += types.size() == 1 ? partition_value_text(partition.values[i][0], types[0])
                                 : key_text(partition.values[i], types);
      }
      out += ")";
    } else if (partition.lower.empty()) {
      out += "LESS THAN " + key_text(partition.upper, types);
    } else {
      out += "[" + key_text(partition.lower, types) + ", " + key_text(partition.upper, types) + ")";
    }
  }
  return out + ")";
}

}  // namespace penstock::txn
