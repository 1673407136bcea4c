#include "tools/bench/bench_target.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace penstock::tools {
namespace {

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t three = 0;
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - at);
    for (std::size_t i = 0; i < 3; ++i) {
      three = three << 8 | (i < have ? static_cast<unsigned char>(bytes[at + i]) : 0u);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      out += i <= have ? kLetters[three >> (18 - 6 * i) & 63] : '=';
    }
  }
  return out;
}

}  // namespace

std::string BenchTarget::address() const {
  return host.contains(':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::string BenchTarget::common_headers() const {
  return fmt::format("Host: {}\r\nAuthorization: Basic {}\r\n", address(), base64(user + ":" + password));
}

std::expected<void, std::string> set_url(BenchTarget& target, std::string_view url) {
  std::string_view rest = url;
  if (rest.starts_with("https://")) return std::unexpected("--url: there is no TLS: use http://");
  if (rest.starts_with("http://")) rest.remove_prefix(7);
  rest = rest.substr(0, rest.find('/'));
  const std::size_t colon = rest.rfind(':');
  const std::string_view digits = colon == std::string_view::npos ? "" : rest.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (colon == 0 || failed != std::errc() || end != digits.data() + digits.size() || port == 0) {
    return std::unexpected(fmt::format("--url {}: write it as http://host:port", url));
  }
  rest = rest.substr(0, colon);
  if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
  target.host = rest;
  target.port = port;
  return {};
}

std::expected<void, std::string> set_table(BenchTarget& target, std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == name.size() ||
      name.find_first_of(" /?#%&\"'\\\r\n\t") != std::string_view::npos) {
    return std::unexpected(fmt::format("--table {}: write it as db.table", name));
  }
  target.database = name.substr(0, dot);
  target.table = name.substr(dot + 1);
  return {};
}

std::expected<int, std::string> connect_blocking(const BenchTarget& target) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(target.port);
  if (const int failed = ::getaddrinfo(target.host.c_str(), port.c_str(), &hints, &found); failed != 0) {
    return std::unexpected(fmt::format("the host {}: {}", target.host, ::gai_strerror(failed)));
  }
  int error = 0;
  int connected = -1;
  for (const addrinfo* at = found; at != nullptr && connected < 0; at = at->ai_next) {
    const int made = ::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
    if (made < 0 || ::connect(made, at->ai_addr, at->ai_addrlen) != 0) {
      error = errno;
      if (made >= 0) ::close(made);
      continue;
    }
    connected = made;
  }
  ::freeaddrinfo(found);
  if (connected < 0) {
    return std::unexpected(fmt::format("connecting to {}: {}. Is the server there? (--url http://host:port)",
                                       target.address(), std::strerror(error)));
  }
  const int on = 1;
  ::setsockopt(connected, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return connected;
}

}  // namespace penstock::tools
