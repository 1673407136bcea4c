// Authenticator: who a request's Authorization header says it is, if it proves it.
//
// A password's slow hash is derived once a user and shard; afterwards a keyed fast hash of the proven
// credentials is compared. Slow checks run one at a time, in slices that let the shard's streams go on, so
// guessing buys little. The users can be replaced while requests come: one that is being checked goes on with
// the users it found.
//
// Journey:  net/load and net/query, before anything else about a request is looked at -> [Authenticator].
// Shard:    one per shard, made from the same users and key.
// Promise:  a wrong user costs what a wrong password costs; secrets are neither kept nor logged. Without
//           configured users `root` with an empty password is let in, and nobody else. What was proven is
//           forgotten with a password that changed.
// Failure:  a Refusal that says why, without saying whether the user exists.
#pragma once

#include <array>
#include <expected>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/task/sync.hpp"
#include "core/task/task.hpp"
#include "net/auth/basic_auth.hpp"
#include "net/auth/grants.hpp"
#include "net/auth/password_hash.hpp"
#include "net/http/message.hpp"

namespace penstock::net {

struct UserEntry {
  std::string name;
  PasswordHash password;
  Grants grants = Grants::all();
};

// Who has proven to be who; good for one request.
struct User {
  std::string name;
  std::shared_ptr<const Grants> grants;

  bool may(Act act, std::string_view database) const { return grants->permit(act, database); }
};

class Authenticator {
 public:
  using Key = std::array<unsigned char, 32>;
  enum class Refusal : std::uint8_t { NoCredentials, Malformed, Wrong };

  // What a load and a two-phase operation answer behind NOT_AUTHORIZED.
  static const char* text_of(Refusal refusal);

  // `key`: random bytes of this process (Kernel::entropy), for the fast comparison.
  Authenticator(std::vector<UserEntry> users, const Key& key);

  core::Task<std::expected<User, Refusal>> check(const Request& request);
  // From now on. A password that stays the same stays proven.
  void replace(std::vector<UserEntry> users);
  bool has_users() const { return !book_->accounts.empty(); }

 private:
  using FastHash = std::array<unsigned char, 32>;  // keyed, of user and password
  struct Account {
    PasswordHash password;
    Grants grants;
    FastHash proven{};  // of the credentials, once they were proven
    bool is_proven = false;
    bool has_proven(const FastHash& fast) const;
  };
  struct Book {
    std::map<std::string, Account, std::less<>> accounts;
    PasswordHash nobody;  // what an unknown user's password is compared with
  };
  static std::shared_ptr<Book> make_book(std::vector<UserEntry> users);
  core::Task<bool> check_slowly(std::shared_ptr<Book> book, Account* account, const std::string* password,
                                FastHash fast);

  std::shared_ptr<Book> book_;
  const Key key_;
  core::Semaphore slow_{1};
};

}  // namespace penstock::net
