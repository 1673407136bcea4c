#include "txn/store/row_sorter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <tuple>

namespace penstock::txn {
namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

std::vector<std::string> sorted(const Rows& rows, std::uint64_t limit) {
  RowSorter sorter(limit);
  for (const auto& [key, row] : rows) sorter.add(key, row);
  sorter.finish();
  std::vector<std::string> out;
  while (const auto row = sorter.next()) out.emplace_back(*row);
  EXPECT_FALSE(sorter.next().has_value());
  return out;
}

std::vector<std::string> expected(const Rows& rows, std::uint64_t limit) {
  std::vector<std::size_t> order(rows.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return std::tie(rows[a].first, a) < std::tie(rows[b].first, b);
  });
  std::vector<std::string> out;
  for (std::size_t i = 0; i < rows.size() && i < limit; ++i) out.push_back(rows[order[i]].second);
  return out;
}

TEST(RowSorter, gives_what_a_stable_sort_gives_whatever_the_limit) {
  std::mt19937 dice(7);
  for (const std::size_t count : {0u, 1u, 2u, 2047u, 2048u, 2049u, 9000u}) {
    Rows rows;
    for (std::size_t i = 0; i < count; ++i) {
      rows.emplace_back(std::to_string(dice() % 500), std::to_string(i) + std::string(dice() % 20, 'x'));
    }
    for (const std::uint64_t limit :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{10}, std::uint64_t{2048}, UINT64_MAX}) {
      EXPECT_EQ(sorted(rows, limit), expected(rows, limit)) << count << " rows, limit " << limit;
    }
  }
}

TEST(RowSorter, a_small_limit_takes_little_memory_even_when_rows_come_in_the_worst_order) {
  for (const bool falling : {true, false}) {
    RowSorter sorter(100);
    std::size_t most = 0;
    constexpr int kRows = 600'000;
    char key[16];
    for (int i = 0; i < kRows; ++i) {
      std::snprintf(key, sizeof key, "%08d", falling ? kRows - i : i);
      sorter.add(key, key);
      most = std::max(most, sorter.bytes());
    }
    sorter.finish();
    EXPECT_LT(most, 6u << 20);
    for (int i = 0; i < 100; ++i) {
      std::snprintf(key, sizeof key, "%08d", i + (falling ? 1 : 0));
      ASSERT_EQ(sorter.next(), key);
    }
    EXPECT_FALSE(sorter.next().has_value());
  }
}

TEST(RowSorter, counts_the_memory_of_long_rows) {
  RowSorter sorter(UINT64_MAX);
  const std::string row(3u << 20, 'r');
  for (int i = 0; i < 5; ++i) sorter.add(std::to_string(9 - i), row);
  EXPECT_GE(sorter.bytes(), 15u << 20);
  sorter.finish();
  for (int i = 0; i < 5; ++i) ASSERT_EQ(sorter.next(), row);
}

}  // namespace
}  // namespace penstock::txn
