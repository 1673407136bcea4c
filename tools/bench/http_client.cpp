#include "tools/bench/http_client.hpp"

#include <fmt/format.h>
#include <simdjson.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "net/json/json_text.hpp"

namespace penstock::tools {
namespace {

constexpr std::size_t kBodyBytesMax = 1 << 20;  // of an answer that is kept whole

std::string first_of(std::string_view body) { return std::string(body.substr(0, 300)); }

// Whole numbers, one a line.
class KeyLines {
 public:
  void take(std::string_view text) {
    for (const char c : text) {
      if (c == '\n') {
        is_good_ = is_good_ && has_digit_;
        keys_.add(key_);
        key_ = 0;
        has_digit_ = false;
      } else if (c >= '0' && c <= '9') {
        key_ = key_ * 10 + static_cast<std::uint64_t>(c - '0');
        has_digit_ = true;
      } else {
        is_good_ = false;
      }
    }
  }
  bool is_good() const { return is_good_ && !has_digit_; }
  const KeySum& keys() const { return keys_; }

 private:
  KeySum keys_;
  std::uint64_t key_ = 0;
  bool has_digit_ = false;
  bool is_good_ = true;
};

}  // namespace

void HttpClient::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

std::expected<void, std::string> HttpClient::send_blocking(std::string_view request) {
  if (socket_ < 0) {
    auto made = connect_blocking(target_);
    if (!made) return std::unexpected(made.error());
    socket_ = *made;
    const timeval patience{.tv_sec = patience_seconds_, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }
  while (!request.empty()) {
    const ssize_t sent = ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) {
      const int error = errno;
      close();
      return std::unexpected(fmt::format("asking {}: {}", target_.address(), std::strerror(error)));
    }
    request.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

std::expected<HttpClient::Answer, std::string> HttpClient::ask_blocking(std::string_view method,
                                                                        std::string_view path,
                                                                        std::string_view body) {
  return ask_blocking(method, path, body, nullptr);
}

std::expected<HttpClient::Answer, std::string> HttpClient::ask_blocking(std::string_view method,
                                                                        std::string_view path,
                                                                        std::string_view body,
                                                                        const ReplyParser::OnBody& on_body) {
  const std::string length = body.empty() ? "" : fmt::format("Content-Length: {}\r\n", body.size());
  const std::string request =
      fmt::format("{} {} HTTP/1.1\r\n{}{}\r\n{}", method, path, target_.common_headers(), length, body);
  // A connection that was idle may have been closed: then once more on a new one.
  const bool was_open = socket_ >= 0;
  if (auto sent = send_blocking(request); !sent) {
    if (!was_open) return std::unexpected(sent.error());
    if (auto again = send_blocking(request); !again) return std::unexpected(again.error());
  }
  Answer answer;
  ReplyParser parser;
  std::string buffer(256 << 10, '\0');
  bool is_too_large = false;
  const ReplyParser::OnBody take = [&](std::string_view piece) {
    if (on_body && parser.status() == 200) return on_body(piece);
    is_too_large = is_too_large || answer.body.size() + piece.size() > kBodyBytesMax;
    if (!is_too_large) answer.body += piece;
  };
  while (!parser.is_done()) {
    const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      const std::string why = got == 0 ? "the connection was closed" : std::strerror(errno);
      close();
      return std::unexpected(fmt::format("the answer to {} {}: {}", method, path, why));
    }
    auto taken = parser.feed(std::string_view(buffer.data(), static_cast<std::size_t>(got)), take);
    if (taken && is_too_large) taken = std::unexpected("it is longer than 1 MiB");
    if (!taken) {
      close();
      return std::unexpected(fmt::format("the answer to {} {}: {}", method, path, taken.error()));
    }
  }
  answer.status = parser.status();
  return answer;
}

std::expected<std::uint64_t, std::string> HttpClient::count_blocking() {
  auto answer =
      ask_blocking("GET", fmt::format("/api/{}/{}/_scan?columns=count(*)", target_.database, target_.table));
  if (!answer) return std::unexpected(answer.error());
  std::uint64_t count = 0;
  const char* const end = answer->body.data() + answer->body.size();
  const auto [at, failed] = std::from_chars(answer->body.data(), end, count);
  if (answer->status != 200 || failed != std::errc() || at == end || *at != '\n') {
    return std::unexpected(fmt::format("count(*) of {}.{}: {} {}", target_.database, target_.table,
                                       answer->status, first_of(answer->body)));
  }
  return count;
}

std::expected<KeySum, std::string> HttpClient::keys_blocking(std::string_view column) {
  KeyLines lines;
  auto answer =
      ask_blocking("GET", fmt::format("/api/{}/{}/_scan?columns={}", target_.database, target_.table, column),
                   {}, [&](std::string_view piece) { lines.take(piece); });
  if (!answer) return std::unexpected(answer.error());
  if (answer->status != 200) {
    return std::unexpected(
        fmt::format("a scan of {}: {} {}", column, answer->status, first_of(answer->body)));
  }
  if (!lines.is_good())
    return std::unexpected(fmt::format("a scan of {}: a line is no whole number", column));
  return lines.keys();
}

std::expected<void, std::string> HttpClient::execute_blocking(std::string_view statement) {
  auto answer = ask_blocking("POST", fmt::format("/api/query/default_cluster/{}", target_.database),
                             fmt::format(R"({{"stmt":{}}})", net::json_string(statement)));
  if (!answer) return std::unexpected(answer.error());
  simdjson::dom::parser parser;
  std::int64_t code = -1;
  simdjson::dom::element reply;
  if (answer->status != 200 || parser.parse(answer->body).get(reply) != simdjson::SUCCESS ||
      reply["code"].get(code) != simdjson::SUCCESS || code != 0) {
    return std::unexpected(
        fmt::format("{}: {} {}", statement.substr(0, 60), answer->status, first_of(answer->body)));
  }
  return {};
}

std::string HttpClient::version_blocking() {
  auto answer = ask_blocking("GET", "/");
  if (!answer || answer->status != 200 || !answer->body.starts_with("penstock ")) return {};
  return answer->body.substr(0, answer->body.find('\n'));
}

}  // namespace penstock::tools
