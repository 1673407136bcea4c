#include "net/auth/password_hash.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "core/base/check.hpp"
#include "net/auth/basic_auth.hpp"

namespace penstock::net {
namespace {

constexpr std::string_view kScheme = "pbkdf2-sha256";

std::string_view as_text(std::span<const unsigned char> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::optional<PasswordHash> PasswordHash::parse(std::string_view text) {
  std::array<std::string_view, 4> parts;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t end = i == 3 ? text.size() : text.find('$');
    if (end == std::string_view::npos) return std::nullopt;
    parts[i] = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  PasswordHash result;
  std::string hash;
  const char* const end = parts[1].data() + parts[1].size();
  const auto [stop, error] = std::from_chars(parts[1].data(), end, result.iterations);
  if (parts[0] != kScheme || error != std::errc() || stop != end) return std::nullopt;
  if (result.iterations < kIterationsMin || result.iterations > kIterationsMax) return std::nullopt;
  if (parts[2].size() > 88 || !base64_decode(parts[2], result.salt) || result.salt.size() < 8)
    return std::nullopt;
  if (result.salt.size() > 64 || !base64_decode(parts[3], hash) || hash.size() != result.hash.size()) {
    return std::nullopt;
  }
  std::memcpy(result.hash.data(), hash.data(), hash.size());
  return result;
}

std::string PasswordHash::to_string() const {
  return std::string(kScheme) + '$' + std::to_string(iterations) + '$' + base64_encode(salt) + '$' +
         base64_encode(as_text(hash));
}

std::string hash_password(std::string_view password, std::span<const unsigned char> salt,
                          std::uint32_t iterations) {
  PasswordHash result;
  result.iterations = iterations;
  result.salt = as_text(salt);
  CHECK_EQ(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), salt.data(),
                             static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(),
                             static_cast<int>(result.hash.size()), result.hash.data()),
           1);
  return result.to_string();
}

bool verify_password(const PasswordHash& expected, std::string_view password) {
  PasswordCheck check(expected, password);
  check.step(expected.iterations);
  return check.matches();
}

// PBKDF2's first (here: only) block, RFC 8018: U1 = HMAC(password, salt | 1), Un = HMAC(password, Un-1), xor
// of them all.
struct PasswordCheck::State {
  EVP_MAC* mac = nullptr;
  EVP_MAC_CTX* context = nullptr;
  std::array<unsigned char, 32> last{};
  std::array<unsigned char, 32> sum{};
  std::array<unsigned char, 32> expected{};
  std::uint32_t left = 0;

  ~State() {
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
    OPENSSL_cleanse(last.data(), last.size());
    OPENSSL_cleanse(sum.data(), sum.size());
  }
  void finish_round() {
    std::size_t size = 0;
    CHECK_EQ(EVP_MAC_final(context, last.data(), &size, last.size()), 1);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] ^= last[i];
    --left;
  }
};

PasswordCheck::PasswordCheck(const PasswordHash& expected, std::string_view password)
    : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  state.context = EVP_MAC_CTX_new(state.mac);
  CHECK(state.mac != nullptr && state.context != nullptr);
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  static constexpr unsigned char kNoKey = 0;
  const auto* const key =
      password.empty() ? &kNoKey : reinterpret_cast<const unsigned char*>(password.data());
  CHECK_EQ(EVP_MAC_init(state.context, key, password.size(), parameters), 1);
  state.expected = expected.hash;
  state.left = expected.iterations;
  static constexpr unsigned char kBlockNumber[4] = {0, 0, 0, 1};
  CHECK_EQ(EVP_MAC_update(state.context, reinterpret_cast<const unsigned char*>(expected.salt.data()),
                          expected.salt.size()),
           1);
  CHECK_EQ(EVP_MAC_update(state.context, kBlockNumber, sizeof kBlockNumber), 1);
  state.finish_round();
}

PasswordCheck::PasswordCheck(PasswordCheck&&) noexcept = default;
PasswordCheck::~PasswordCheck() = default;

bool PasswordCheck::step(std::uint32_t iterations) {
  State& state = *state_;
  for (std::uint32_t i = 0; i < iterations && state.left > 0; ++i) {
    CHECK_EQ(EVP_MAC_init(state.context, nullptr, 0, nullptr), 1);  // the same key again
    CHECK_EQ(EVP_MAC_update(state.context, state.last.data(), state.last.size()), 1);
    state.finish_round();
  }
  return state.left == 0;
}

bool PasswordCheck::matches() const {
  CHECK_EQ(state_->left, 0u);
  return equals_in_constant_time(state_->sum, state_->expected);
}

std::array<unsigned char, 32> hmac_sha256(std::span<const unsigned char> key, std::string_view text) {
  std::array<unsigned char, 32> out{};
  unsigned int size = 0;
  CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data(), &size) != nullptr);
  return out;
}

bool equals_in_constant_time(std::span<const unsigned char> a, std::span<const unsigned char> b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(std::string& secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

}  // namespace penstock::net
