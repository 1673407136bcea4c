#include "txn/decode/partition_filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "core/base/check.hpp"

namespace penstock::txn {
namespace {

Int128 number_at(const ColumnView& view, std::size_t row) {
  switch (fixed_width(view.type)) {
    case 1:
      return view.value<std::int8_t>(row);
    case 2:
      return view.value<std::int16_t>(row);
    case 4:
      return view.value<std::int32_t>(row);
    case 8:
      return view.value<std::int64_t>(row);
    default:
      return view.value<Int128>(row);
  }
}

void append_number(std::string& out, Int128 value) {
  out += 'n';
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_text(std::string& out, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  out += 't';
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out += text;
}

std::string bytes_of(const PartitionKey& key) {
  std::string out;
  for (const PartitionValue& value : key) {
    if (value.kind == PartitionValue::Kind::Null) {
      out += '0';
    } else if (value.kind == PartitionValue::Kind::Text) {
      append_text(out, value.text);
    } else {
      append_number(out, value.number);
    }
  }
  return out;
}

constexpr Int128 kLowest = -(static_cast<Int128>(1) << 126) - (static_cast<Int128>(1) << 126);

bool is_open_below(const Partition& range) {
  return range.lower.empty() || range.lower[0].kind == PartitionValue::Kind::Min;
}

bool is_in(const Partition& range, const PartitionKey& key) {
  return compare(key, range.upper) < 0 && (range.lower.empty() || compare(range.lower, key) <= 0);
}

}  // namespace

std::expected<std::unique_ptr<PartitionFilter>, std::string> PartitionFilter::make(
    const Table& table, std::span<const std::string> only) {
  const Partitioning& partitioning = table.partitioning;
  std::vector<Partition> chosen;
  bool is_whole_table = false;
  std::unordered_map<std::string, const Partition*> by_name;
  if (!only.empty()) {
    for (const Partition& partition : partitioning.partitions)
      by_name.emplace(lower_case(partition.name), &partition);
  }
  for (const std::string& name : only) {
    const auto found = by_name.find(lower_case(name));
    if (found != by_name.end()) {
      if (found->second != nullptr) chosen.push_back(*found->second);
      found->second = nullptr;  // said twice
    } else if (partitioning.kind == PartitionKind::None && equal_ignoring_case(name, table.name)) {
      is_whole_table = true;  // Doris: a table that is not split is one partition of its name
    } else {
      return std::unexpected(fmt::format("unknown partition {} in table {}", name, table.name));
    }
  }
  if (only.empty()) {
    if (takes_every_row(table)) return nullptr;
    chosen = partitioning.partitions;
  }
  if (is_whole_table) return nullptr;
  const auto is_before = [](const Partition& a, const Partition& b) { return compare(a.upper, b.upper) < 0; };
  auto filter = std::unique_ptr<PartitionFilter>(new PartitionFilter);
  filter->kind_ = partitioning.kind;
  for (const ColumnId id : partitioning.columns) {
    const auto& columns = table.schema->columns;
    const auto found = std::ranges::find(columns, id, &ColumnDef::id);
    CHECK(found != columns.end());
    filter->columns_.push_back(static_cast<std::size_t>(found - columns.begin()));
  }
  if (partitioning.kind == PartitionKind::Range) {
    std::ranges::sort(chosen, is_before);
    filter->ranges_ = std::move(chosen);
    filter->key_.resize(filter->columns_.size());
    if (filter->columns_.size() > 1) return filter;
    filter->takes_null_ = is_open_below(filter->ranges_.front());
    for (const Partition& range : filter->ranges_) {
      filter->spans_.push_back({is_open_below(range) ? kLowest : range.lower[0].number, range.upper[0].number,
                                range.upper[0].kind != PartitionValue::Kind::Max});
    }
    return filter;
  }
  for (const Partition& partition : chosen) {
    for (const PartitionKey& key : partition.values) filter->values_.insert(bytes_of(key));
  }
  return filter;
}

bool PartitionFilter::has_place(std::span<const ColumnView> views, std::size_t row) {
  if (kind_ == PartitionKind::Range) return spans_.empty() ? has_range(views, row) : has_span(views[0], row);
  bytes_.clear();
  for (const ColumnView& view : views) append_value(view, row);
  return values_.contains(bytes_);
}

bool PartitionFilter::has_range(std::span<const ColumnView> views, std::size_t row) {
  for (std::size_t i = 0; i < views.size(); ++i) {
    key_[i].kind = PartitionValue::Kind::Null;
    key_[i].number = 0;
    if (views[i].is_null(row)) continue;
    key_[i].kind = PartitionValue::Kind::Number;
    key_[i].number = number_at(views[i], row);
  }
  if (is_in(ranges_[last_], key_)) return true;
  const auto ends_above = [](const PartitionKey& key, const Partition& range) {
    return compare(key, range.upper) < 0;
  };
  const auto found = std::upper_bound(ranges_.begin(), ranges_.end(), key_, ends_above);
  if (found == ranges_.end() || !is_in(*found, key_)) return false;
  last_ = static_cast<std::size_t>(found - ranges_.begin());
  return true;
}

bool PartitionFilter::has_span(const ColumnView& view, std::size_t row) {
  if (view.is_null(row)) return takes_null_;
  const Int128 number = number_at(view, row);
  const auto is_within = [&](const Span& span) {
    return span.first <= number && (!span.has_end || number < span.end);
  };
  if (is_within(spans_[last_])) return true;
  const auto found =
      std::upper_bound(spans_.begin(), spans_.end(), number,
                       [](Int128 value, const Span& span) { return !span.has_end || value < span.end; });
  if (found == spans_.end() || !is_within(*found)) return false;
  last_ = static_cast<std::size_t>(found - spans_.begin());
  return true;
}

void PartitionFilter::append_value(const ColumnView& view, std::size_t row) {
  if (view.is_null(row)) {
    bytes_ += '0';
  } else if (is_string(view.type)) {
    append_text(bytes_, view.text_at(row));
  } else {
    append_number(bytes_, number_at(view, row));
  }
}

}  // namespace penstock::txn
