#include "net/auth/grants.hpp"

#include <gtest/gtest.h>

#include <array>

namespace penstock::net {
namespace {

constexpr std::array kActs = {
    Act::Load,           Act::EndTransaction,  Act::Scan, Act::Describe, Act::ChangeTable,
    Act::ChangeDatabase, Act::ListTransactions};

Grants on(std::string_view database, Rights rights) {
  Grants grants;
  grants.add(database, rights);
  return grants;
}

// One letter an act, in the order of kActs: L E S D T B A, or a dot.
std::string permitted(const Grants& grants, std::string_view database) {
  constexpr std::string_view kLetters = "LESDTBA";
  std::string out;
  for (std::size_t i = 0; i < kActs.size(); ++i) {
    out += grants.permit(kActs[i], database) ? kLetters[i] : '.';
  }
  return out;
}

TEST(Grants, each_right_permits_what_the_table_says) {
  EXPECT_EQ(permitted(on("sales", {}), "sales"), ".......");
  EXPECT_EQ(permitted(on("sales", {Right::Load}), "sales"), "LE.D...");
  EXPECT_EQ(permitted(on("sales", {Right::Select}), "sales"), "..SD...");
  EXPECT_EQ(permitted(on("sales", {Right::Alter}), "sales"), "...DT..");
  EXPECT_EQ(permitted(on("sales", {Right::Load, Right::Select}), "sales"), "LESD...");
  EXPECT_EQ(permitted(on("sales", {Right::Admin}), "sales"), "LESDTBA");
  EXPECT_EQ(permitted(on("*", {Right::Load}), "sales"), "LE.D...");
  EXPECT_EQ(permitted(on("*", {Right::Alter}), "sales"), "...DTB.");
  EXPECT_EQ(permitted(on("*", {Right::Admin}), "sales"), "LESDTBA");
  EXPECT_EQ(permitted(Grants::all(), "sales"), "LESDTBA");
  EXPECT_EQ(permitted(Grants(), "sales"), ".......");
}

TEST(Grants, another_database_gets_only_what_holds_everywhere) {
  Grants grants = on("sales", {Right::Admin});
  EXPECT_EQ(permitted(grants, "hr"), ".......");
  for (const char* name : {"Sales", "sales ", "", "*", "sale", "salesx", "default_cluster:sales"}) {
    EXPECT_EQ(permitted(grants, name), ".......") << name;
  }
  grants.add("*", {Right::Select});
  EXPECT_EQ(permitted(grants, "hr"), "..SD...");
  EXPECT_EQ(permitted(grants, "sales"), "LESDTBA");
  grants.add("hr", {Right::Load});
  EXPECT_EQ(permitted(grants, "hr"), "LESD...");
  grants.add("hr", {Right::Alter});
  EXPECT_EQ(permitted(grants, "hr"), "LESDT..") << "rights of one name add up";
}

TEST(Grants, everywhere_is_what_stands_at_the_star) {
  EXPECT_TRUE(Grants::all().permit_everywhere(Act::ListTransactions));
  EXPECT_FALSE(on("sales", {Right::Admin}).permit_everywhere(Act::ListTransactions));
  EXPECT_FALSE(on("*", {Right::Load}).permit_everywhere(Act::ListTransactions));
}

TEST(Grants, words_of_rights) {
  EXPECT_EQ(parse_right("LOAD"), Right::Load);
  EXPECT_EQ(parse_right("ADMIN"), Right::Admin);
  EXPECT_EQ(parse_right("load"), std::nullopt);
  EXPECT_EQ(parse_right(""), std::nullopt);
  EXPECT_EQ((Rights{Right::Admin, Right::Load}).to_string(), "LOAD,ADMIN");
  EXPECT_EQ(access_denied(Act::Load),
            "Access denied; you need (at least one of) the (ADMIN,LOAD) privilege(s) for this operation");
}

}  // namespace
}  // namespace penstock::net
