#include "net/auth/basic_auth.hpp"

#include <gtest/gtest.h>

#include <random>

namespace penstock::net {
namespace {

using namespace std::string_literals;

std::string shown(std::string_view header) {
  const auto credentials = parse_basic_auth(header);
  return credentials ? credentials->user + "|" + credentials->password : "(none)";
}
std::string basic(const std::string& text) { return "Basic " + base64_encode(text); }

TEST(BasicAuth, reads_user_and_password) {
  EXPECT_EQ(shown("Basic cm9vdDo="), "root|");
  EXPECT_EQ(shown("basic cm9vdDo="), "root|");
  EXPECT_EQ(shown("BASIC  cm9vdDo="), "root|");
  EXPECT_EQ(shown(basic("a:b:c")), "a|b:c");
  EXPECT_EQ(shown(basic("root@default_cluster:pw")), "root|pw");
  EXPECT_EQ(shown(basic("root:p@w")), "root|p@w");
  EXPECT_EQ(shown(basic("m\xc3\xbcller:p\xc3\xa4ss")), "m\xc3\xbcller|p\xc3\xa4ss");
}

TEST(BasicAuth, takes_nothing_else) {
  for (const std::string& header :
       {""s, "Basic"s, "Basic "s, "Bearer cm9vdDo="s, "Basiccm9vdDo="s, "Basic cm9vdDo"s, "Basic cm9vdDo=="s,
        "Basic cm9vdDo= "s, "Basic cm9v dDo="s, "Basic cm9vdD\xff="s, "Basic ===="s, "Basic cm9vdDp="s,
        "Basic c==="s, basic("root"), basic(":pw"), basic("@cluster:pw"), basic("ro\0ot:pw"s),
        basic("ro\not:pw"), basic("root:" + std::string(2000, 'x'))}) {
    EXPECT_EQ(shown(header), "(none)") << header;
  }
}

TEST(BasicAuth, base64_goes_there_and_back) {
  std::mt19937 dice(1);
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (unsigned n = dice() % 40; n > 0; --n) text.push_back(static_cast<char>(dice()));
    std::string back;
    ASSERT_TRUE(base64_decode(base64_encode(text), back));
    ASSERT_EQ(back, text);
  }
  for (int round = 0; round < 5000; ++round) {
    std::string noise = "Basic ";
    for (unsigned n = dice() % 30; n > 0; --n) noise.push_back(static_cast<char>(dice()));
    (void)parse_basic_auth(noise);
  }
}

}  // namespace
}  // namespace penstock::net
