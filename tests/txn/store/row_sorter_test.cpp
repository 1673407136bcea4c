#include "txn/store/row_sorter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <random>

namespace penstock::txn {
namespace {

std::string key_of(std::uint64_t number) {
  char text[20];
  std::snprintf(text, sizeof text, "%012llu", static_cast<unsigned long long>(number));
  return text;
}

TEST(RowSorter, gives_all_rows_in_order_and_rows_of_one_key_as_they_came) {
  std::mt19937_64 random(7);
  std::vector<std::pair<std::string, std::string>>
      rows;  // the key with the row's number behind it, and the row
  RowSorter sorter(UINT64_MAX);
  for (int i = 0; i < 20'000; ++i) {
    const std::string key = key_of(random() % 500);
    rows.emplace_back(key + key_of(static_cast<std::uint64_t>(i)), "row " + std::to_string(i) + "\n");
    sorter.add(key, rows.back().second);
  }
  sorter.finish();
  std::ranges::sort(rows);
  for (const auto& [key, row] : rows) ASSERT_EQ(sorter.next(), row);
  EXPECT_FALSE(sorter.next());
}

TEST(RowSorter, the_first_few_of_many_long_rows_need_little_memory) {
  std::mt19937_64 random(8);
  RowSorter sorter(100);
  const std::string row(8'000, 'x');
  std::vector<std::string> keys;
  std::size_t most = 0;
  for (int i = 0; i < 30'000; ++i) {  // 240 MB
    keys.push_back(key_of(random() % 1'000'000'000));
    sorter.add(keys.back(), keys.back() + row);
    most = std::max(most, sorter.bytes());
  }
  sorter.finish();
  std::ranges::sort(keys);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(sorter.next()->starts_with(keys[static_cast<std::size_t>(i)]));
  EXPECT_FALSE(sorter.next());
  EXPECT_LT(most, 64u * 1024 * 1024);
}

TEST(RowSorter, rows_that_were_given_take_no_memory_any_more) {
  RowSorter sorter(UINT64_MAX);
  for (std::uint64_t i = 0; i < 20'000; ++i) sorter.add(key_of(i), std::string(1'000, 'x'));
  sorter.finish();
  const std::size_t before = sorter.bytes();
  for (int i = 0; i < 15'000; ++i) ASSERT_TRUE(sorter.next());
  EXPECT_LT(sorter.bytes(), before / 3);
}

}  // namespace
}  // namespace penstock::txn
