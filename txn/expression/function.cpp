#include "txn/expression/function.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace penstock::txn {
namespace {

bool is_numeric(ValueKind kind) {
  return kind == ValueKind::Boolean || kind == ValueKind::Integer || kind == ValueKind::Decimal ||
         kind == ValueKind::Double;
}
bool is_temporal(ValueKind kind) { return kind == ValueKind::Date || kind == ValueKind::DateTime; }

constexpr std::array<std::string_view, 33> kAggregates = {"sum",           "count",
                                                          "avg",           "min",
                                                          "max",           "group_concat",
                                                          "bitmap_union",  "hll_union",
                                                          "hll_raw_agg",   "ndv",
                                                          "stddev",        "stddev_pop",
                                                          "stddev_samp",   "variance",
                                                          "var_pop",       "var_samp",
                                                          "percentile",    "percentile_approx",
                                                          "topn",          "any_value",
                                                          "collect_list",  "collect_set",
                                                          "array_agg",     "map_agg",
                                                          "max_by",        "min_by",
                                                          "bool_or",       "bool_and",
                                                          "corr",          "covar",
                                                          "bitmap_agg",    "approx_count_distinct",
                                                          "quantile_union"};

constexpr std::array<std::string_view, 9> kSketches = {
    "hll_hash",     "to_bitmap",         "bitmap_hash",          "bitmap_from_string", "hll_empty",
    "bitmap_empty", "to_quantile_state", "to_bitmap_with_check", "bitmap_hash64"};

// All tables, sorted by name: a look-up a call, at the start of a load.
const std::vector<const Function*>& sorted_functions() {
  static const std::vector<const Function*> sorted = [] {
    std::vector<const Function*> all;
    for (const auto table : {operator_functions(), text_functions(), number_functions(), time_functions()}) {
      for (const Function& function : table) all.push_back(&function);
    }
    std::sort(all.begin(), all.end(), [](const Function* a, const Function* b) { return a->name < b->name; });
    return all;
  }();
  return sorted;
}

}  // namespace

const Function* find_function(std::string_view name) {
  const auto& all = sorted_functions();
  const auto found =
      std::lower_bound(all.begin(), all.end(), name,
                       [](const Function* function, std::string_view key) { return function->name < key; });
  return found != all.end() && (*found)->name == name ? *found : nullptr;
}

std::string refusal(std::string_view name) {
  if (std::find(kAggregates.begin(), kAggregates.end(), name) != kAggregates.end()) {
    return "Don't support aggregation function in load expression";
  }
  if (std::find(kSketches.begin(), kSketches.end(), name) != kSketches.end()) {
    return fmt::format("function {} is not supported: penstock has no BITMAP, HLL or QUANTILE_STATE columns",
                       name);
  }
  return fmt::format("function {} is not known, or not supported in loads", name.substr(0, 64));
}

ValueType common_of_numbers(ValueType a, ValueType b) {
  if (a.kind == ValueKind::Double || b.kind == ValueKind::Double) return kDoubleValue;
  if (a.kind == ValueKind::Decimal || b.kind == ValueKind::Decimal) {
    return {ValueKind::Decimal, std::max(a.kind == ValueKind::Decimal ? a.scale : std::uint8_t{0},
                                         b.kind == ValueKind::Decimal ? b.scale : std::uint8_t{0})};
  }
  return kIntegerValue;
}

ValueType common_to_compare(ValueType a, ValueType b) {
  if (a.kind == ValueKind::Null) return b;
  if (b.kind == ValueKind::Null) return a;
  if (a.kind == b.kind) return {a.kind, std::max(a.scale, b.scale)};
  if (is_numeric(a.kind) && is_numeric(b.kind)) return common_of_numbers(a, b);
  if (is_temporal(a.kind) || is_temporal(b.kind)) return kTimeValue;
  return kDoubleValue;  // a string and a number
}

ValueType common_result(ValueType a, ValueType b) {
  if (a.kind == ValueKind::Null) return b;
  if (b.kind == ValueKind::Null) return a;
  if (a.kind == b.kind) return {a.kind, std::max(a.scale, b.scale)};
  if (is_numeric(a.kind) && is_numeric(b.kind)) return common_of_numbers(a, b);
  if (is_temporal(a.kind) && is_temporal(b.kind)) return {ValueKind::DateTime, std::max(a.scale, b.scale)};
  return kStringValue;
}

}  // namespace penstock::txn
