#include "net/load/error_logs.hpp"

#include "net/http/host_port.hpp"
#include "tests/net/doors/doors_world.hpp"

namespace penstock::net {
namespace {

constexpr const char* kTable =
    "CREATE TABLE t (k INT NOT NULL, v TINYINT) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 4";

void make_table(DoorsWorld& doors) {
  doors.must("CREATE DATABASE db");
  doors.must(kTable);
}

std::string file_of(const std::string& url) { return url.substr(url.find("/api/")); }

TEST(ErrorLog, a_load_with_bad_rows_says_where_they_can_be_read) {
  DoorsWorld doors({.shards = 3});
  make_table(doors);
  for (int i = 0; i < 6; ++i) {  // on every shard
    const Reply reply = doors.load("t", "1\t2\nx" + std::to_string(i) + "\t3\n", "max_filter_ratio: 0.6\r\n");
    EXPECT_EQ(field_of(reply.body, "Status"), "Success") << reply.body;
    EXPECT_EQ(field_of(reply.body, "NumberFilteredRows"), "1");
    const std::string url = field_of(reply.body, "ErrorURL");
    ASSERT_EQ(url.find("http://penstock.example:8040/api/_load_error_log?file=__shard_"), 0u) << reply.body;
    // Whichever shard the question comes to.
    for (int ask = 0; ask < 3; ++ask) {
      const Reply log =
          doors.ask("GET " + file_of(url) + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      EXPECT_EQ(log.status, 200);
      EXPECT_TRUE(log.has("Content-Type: text/plain; charset=utf-8"));
      EXPECT_TRUE(log.has("X-Content-Type-Options: nosniff"));
      EXPECT_EQ(log.body.find("Reason: "), 0u) << log.body;
      EXPECT_NE(log.body.find("x" + std::to_string(i)), std::string::npos) << log.body;
      EXPECT_EQ(log.body.find("Summary"), std::string::npos);
    }
    const Reply head =
        doors.ask("HEAD " + file_of(url) + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(head.status, 200);
  }
}

TEST(ErrorLog, a_failed_load_has_one_too_and_a_good_one_has_none) {
  DoorsWorld doors;
  make_table(doors);
  const Reply failed = doors.load("t", "x\t3\n");
  EXPECT_EQ(field_of(failed.body, "Status"), "Fail");
  EXPECT_NE(field_of(failed.body, "ErrorURL"), "");
  EXPECT_NE(field_of(failed.body, "FirstErrorMsg"), "");
  const Reply good = doors.load("t", "1\t3\n");
  EXPECT_EQ(good.body.find("ErrorURL"), std::string::npos);
}

TEST(ErrorLog, shows_fifty_rows_and_says_how_many_there_were) {
  DoorsWorld doors;
  make_table(doors);
  std::string body;
  for (int i = 0; i < 80; ++i) body += "bad\t1\n";
  const Reply reply = doors.load("t", body);
  const std::string log = doors.get(file_of(field_of(reply.body, "ErrorURL"))).body;
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = log.find("Reason: ", at)) != std::string::npos; ++at) ++lines;
  EXPECT_EQ(lines, 50u);
  EXPECT_NE(log.find("TOO MUCH ERROR! already reach 50. show no more next error.\n"), std::string::npos)
      << log;
  EXPECT_NE(log.find("Summary: 80 of 80 rows were filtered"), std::string::npos) << log;
}

TEST(ErrorLog, names_its_own_address_when_the_client_names_none_that_can_be_used) {
  DoorsWorld doors;
  make_table(doors);
  for (const std::string& host : std::vector<std::string>{"", "Host: evil\"><script>\r\n", "Host: a/b\r\n",
                                                          "Host: \r\n", "Host: a:99999\r\n"}) {
    const Reply reply = doors.ask("PUT /api/db/t/_stream_load HTTP/1.0\r\n" + host + DoorsWorld::kAuth +
                                  "Content-Length: 4\r\n\r\nx\t3\n");
    EXPECT_EQ(field_of(reply.body, "ErrorURL").find("http://127.0.0.1:8040/api/"), 0u) << host << reply.body;
  }
}

TEST(ErrorLog, unknown_names_are_404_and_no_name_is_400) {
  DoorsWorld doors;
  EXPECT_EQ(doors.get("/api/_load_error_log").status, 400);
  const std::string zeros(16, '0');
  for (const std::string& name :
       {std::string("x"), "__shard_0/error_log_insert_stmt_1_" + zeros + "_" + zeros,
        std::string("__shard_9/error_log_insert_stmt_1_0_0"), std::string("../../etc/passwd"),
        std::string("__shard_0/error_log_insert_stmt_1_0_0_0"),
        std::string("__shard_99999999999999999999/error_log_insert_stmt_1_0_0"), std::string(500, 'a')}) {
    EXPECT_EQ(doors.get("/api/_load_error_log?file=" + name).status, 404) << name;
  }
}

TEST(ErrorLog, keeps_within_its_bytes_and_its_age_the_oldest_go_first) {
  DoorsWorld doors({.shards = 1, .error_logs = {.bytes_max = 4000, .age_max = std::chrono::hours(1)}});
  make_table(doors);
  std::vector<std::string> files;
  for (int i = 0; i < 20; ++i) {
    const Reply reply = doors.load("t", "bad" + std::to_string(i) + "\t1\n");
    files.push_back(file_of(field_of(reply.body, "ErrorURL")));
  }
  EXPECT_EQ(doors.get(files.front()).status, 404);
  EXPECT_EQ(doors.get(files.back()).status, 200);
  std::size_t kept = 0;
  bool has_begun = false;
  for (const std::string& file : files) {
    const bool is_there = doors.get(file).status == 200;
    EXPECT_TRUE(is_there || !has_begun);
    has_begun |= is_there;
    kept += is_there;
  }
  EXPECT_GT(kept, 2u);
  EXPECT_LT(kept, 17u);
  ASSERT_EQ(doors.world.run_for(std::chrono::minutes(61), 10'000'000), sim::RunStatus::Done);
  EXPECT_EQ(doors.get(files.back()).status, 404);
}

TEST(HostPort, takes_hosts_and_addresses_and_nothing_that_could_leave_its_place) {
  for (const char* good :
       {"a", "penstock.example:8040", "127.0.0.1:1", "[::1]:8040", "[::1]", "my_host:65535"}) {
    const auto parsed = parse_host_port(good);
    ASSERT_TRUE(parsed.has_value()) << good;
    EXPECT_EQ(parsed->to_text(), good);
  }
  for (const std::string& bad :
       std::vector<std::string>{"", ":80", "a:", "a:65536", "a:-1", "a b", "a\r\nX: y", "a/b", "u@a", "a?b",
                                "a#b", "[::1", "[]:1", "[::1]x", "[g::1]", "a:1:2"}) {
    EXPECT_FALSE(parse_host_port(bad).has_value()) << bad;
  }
  EXPECT_FALSE(parse_host_port(std::string(256, 'a')).has_value());
}

}  // namespace
}  // namespace penstock::net
