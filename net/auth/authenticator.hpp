// Authenticator: who a request's Authorization header says it is, if it proves it.
//
// A password's slow hash is derived once a user and shard; afterwards a keyed fast hash of the proven
// credentials is compared. Slow checks run one at a time, in slices that let the shard's streams go on, so
// guessing buys little.
//
// Journey:  net/load and net/query, before anything else about a request is looked at -> [Authenticator].
// Shard:    one per shard, made from the same users and key.
// Promise:  a wrong user costs what a wrong password costs; secrets are neither kept nor logged. Without
//           configured users `root` with an empty password is let in, and nobody else.
// Failure:  a Refusal that says why, without saying whether the user exists.
#pragma once

#include <array>
#include <expected>
#include <map>
#include <string>
#include <vector>

#include "core/task/sync.hpp"
#include "core/task/task.hpp"
#include "net/auth/basic_auth.hpp"
#include "net/auth/password_hash.hpp"
#include "net/http/message.hpp"

namespace penstock::net {

struct UserEntry {
  std::string name;
  PasswordHash password;
};

class Authenticator {
 public:
  using Key = std::array<unsigned char, 32>;
  enum class Refusal : std::uint8_t { NoCredentials, Malformed, Wrong };

  // What a load and a two-phase operation answer behind NOT_AUTHORIZED.
  static const char* text_of(Refusal refusal);

  // `key`: random bytes of this process (Kernel::entropy), for the fast comparison.
  Authenticator(std::vector<UserEntry> users, const Key& key);

  // The user's name.
  core::Task<std::expected<std::string, Refusal>> check(const Request& request);
  bool has_users() const { return !users_.empty(); }

 private:
  using FastHash = std::array<unsigned char, 32>;  // keyed, of user and password
  struct User {
    PasswordHash password;
    FastHash proven{};  // of the credentials, once they were proven
    bool is_proven = false;
    bool has_proven(const FastHash& fast) const;
  };
  core::Task<bool> check_slowly(User* user, const std::string* password, FastHash fast);

  std::map<std::string, User, std::less<>> users_;
  PasswordHash nobody_;  // what an unknown user's password is compared with
  const Key key_;
  core::Semaphore slow_{1};
};

}  // namespace penstock::net
