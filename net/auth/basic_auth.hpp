// Basic authentication's header: `Basic base64(user:password)`.
//
// Journey:  Authenticator -> [parse_basic_auth].
// Shard:    any; a pure function.
// Promise:  strict: one scheme word, canonical base64 of at most 1 KiB, a colon, no control bytes in the
//           user. What follows an `@` in the user (a cluster's name, of old) is cut off.
// Failure:  nothing, for anything else.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace penstock::net {

struct Credentials {
  std::string user;
  std::string password;
};

std::optional<Credentials> parse_basic_auth(std::string_view authorization);

// Standard alphabet, padded, canonical (no stray bits); false for anything else.
bool base64_decode(std::string_view text, std::string& out);
std::string base64_encode(std::string_view bytes);

}  // namespace penstock::net
