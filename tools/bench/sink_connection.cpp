#include "tools/bench/sink_connection.hpp"

#include <fmt/format.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace penstock::tools {
namespace {

constexpr std::size_t kHeadBytesMax = 64 << 10;
constexpr std::size_t kLineBytesMax = 256;

// The value of a header, in any case; empty: it is not there.
std::string_view header(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (::strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
    const std::size_t begin = line.find_first_not_of(" \t", name.size() + 1);
    return begin == std::string_view::npos ? "" : line.substr(begin);
  }
  return {};
}

bool parse_number(std::string_view text, std::uint64_t& value, int base) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return failed == std::errc() && end == text.data() + text.size();
}

}  // namespace

SinkConnection::~SinkConnection() { ::close(socket_); }

bool SinkConnection::receive() {
  for (;;) {
    const Step next = step();
    if (next == Step::Broken) return false;
    if (next == Step::Again) continue;
    pending_.erase(0, used_);
    used_ = 0;
    if (left_ > 0 && (state_ == State::Body || state_ == State::Chunk)) {
      bool is_empty = false;
      if (!drop_from_socket(is_empty)) return false;
      if (is_empty) return true;
      continue;
    }
    // Lines: few bytes at a time, so that what follows can be dropped where it is.
    char buffer[512];
    const ssize_t got = ::recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    if (got == 0) return false;
    pending_.append(buffer, static_cast<std::size_t>(got));
  }
}

SinkConnection::Step SinkConnection::step() {
  switch (state_) {
    case State::Head:
      return take_head();
    case State::Body:
    case State::Chunk: {
      const auto have = std::min<std::uint64_t>(left_, pending_.size() - used_);
      used_ += have;
      left_ -= have;
      body_bytes_ += have;
      if (left_ > 0) return Step::NeedMore;
      if (state_ == State::Chunk) {
        state_ = State::ChunkEnd;
        return Step::Again;
      }
      return answer() ? Step::Again : Step::Broken;
    }
    default:
      return take_chunk_line();
  }
}

SinkConnection::Step SinkConnection::take_head() {
  const std::size_t end = pending_.find("\r\n\r\n", used_);
  if (end == std::string::npos)
    return pending_.size() - used_ > kHeadBytesMax ? Step::Broken : Step::NeedMore;
  const std::string_view head = std::string_view(pending_).substr(used_, end + 2 - used_);
  method_path_ = head.substr(0, head.find(" HTTP/"));
  const bool is_chunked = header(head, "Transfer-Encoding") == "chunked";
  const std::string_view length = header(head, "Content-Length");
  left_ = 0;
  if (!length.empty() && !parse_number(length, left_, 10)) return Step::Broken;
  const bool is_asked = !header(head, "Expect").empty();
  used_ = end + 4;
  body_began_at_ = body_bytes_;
  state_ = is_chunked ? State::ChunkSize : State::Body;
  if (is_asked && !send_text("HTTP/1.1 100 Continue\r\n\r\n")) return Step::Broken;
  return Step::Again;
}

SinkConnection::Step SinkConnection::take_chunk_line() {
  const std::size_t end = pending_.find("\r\n", used_);
  if (end == std::string::npos)
    return pending_.size() - used_ > kLineBytesMax ? Step::Broken : Step::NeedMore;
  const std::string_view line = std::string_view(pending_).substr(used_, end - used_);
  used_ = end + 2;
  if (state_ == State::ChunkEnd) {
    state_ = State::ChunkSize;
    return line.empty() ? Step::Again : Step::Broken;
  }
  if (state_ == State::ChunkSize) {
    if (!parse_number(line.substr(0, line.find(';')), left_, 16)) return Step::Broken;
    state_ = left_ > 0 ? State::Chunk : State::Trailer;
    return Step::Again;
  }
  if (!line.empty()) return Step::Again;  // a trailer's
  return answer() ? Step::Again : Step::Broken;
}

bool SinkConnection::drop_from_socket(bool& is_empty) {
  const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(left_, scratch_.size()));
  const ssize_t got = ::recv(socket_, scratch_.data(), most, MSG_DONTWAIT | (copy_ ? 0 : MSG_TRUNC));
  if (got < 0 && errno == EINTR) return true;
  if (got < 0) {
    is_empty = true;
    return errno == EAGAIN || errno == EWOULDBLOCK;
  }
  left_ -= static_cast<std::uint64_t>(got);
  body_bytes_ += static_cast<std::uint64_t>(got);
  return got > 0;
}

bool SinkConnection::answer() {
  state_ = State::Head;
  std::string body;
  int status = 200;
  if (method_path_.ends_with("/_stream_load")) {
    ++loads_;
    body =
        fmt::format(R"({{"TxnId":{},"Label":"","Status":"Success","Message":"thrown away","LoadBytes":{}}})",
                    loads_, body_bytes_ - body_began_at_);
  } else if (method_path_.ends_with("/_stream_load_2pc")) {
    body = R"({"status":"Success","msg":"thrown away"})";
  } else if (method_path_ == "GET /") {
    body = "penstock bench sink\n";
  } else {
    status = 404;
    body = "a sink takes loads, and keeps nothing\n";
  }
  return send_text(fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n\r\n{}",
                               status == 200 ? "200 OK" : "404 Not Found", body.size(), body));
}

// Answers are so small that they always fit, unless the client does not read them: then it may go.
bool SinkConnection::send_text(std::string_view text) {
  return ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
         static_cast<ssize_t>(text.size());
}

}  // namespace penstock::tools
