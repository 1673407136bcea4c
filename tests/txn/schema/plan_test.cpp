#include "txn/schema/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/txn/schema/samples.hpp"

namespace penstock::txn {
namespace {

using ::testing::StartsWith;

std::string key_of(std::string_view columns_and_rest) {
  const auto catalog = after(with_database(), "CREATE TABLE t " + std::string(columns_and_rest));
  const auto table = catalog->find_table("db", "t");
  if (!table) return "no table";
  std::string out;
  for (const ColumnDef& column : table->schema->columns) {
    if (column.is_key) out += column.name;
  }
  return out;
}

std::string table_error(std::string_view rest) {
  return error_of(*with_database(), "CREATE TABLE t " + std::string(rest));
}

TEST(Plan, gives_ids_that_are_never_used_again) {
  auto catalog = with_database();
  catalog = after(catalog, "CREATE TABLE a (k INT, v TEXT)");
  const auto a = catalog->find_table("db", "a");
  ASSERT_TRUE(a);
  EXPECT_EQ(a->id, TableId{1});
  EXPECT_EQ(a->schema->id, SchemaId{1});
  EXPECT_EQ(a->schema->columns[1].id, ColumnId{2});
  EXPECT_EQ(a->next_column, ColumnId{3});
  catalog = after(catalog, "DROP TABLE a");
  catalog = after(catalog, "CREATE TABLE a (k INT)");
  EXPECT_EQ(catalog->find_table("db", "a")->id, TableId{2});
  EXPECT_EQ(catalog->find_table("db", "a")->schema->id, SchemaId{2});
  catalog = after(catalog, "DROP DATABASE db");
  catalog = after(catalog, "CREATE DATABASE db");
  EXPECT_EQ(catalog->find_database("db")->id, DatabaseId{2});
  EXPECT_EQ(catalog->version(), 6U);
}

TEST(Plan, if_exists_makes_a_no_op) {
  const auto catalog = after(with_database(), "CREATE TABLE t (k INT)");
  for (const char* sql :
       {"CREATE DATABASE IF NOT EXISTS db", "CREATE TABLE IF NOT EXISTS t (other DOUBLE)",
        "DROP TABLE IF EXISTS u", "DROP DATABASE IF EXISTS e", "DROP TABLE IF EXISTS e.t"}) {
    EXPECT_EQ(after(catalog, sql), catalog) << sql;
  }
}

TEST(Plan, says_what_doris_says_about_databases_and_tables) {
  const auto catalog = after(with_database(), "CREATE TABLE t (k INT)");
  EXPECT_EQ(error_of(*catalog, "CREATE DATABASE db"), "Can't create database 'db'; database exists");
  EXPECT_EQ(error_of(*catalog, "CREATE DATABASE information_schema"),
            "Can't create database 'information_schema'; database exists");
  EXPECT_EQ(error_of(*catalog, "DROP DATABASE x"), "Unknown database 'x'");
  EXPECT_EQ(error_of(*catalog, "CREATE TABLE t (k INT)"), "Table 't' already exists");
  EXPECT_EQ(error_of(*catalog, "CREATE TABLE x.t (k INT)"), "Unknown database 'x'");
  EXPECT_EQ(error_of(*catalog, "DROP TABLE u"), "Unknown table 'u'");
  EXPECT_EQ(error_of(*catalog, "DROP TABLE x.t"), "Unknown database 'x'");
  EXPECT_EQ(error_of(*catalog, "DROP TABLE t", ""), "No database selected");
  EXPECT_EQ(error_of(*catalog, "CREATE TABLE `a/b` (k INT)"), "Incorrect table name 'a/b'");
  EXPECT_EQ(error_of(*catalog, "CREATE DATABASE `1`"), "Incorrect database name '1'");
  EXPECT_EQ(error_of(*catalog, "CREATE TABLE T (k INT)"), "");  // names are case-sensitive
  EXPECT_EQ(error_of(*catalog, "SHOW TABLES"), "SHOW and SELECT do not change anything");
}

TEST(Plan, refuses_what_is_not_supported_yet_by_name) {
  EXPECT_EQ(table_error("(k INT, v INT SUM) AGGREGATE KEY(k)"),
            "CREATE TABLE t: AGGREGATE KEY tables are not supported yet: use DUPLICATE KEY");
  EXPECT_EQ(table_error("(k INT, v INT SUM)"),
            "CREATE TABLE t: AGGREGATE KEY tables are not supported yet: use DUPLICATE KEY");
  EXPECT_EQ(table_error("(k INT) UNIQUE KEY(k)"),
            "CREATE TABLE t: UNIQUE KEY tables are not supported yet: use DUPLICATE KEY");
  EXPECT_EQ(table_error("(k VARIANT)"), "type VARIANT of column k is not supported yet");
  EXPECT_THAT(table_error("(k INT, a ARRAY<BITMAP>)"),
              StartsWith("type BITMAP of column a is not supported yet"));
  EXPECT_EQ(table_error("(k INT, a INT<INT>)"), "type INT<INT> of column a: INT does not take that");
}

TEST(Plan, columns) {
  EXPECT_EQ(table_error("(a INT, A INT)"), "Duplicate column name 'A'");
  EXPECT_EQ(table_error("(`a(b)` INT)"), "Incorrect column name 'a(b)'");
  EXPECT_EQ(table_error("(k INT, __DORIS_DELETE_SIGN__ TINYINT)"),
            "Incorrect column name '__DORIS_DELETE_SIGN__'");
  EXPECT_EQ(table_error("(a INT NOT NULL DEFAULT NULL)"),
            "Can not set null default value to non nullable column: a");
  EXPECT_THAT(table_error("(a INT DEFAULT CURRENT_TIMESTAMP)"), StartsWith("Types other than DATETIME"));
  EXPECT_THAT(table_error("(a DATETIME(3) DEFAULT CURRENT_TIMESTAMP(6))"),
              StartsWith("default value precision: 6 can not be greater than type precision: 3"));
  EXPECT_EQ(table_error("(a DATETIME(6) DEFAULT CURRENT_TIMESTAMP(3))"), "");
  EXPECT_EQ(table_error("(k INT, a ARRAY<INT> DEFAULT '[]', m MAP<INT, STRING> DEFAULT '{}', "
                        "s STRUCT<a:INT, b:ARRAY<INT>> DEFAULT NULL)"),
            "");
  for (const char* bad :
       {"ARRAY<INT> DEFAULT '[1]'", "MAP<INT,INT> DEFAULT '[]'", "STRUCT<a:INT> DEFAULT '{}'"}) {
    EXPECT_THAT(table_error(std::string("(k INT, a ") + bad + ")"),
                StartsWith("The default of column a of type "));
  }
  EXPECT_THAT(table_error("(a ARRAY<INT>) DUPLICATE KEY(a)"),
              StartsWith("array<int> can only be used in the non-key column"));
  EXPECT_EQ(table_error("(INDEX i (a))"), "A table must have at least 1 column");
  EXPECT_EQ(table_error("(a INT, INDEX i (b))"), "Column does not exist in table. invalid column: b");
  EXPECT_EQ(table_error("(a INT, INDEX i (a), INDEX I (a))"), "index name must be unique.");
}

TEST(Plan, key_columns_are_the_first_columns) {
  EXPECT_EQ(key_of("(a INT, b INT, c INT) DUPLICATE KEY(A, b)"), "ab");
  EXPECT_EQ(key_of("(a INT KEY, b INT KEY, c INT)"), "ab");
  EXPECT_EQ(
      table_error("(a INT, b INT, c INT) DUPLICATE KEY(a, c)"),
      "Key columns should be a ordered prefix of the schema. KeyColumns[1] (starts from zero) is c, but "
      "corresponding column is b in the previous columns declaration.");
  EXPECT_EQ(table_error("(a INT) DUPLICATE KEY(x)"), "Key column[x] doesn't exist.");
  EXPECT_EQ(table_error("(a INT) DUPLICATE KEY(a, A)"), "Duplicate key column 'A'");
  EXPECT_EQ(table_error("(a DOUBLE) DUPLICATE KEY(a)"),
            "Float or double can not used as a key, use decimal instead.");
  EXPECT_EQ(table_error("(a STRING) DUPLICATE KEY(a)"), "String Type should not be used in key column[a]");
  EXPECT_EQ(table_error("(a INT, b INT KEY) DUPLICATE KEY(a)"),
            "column b is marked KEY but is not in the table's key");
  EXPECT_EQ(table_error("(a INT, b INT SUM) DUPLICATE KEY(a)"),
            "DUP_KEYS table should not specify aggregate type for non-key column[b]");
}

TEST(Plan, a_table_without_a_key_clause_takes_dorises_short_key) {
  EXPECT_EQ(key_of("(a INT, b INT, c INT, d INT)"), "abc");
  EXPECT_EQ(key_of("(a INT, b VARCHAR(10), c INT)"), "ab");
  EXPECT_EQ(key_of("(a VARCHAR(60000), b INT)"), "a");
  EXPECT_EQ(key_of("(a INT, b DOUBLE, c INT)"), "a");
  EXPECT_EQ(key_of("(a BIGINT, b STRING)"), "a");
  EXPECT_EQ(key_of("(a DECIMAL(38,2), b DECIMAL(38,2), c DECIMAL(38,2))"), "ab");
  EXPECT_EQ(key_of("(a BIGINT, b BIGINT, c VARCHAR(5))"), "abc");
  EXPECT_THAT(table_error("(a DOUBLE, b INT)"),
              StartsWith("The olap table first column could not be float, double"));
  EXPECT_EQ(key_of("(a DOUBLE) PROPERTIES('enable_duplicate_without_keys_by_default' = 'true')"), "");
  EXPECT_THAT(
      table_error("(a INT) DUPLICATE KEY(a) PROPERTIES('enable_duplicate_without_keys_by_default' = 'true')"),
      StartsWith("table property 'enable_duplicate_without_keys_by_default' only can"));
}

TEST(Plan, distribution) {
  EXPECT_EQ(table_error("(a INT) DISTRIBUTED BY HASH(x)"), "Distribution column(x) doesn't exist.");
  EXPECT_EQ(table_error("(a INT) DISTRIBUTED BY HASH(a, A)"), "Duplicated distribution column A");
  EXPECT_EQ(table_error("(a INT, b DOUBLE) DISTRIBUTED BY HASH(b)"),
            "Floating point type should not be used in distribution column[b].");
  EXPECT_EQ(table_error("(a INT, b TEXT) DISTRIBUTED BY HASH(b)"),
            "String Type should not be used in distribution column[b].");
  EXPECT_EQ(table_error("(a INT) DISTRIBUTED BY HASH(a) BUCKETS 0"),
            "Buckets number of hash distribution should be greater than zero.");
  EXPECT_EQ(table_error("(a INT) DISTRIBUTED BY RANDOM BUCKETS 4097"),
            "CREATE TABLE t: BUCKETS 4097 is more than 4096");
  auto catalog = after(with_database(), "CREATE TABLE t (a INT, b INT) DISTRIBUTED BY HASH(b) BUCKETS AUTO");
  const auto hashed = catalog->find_table("db", "t");
  EXPECT_EQ(hashed->distribution, Distribution::Hash);
  EXPECT_EQ(hashed->hash_columns, std::vector{ColumnId{2}});
  EXPECT_EQ(hashed->buckets, 10U);
  catalog = after(catalog, "CREATE TABLE u (a INT)");
  EXPECT_EQ(catalog->find_table("db", "u")->distribution, Distribution::Random);
  EXPECT_EQ(catalog->find_table("db", "u")->buckets, 10U);
}

}  // namespace
}  // namespace penstock::txn
