#include "tests/net/doors/doors_world.hpp"

namespace penstock::net {
namespace {

constexpr const char* kTable =
    "CREATE TABLE t (k INT NOT NULL COMMENT 'the \"key\"', v DECIMAL(10,2) DEFAULT '1.5', at DATETIME "
    "DEFAULT "
    "CURRENT_TIMESTAMP, s STRING COMMENT 'text\\'s') DUPLICATE KEY(k) COMMENT 'a table' DISTRIBUTED BY "
    "HASH(k) BUCKETS 3";

std::string data_of(const std::string& reply) {
  const std::size_t from = reply.find("\"meta\":");
  const std::size_t to = reply.find(",\"status\"");
  return from == std::string::npos ? reply : reply.substr(from, to - from);
}

TEST(Statement, truncate_takes_the_rows_and_leaves_the_table) {
  DoorsWorld doors({.shards = 3});
  doors.must("CREATE DATABASE db");
  doors.must(kTable);
  (void)doors.load("t", "1\t2\t\\N\tx\n");
  ASSERT_EQ(doors.scan("t", "?columns=count(*)"), "1\n");
  const std::string before = doors.sql("SHOW CREATE TABLE t");
  doors.must("TRUNCATE TABLE db.t;");
  EXPECT_EQ(doors.scan("t", "?columns=count(*)"), "0\n");
  EXPECT_EQ(doors.sql("SHOW CREATE TABLE t"), before);
  EXPECT_EQ(field_of(doors.load("t", "7\t2\t\\N\tx\n", "label: again\r\n").body, "Status"), "Success");
  EXPECT_EQ(doors.scan("t", "?columns=k"), "7\n");
  doors.must("truncate table t");
  // A label outlives the rows, as in Doris.
  EXPECT_EQ(field_of(doors.load("t", "7\t2\t\\N\tx\n", "label: again\r\n").body, "Status"),
            "Label Already Exists");
  EXPECT_NE(doors.sql("TRUNCATE TABLE nope").find("Unknown table 'nope'"), std::string::npos);
  EXPECT_NE(doors.sql("TRUNCATE TABLE t PARTITION (p1)").find("PARTITION is not supported yet"),
            std::string::npos);
}

TEST(Statement, a_load_under_way_when_its_table_is_truncated_succeeds_and_its_rows_are_gone) {
  DoorsWorld doors({.shards = 2, .split_percent = 0});
  doors.must("CREATE DATABASE db");
  doors.must(kTable);
  sim::SimClient client = doors.world.connect(kAddress);
  client.send("PUT /api/db/t/_stream_load HTTP/1.1\r\nHost: a\r\n" + std::string(DoorsWorld::kAuth) +
              "Expect: 100-continue\r\nContent-Length: 10\r\n\r\n");
  ASSERT_TRUE(
      doors.run_until([&] { return client.received().find("100 Continue") != std::string_view::npos; }));
  doors.must("TRUNCATE TABLE t");
  (void)client.take_received();
  client.send("1\t2\t\\N\txy\n");
  ASSERT_TRUE(doors.run_until([&] { return reply_count(client) == 1; }));
  EXPECT_EQ(field_of(replies_of(client)[0].body, "Status"), "Success");
  EXPECT_EQ(doors.scan("t", "?columns=count(*)"), "0\n");
}

TEST(Statement, describes_columns_in_the_words_of_doris) {
  DoorsWorld doors;
  doors.must("CREATE DATABASE db");
  doors.must(kTable);
  EXPECT_EQ(
      data_of(doors.sql("SHOW FULL COLUMNS FROM t")),
      R"x("meta":[{"name":"Field","type":"CHAR"},{"name":"Type","type":"CHAR"},{"name":"Collation","type":"CHAR"},)x"
      R"x({"name":"Null","type":"CHAR"},{"name":"Key","type":"CHAR"},{"name":"Default","type":"CHAR"},)x"
      R"x({"name":"Extra","type":"CHAR"},{"name":"Privileges","type":"CHAR"},{"name":"Comment","type":"CHAR"}],)x"
      R"x("data":[["k","int","","NO","YES",null,"","","the \"key\""],)x"
      R"x(["v","decimal(10,2)","","YES","NO","1.5","NONE","",""],)x"
      R"x(["at","datetime","","YES","NO","CURRENT_TIMESTAMP","NONE","",""],)x"
      R"x(["s","text","","YES","NO",null,"NONE","","text's"]])x");
  const std::string described = data_of(doors.sql("DESC db.t"));
  EXPECT_EQ(
      described,
      R"x("meta":[{"name":"Field","type":"CHAR"},{"name":"Type","type":"CHAR"},{"name":"Null","type":"CHAR"},)x"
      R"x({"name":"Key","type":"CHAR"},{"name":"Default","type":"CHAR"},{"name":"Extra","type":"CHAR"}],)x"
      R"x("data":[["k","int","No","true",null,""],["v","decimal(10,2)","Yes","false","1.5","NONE"],)x"
      R"x(["at","datetime","Yes","false","CURRENT_TIMESTAMP","NONE"],["s","text","Yes","false",null,"NONE"]])x");
  EXPECT_EQ(data_of(doors.sql("describe `t` ALL")), described);
  EXPECT_NE(doors.sql("SHOW COLUMNS IN t FROM db LIKE 'V%'")
                .find(R"x("data":[["v","decimal(10,2)","YES","NO","1.5","NONE"]])x"),
            std::string::npos);
  EXPECT_NE(doors.sql("DESC nope").find("Unknown table 'nope'"), std::string::npos);
  EXPECT_NE(doors.sql("DESC other.t").find("Unknown database 'other'"), std::string::npos);
}

TEST(Statement, create_table_like_takes_everything_but_the_rows) {
  DoorsWorld doors;
  doors.must("CREATE DATABASE db");
  doors.must("CREATE DATABASE other");
  doors.must(kTable);
  (void)doors.load("t", "1\t2\t\\N\tx\n");
  doors.must("CREATE TABLE `other`.`u` LIKE db.t");
  doors.must("CREATE TABLE IF NOT EXISTS other.u LIKE t");
  EXPECT_NE(doors.sql("CREATE TABLE other.u LIKE t").find("Table 'u' already exists"), std::string::npos);
  EXPECT_NE(doors.sql("CREATE TABLE other.w LIKE nope").find("Unknown table 'nope'"), std::string::npos);
  std::string shown = doors.sql("SHOW CREATE TABLE other.u");
  for (std::size_t at = 0; (at = shown.find("\"u\"", at)) != std::string::npos; ++at)
    shown.replace(at, 3, "\"t\"");
  for (std::size_t at = 0; (at = shown.find("`u`", at)) != std::string::npos; ++at)
    shown.replace(at, 3, "`t`");
  EXPECT_EQ(shown, doors.sql("SHOW CREATE TABLE t"));
  EXPECT_NE(shown.find("COMMENT 'a table'"), std::string::npos);
  EXPECT_EQ(doors.get("/api/other/u/_scan?columns=count(*)").body, "0\n");
}

TEST(Statement, lists_databases_and_tables) {
  DoorsWorld doors;
  doors.must("CREATE DATABASE db");
  doors.must(kTable);
  doors.must("CREATE TABLE `T` LIKE t");
  doors.must("/* a copy */ CREATE TABLE `т-1` -- of\nLIKE t;;");
  EXPECT_EQ(data_of(doors.sql("SHOW TABLES LIKE 't%'")),
            R"("meta":[{"name":"Tables_in_db","type":"CHAR"}],"data":[["t"]])");
  EXPECT_EQ(data_of(doors.sql("show full tables from db like '_'")),
            R"("meta":[{"name":"Tables_in_db","type":"CHAR"},{"name":"Table_type","type":"CHAR"}],)"
            R"("data":[["T","BASE TABLE"],["t","BASE TABLE"]])");
  EXPECT_NE(doors.sql("SHOW DATABASES").find(R"("data":[["db"]])"), std::string::npos);
  EXPECT_NE(doors.sql("ALTER TABLE t ADD ROLLUP r (a)").find("ADD ROLLUP is not supported yet"),
            std::string::npos);
  EXPECT_NE(doors.sql("DESC TT").find("Unknown table 'TT'"), std::string::npos);
}

TEST(Statement, altered_columns_are_shown_by_every_statement_and_found_by_name) {
  DoorsWorld doors;
  (void)doors.sql("CREATE DATABASE db");
  (void)doors.sql("CREATE TABLE t (k INT NOT NULL, v INT) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 2");
  EXPECT_NE(
      doors.sql("ALTER TABLE db.t ADD COLUMN x VARCHAR(9) DEFAULT 'y', DROP COLUMN v").find("\"code\":0"),
      std::string::npos);
  EXPECT_NE(doors.sql("ALTER TABLE db.t ADD COLUMN x INT")
                .find("Can not add column which already exists in base table: x"),
            std::string::npos);
  EXPECT_EQ(
      data_of(doors.sql("SELECT COLUMN_NAME FROM information_schema.`COLUMNS` WHERE TABLE_SCHEMA = 'db' "
                        "AND TABLE_NAME = 't' ORDER BY ORDINAL_POSITION")),
      R"("meta":[{"name":"COLUMN_NAME","type":"CHAR"}],"data":[["k"],["x"]])");
  EXPECT_NE(doors.sql("DESC t").find(R"x(["x","varchar(9)","Yes","false","y","NONE"])x"), std::string::npos);
  EXPECT_NE(doors.sql("SHOW CREATE TABLE t").find("`x` varchar(9) NULL DEFAULT"), std::string::npos);
}

TEST(Statement, defaults_are_shown_and_filled_from_the_loads_time) {
  DoorsWorld doors;
  doors.must("CREATE DATABASE db");
  doors.must(
      "CREATE TABLE t (k INTEGER, d DATEV2 DEFAULT CURRENT_DATE, c DATEV1 NOT NULL DEFAULT CURRENT_DATE(), "
      "m DATETIMEV2(6) DEFAULT CURRENT_TIMESTAMP(3), n DECIMALV2(9, 2) DEFAULT -1.5, b BOOLEAN DEFAULT "
      "true)");
  const std::string shown = doors.sql("SHOW CREATE TABLE t");
  EXPECT_NE(shown.find("`d` date NULL DEFAULT CURRENT_DATE,"), std::string::npos) << shown;
  EXPECT_NE(shown.find("`c` date NOT NULL DEFAULT CURRENT_DATE,"), std::string::npos) << shown;
  EXPECT_NE(doors.sql("DESC t").find(R"(["c","date","No","true","CURRENT_DATE",""])"), std::string::npos);
  EXPECT_NE(
      doors.sql("CREATE TABLE u (k INT, d DATETIME DEFAULT CURRENT_DATE)")
          .find("Types other than DATE and DATEV2 cannot use current_date as the default value (column d)"),
      std::string::npos);
  EXPECT_EQ(field_of(doors.load("t", "1\n", "columns: k\r\n").body, "Status"), "Success");
  EXPECT_EQ(field_of(doors.load("t", "{\"k\": 2}\n", "format: json\r\n").body, "Status"), "Success");
  const std::string rows = doors.scan("t", "?columns=d,c,m,n,b&order_by=k");
  const std::string day = rows.substr(0, 10);
  EXPECT_EQ(day.substr(0, 2), "20") << rows;
  const std::string first = rows.substr(0, rows.find('\n') + 1);
  EXPECT_EQ(first.substr(0, 33), day + "\t" + day + "\t" + day + "T") << rows;
  EXPECT_EQ(first.substr(first.size() - 12), "\t-1.50\ttrue\n") << rows;
  EXPECT_EQ(rows.substr(first.size(), 33), first.substr(0, 33)) << rows;
}

}  // namespace
}  // namespace penstock::net
