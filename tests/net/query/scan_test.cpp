#include "tests/net/doors/doors_world.hpp"

namespace penstock::net {
namespace {

constexpr const char* kTable =
    "CREATE TABLE t (k INT, b BOOLEAN, d DECIMAL(20,2), f DOUBLE, day DATE, at DATETIME(3), s STRING) "
    "DUPLICATE KEY(k) "
    "DISTRIBUTED BY HASH(k) BUCKETS 3";

void fill(DoorsWorld& doors) {
  doors.must("CREATE DATABASE db");
  doors.must(kTable);
  const auto load = [&](const std::string& body) {
    const Reply reply = doors.load("t", body);
    ASSERT_EQ(field_of(reply.body, "Status"), "Success") << reply.body;
  };
  load("3\t1\t1.50\t0.5\t2020-02-01\t2020-02-01 10:00:00.250\tplain\n");
  load("1\t0\t-0.05\t1e300\t1999-12-31\t2020-01-01 00:00:00\ta,\"b\"\n");
  load(
      "\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\n2\t1\t12345678901234567.89\t-2\t2020-01-01\t2019-06-01 "
      "23:59:59.999\t\n");
}

std::string column_of(const std::string& tsv) {  // lines joined by blanks
  std::string out;
  for (const char c : tsv) out += c == '\n' ? ' ' : c;
  return out;
}

TEST(Scan, orders_by_columns_of_every_type_with_null_first) {
  DoorsWorld doors({.shards = 3});
  fill(doors);
  EXPECT_EQ(column_of(doors.scan("t", "?columns=k&order_by=k")), "\\N 1 2 3 ");
  EXPECT_EQ(column_of(doors.scan("t", "?columns=k&order_by=k%20desc")), "3 2 1 \\N ");
  EXPECT_EQ(column_of(doors.scan("t", "?columns=k&order_by=b,k")), "\\N 1 2 3 ");
  EXPECT_EQ(column_of(doors.scan("t", "?columns=k&order_by=b%20DESC,%60K%60%20asc")), "2 3 1 \\N ");
  EXPECT_EQ(column_of(doors.scan("t", "?columns=k&order_by=d")), "\\N 1 3 2 ");
  EXPECT_EQ(column_of(doors.scan("t", "?columns=k&order_by=f")), "\\N 2 3 1 ");
  EXPECT_EQ(column_of(doors.scan("t", "?columns=k&order_by=day")), "\\N 1 2 3 ");
  EXPECT_EQ(column_of(doors.scan("t", "?columns=k&order_by=at")), "\\N 2 1 3 ");
  EXPECT_EQ(column_of(doors.scan("t", "?columns=k&order_by=s")), "\\N 2 1 3 ");
  EXPECT_EQ(column_of(doors.scan("t", "?columns=k,k&order_by=k&limit=2")), "\\N\t\\N 1\t1 ");
  EXPECT_EQ(doors.scan("t", "?order_by=k&limit=0"), "");
  EXPECT_EQ(doors.scan("t", "?columns=count(*)&order_by=k"), "4\n");
}

TEST(Scan, json_is_typed_one_object_a_line) {
  DoorsWorld doors;
  fill(doors);
  const Reply reply = doors.get("/api/db/t/_scan?format=json&order_by=k");
  EXPECT_TRUE(reply.has("Content-Type: application/x-ndjson"));
  EXPECT_EQ(
      reply.body,
      R"({"k":null,"b":null,"d":null,"f":null,"day":null,"at":null,"s":null})"
      "\n"
      R"({"k":1,"b":false,"d":-0.05,"f":1e+300,"day":"1999-12-31","at":"2020-01-01 00:00:00.000","s":"a,\"b\""})"
      "\n"
      R"({"k":2,"b":true,"d":12345678901234567.89,"f":-2,"day":"2020-01-01","at":"2019-06-01 23:59:59.999","s":""})"
      "\n"
      R"({"k":3,"b":true,"d":1.50,"f":0.5,"day":"2020-02-01","at":"2020-02-01 10:00:00.250","s":"plain"})"
      "\n");
  EXPECT_EQ(doors.scan("t", "?columns=count(*)&format=json"), "{\"count(*)\":4}\n");
}

TEST(Scan, nested_columns_are_text_in_tsv_and_csv_and_real_in_json) {
  DoorsWorld doors;
  doors.must("CREATE DATABASE db");
  doors.must(
      "CREATE TABLE t (k INT, a ARRAY<DATETIME(3)>, m MAP<INT, STRUCT<x:BOOLEAN, y:JSON>>, l LARGEINT, f "
      "FLOAT, "
      "c CHAR(4), j JSON, p IPV4, q IPV6) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 1");
  const Reply reply = doors.load("t",
                                 "1\t[2024-01-02 03:04:05.6, null]\t{7:{true, {\"a\": [1]}}, "
                                 "8:null}\t170141183460469231731687303715884105727\t"
                                 "0.25\ta\"b\t{\"k\": \"v\"}\t1.2.3.4\t::1\n"
                                 "2\t\\N\t{}\t\\N\tinf\t\\N\t\\N\t\\N\t\\N\n");
  ASSERT_EQ(field_of(reply.body, "Status"), "Success") << reply.body;
  EXPECT_EQ(doors.scan("t", "?columns=a,m&order_by=k"),
            "[\"2024-01-02 03:04:05.600\", null]\t{7:{\"x\":1, \"y\":{\"a\":[1]}}, 8:null}\n\\N\t{}\n");
  EXPECT_EQ(
      doors.scan("t", "?columns=m,c,j&format=csv&order_by=k&limit=1"),
      "\"{7:{\"\"x\"\":1, \"\"y\"\":{\"\"a\"\":[1]}}, 8:null}\",\"a\"\"b\",\"{\"\"k\"\":\"\"v\"\"}\"\r\n");
  EXPECT_EQ(
      doors.scan("t", "?format=json&order_by=k"),
      R"({"k":1,"a":["2024-01-02 03:04:05.600",null],"m":{"7":{"x":true,"y":{"a":[1]}},"8":null},)"
      R"("l":170141183460469231731687303715884105727,"f":0.25,"c":"a\"b","j":{"k":"v"},"p":"1.2.3.4","q":"::1"})"
      "\n"
      R"({"k":2,"a":null,"m":{},"l":null,"f":"Infinity","c":null,"j":null,"p":null,"q":null})"
      "\n");
  const Reply refused = doors.get("/api/db/t/_scan?order_by=a");
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(refused.body.find("which has no order"), std::string::npos) << refused.body;
}

TEST(Scan, csv_is_rfc_4180) {
  DoorsWorld doors;
  fill(doors);
  EXPECT_EQ(doors.scan("t", "?columns=k,s,at&format=csv_with_names&order_by=k"),
            "k,s,at\r\n,,\r\n1,\"a,\"\"b\"\"\",2020-01-01 00:00:00.000\r\n2,\"\",2019-06-01 23:59:59.999\r\n"
            "3,plain,2020-02-01 10:00:00.250\r\n");
  EXPECT_EQ(doors.scan("t", "?columns=k&format=csv&order_by=k"), "\r\n1\r\n2\r\n3\r\n");
}

TEST(Scan, says_what_is_wrong_with_what_was_asked) {
  DoorsWorld doors;
  fill(doors);
  for (const auto& [query, text] : std::vector<std::pair<std::string, std::string>>{
           {"order_by=nope", "there is no column 'nope'"},
           {"order_by=k,", "there is no column ''"},
           {"order_by=%60k%60%20up", "is not asc or desc"},
           {"order_by=%60k", "back-quote"},
           {"columns=k%20desc", "behind column"},
           {"where=nope%20%3D%201", "unknown reference column in WHERE clause: nope"},
           {"where=k%20%2B%201", "not a valid statement return bool"},
           {"where=k%20%3D%20", "where: "},
           {"format=xml", "tsv, json, csv"},
           {"limit=-1", "not a number of rows"}}) {
    const Reply reply = doors.get("/api/db/t/_scan?" + query);
    EXPECT_EQ(reply.status, 400) << query;
    EXPECT_NE(reply.body.find(text), std::string::npos) << query << ": " << reply.body;
  }
}

TEST(Scan, gives_only_the_rows_that_where_is_true_for) {
  DoorsWorld doors({.shards = 3});
  fill(doors);
  EXPECT_EQ(column_of(doors.scan("t", "?columns=k&where=k%20%3E%201&order_by=k")), "2 3 ");
  EXPECT_EQ(column_of(doors.scan("t", "?columns=s&where=k%3D3")), "plain ");
  EXPECT_EQ(column_of(doors.scan("t", "?columns=k&where=k%20is%20null")), "\\N ");
  EXPECT_EQ(
      column_of(doors.scan("t", "?columns=k&where=s%20like%20%27pl%25%27%20or%20d%20%3C%200&order_by=k")),
      "1 3 ");
  EXPECT_EQ(doors.scan("t", "?columns=count(*)&where=k%20%3E%201"), "2\n");
  EXPECT_EQ(doors.scan("t", "?columns=count(*)&where=k%20%3E%20100"), "0\n");
  EXPECT_EQ(doors.scan("t", "?columns=k&where=k%20%3E%3D%201&limit=1&order_by=k"), "1\n");
}

TEST(Scan, where_goes_through_many_batches_of_a_block) {
  DoorsWorld doors;
  doors.must("CREATE DATABASE db");
  doors.must("CREATE TABLE t (k INT) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 1");
  std::string body;
  for (int i = 0; i < 20000; ++i) body += std::to_string(i) + "\n";
  ASSERT_EQ(field_of(doors.load("t", body).body, "Status"), "Success");
  EXPECT_EQ(doors.scan("t", "?columns=count(*)&where=k%20%25%203%20%3D%200"), "6667\n");
  EXPECT_EQ(doors.scan("t", "?columns=k&where=k%20%25%209000%20%3D%201"), "1\n9001\n18001\n");
}

TEST(Scan, a_sort_that_is_too_large_names_its_limit_and_a_limit_makes_it_fit) {
  DoorsWorld doors({.sort_memory_max = core::kMiB});
  doors.must("CREATE DATABASE db");
  doors.must("CREATE TABLE t (k INT, s STRING) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 3");
  std::string body;
  for (int i = 0; i < 30000; ++i)
    body += std::to_string((i * 7919) % 30000) + "\t" + std::string(60, 's') + "\n";
  ASSERT_EQ(field_of(doors.load("t", body).body, "Status"), "Success");
  for (int again = 0; again < 2; ++again) {  // what the first one took is given back
    const Reply reply = doors.get("/api/db/t/_scan?order_by=k");
    EXPECT_EQ(reply.status, 400);
    EXPECT_NE(reply.body.find("limits.sort_memory_mib = 1 (MiB)"), std::string::npos) << reply.body;
  }
  EXPECT_EQ(doors.scan("t", "?columns=k&order_by=k&limit=3"), "0\n1\n2\n");
  EXPECT_EQ(doors.scan("t", "?columns=k&order_by=k%20desc&limit=2"), "29999\n29998\n");
}

}  // namespace
}  // namespace penstock::net
