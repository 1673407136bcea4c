// Any text as a statement: parsed, or refused with words; what alters a table is planned against one.
#include "core/base/check.hpp"
#include "tests/fuzz/fuzz_target.hpp"
#include "txn/decode/initial_value.hpp"
#include "txn/schema/ddl_parser.hpp"
#include "txn/schema/name_views.hpp"
#include "txn/schema/plan.hpp"

namespace penstock::fuzz {

std::vector<std::string> seeds() {
  return {
      "CREATE TABLE IF NOT EXISTS `d`.`t` (a INT NOT NULL DEFAULT '1' COMMENT 'x', b DECIMAL(10,2), "
      "c VARCHAR(20) DEFAULT CURRENT_TIMESTAMP) DUPLICATE KEY(a) COMMENT 'y' PARTITION BY RANGE(a) "
      "(PARTITION p VALUES LESS THAN ('5')) DISTRIBUTED BY HASH(a) BUCKETS 3 PROPERTIES ('k'='v');",
      "CREATE TABLE t (a ARRAY<INT>, m MAP<STRING,ARRAY<DATE>>, s STRUCT<f:INT,g:CHAR(3)>) DUPLICATE KEY(a)",
      "SHOW FULL COLUMNS FROM `t` -- comment\n",
      "/* x */ TRUNCATE TABLE d.t",
      "CREATE TABLE b LIKE d.a",
      "DROP DATABASE IF EXISTS `\xe4\xb8\xad` FORCE",
      "ALTER TABLE `d`.`t` ADD COLUMN IF NOT EXISTS `x` VARCHAR(96) NOT NULL DEFAULT 'y' COMMENT 'z' AFTER "
      "a, "
      "ADD COLUMN (b INT, c DECIMAL(9,2)), DROP COLUMN d, RENAME COLUMN e TO f, MODIFY COLUMN g BIGINT "
      "FIRST, "
      "MODIFY COLUMN h COMMENT 'i', MODIFY COMMENT 'j' PROPERTIES('k'='l');",
      "SELECT `COLUMN_NAME`, t FROM information_schema.`COLUMNS` WHERE TABLE_SCHEMA = 'd' AND TABLE_NAME = "
      "'t' "
      "ORDER BY COLUMN_NAME ASC LIMIT 5",
      "PARTITION BY LIST(a) (PARTITION p VALUES IN ((\"1\",\"2\"),(\"3\",\"4\")))",
  };
}

namespace {

std::shared_ptr<const txn::Catalog> catalog_to_alter() {
  auto catalog = txn::Catalog::empty();
  for (const char* text : {"CREATE DATABASE d",
                           "CREATE TABLE d.t (a INT, d DATE, e CHAR(3), g INT DEFAULT '1', h JSON, "
                           "INDEX i (d, e)) DUPLICATE KEY(a) PROPERTIES('bloom_filter_columns'='d,g')"}) {
    const auto statement = txn::parse_statement(text);
    CHECK(statement.has_value());
    const auto change = txn::plan_change(*catalog, *statement, "");
    CHECK(change.has_value() && change->has_value());
    catalog = *catalog->apply(**change);
  }
  return catalog;
}

}  // namespace

void run_one(std::string_view input) {
  static const auto catalog = catalog_to_alter();
  auto statement = txn::parse_statement(input);
  if (!statement) return;
  if (const auto* names = std::get_if<txn::SelectNamesStatement>(&*statement)) {
    (void)txn::select_names(*catalog, *names);
  }
  if (!std::holds_alternative<txn::AlterTableStatement>(*statement)) return;
  if (!txn::set_initial_values(*statement, 0, {})) return;
  const auto change = txn::plan_change(*catalog, *statement, "d");
  if (change && *change) CHECK(catalog->apply(**change).has_value());
}

}  // namespace penstock::fuzz
