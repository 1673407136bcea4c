#include "txn/schema/ddl_parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/txn/schema/samples.hpp"

namespace penstock::txn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

template <class T>
T parsed(std::string_view sql) {
  auto statement = parse_statement(sql);
  if (!statement) {
    ADD_FAILURE() << sql << ": " << statement.error().message;
    return {};
  }
  if (!std::holds_alternative<T>(*statement)) {
    ADD_FAILURE() << sql << ": another kind of statement";
    return {};
  }
  return std::get<T>(*statement);
}

std::string error(std::string_view sql) {
  auto statement = parse_statement(sql);
  return statement ? "" : statement.error().message;
}

constexpr std::string_view kFullTable = R"(
/* everything at once */ create table if not exists `sales`.`orders` ( -- a comment
  `id` BIGINT NOT NULL COMMENT "the ""id""",   # another
  `day` date null default '2024-01-01',
  name VARCHAR(*) DEFAULT 'it''s\n' NULL,
  amount DECIMAL(18, 4) NOT NULL DEFAULT -1.5 COMMENT 'x\'y',
  at DATETIME(3) DEFAULT CURRENT_TIMESTAMP(3) KEY,
  tags ARRAY<STRUCT<a:INT, b:ARRAY<VARCHAR(10)>>> NULL,
  total BIGINT SUM NULL DEFAULT "0",
  INDEX idx_name (`name`, at) USING INVERTED PROPERTIES("parser" = "english") COMMENT 'words',
  INDEX i2 (`id`)
) ENGINE=olap
AGGREGATE KEY(`id`, day)
COMMENT 'all orders'
AUTO PARTITION BY RANGE (date_trunc(`day`, 'month')) (PARTITION p1 VALUES LESS THAN (')'))
DISTRIBUTED BY HASH(`id`, day) BUCKETS 16
PROPERTIES ("replication_num" = "1", "b" = "x""y", "replication_num" = "3");)";

TEST(DdlParser, reads_every_part_of_a_create_table) {
  const auto table = parsed<CreateTableStatement>(kFullTable);
  EXPECT_TRUE(table.if_not_exists);
  EXPECT_EQ(table.name.database, "sales");
  EXPECT_EQ(table.name.table, "orders");
  ASSERT_EQ(table.columns.size(), 7U);
  EXPECT_EQ(table.columns[0].name, "id");
  EXPECT_EQ(table.columns[0].type.word, "BIGINT");
  EXPECT_EQ(table.columns[0].nullable, false);
  EXPECT_EQ(table.columns[0].comment, "the \"id\"");
  EXPECT_EQ(table.columns[1].default_value, "2024-01-01");
  EXPECT_EQ(table.columns[1].nullable, true);
  EXPECT_TRUE(table.columns[2].type.wildcard);
  EXPECT_EQ(table.columns[2].default_value, "it's\n");
  EXPECT_THAT(table.columns[3].type.arguments, ElementsAre(18U, 4U));
  EXPECT_EQ(table.columns[3].default_value, "-1.5");
  EXPECT_EQ(table.columns[3].comment, "x'y");
  EXPECT_EQ(table.columns[4].default_kind, DefaultKind::CurrentTimestamp);
  EXPECT_EQ(table.columns[4].default_precision, 3U);
  EXPECT_TRUE(table.columns[4].is_key);
  EXPECT_FALSE(table.columns[4].nullable.has_value());
  EXPECT_EQ(table.columns[5].type.text, "ARRAY<STRUCT<a:INT, b:ARRAY<VARCHAR(10)>>>");
  EXPECT_EQ(table.columns[6].aggregate, "SUM");
  ASSERT_EQ(table.indexes.size(), 2U);
  EXPECT_EQ(table.indexes[0].name, "idx_name");
  EXPECT_THAT(table.indexes[0].columns, ElementsAre("name", "at"));
  EXPECT_EQ(table.indexes[1].text, "INDEX i2 (`id`)");
  EXPECT_EQ(table.key_model, KeyModel::Aggregate);
  EXPECT_THAT(table.key_columns, ElementsAre("id", "day"));
  EXPECT_EQ(table.comment, "all orders");
  ASSERT_TRUE(table.partitioning.has_value());
  EXPECT_EQ(table.partitioning->clause, "AUTO PARTITION BY RANGE (date_trunc(`day`, 'month'))");
  EXPECT_TRUE(table.partitioning->is_automatic);
  EXPECT_THAT(table.partitioning->columns, ElementsAre("day"));
  ASSERT_EQ(table.partitioning->partitions.size(), 1U);
  EXPECT_EQ(table.partitioning->partitions[0].name, "p1");
  EXPECT_EQ(table.partitioning->partitions[0].values[0][0].text, ")");
  ASSERT_TRUE(table.distribution.has_value());
  EXPECT_EQ(table.distribution->kind, Distribution::Hash);
  EXPECT_THAT(table.distribution->columns, ElementsAre("id", "day"));
  EXPECT_EQ(table.distribution->buckets, 16U);
  EXPECT_THAT(table.properties, ElementsAre(Pair("replication_num", "3"), Pair("b", "x\"y")));
}

TEST(DdlParser, reads_databases) {
  EXPECT_EQ(parsed<CreateDatabaseStatement>("CREATE DATABASE d").name, "d");
  EXPECT_TRUE(parsed<CreateDatabaseStatement>("create schema if not exists `d-1`;").if_not_exists);
  EXPECT_THAT(parsed<CreateDatabaseStatement>("CREATE DATABASE d PROPERTIES('a' = 'b')").properties,
              ElementsAre(Pair("a", "b")));
  const auto drop = parsed<DropDatabaseStatement>("DROP DATABASE IF EXISTS internal.d FORCE;;");
  EXPECT_TRUE(drop.if_exists);
  EXPECT_TRUE(drop.force);
  EXPECT_EQ(drop.name, "d");
}

TEST(DdlParser, takes_the_prefixes_off_names) {
  const auto name = [](std::string_view sql) {
    const auto drop = parsed<DropTableStatement>(sql);
    return drop.name.database + "|" + drop.name.table;
  };
  EXPECT_EQ(name("DROP TABLE t"), "|t");
  EXPECT_EQ(name("DROP TABLE d.t"), "d|t");
  EXPECT_EQ(name("DROP TABLE internal.d.t FORCE"), "d|t");
  EXPECT_EQ(name("DROP TABLE `internal` . `d` . `t`"), "d|t");
  EXPECT_EQ(name("DROP TABLE default_cluster:d.t"), "d|t");
  EXPECT_EQ(name("DROP TABLE `default_cluster:d`.t"), "d|t");
  EXPECT_EQ(name("DROP TABLE internal.default_cluster:d.t"), "d|t");
  EXPECT_EQ(name("DROP TABLE 2024_orders"), "|2024_orders");
  EXPECT_EQ(name("DROP TABLE `a``b`"), "|a`b");
  EXPECT_EQ(error("DROP TABLE hive.d.t"), "catalog 'hive' is not known: only internal is");
  EXPECT_THAT(error("DROP TABLE a.b.c.d"), HasSubstr("a name of at most three parts"));
}

TEST(DdlParser, reads_shows) {
  EXPECT_FALSE(parsed<ShowDatabasesStatement>("SHOW DATABASES").like.has_value());
  EXPECT_EQ(parsed<ShowDatabasesStatement>("show schemas like 'a\\_%'").like, "a\\_%");
  EXPECT_EQ(parsed<ShowTablesStatement>("SHOW TABLES").database, "");
  EXPECT_FALSE(parsed<ShowTablesStatement>("SHOW TABLES").full);
  EXPECT_TRUE(parsed<ShowTablesStatement>("show full tables from d").full);
  EXPECT_EQ(parsed<ShowTablesStatement>("SHOW TABLES FROM d LIKE \"x\"").like, "x");
  EXPECT_EQ(parsed<ShowTablesStatement>("SHOW TABLES IN internal.d").database, "d");
  EXPECT_EQ(parsed<ShowCreateTableStatement>("SHOW CREATE TABLE d.t;").name.table, "t");
  const auto columns = parsed<ShowColumnsStatement>("show full fields in `t` from d like 'a%'");
  EXPECT_EQ(columns.form, ShowColumnsStatement::Form::ShowFull);
  EXPECT_EQ(columns.name.database, "d");
  EXPECT_EQ(columns.name.table, "t");
  EXPECT_EQ(columns.like, "a%");
  EXPECT_EQ(parsed<ShowColumnsStatement>("SHOW COLUMNS FROM d.t").form, ShowColumnsStatement::Form::Show);
  EXPECT_EQ(parsed<ShowColumnsStatement>("DESC internal.d.t").name.database, "d");
  EXPECT_EQ(parsed<ShowColumnsStatement>("describe t all").form, ShowColumnsStatement::Form::Describe);
}

TEST(DdlParser, reads_truncate_and_like) {
  EXPECT_EQ(parsed<TruncateTableStatement>("TRUNCATE TABLE d.t;").name.database, "d");
  EXPECT_EQ(parsed<TruncateTableStatement>("truncate `t` force").name.table, "t");
  const auto like = parsed<CreateTableLikeStatement>("CREATE TABLE IF NOT EXISTS d.t LIKE `u`");
  EXPECT_TRUE(like.if_not_exists);
  EXPECT_EQ(like.name.database, "d");
  EXPECT_EQ(like.name.table, "t");
  EXPECT_EQ(like.like.table, "u");
}

TEST(DdlParser, takes_types_and_words_that_are_refused_later) {
  for (const char* type :
       {"LARGEINT", "FLOAT", "CHAR", "CHAR(10)", "JSON", "MAP<STRING,INT>", "ARRAY<ARRAY<INT>>",
        "DATETIMEV2(3)", "DECIMALV3(38,12)", "STRUCT<f1:SMALLINT,f2:DECIMAL(20,6)>", "IPV4"}) {
    EXPECT_EQ(error("CREATE TABLE t (a " + std::string(type) + " NULL)"), "") << type;
  }
  for (const char* word : {"SUM", "min", "MAX", "REPLACE", "REPLACE_IF_NOT_NULL", "BITMAP_UNION"}) {
    EXPECT_EQ(error("CREATE TABLE t (a INT, b INT " + std::string(word) + ") AGGREGATE KEY(a)"), "") << word;
  }
  EXPECT_EQ(error("CREATE TABLE t (a INT) UNIQUE KEY(a) DISTRIBUTED BY HASH(a) BUCKETS AUTO"), "");
  EXPECT_EQ(error("CREATE TABLE t (date DATE, `index` INT, value INT) DISTRIBUTED BY RANDOM"), "");
}

TEST(DdlParser, errors_name_the_part) {
  EXPECT_EQ(error("CREATE TABLE t (a INT) DUPLICATE FOO (a)"),
            "unexpected 'FOO' at position 34 near 'FOO (a)': expected KEY");
  EXPECT_EQ(error("CREATE TABLE t (a INT"),
            "unexpected end of the statement: expected NULL, NOT NULL, KEY, DEFAULT, COMMENT, ',' or ')'");
  EXPECT_EQ(error("CREATE TABLE t (a INT NOT KEY)"),
            "unexpected 'KEY' at position 27 near 'KEY)': expected NULL");
  EXPECT_EQ(error("CREATE TABLE t (a)"), "unexpected ')' at position 18 near ')': expected a type");
  EXPECT_EQ(error("CREATE TABLE t"), "unexpected end of the statement: expected '(' and the columns");
  EXPECT_EQ(
      error("CREATE VIEW v AS SELECT 1"),
      "unexpected 'VIEW' at position 8 near 'VIEW v AS SELECT 1': expected DATABASE or TABLE after CREATE");
  EXPECT_EQ(error("CREATE TABLE t LIKE u WITH ROLLUP"),
            "CREATE TABLE t: LIKE ... WITH ROLLUP is not supported yet");
  EXPECT_THAT(error("CREATE TABLE t LIKE"), HasSubstr("a table name"));
  EXPECT_THAT(error("SHOW FULL DATABASES"), HasSubstr("COLUMNS or TABLES after SHOW FULL"));
  EXPECT_THAT(error("SHOW COLUMNS t"), HasSubstr("FROM and a table"));
  EXPECT_EQ(error("TRUNCATE TABLE t PARTITION(p)"), "TRUNCATE TABLE t: PARTITION is not supported yet");
  EXPECT_EQ(error("CREATE TABLE t AS SELECT 1"), "CREATE TABLE t: AS is not supported yet");
  EXPECT_EQ(error("CREATE TABLE t (a INT) ROLLUP (r (a))"), "CREATE TABLE t: ROLLUP is not supported yet");
  EXPECT_EQ(error("CREATE TABLE t (a INT) UNIQUE KEY(a) CLUSTER BY (a)"),
            "CREATE TABLE t: CLUSTER is not supported yet");
  EXPECT_EQ(error("CREATE TABLE t (a INT) ENGINE=mysql"),
            "CREATE TABLE t: ENGINE=mysql is not supported: use OLAP");
  EXPECT_EQ(error("CREATE EXTERNAL TABLE t (a INT)"), "CREATE EXTERNAL TABLE is not supported yet");
  EXPECT_EQ(error("CREATE TABLE t (a BIGINT AUTO_INCREMENT)"),
            "AUTO_INCREMENT of column a is not supported yet");
  EXPECT_EQ(error("CREATE TABLE t (a DOUBLE DEFAULT PI)"), "DEFAULT PI of column a is not supported yet");
  EXPECT_EQ(error("CREATE TABLE t (a DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP)"),
            "ON UPDATE CURRENT_TIMESTAMP of column a is not supported yet");
  EXPECT_EQ(error("ALTER VIEW v AS SELECT 1"), "ALTER VIEW is not supported yet");
  EXPECT_EQ(
      error("FLY TO MOON"),
      "unexpected 'FLY' at position 1 near 'FLY TO MOON': expected CREATE, DROP, TRUNCATE, ALTER, SHOW, "
      "DESC or SELECT");
  EXPECT_EQ(error("DROP TABLE t; DROP TABLE u"),
            "unexpected 'DROP' at position 15 near 'DROP TABLE u': expected the end of the statement");
  EXPECT_EQ(error(" -- nothing\n"), "the statement is empty");
  EXPECT_EQ(error("DROP TABLE 'abc"), "a string that does not end at position 12 near ''abc'");
  EXPECT_EQ(error("DROP TABLE `abc"), "a name that does not end at position 12 near '`abc'");
  EXPECT_EQ(error("DROP TABLE /* t"), "a comment that does not end at position 12 near '/* t'");
  EXPECT_EQ(error("DROP TABLE t \x01"), "unexpected control character 0x01 at position 14 near ' '");
  EXPECT_EQ(error("DROP TABLE \xFFt"), "the statement is not valid UTF-8");
  EXPECT_THAT(error("DROP TABLE ``"), HasSubstr("expected a table name"));
}

TEST(DdlParser, size_depth_and_messages_are_bounded) {
  const std::string long_comment(kStatementBytesMax, 'x');
  EXPECT_THAT(error("DROP TABLE t -- " + long_comment), HasSubstr("at most 1048576 are taken"));
  std::string deep = "CREATE TABLE t (a INT) PARTITION BY RANGE";
  deep += std::string(500000, '(');
  EXPECT_THAT(error(deep), HasSubstr("a partition column"));
  std::string deep_type = "CREATE TABLE t (a HLL";
  deep_type += std::string(500000, '<');
  EXPECT_THAT(error(deep_type), HasSubstr("'<' is nested more than 64 deep"));
  EXPECT_THAT(error("CREATE TABLE t (a " +
                    [] {
                      std::string type;
                      for (int i = 0; i < 100000; ++i) type += "ARRAY<";
                      return type;
                    }()),
              HasSubstr("types may be nested in each other at most 8 times"));
  std::string wide = "CREATE TABLE t (";
  for (int i = 0; i < 5000; ++i) wide += "c" + std::to_string(i) + " INT,";
  EXPECT_THAT(error(wide), HasSubstr("more than 4096 columns"));
  const std::string name(100000, 'n');
  EXPECT_LT(error("CREATE TABLE " + name + " LIKE u").size(), 1100U);
  EXPECT_LT(error("CREATE TABLE t (" + name).size(), 1100U);
  EXPECT_LT(error("CREATE TABLE t " + name).size(), 1100U);
}

TEST(DdlParser, damaged_statements_never_crash) {
  const auto catalog = with_database();
  const std::vector<std::string> seeds = {std::string(kFullTable),
                                          "CREATE DATABASE IF NOT EXISTS `d` PROPERTIES('a'='b')",
                                          "DROP DATABASE d FORCE",
                                          "DROP TABLE IF EXISTS internal.default_cluster:d.`t`",
                                          "SHOW TABLES FROM d LIKE 'x%'",
                                          "SHOW CREATE TABLE d.t",
                                          "CREATE TABLE t (a INT KEY NOT NULL DEFAULT 1e-3, b VARCHAR(20) "
                                          "NULL) DISTRIBUTED BY RANDOM BUCKETS AUTO"};
  const std::vector<std::string> pieces = {"(",
                                           ")",
                                           "<",
                                           ">",
                                           "'",
                                           "\"",
                                           "`",
                                           "\\",
                                           ",",
                                           ".",
                                           ";",
                                           "/*",
                                           "*/",
                                           "--",
                                           "\n",
                                           "KEY",
                                           "NULL",
                                           "NOT",
                                           "INDEX",
                                           "DEFAULT",
                                           "99999999999999999999",
                                           "\xE6\x97\xA5",
                                           "\xFF",
                                           std::string(1, '\0'),
                                           "PARTITION BY",
                                           "INT",
                                           ":",
                                           "-",
                                           "1.5",
                                           "e9"};
  Dice dice(7);
  std::size_t accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string sql = dice.pick(seeds);
    for (std::size_t edits = 1 + dice.below(4); edits > 0; --edits) {
      const std::size_t at = dice.below(sql.size() + 1);
      switch (dice.below(5)) {
        case 0:
          sql.insert(at, dice.pick(pieces));
          break;
        case 1:
          sql.erase(at, 1 + dice.below(8));
          break;
        case 2:
          sql.resize(at);
          break;
        case 3:
          sql.insert(at, sql.substr(dice.below(sql.size() + 1), dice.below(20)));
          break;
        default:
          if (at < sql.size()) sql[at] = static_cast<char>(dice.below(256));
      }
    }
    auto statement = parse_statement(sql);
    if (!statement) {
      EXPECT_FALSE(statement.error().message.empty());
      EXPECT_LT(statement.error().message.size(), 1100U);
      continue;
    }
    ++accepted;
    auto change = plan_change(*catalog, *statement, "db");
    if (change && change->has_value()) EXPECT_TRUE(catalog->apply(**change).has_value()) << sql;
  }
  EXPECT_GT(accepted, 500U);
}

}  // namespace
}  // namespace penstock::txn
