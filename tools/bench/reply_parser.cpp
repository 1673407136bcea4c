#include "tools/bench/reply_parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace penstock::tools {
namespace {

constexpr std::size_t kHeadBytesMax = 64 << 10;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

bool parse_number(std::string_view text, std::uint64_t& value, int base) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return failed == std::errc() && end == text.data() + text.size();
}

}  // namespace

void ReplyParser::next() { *this = ReplyParser(); }

std::expected<void, std::string> ReplyParser::take_header(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos)
    return std::unexpected(fmt::format("'{}' is no header", line.substr(0, 80)));
  const std::string name = lower(line.substr(0, colon));
  const std::string_view value = trim(line.substr(colon + 1));
  if (name == "content-length" && !parse_number(value, left_, 10)) {
    return std::unexpected(fmt::format("Content-Length: {} is no number", value.substr(0, 80)));
  }
  if (name == "transfer-encoding") is_chunked_ = lower(value) == "chunked";
  if (name == "location") location_ = value;
  return {};
}

void ReplyParser::end_head() {
  if (status_ >= 100 && status_ < 200) {
    next();
  } else if (is_chunked_) {
    state_ = State::ChunkSize;
  } else {
    state_ = left_ > 0 ? State::Body : State::Done;
  }
}

std::expected<void, std::string> ReplyParser::take_line(std::string_view line) {
  switch (state_) {
    case State::Head:
      if (status_ == 0) {
        std::uint64_t status = 0;
        if (!line.starts_with("HTTP/1.") || line.size() < 12 ||
            !parse_number(line.substr(9, 3), status, 10) || status < 100) {
          return std::unexpected(fmt::format("'{}' is no status line", line.substr(0, 80)));
        }
        status_ = static_cast<int>(status);
        return {};
      }
      if (line.empty()) {
        end_head();
        return {};
      }
      return take_header(line);
    case State::ChunkSize:
      if (!parse_number(trim(line.substr(0, line.find(';'))), left_, 16)) {
        return std::unexpected(fmt::format("'{}' is no chunk size", line.substr(0, 80)));
      }
      state_ = left_ > 0 ? State::Chunk : State::Trailer;
      return {};
    case State::ChunkEnd:
      if (!line.empty()) return std::unexpected("a chunk is longer than its size");
      state_ = State::ChunkSize;
      return {};
    default:  // Trailer
      if (line.empty()) state_ = State::Done;
      return {};
  }
}

std::expected<std::size_t, std::string> ReplyParser::feed(std::string_view bytes, const OnBody& on_body) {
  const std::size_t all = bytes.size();
  while (!bytes.empty() && state_ != State::Done) {
    if (state_ == State::Body || state_ == State::Chunk) {
      const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
      if (on_body) on_body(bytes.substr(0, piece));
      bytes.remove_prefix(piece);
      left_ -= piece;
      if (left_ == 0) state_ = state_ == State::Body ? State::Done : State::ChunkEnd;
      continue;
    }
    const std::size_t end = bytes.find('\n');
    const std::size_t piece = end == std::string_view::npos ? bytes.size() : end + 1;
    head_bytes_ += state_ == State::Head || state_ == State::Trailer ? piece : 0;
    if (head_bytes_ > kHeadBytesMax || line_.size() + piece > kHeadBytesMax) {
      return std::unexpected("the head of the reply is longer than 64 KiB");
    }
    line_.append(bytes.substr(0, piece));
    bytes.remove_prefix(piece);
    if (end == std::string_view::npos) break;
    line_.pop_back();
    if (line_.ends_with('\r')) line_.pop_back();
    const std::string line = std::exchange(line_, {});
    if (auto taken = take_line(line); !taken) return std::unexpected(taken.error());
  }
  return all - bytes.size();
}

}  // namespace penstock::tools
