#include "txn/schema/names.hpp"

#include <gtest/gtest.h>

#include <string>

namespace penstock::txn {
namespace {

TEST(Names, tables_begin_with_a_letter_of_any_script) {
  for (const char* good : {"t", "Orders", "a-b_c9", "\xE8\xA1\xA8", "caf\xC3\xA9"}) {
    EXPECT_TRUE(is_database_or_table_name(good)) << good;
  }
  for (const char* bad :
       {"", "1t", "_t", "-t", "a b", "a/b", "a.b", "a`b", "a\nb", "a\xC2\x85", "\xFF", "a\xC3"}) {
    EXPECT_FALSE(is_database_or_table_name(bad)) << bad;
  }
}

TEST(Names, columns_may_hold_blanks_and_punctuation_but_no_control_characters) {
  for (const char* good : {"c", "_c", "@c", "1c", "a b", "a.b", "km/h", "a$b%", "\xE5\x88\x97 1", "x:y,z"}) {
    EXPECT_TRUE(is_column_name(good)) << good;
  }
  for (const char* bad : {"", ".c", "a`b", "a(b)", "a\tb", "a'b", "a;b", "a\x7f", "\xED\xA0\x80"}) {
    EXPECT_FALSE(is_column_name(bad)) << bad;
  }
}

TEST(Names, length_is_counted_in_characters) {
  std::string wide;
  for (std::size_t i = 0; i < kNameLengthMax; ++i) wide += "\xE8\xA1\xA8";
  EXPECT_TRUE(is_column_name(wide));
  EXPECT_TRUE(is_database_or_table_name(wide));
  EXPECT_FALSE(is_column_name(wide + "x"));
  EXPECT_FALSE(is_database_or_table_name(wide + "x"));
}

TEST(Names, utf8_is_judged_strictly) {
  for (const char* good :
       {"", "abc", "\xC2\x80", "\xE0\xA0\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(is_valid_utf8(good)) << good;
  }
  for (const char* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
                          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "a\xE8\xA1", "\xE8", "\xC3("}) {
    EXPECT_FALSE(is_valid_utf8(bad)) << bad;
  }
}

}  // namespace
}  // namespace penstock::txn
