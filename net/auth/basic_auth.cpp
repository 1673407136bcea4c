#include "net/auth/basic_auth.hpp"

#include <algorithm>
#include <cstdint>

#include "net/http/message.hpp"

namespace penstock::net {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kEncodedMax = 1024;

int sextet(char c) {
  const std::size_t at = kAlphabet.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

bool base64_decode(std::string_view text, std::string& out) {
  out.clear();
  if (text.size() % 4 != 0) return false;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const bool is_last = i + 4 == text.size();
    const int padding = !is_last || text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
    std::uint32_t bits = 0;
    for (int k = 0; k < 4; ++k) {
      const int value = k >= 4 - padding ? 0 : sextet(text[i + static_cast<std::size_t>(k)]);
      if (value < 0) return false;
      bits = bits << 6 | static_cast<std::uint32_t>(value);
    }
    if (padding > 0 && (bits & (padding == 1 ? 0xffu : 0xffffu)) != 0) return false;
    out.push_back(static_cast<char>(bits >> 16 & 0xff));
    if (padding < 2) out.push_back(static_cast<char>(bits >> 8 & 0xff));
    if (padding < 1) out.push_back(static_cast<char>(bits & 0xff));
  }
  return true;
}

std::string base64_encode(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t here = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (k < here ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) out.push_back(k <= here ? kAlphabet[bits >> (18 - 6 * k) & 63] : '=');
  }
  return out;
}

std::optional<Credentials> parse_basic_auth(std::string_view authorization) {
  constexpr std::string_view kScheme = "Basic";
  if (authorization.size() <= kScheme.size() || authorization[kScheme.size()] != ' ' ||
      !equals_ignoring_case(authorization.substr(0, kScheme.size()), kScheme)) {
    return std::nullopt;
  }
  authorization.remove_prefix(kScheme.size());
  while (authorization.starts_with(' ')) authorization.remove_prefix(1);
  std::string decoded;
  if (authorization.size() > kEncodedMax || !base64_decode(authorization, decoded)) return std::nullopt;
  const std::size_t colon = decoded.find(':');
  if (colon == std::string::npos) return std::nullopt;
  Credentials credentials{decoded.substr(0, colon), decoded.substr(colon + 1)};
  credentials.user.resize(std::min(credentials.user.find('@'), credentials.user.size()));
  const bool has_control = std::ranges::any_of(
      credentials.user, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (credentials.user.empty() || has_control) return std::nullopt;
  return credentials;
}

}  // namespace penstock::net
