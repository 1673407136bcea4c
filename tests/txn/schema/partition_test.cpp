#include "txn/schema/partition.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "tests/txn/schema/samples.hpp"
#include "txn/schema/show.hpp"

namespace penstock::txn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kColumns =
    "CREATE TABLE t (i INT, b BIGINT NOT NULL, s SMALLINT, l LARGEINT, d DATE, m DATETIME(3), v VARCHAR(5), "
    "f BOOLEAN, x DOUBLE, n DECIMAL(9,2), e STRING) DUPLICATE KEY(i) ";

std::shared_ptr<const Table> table_with(const std::string& partitions) {
  return after(with_database(), kColumns + partitions)->find_table("db", "t");
}

std::string list_with(const std::string& partitions) {
  const auto table = table_with(partitions);
  if (table == nullptr) return "";
  EXPECT_TRUE(check_table(*table).has_value());
  const auto again =
      after(with_database(), show_create_table(*with_database(), *table))->find_table("db", "t");
  EXPECT_TRUE(again != nullptr && *again == *table);
  return partition_list_text(table->partitioning, partition_types(*table));
}

std::string error_with(const std::string& partitions) {
  return error_of(*with_database(), kColumns + partitions);
}

std::vector<std::string> names_with(const std::string& partitions) {
  std::vector<std::string> names;
  for (const Partition& partition : table_with(partitions)->partitioning.partitions)
    names.push_back(partition.name);
  return names;
}

TEST(Partitions, less_than_begins_where_the_one_before_ends) {
  EXPECT_EQ(
      list_with(
          "PARTITION BY RANGE(i) (PARTITION p0 VALUES LESS THAN ('60'), PARTITION `p1` VALUES LESS THAN (80) "
          "('replication_num' = '1'), PARTITION IF NOT EXISTS p2 VALUES LESS THAN MAXVALUE)"),
      "(PARTITION `p0` VALUES LESS THAN (\"60\"),\n"
      "PARTITION `p1` VALUES [(\"60\"), (\"80\")),\n"
      "PARTITION `p2` VALUES [(\"80\"), (MAXVALUE)))");
}

TEST(Partitions, fixed_ranges_come_in_their_order_and_may_leave_gaps) {
  EXPECT_EQ(list_with("PARTITION BY RANGE(d) (PARTITION b VALUES [('2024-02-01'), ('2024-03-01')), "
                      "PARTITION a VALUES [('20240101'), ('2024-01-02 10:00:00')), PARTITION c VALUES LESS "
                      "THAN ('2024-4-1'))"),
            "(PARTITION `a` VALUES [(\"2024-01-01\"), (\"2024-01-02\")),\n"
            "PARTITION `b` VALUES [(\"2024-02-01\"), (\"2024-03-01\")),\n"
            "PARTITION `c` VALUES [(\"2024-03-01\"), (\"2024-04-01\")))");
  // As Doris shows a range with nothing below it.
  EXPECT_EQ(list_with("PARTITION BY RANGE(i) (PARTITION a VALUES [('-2147483648'), ('60')))"),
            "(PARTITION `a` VALUES LESS THAN (\"60\"))");
  EXPECT_EQ(list_with("PARTITION BY RANGE(d) (PARTITION a VALUES [('0000-01-01'), ('2024-01-01')))"),
            "(PARTITION `a` VALUES LESS THAN (\"2024-01-01\"))");
}

TEST(Partitions, ranges_of_two_columns_are_compared_from_the_left) {
  EXPECT_EQ(
      list_with(
          "PARTITION BY RANGE(i, d) (PARTITION a VALUES LESS THAN ('1'), PARTITION b VALUES LESS THAN ('1', "
          "'2024-01-01'), PARTITION c VALUES LESS THAN ('2', MAXVALUE), PARTITION z VALUES LESS THAN "
          "(MAXVALUE))"),
      "(PARTITION `a` VALUES LESS THAN (\"1\"),\n"
      "PARTITION `b` VALUES [(\"1\"), (\"1\", \"2024-01-01\")),\n"
      "PARTITION `c` VALUES [(\"1\", \"2024-01-01\"), (\"2\", MAXVALUE)),\n"
      "PARTITION `z` VALUES [(\"2\", MAXVALUE), (MAXVALUE, MAXVALUE)))");
}

TEST(Partitions, lists_of_one_and_two_columns) {
  EXPECT_EQ(
      list_with(
          "PARTITION BY LIST(v) (PARTITION a VALUES IN ('x', 'it''s', NULL), PARTITION b VALUES IN ('\"'))"),
      "(PARTITION `a` VALUES IN (\"x\", \"it's\", NULL),\n"
      "PARTITION `b` VALUES IN (\"\\\"\"))");
  EXPECT_EQ(list_with("PARTITION BY LIST(f, s) (PARTITION a VALUES IN ((true, 1), ('0', NULL)))"),
            "(PARTITION `a` VALUES IN ((\"true\", \"1\"), (\"false\", NULL)))");
  EXPECT_EQ(list_with("PARTITION BY LIST(m) (PARTITION a VALUES IN ('2024-01-01 10:00:00.1239'))"),
            "(PARTITION `a` VALUES IN (\"2024-01-01 10:00:00.123\"))");
}

TEST(Partitions, steps_become_ranges_with_dorises_names) {
  EXPECT_EQ(list_with("PARTITION BY RANGE(d) (FROM ('2024-01-15') TO ('2024-03-10') INTERVAL 1 MONTH)"),
            "(PARTITION `p_202401` VALUES [(\"2024-01-15\"), (\"2024-02-01\")),\n"
            "PARTITION `p_202402` VALUES [(\"2024-02-01\"), (\"2024-03-01\")),\n"
            "PARTITION `p_202403` VALUES [(\"2024-03-01\"), (\"2024-03-10\")))");
  EXPECT_THAT(names_with("PARTITION BY RANGE(d) (FROM ('2022-06-01') TO ('2025-01-01') INTERVAL 1 YEAR)"),
              ElementsAre("p_2022", "p_2023", "p_2024"));
  EXPECT_THAT(names_with("PARTITION BY RANGE(d) (FROM ('2024-02-28') TO ('2024-03-02') INTERVAL 1 DAY)"),
              ElementsAre("p_20240228", "p_20240229", "p_20240301"));
  EXPECT_THAT(names_with("PARTITION BY RANGE(d) (FROM ('2024-01-01') TO ('2024-01-17') INTERVAL 1 WEEK)"),
              ElementsAre("p_2024_01", "p_2024_02", "p_2024_03"));
  EXPECT_THAT(
      names_with(
          "PARTITION BY RANGE(m) (FROM ('2024-01-01 22:00:00') TO ('2024-01-02 03:00:00') INTERVAL 2 HOUR)"),
      ElementsAre("p_2024010122", "p_2024010200", "p_2024010202"));
  EXPECT_THAT(names_with("PARTITION BY RANGE(i) (FROM (-10) TO ('15') INTERVAL 10, PARTITION top VALUES LESS "
                         "THAN (MAXVALUE))"),
              ElementsAre("p_-10", "p_0", "p_10", "top"));
  EXPECT_THAT(error_with("PARTITION BY RANGE(l) (FROM ('-170141183460469231731687303715884105728') TO "
                         "('170141183460469231731687303715884105727') INTERVAL 5)"),
              HasSubstr("more than 4096 partitions"));
}

TEST(Partitions, every_row_has_a_place_where_doris_makes_partitions_itself) {
  EXPECT_TRUE(takes_every_row(*table_with("")));
  EXPECT_TRUE(takes_every_row(*table_with("PARTITION BY RANGE(i) ()")));
  EXPECT_TRUE(takes_every_row(*table_with("AUTO PARTITION BY RANGE (date_trunc(`m`, 'month')) ()")));
  EXPECT_TRUE(takes_every_row(*table_with("AUTO PARTITION BY LIST(v) (PARTITION a VALUES IN ('x'))")));
  EXPECT_TRUE(takes_every_row(*table_with("AUTO PARTITION BY RANGE date_trunc(`m`, 'month') ()")));
  EXPECT_FALSE(takes_every_row(*table_with("PARTITION BY RANGE(i) (PARTITION a VALUES LESS THAN (1))")));
  EXPECT_TRUE(
      takes_every_row(*table_with("PARTITION BY RANGE(d) (PARTITION a VALUES LESS THAN ('2024-01-01')) "
                                  "PROPERTIES('dynamic_partition.enable' = 'true')")));
}

TEST(Partitions, a_copy_of_a_table_has_its_partitions) {
  const auto catalog =
      after(after(with_database(),
                  std::string(kColumns) + "PARTITION BY RANGE(i) (PARTITION a VALUES LESS THAN (1))"),
            "CREATE TABLE u LIKE t");
  EXPECT_EQ(catalog->find_table("db", "u")->partitioning, catalog->find_table("db", "t")->partitioning);
  EXPECT_NE(catalog->find_table("db", "u")->partitioning.find("A"), nullptr);
}

TEST(Partitions, columns_that_cannot_be_one_are_refused) {
  EXPECT_EQ(error_with("PARTITION BY RANGE(q) ()"), "Partition column[q] does not found");
  EXPECT_EQ(error_with("PARTITION BY RANGE(i, I) ()"), "Duplicated partition column I");
  EXPECT_EQ(error_with("PARTITION BY RANGE(x) ()"), "Floating point type column can not be partition column");
  EXPECT_EQ(error_with("PARTITION BY RANGE(v) ()"),
            "Column[v] type[varchar(5)] cannot be a range partition key.");
  EXPECT_EQ(error_with("PARTITION BY LIST(n) ()"),
            "Column[n] type[decimal(9,2)] cannot be a list partition key.");
  EXPECT_EQ(error_with("PARTITION BY LIST(e) ()"), "Column[e] type[text] cannot be a list partition key.");
  EXPECT_THAT(error_with("PARTITION BY RANGE(date_trunc(d, 'day')) ()"), HasSubstr("only AUTO PARTITION BY"));
}

TEST(Partitions, values_that_make_no_sense_are_refused) {
  const auto range = [](const std::string& list) {
    return error_with("PARTITION BY RANGE(i) (" + list + ")");
  };
  EXPECT_EQ(range("PARTITION p VALUES LESS THAN ('x')"),
            "Invalid partition value 'x' for column i of type int");
  EXPECT_EQ(range("PARTITION p VALUES LESS THAN (2147483648)"),
            "Invalid partition value '2147483648' for column i of type int");
  EXPECT_EQ(range("PARTITION p VALUES LESS THAN (-2147483647)"), "");
  EXPECT_THAT(range("PARTITION p VALUES LESS THAN (99999999999999999999999999999999999999999999999)"),
              HasSubstr("Invalid partition value"));
  EXPECT_THAT(range("PARTITION p VALUES LESS THAN (NULL)"), HasSubstr("only be used in lists"));
  EXPECT_THAT(range("PARTITION p VALUES LESS THAN (1, 2)"), HasSubstr("more than partition column number"));
  EXPECT_THAT(range("PARTITION p VALUES IN (1)"), HasSubstr("PARTITION BY LIST"));
  EXPECT_EQ(range("PARTITION p VALUES LESS THAN (1), PARTITION P VALUES LESS THAN (2)"),
            "Duplicate partition name 'P'");
  EXPECT_EQ(range("PARTITION `a,b` VALUES LESS THAN (1)"), "Incorrect partition name 'a,b'");
  EXPECT_THAT(range("PARTITION p VALUES [(2), (2))"), HasSubstr("is empty"));
  EXPECT_THAT(range("PARTITION p VALUES LESS THAN (5), PARTITION q VALUES LESS THAN (3)"),
              HasSubstr("is intersected with range"));
  EXPECT_THAT(range("PARTITION p VALUES LESS THAN (5), PARTITION q VALUES LESS THAN (5)"),
              HasSubstr("is intersected with range"));
  EXPECT_THAT(range("PARTITION p VALUES [(1), (5)), PARTITION q VALUES [(4), (9))"),
              HasSubstr("is intersected with range"));
  EXPECT_THAT(range("FROM (1) TO (1) INTERVAL 1"), HasSubstr("less than end value"));
  EXPECT_THAT(range("FROM (1) TO (9) INTERVAL 0"), HasSubstr("larger than zero"));
  EXPECT_THAT(range("FROM (1) TO (9) INTERVAL 1 DAY"), HasSubstr("does not fit column i"));
  EXPECT_THAT(range("FROM (1) TO (100000) INTERVAL 1"), HasSubstr("more than 4096 partitions"));
  EXPECT_THAT(range("PARTITION p VALUES"), HasSubstr("LESS THAN, IN or '['"));
  const auto dates = [](const std::string& list) {
    return error_with("PARTITION BY RANGE(d) (" + list + ")");
  };
  EXPECT_THAT(dates("PARTITION p VALUES LESS THAN ('2024-02-30')"),
              HasSubstr("Invalid partition value '2024-02-30'"));
  EXPECT_THAT(dates("PARTITION p VALUES LESS THAN ('soon')"), HasSubstr("Invalid partition value 'soon'"));
  EXPECT_THAT(dates("FROM ('2024-01-01') TO ('2024-01-09') INTERVAL 1 HOUR"),
              HasSubstr("unsupported time interval type"));
  EXPECT_THAT(dates("FROM ('2024-01-01') TO ('2024-01-09') INTERVAL 1"),
              HasSubstr("Unknown time interval type"));
  const auto list = [](const std::string& text) {
    return error_with("PARTITION BY LIST(v, b) (" + text + ")");
  };
  EXPECT_THAT(list("PARTITION p VALUES IN ('x')"), HasSubstr("is not equal to partition column size[2]"));
  EXPECT_THAT(list("PARTITION p VALUES IN (('x', NULL))"), HasSubstr("not nullable"));
  EXPECT_THAT(list("PARTITION p VALUES IN (('toolong', 1))"), HasSubstr("Invalid partition value 'toolong'"));
  EXPECT_THAT(list("PARTITION p VALUES IN (('x', 1), ('x', 1))"), HasSubstr("has already"));
  EXPECT_THAT(list("PARTITION p VALUES LESS THAN ('x')"), HasSubstr("needs VALUES IN"));
}

TEST(Partitions, check_table_refuses_what_does_not_fit) {
  const auto good = table_with(
      "PARTITION BY RANGE(i) (PARTITION a VALUES LESS THAN (1), PARTITION b VALUES LESS THAN (5))");
  const auto with = [&](auto edit) {
    Table table = *good;
    edit(table.partitioning);
    return check_table(table).has_value();
  };
  EXPECT_TRUE(with([](Partitioning&) {}));
  EXPECT_FALSE(with([](Partitioning& p) { p.clause.clear(); }));
  EXPECT_FALSE(with([](Partitioning& p) { p.kind = PartitionKind::None; }));
  EXPECT_FALSE(with([](Partitioning& p) { p.kind = PartitionKind::List; }));
  EXPECT_FALSE(with([](Partitioning& p) { p.columns.push_back(ColumnId{1}); }));
  EXPECT_FALSE(with([](Partitioning& p) { p.columns = {ColumnId{77}}; }));
  EXPECT_FALSE(with([](Partitioning& p) { p.columns = {ColumnId{9}}; }));
  EXPECT_FALSE(with([](Partitioning& p) { p.partitions[1].name = "A"; }));
  EXPECT_FALSE(with([](Partitioning& p) { p.partitions[1].lower.clear(); }));
  EXPECT_FALSE(with([](Partitioning& p) { p.partitions[0].upper[0].number = 9; }));
  EXPECT_FALSE(with([](Partitioning& p) { p.partitions[1].upper[0].number = Int128{1} << 40; }));
  EXPECT_FALSE(with([](Partitioning& p) { p.partitions[1].upper[0].kind = PartitionValue::Kind::Null; }));
  EXPECT_FALSE(with([](Partitioning& p) { p.partitions[1].values.push_back({PartitionValue::of(1)}); }));
  EXPECT_FALSE(with([](Partitioning& p) { std::swap(p.partitions[0], p.partitions[1]); }));
}

TEST(Partitions, an_encoded_change_is_no_larger_than_its_statement_foretells) {
  std::string lists = "PARTITION p VALUES IN (0";
  for (int i = 1; i < 3000; ++i) lists += "," + std::to_string(i);
  std::string ranges = "PARTITION p VALUES LESS THAN (0)";
  for (int i = 1; i < 3000; ++i)
    ranges += ",PARTITION p" + std::to_string(i) + " VALUES LESS THAN (" + std::to_string(i) + ")";
  for (const std::string& partitions :
       {std::string(), "PARTITION BY LIST(i) (" + lists + "))",
        "PARTITION BY RANGE(i, b, s, l, d, m) (" + ranges + ")",
        std::string("PARTITION BY RANGE(i) (FROM (1) TO (4097) INTERVAL 1)"),
        std::string("PARTITION BY LIST(v) (PARTITION p VALUES IN ('', 'a', 'abcde', NULL))")}) {
    auto statement = parse_statement(kColumns + partitions);
    ASSERT_TRUE(statement.has_value());
    auto change = plan_change(*with_database(), *statement, "db");
    ASSERT_TRUE(change.has_value()) << change.error().message;
    std::vector<std::byte> bytes;
    core::ByteWriter writer(bytes);
    encode_change(**change, writer);
    EXPECT_LE(bytes.size(), change_bytes_max(*statement)) << partitions.substr(0, 60);
  }
}

TEST(Partitions, whatever_is_written_is_refused_or_comes_back_as_it_is_shown) {
  static constexpr std::array<std::string_view, 44> kPieces = {
      "PARTITION p",
      "PARTITION q",
      "PARTITION `r`",
      " VALUES ",
      "LESS THAN ",
      "IN ",
      "MAXVALUE",
      "NULL",
      "(",
      ")",
      "[",
      ",",
      "1",
      "-5",
      "'7'",
      "'2024-02-29'",
      "'x'",
      "true",
      "FROM ",
      " TO ",
      " INTERVAL ",
      "DAY",
      "MONTH",
      "'2024-01-01'",
      "'20240301'",
      "HOUR",
      "WEEK",
      "YEAR",
      "AUTO ",
      "PARTITION BY ",
      "RANGE",
      "LIST",
      "(i)",
      "(d)",
      "(v, i)",
      "(f)",
      " (PARTITION a VALUES LESS THAN (",
      " (PARTITION a VALUES IN (",
      "99999999999999999999",
      "date_trunc(m, 'day')",
      "'9999-12-31'",
      "'0000-01-01'",
      "('k' = 'v')",
      "(FROM ('2024-01-01') TO ('2024-02-01') INTERVAL 1 "};
  static constexpr std::array<std::string_view, 5> kSeeds = {
      "PARTITION BY RANGE(i) (PARTITION a VALUES LESS THAN (1), PARTITION b VALUES [(3), (5)), PARTITION c "
      "VALUES LESS THAN "
      "(MAXVALUE))",
      "PARTITION BY RANGE(d, i) (PARTITION a VALUES LESS THAN ('2024-01-01', 5), PARTITION b VALUES LESS "
      "THAN ('2024-01-02'))",
      "PARTITION BY LIST(v, i) (PARTITION a VALUES IN (('x', 1), (NULL, NULL)), PARTITION b VALUES IN (('y', "
      "2)))",
      "PARTITION BY RANGE(m) (FROM ('2023-12-30 23:00:00') TO ('2024-03-01') INTERVAL 1 WEEK)",
      "AUTO PARTITION BY RANGE (date_trunc(`m`, 'month')) ()"};
  const auto catalog = with_database();
  Dice dice(5);
  std::size_t accepted = 0;
  for (int round = 0; round < 8000; ++round) {
    std::string clause(dice.pick(kSeeds));
    for (std::size_t edits = dice.below(4); edits > 0; --edits) {
      const std::size_t at = dice.below(clause.size() + 1);
      if (dice.coin()) clause.erase(at, dice.below(9));
      if (dice.coin()) clause.insert(std::min(at, clause.size()), std::string(dice.pick(kPieces)));
    }
    auto statement = parse_statement(kColumns + clause);
    if (!statement) continue;
    auto change = plan_change(*catalog, *statement, "db");
    if (!change) {
      EXPECT_LE(change.error().message.size(), 1100U);
      continue;
    }
    const Table& table = *std::get<CreateTable>(**change).table;
    ASSERT_TRUE(check_table(table).has_value()) << clause;
    const std::string shown = show_create_table(*catalog, table);
    ASSERT_EQ(error_of(*catalog, shown), "") << clause << "\n" << shown;
    ASSERT_EQ(*after(catalog, shown)->find_table("db", "t"), table) << clause << "\n" << shown;
    ++accepted;
  }
  EXPECT_GT(accepted, 800U);
}

}  // namespace
}  // namespace penstock::txn
