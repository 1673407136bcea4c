// Loads into tables with partitions: rows without a place are filtered.
#include "tests/net/doors/doors_world.hpp"

namespace penstock::net {
namespace {

constexpr const char* kRange =
    "CREATE TABLE t (id INT, name STRING) DUPLICATE KEY(id) PARTITION BY RANGE(id) (PARTITION p0 VALUES LESS "
    "THAN "
    "('60'), PARTITION p1 VALUES LESS THAN ('80'), PARTITION p2 VALUES [('90'), ('95'))) DISTRIBUTED BY "
    "RANDOM BUCKETS 2";

std::unique_ptr<DoorsWorld> doors_with(const std::string& table) {
  auto doors = std::make_unique<DoorsWorld>(DoorsOptions{.shards = 2});
  doors->must("CREATE DATABASE db");
  doors->must(table);
  return doors;
}

std::string counts(const Reply& reply) {
  return field_of(reply.body, "Status") + " " + field_of(reply.body, "NumberTotalRows") + " " +
         field_of(reply.body, "NumberLoadedRows") + " " + field_of(reply.body, "NumberFilteredRows");
}

TEST(Partitions, rows_without_a_place_are_filtered_in_both_modes) {
  const auto doors = doors_with(kRange);
  const std::string body = "1\ta\n59\tb\n60\tc\n79\td\n80\te\n90\tf\n94\tg\n95\th\n\\N\ti\n-2147483648\tj\n";
  for (const char* mode : {"strict_mode: true\r\n", "strict_mode: false\r\n"}) {
    EXPECT_EQ(counts(doors->load("t", body, mode)), "Fail 10 0 2");
    EXPECT_EQ(counts(doors->load("t", body, std::string(mode) + "max_filter_ratio: 0.19\r\n")),
              "Fail 10 0 2");
    EXPECT_EQ(doors->scan("t", "?columns=count(*)"), "0\n");
    const Reply reply = doors->load("t", body, std::string(mode) + "max_filter_ratio: 0.2\r\n");
    EXPECT_EQ(counts(reply), "Success 10 8 2");
    EXPECT_EQ(field_of(reply.body, "FirstErrorMsg"), "no partition for this tuple. tuple={id: 80, name: e}");
    const std::string url = field_of(reply.body, "ErrorURL");
    const Reply log = doors->get(url.substr(url.find("/api/")));
    EXPECT_NE(log.body.find("Reason: no partition for this tuple. tuple={id: 95, name: h}. src line []; "),
              std::string::npos)
        << log.body;
    EXPECT_EQ(doors->scan("t", "?columns=name&order_by=id"), "i\nj\na\nb\nc\nd\nf\ng\n");
    doors->must("TRUNCATE TABLE t");
  }
}

TEST(Partitions, the_partitions_header_restricts_a_load) {
  const auto doors = doors_with(kRange);
  const std::string body = "1\ta\n60\tb\n90\tc\n";
  EXPECT_EQ(counts(doors->load("t", body, "partitions: p1, P2\r\nmax_filter_ratio: 0.5\r\n")),
            "Success 3 2 1");
  EXPECT_EQ(doors->scan("t", "?columns=id&order_by=id"), "60\n90\n");
  const Reply reply = doors->load("t", body, "partitions: p1,p9\r\n");
  EXPECT_EQ(field_of(reply.body, "Status"), "Fail");
  EXPECT_EQ(field_of(reply.body, "Message"),
            "[ANALYSIS_ERROR]errCode = 2, detailMessage = unknown partition p9 in table t");
  doors->must("CREATE TABLE u (id INT) DISTRIBUTED BY RANDOM");
  EXPECT_EQ(counts(doors->load("u", "1\n", "partitions: u\r\n")), "Success 1 1 0");
  EXPECT_EQ(counts(doors->load("u", "1\n", "partitions: p\r\n")), "Fail 0 0 0");
  doors->must(
      "CREATE TABLE a (id INT) AUTO PARTITION BY LIST(id) (PARTITION x VALUES IN (1)) DISTRIBUTED BY RANDOM");
  EXPECT_EQ(counts(doors->load("a", "1\n2\n\\N\n")), "Success 3 3 0");
  EXPECT_EQ(counts(doors->load("a", "1\n2\n", "partitions: x\r\nmax_filter_ratio: 1\r\n")), "Success 2 1 1");
}

TEST(Partitions, lists_take_what_they_name) {
  const auto doors = doors_with(
      "CREATE TABLE t (c VARCHAR(9), f BOOLEAN, d DATE) DUPLICATE KEY(c) PARTITION BY LIST(c, d) (PARTITION "
      "a VALUES "
      "IN (('x', '2024-01-01'), (NULL, '2024-01-01')), PARTITION b VALUES IN (('', NULL))) DISTRIBUTED BY "
      "RANDOM");
  EXPECT_EQ(
      counts(doors->load("t", "x\t1\t2024-01-01\nx\t1\t2024-01-02\n\\N\t1\t20240101\n\t0\t\\N\n\\N\t0\t\\N\n",
                         "max_filter_ratio: 0.4\r\n")),
      "Success 5 3 2");
  EXPECT_EQ(doors->scan("t", "?columns=c&order_by=c"), "\\N\n\nx\n");
}

TEST(Partitions, times_are_compared_to_the_microsecond) {
  const auto doors = doors_with(
      "CREATE TABLE t (at DATETIME(6), d DATE) DUPLICATE KEY(at) PARTITION BY RANGE(at, d) (PARTITION a "
      "VALUES "
      "[('2024-01-01 00:00:00'), ('2024-01-01 10:00:00.5', '2024-06-01'))) DISTRIBUTED BY RANDOM");
  EXPECT_EQ(counts(doors->load("t",
                               "2023-12-31 23:59:59.999999\t2024-01-01\n2024-01-01 00:00:00\t\\N\n"
                               "2024-01-01 10:00:00.5\t2024-05-31\n2024-01-01 10:00:00.5\t2024-06-01\n"
                               "2024-01-01 10:00:00.500001\t2024-01-01\n\\N\t\\N\n",
                               "max_filter_ratio: 1\r\n")),
            "Success 6 2 4");
}

TEST(Partitions, computed_columns_json_and_where_go_before) {
  const auto doors = doors_with(kRange);
  const std::string body = "1\ta\n2\tb\n3\tc\nx\td\n";
  // 30, 60, 90; 60 is not wanted; NULL lies lowest.
  EXPECT_EQ(counts(doors->load("t", body, "columns: raw, name, id = raw * 30\r\nwhere: id <> 60\r\n")),
            "Success 4 2 0");
  EXPECT_EQ(doors->scan("t", "?columns=id&order_by=id"), "30\n90\n");
  doors->must("TRUNCATE TABLE t");
  EXPECT_EQ(counts(doors->load("t", "{\"id\": 1}\n{\"id\": 85}\n{\"id\": 61}\n",
                               "format: json\r\nmax_filter_ratio: 0.5\r\n")),
            "Success 3 2 1");
  EXPECT_EQ(counts(doors->load("t", "[{\"id\": 1}, {\"id\": 85}, {\"id\": 61}",
                               "format: json\r\nstrip_outer_array: "
                               "true\r\nmax_filter_ratio: 0.5\r\n"))
                .substr(0, 4),
            "Fail");
}

TEST(Partitions, a_load_of_many_blocks_is_judged_in_all_of_them) {
  const auto doors = doors_with(kRange);
  std::string body;
  for (int i = 0; i < 200'000; ++i) body += std::to_string(i % 100) + "\tname\n";
  EXPECT_EQ(counts(doors->load("t", body, "max_filter_ratio: 0.15\r\n")), "Success 200000 170000 30000");
  EXPECT_EQ(doors->scan("t", "?columns=count(*)"), "170000\n");
  EXPECT_EQ(counts(doors->load("t", body, "partitions: p2\r\nmax_filter_ratio: 1\r\n")),
            "Success 200000 10000 190000");
}

}  // namespace
}  // namespace penstock::net
