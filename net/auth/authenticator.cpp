#include "net/auth/authenticator.hpp"

#include "core/shard/shard.hpp"

namespace penstock::net {
namespace {

constexpr std::uint32_t kSlice = 256;  // derivation rounds between two turns of the others: some 100 us

std::string joined(const Credentials& credentials) {
  std::string text;
  text.reserve(credentials.user.size() + 1 + credentials.password.size());
  text += credentials.user;
  text += '\0';  // a user has no control bytes
  text += credentials.password;
  return text;
}

}  // namespace

Authenticator::Authenticator(std::vector<UserEntry> users, const Key& key) : key_(key) {
  nobody_.iterations = users.empty() ? PasswordHash::kIterationsMin : 0;
  nobody_.salt.assign(16, '\0');
  for (UserEntry& user : users) {
    nobody_.iterations = std::max(nobody_.iterations, user.password.iterations);
    users_.insert_or_assign(std::move(user.name), User{std::move(user.password)});
  }
}

// `user`: null if there is none of that name.
core::Task<bool> Authenticator::check_slowly(User* user, const std::string* password, FastHash fast) {
  co_await slow_.acquire();
  // Whoever went before may have proven the same: a client that opens many connections at once waits for one.
  bool is_right = user != nullptr && user->has_proven(fast);
  if (!is_right) {
    PasswordCheck check(user != nullptr ? user->password : nobody_, *password);
    while (!check.step(kSlice)) co_await core::current_shard().yield();
    is_right = check.matches() && user != nullptr;
    if (is_right) {
      user->proven = fast;
      user->is_proven = true;
    }
  }
  slow_.release();
  co_return is_right;
}

bool Authenticator::User::has_proven(const FastHash& fast) const {
  return is_proven && equals_in_constant_time(proven, fast);
}

core::Task<std::expected<std::string, Authenticator::Refusal>> Authenticator::check(const Request& request) {
  const std::optional<std::string_view> header = request.header("authorization");
  if (!header) co_return std::unexpected(Refusal::NoCredentials);
  std::optional<Credentials> credentials = parse_basic_auth(*header);
  if (!credentials) co_return std::unexpected(Refusal::Malformed);
  if (users_.empty()) {
    if (credentials->user == "root" && credentials->password.empty()) co_return std::move(credentials->user);
    wipe(credentials->password);
    co_return std::unexpected(Refusal::Wrong);
  }
  std::string together = joined(*credentials);
  const FastHash fast = hmac_sha256(key_, together);
  wipe(together);
  const auto found = users_.find(credentials->user);
  User* const user = found == users_.end() ? nullptr : &found->second;
  bool is_right = user != nullptr && user->has_proven(fast);
  if (!is_right) is_right = co_await check_slowly(user, &credentials->password, fast);
  wipe(credentials->password);
  if (!is_right) co_return std::unexpected(Refusal::Wrong);
  co_return std::move(credentials->user);
}

const char* Authenticator::text_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::NoCredentials:
      return "no valid Basic authorization";
    case Refusal::Malformed:
      return "no valid Basic authorization: the header cannot be read";
    case Refusal::Wrong:
      break;
  }
  return "Access denied: wrong user or password";
}

}  // namespace penstock::net
