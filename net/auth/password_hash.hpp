// PasswordHash: `pbkdf2-sha256$iterations$salt$hash` (base64), as the config keeps passwords.
//
// The derivation is slow on purpose, so it runs in slices: a shard goes on with its streams meanwhile.
// OpenSSL is behind this header and nowhere else in net/.
//
// Journey:  Authenticator -> [PasswordCheck::step] a few times; `penstock hash-password` -> [hash_password].
// Shard:    any; values.
// Promise:  the comparison takes the same time wherever two hashes differ; what was derived is wiped.
// Failure:  parse: nothing, for a text that is not exactly of this form or outside the bounds.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace penstock::net {

inline constexpr std::uint32_t kPasswordIterations = 210'000;  // what hash_password writes unless told

struct PasswordHash {
  static constexpr std::uint32_t kIterationsMin = 1'000;
  static constexpr std::uint32_t kIterationsMax = 10'000'000;

  std::uint32_t iterations = kPasswordIterations;
  std::string salt;  // 8 to 64 bytes
  std::array<unsigned char, 32> hash{};

  static std::optional<PasswordHash> parse(std::string_view text);
  std::string to_string() const;
  friend bool operator==(const PasswordHash&, const PasswordHash&) = default;
};

// `salt`: 16 random bytes, from the caller's source of randomness.
std::string hash_password(std::string_view password, std::span<const unsigned char> salt,
                          std::uint32_t iterations = kPasswordIterations);
// All at once: for tools and tests.
bool verify_password(const PasswordHash& expected, std::string_view password);

// One comparison, in slices.
class PasswordCheck {
 public:
  PasswordCheck(const PasswordHash& expected, std::string_view password);
  PasswordCheck(PasswordCheck&&) noexcept;
  ~PasswordCheck();
  // Runs at most `iterations` more; true when it is done.
  bool step(std::uint32_t iterations);
  bool matches() const;  // once done

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::array<unsigned char, 32> hmac_sha256(std::span<const unsigned char> key, std::string_view text);
bool equals_in_constant_time(std::span<const unsigned char> a, std::span<const unsigned char> b);
void wipe(std::string& secret);

}  // namespace penstock::net
