#include "txn/schema/show.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/txn/schema/samples.hpp"

namespace penstock::txn {
namespace {

using ::testing::ElementsAre;

TEST(Show, create_table_in_dorises_layout) {
  const auto catalog = after(with_database(), R"(CREATE TABLE t (id BIGINT NOT NULL COMMENT "it's",
      name VARCHAR(20) DEFAULT 'x"y', at DATETIME(3) DEFAULT CURRENT_TIMESTAMP(3), note STRING, price DECIMAL(10,2)
      DEFAULT NULL, INDEX i (name) USING INVERTED) DUPLICATE KEY(id, name) COMMENT 'all of it'
      PARTITION BY RANGE(id) () DISTRIBUTED BY HASH(id) BUCKETS 8 PROPERTIES ("replication_num" = "1", "a" = "b"))");
  EXPECT_EQ(show_create_table(*catalog, *catalog->find_table("db", "t")),
            R"(CREATE TABLE `t` (
  `id` bigint NOT NULL COMMENT 'it\'s',
  `name` varchar(20) NULL DEFAULT "x\"y",
  `at` datetime(3) NULL DEFAULT CURRENT_TIMESTAMP(3),
  `note` text NULL,
  `price` decimal(10,2) NULL DEFAULT NULL,
  INDEX i (name) USING INVERTED
) ENGINE=OLAP
DUPLICATE KEY(`id`, `name`)
COMMENT 'all of it'
PARTITION BY RANGE(id)
()
DISTRIBUTED BY HASH(`id`) BUCKETS 8
PROPERTIES (
"replication_num" = "1",
"a" = "b"
);)");
}

TEST(Show, what_is_shown_parses_back_to_an_equal_table) {
  const auto catalog = with_database();
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const Table table = random_table(seed);
    ASSERT_TRUE(check_table(table).has_value()) << seed;
    const std::string shown = show_create_table(*catalog, table);
    const auto next = after(catalog, shown);
    const auto back = next->find_table("db", table.name);
    ASSERT_NE(back, nullptr) << seed << "\n" << shown;
    ASSERT_EQ(*back, table) << seed << "\n" << shown;
  }
}

TEST(Show, a_table_without_keys_comes_back) {
  const auto catalog = with_database();
  const auto made = after(
      catalog, "CREATE TABLE t (a DOUBLE) PROPERTIES('enable_duplicate_without_keys_by_default' = 'true')");
  const auto table = made->find_table("db", "t");
  EXPECT_EQ(*after(catalog, show_create_table(*made, *table))->find_table("db", "t"), *table);
}

TEST(Show, lists_are_in_order_and_take_like_patterns) {
  auto catalog = with_database();
  for (const char* name : {"b", "a_1", "ax1"})
    catalog = after(catalog, "CREATE TABLE " + std::string(name) + " (k INT)");
  catalog = after(catalog, "CREATE DATABASE abc");
  EXPECT_THAT(list_databases(*catalog, std::nullopt), ElementsAre("abc", "db"));
  EXPECT_THAT(list_databases(*catalog, "a%"), ElementsAre("abc"));
  EXPECT_THAT(list_tables(*catalog->find_database("db"), std::nullopt), ElementsAre("a_1", "ax1", "b"));
  EXPECT_THAT(list_tables(*catalog->find_database("db"), "a_1"), ElementsAre("a_1", "ax1"));
  EXPECT_THAT(list_tables(*catalog->find_database("db"), "a\\_1"), ElementsAre("a_1"));
}

TEST(Show, like_matches_characters) {
  EXPECT_TRUE(matches_like("", ""));
  EXPECT_TRUE(matches_like("", "%"));
  EXPECT_FALSE(matches_like("", "_"));
  EXPECT_TRUE(matches_like("abcabd", "%ab_"));
  EXPECT_TRUE(matches_like("abcabd", "a%b%d"));
  EXPECT_FALSE(matches_like("abcabd", "a%c"));
  EXPECT_TRUE(matches_like("\xE8\xA1\xA8", "_"));
  EXPECT_TRUE(matches_like("100%", "100\\%"));
  EXPECT_FALSE(matches_like("100x", "100\\%"));
  EXPECT_FALSE(matches_like(std::string(10000, 'a'), "%a%a%a%a%a%a%a%a%a%b"));
}

}  // namespace
}  // namespace penstock::txn
