#include "net/auth/password_hash.hpp"

#include <gtest/gtest.h>

namespace penstock::net {
namespace {

constexpr unsigned char kSalt[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

TEST(PasswordHash, verifies_what_was_hashed_and_nothing_else) {
  for (const std::string& password :
       {std::string("secret"), std::string(""), std::string("p\0w", 3), std::string(500, 'x')}) {
    const std::string text = hash_password(password, kSalt, 2000);
    const auto parsed = PasswordHash::parse(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->to_string(), text);
    EXPECT_TRUE(verify_password(*parsed, password));
    EXPECT_FALSE(verify_password(*parsed, password + "x"));
    EXPECT_FALSE(verify_password(*parsed, "Secret"));
  }
}

// Derived with another implementation (Python's hashlib).
TEST(PasswordHash, agrees_with_another_implementation) {
  const std::string known =
      "pbkdf2-sha256$1000$AQIDBAUGBwgJCgsMDQ4PEA==$4aZ5yYriFo4jMk9FEHou6O9PZ7Ro87RSHOu9ZdYx//Q=";
  EXPECT_EQ(hash_password("secret", kSalt, 1000), known);
  EXPECT_TRUE(verify_password(*PasswordHash::parse(known), "secret"));
}

TEST(PasswordHash, gives_the_same_verdict_in_slices_of_any_size) {
  const PasswordHash expected = *PasswordHash::parse(hash_password("secret", kSalt, 1001));
  for (const std::uint32_t slice : {1u, 7u, 256u, 1000u, 1001u, 5000u}) {
    PasswordCheck right(expected, "secret");
    PasswordCheck wrong(expected, "secreT");
    while (!right.step(slice)) continue;
    while (!wrong.step(slice)) continue;
    EXPECT_TRUE(right.matches()) << slice;
    EXPECT_FALSE(wrong.matches()) << slice;
  }
}

TEST(PasswordHash, refuses_other_texts) {
  const std::string good = hash_password("secret", kSalt, 1000);
  const std::string hash = good.substr(good.rfind('$') + 1);
  ASSERT_TRUE(PasswordHash::parse(good));
  for (const std::string& text :
       {std::string(), std::string("$$$"), std::string("secret"), good + "$", good + "A", good.substr(1),
        good.substr(0, good.size() - 1), "pbkdf2-sha256$999$AQIDBAUGBwg=$" + hash,
        "pbkdf2-sha256$10000001$AQIDBAUGBwg=$" + hash,
        "pbkdf2-sha256$99999999999999999999$AQIDBAUGBwg=$" + hash, "pbkdf2-sha256$-1000$AQIDBAUGBwg=$" + hash,
        "pbkdf2-sha256$1000 $AQIDBAUGBwg=$" + hash, "pbkdf2-sha256$1000$AQID$" + hash,
        "pbkdf2-sha256$1000$AQIDBAUGBw==$" + hash, std::string("pbkdf2-sha256$1000$AQIDBAUGBwg=$AQID"),
        "pbkdf2-sha1$1000$AQIDBAUGBwg=$" + hash, "pbkdf2-sha256$1000$" + std::string(92, 'A') + "$" + hash}) {
    EXPECT_FALSE(PasswordHash::parse(text)) << text;
  }
}

}  // namespace
}  // namespace penstock::net
