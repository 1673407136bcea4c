#include "net/auth/authenticator.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/shard/shard.hpp"
#include "net/http/head_parser.hpp"
#include "tests/sim/sim_world.hpp"

namespace penstock::net {
namespace {

using Refusal = Authenticator::Refusal;
using Verdict = std::expected<std::string, Refusal>;
using Checked = std::expected<User, Refusal>;

constexpr unsigned char kSalt[16] = {1, 2, 3};
constexpr Authenticator::Key kKey = {7, 7, 7};

UserEntry user(std::string name, std::string password, std::uint32_t iterations = 20'000) {
  return {std::move(name), *PasswordHash::parse(hash_password(password, kSalt, iterations))};
}

Request request_with(const std::string& header_line) {
  const HeadLimits limits;
  HeadParser parser(limits);
  std::size_t consumed = 0;
  const std::string head = "GET / HTTP/1.1\r\n" + header_line + "\r\n";
  CHECK(parser.feed(core::as_bytes(head), consumed) == HeadParser::State::Done);
  return parser.take();
}
Request request_of(const std::string& name, const std::string& password) {
  return request_with("authorization: Basic " + base64_encode(name + ":" + password) + "\r\n");
}

core::Task<void> run_check(Authenticator* authenticator, const Request* request,
                           std::optional<Verdict>* verdict) {
  const Checked checked = co_await authenticator->check(*request);
  *verdict = checked ? Verdict(checked->name) : std::unexpected(checked.error());
}
core::Task<void> keep_check(Authenticator* authenticator, const Request* request,
                            std::optional<Checked>* out) {
  *out = co_await authenticator->check(*request);
}
core::Task<void> count_turns(const bool* stop, int* turns) {
  while (!*stop) {
    ++*turns;
    co_await core::current_shard().yield();
  }
}

class AuthenticatorTest : public testing::Test {
 protected:
  AuthenticatorTest() { world_.start_process(1); }
  ~AuthenticatorTest() override { world_.kill_process(); }

  // The verdict, and how many turns others got meanwhile.
  Verdict check(Authenticator& authenticator, const Request& request) {
    std::optional<Verdict> verdict;
    bool stop = false;
    turns_ = 0;
    world_.start(0, count_turns(&stop, &turns_));
    world_.start(0, run_check(&authenticator, &request, &verdict));
    CHECK(world_.run_until([&] { return verdict.has_value(); }) == sim::RunStatus::Done);
    stop = true;
    CHECK(world_.run_to_end() == sim::RunStatus::Done);
    return *verdict;
  }

  sim::SimWorld world_;
  int turns_ = 0;
};

TEST_F(AuthenticatorTest, without_users_root_with_no_password_is_let_in_and_nobody_else) {
  Authenticator authenticator({}, kKey);
  EXPECT_FALSE(authenticator.has_users());
  EXPECT_EQ(check(authenticator, request_of("root", "")), Verdict("root"));
  EXPECT_EQ(check(authenticator, request_of("root@cluster", "")), Verdict("root"));
  EXPECT_EQ(check(authenticator, request_of("root", "x")), std::unexpected(Refusal::Wrong));
  EXPECT_EQ(check(authenticator, request_of("admin", "")), std::unexpected(Refusal::Wrong));
  EXPECT_EQ(check(authenticator, request_with("")), std::unexpected(Refusal::NoCredentials));
  EXPECT_EQ(check(authenticator, request_with("Authorization: Basic zzz\r\n")),
            std::unexpected(Refusal::Malformed));
}

TEST_F(AuthenticatorTest, derives_once_a_user_and_lets_others_go_on) {
  Authenticator authenticator({user("root", "secret"), user("flink", "")}, kKey);
  EXPECT_EQ(check(authenticator, request_of("root", "secret")), Verdict("root"));
  EXPECT_GT(turns_, 20);
  EXPECT_EQ(check(authenticator, request_of("root", "secret")), Verdict("root"));
  EXPECT_LT(turns_, 20);
  EXPECT_EQ(check(authenticator, request_of("flink", "")), Verdict("flink"));
  EXPECT_EQ(check(authenticator, request_of("root", "")), std::unexpected(Refusal::Wrong));
  EXPECT_GT(turns_, 20);
  EXPECT_EQ(check(authenticator, request_of("root", "secret2")), std::unexpected(Refusal::Wrong));
  EXPECT_EQ(check(authenticator, request_of("flink", "secret")), std::unexpected(Refusal::Wrong));
  EXPECT_EQ(check(authenticator, request_of("root", "secret")), Verdict("root"));
  EXPECT_LT(turns_, 20);
}

TEST_F(AuthenticatorTest, an_unknown_user_costs_what_a_wrong_password_costs) {
  Authenticator authenticator({user("a", "x", 5'000), user("b", "y", 40'000)}, kKey);
  (void)check(authenticator, request_of("b", "wrong"));
  const int wrong_password = turns_;
  EXPECT_EQ(check(authenticator, request_of("nobody", "wrong")), std::unexpected(Refusal::Wrong));
  EXPECT_NEAR(turns_, wrong_password, wrong_password / 2.0);
  EXPECT_GT(turns_, 20);
}

TEST_F(AuthenticatorTest, derives_once_for_many_connections_that_come_at_once) {
  Authenticator authenticator({user("root", "secret")}, kKey);
  const Request request = request_of("root", "secret");
  (void)check(authenticator, request_of("root", "wrong"));
  const int once = turns_;
  std::vector<std::optional<Verdict>> verdicts(20);
  bool stop = false;
  turns_ = 0;
  for (auto& verdict : verdicts) world_.start(0, run_check(&authenticator, &request, &verdict));
  world_.start(0, count_turns(&stop, &turns_));
  ASSERT_EQ(world_.run_until([&] {
    return std::ranges::all_of(verdicts, [](const auto& verdict) { return verdict.has_value(); });
  }),
            sim::RunStatus::Done);
  stop = true;
  ASSERT_EQ(world_.run_to_end(), sim::RunStatus::Done);
  for (const auto& verdict : verdicts) EXPECT_EQ(*verdict, Verdict("root"));
  EXPECT_LT(turns_, 3 * once);
}

TEST_F(AuthenticatorTest, answers_many_guesses_at_once) {
  Authenticator authenticator({user("root", "secret", 2'000)}, kKey);
  std::vector<Request> requests;
  for (int i = 0; i < 20; ++i)
    requests.push_back(request_of("root", i == 13 ? "secret" : "guess" + std::to_string(i)));
  std::vector<std::optional<Verdict>> verdicts(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i)
    world_.start(0, run_check(&authenticator, &requests[i], &verdicts[i]));
  ASSERT_EQ(world_.run_to_end(), sim::RunStatus::Done);
  for (std::size_t i = 0; i < requests.size(); ++i) EXPECT_EQ(verdicts[i]->has_value(), i == 13) << i;
}

TEST_F(AuthenticatorTest, replaced_users_count_at_once_and_a_password_that_changed_is_proven_anew) {
  Authenticator authenticator({user("root", "secret"), user("gone", "x")}, kKey);
  EXPECT_EQ(check(authenticator, request_of("root", "secret")), Verdict("root"));
  EXPECT_EQ(check(authenticator, request_of("gone", "x")), Verdict("gone"));
  authenticator.replace({user("root", "secret"), user("new", "y")});
  EXPECT_EQ(check(authenticator, request_of("root", "secret")), Verdict("root"));
  EXPECT_LT(turns_, 20) << "the same password stays proven";
  EXPECT_EQ(check(authenticator, request_of("gone", "x")), std::unexpected(Refusal::Wrong));
  EXPECT_EQ(check(authenticator, request_of("new", "y")), Verdict("new"));
  authenticator.replace({user("root", "other")});
  EXPECT_EQ(check(authenticator, request_of("root", "secret")), std::unexpected(Refusal::Wrong));
  EXPECT_EQ(check(authenticator, request_of("root", "other")), Verdict("root"));
  EXPECT_GT(turns_, 20);
  // The same password under another salt is another hash, so it is derived once more.
  constexpr unsigned char kOtherSalt[16] = {9, 9, 9};
  authenticator.replace({{"root", *PasswordHash::parse(hash_password("other", kOtherSalt, 20'000))}});
  EXPECT_EQ(check(authenticator, request_of("root", "other")), Verdict("root"));
  EXPECT_GT(turns_, 20);
}

TEST_F(AuthenticatorTest, who_is_being_checked_while_the_users_are_replaced_keeps_what_it_found) {
  Authenticator authenticator({user("root", "secret")}, kKey);
  const Request request = request_of("root", "secret");
  std::optional<Checked> checked;
  world_.start(0, keep_check(&authenticator, &request, &checked));
  (void)world_.run_until([] { return false; }, 10);
  ASSERT_FALSE(checked.has_value());
  UserEntry other = user("root", "other");
  other.grants = Grants();
  authenticator.replace({other});
  ASSERT_EQ(world_.run_to_end(), sim::RunStatus::Done);
  ASSERT_TRUE(checked->has_value());
  EXPECT_TRUE((*checked)->may(Act::Load, "db"));
  EXPECT_EQ(check(authenticator, request_of("root", "secret")), std::unexpected(Refusal::Wrong));
  // What a user object says stays as it was, also when nothing else knows its users any more.
  authenticator.replace({});
  EXPECT_TRUE((*checked)->may(Act::ListTransactions, "db"));
}

}  // namespace
}  // namespace penstock::net
