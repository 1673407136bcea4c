// Any text as a statement: parsed, or refused with words.
#include "tests/fuzz/fuzz_target.hpp"
#include "txn/schema/ddl_parser.hpp"

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
      "PARTITION BY LIST(a) (PARTITION p VALUES IN ((\"1\",\"2\"),(\"3\",\"4\")))",
  };
}

void run_one(std::string_view input) { (void)txn::parse_statement(input); }

}  // namespace penstock::fuzz
