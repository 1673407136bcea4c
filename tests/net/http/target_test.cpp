#include "net/http/target.hpp"

#include <gtest/gtest.h>

namespace penstock::net {
namespace {

std::string decoded(std::string_view text, bool plus_is_space = false) {
  std::string out;
  return percent_decode(text, plus_is_space, out) ? out : "(bad)";
}

TEST(Target, decodes_escapes_once) {
  EXPECT_EQ(decoded("a%20b%2Fc%2525+"), "a b/c%25+");
  EXPECT_EQ(decoded("a+b", true), "a b");
  EXPECT_EQ(decoded("%c3%BC"), "\xc3\xbc");
  EXPECT_EQ(decoded("%00"), std::string(1, '\0'));
  for (const char* bad : {"%", "%1", "%g0", "%0g", "a%", "%%20"}) {
    EXPECT_EQ(decoded(bad), "(bad)") << bad;
    EXPECT_FALSE(has_valid_escapes(bad)) << bad;
  }
  EXPECT_TRUE(has_valid_escapes("%20%2f"));
}

TEST(Target, finds_the_first_query_value_and_decodes_it) {
  const std::string_view query = "columns=count(*)&limit=5&limit=6&&x&=y&a%20b=c+d%26&e=f=g";
  EXPECT_EQ(find_query_value(query, "columns"), "count(*)");
  EXPECT_EQ(find_query_value(query, "limit"), "5");
  EXPECT_EQ(find_query_value(query, "x"), "");
  EXPECT_EQ(find_query_value(query, "a b"), "c d&");
  EXPECT_EQ(find_query_value(query, "e"), "f=g");
  EXPECT_EQ(find_query_value(query, "y"), std::nullopt);
  EXPECT_EQ(find_query_value("", "y"), std::nullopt);
  EXPECT_EQ(find_query_value("&", "y"), std::nullopt);
}

}  // namespace
}  // namespace penstock::net
