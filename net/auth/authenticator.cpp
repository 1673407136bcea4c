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

Authenticator::Authenticator(std::vector<UserEntry> users, const Key& key)
    : book_(make_book(std::move(users))), key_(key) {}

std::shared_ptr<Authenticator::Book> Authenticator::make_book(std::vector<UserEntry> users) {
  auto book = std::make_shared<Book>();
  book->nobody.iterations = users.empty() ? PasswordHash::kIterationsMin : 0;
  book->nobody.salt.assign(16, '\0');
  for (UserEntry& user : users) {
    book->nobody.iterations = std::max(book->nobody.iterations, user.password.iterations);
    Account account{std::move(user.password), std::move(user.grants)};
    book->accounts.insert_or_assign(std::move(user.name), std::move(account));
  }
  return book;
}

void Authenticator::replace(std::vector<UserEntry> users) {
  auto book = make_book(std::move(users));
  for (auto& [name, account] : book->accounts) {
    const auto before = book_->accounts.find(name);
    if (before == book_->accounts.end() || before->second.password != account.password) continue;
    account.proven = before->second.proven;
    account.is_proven = before->second.is_proven;
  }
  book_ = std::move(book);
}

// `account`: of `book`; null if there is none of that name.
core::Task<bool> Authenticator::check_slowly(std::shared_ptr<Book> book, Account* account,
                                             const std::string* password, FastHash fast) {
  co_await slow_.acquire();
  // Whoever went before may have proven the same: a client that opens many connections at once waits for one.
  bool is_right = account != nullptr && account->has_proven(fast);
  if (!is_right) {
    PasswordCheck check(account != nullptr ? account->password : book->nobody, *password);
    while (!check.step(kSlice)) co_await core::current_shard().yield();
    is_right = check.matches() && account != nullptr;
    if (is_right) {
      account->proven = fast;
      account->is_proven = true;
    }
  }
  slow_.release();
  co_return is_right;
}

bool Authenticator::Account::has_proven(const FastHash& fast) const {
  return is_proven && equals_in_constant_time(proven, fast);
}

core::Task<std::expected<User, Authenticator::Refusal>> Authenticator::check(const Request& request) {
  const std::optional<std::string_view> header = request.header("authorization");
  if (!header) co_return std::unexpected(Refusal::NoCredentials);
  std::optional<Credentials> credentials = parse_basic_auth(*header);
  if (!credentials) co_return std::unexpected(Refusal::Malformed);
  const std::shared_ptr<Book> book = book_;  // whatever replaces it meanwhile
  if (book->accounts.empty()) {
    if (credentials->user == "root" && credentials->password.empty()) {
      co_return User{std::move(credentials->user), std::make_shared<const Grants>(Grants::all())};
    }
    wipe(credentials->password);
    co_return std::unexpected(Refusal::Wrong);
  }
  std::string together = joined(*credentials);
  const FastHash fast = hmac_sha256(key_, together);
  wipe(together);
  const auto found = book->accounts.find(credentials->user);
  Account* const account = found == book->accounts.end() ? nullptr : &found->second;
  bool is_right = account != nullptr && account->has_proven(fast);
  if (!is_right) is_right = co_await check_slowly(book, account, &credentials->password, fast);
  wipe(credentials->password);
  if (!is_right) co_return std::unexpected(Refusal::Wrong);
  co_return User{std::move(credentials->user), std::shared_ptr<const Grants>(book, &account->grants)};
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
