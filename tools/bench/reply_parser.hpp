// ReplyParser: HTTP replies off a connection that is kept, one after the other, as they come in pieces.
//
// Journey:  HttpClient, LoadStream -> [ReplyParser].
// Shard:    none; a value.
// Promise:  heads are bounded by 64 KiB; interim replies (100) are left out; bodies by length, chunked, or none.
// Failure:  a text that says what is no HTTP; the connection is of no use then.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

namespace penstock::tools {

class ReplyParser {
 public:
  using OnBody = std::function<void(std::string_view)>;

  // Takes bytes up to the end of one reply; returns how many it took.
  std::expected<std::size_t, std::string> feed(std::string_view bytes, const OnBody& on_body);
  // The connection has ended. Whether a whole reply was there.
  bool is_done() const { return state_ == State::Done; }
  bool has_begun() const { return state_ != State::Head || !line_.empty(); }
  int status() const { return status_; }
  const std::string& location() const { return location_; }
  void next();  // the reply after this one

 private:
  enum class State : std::uint8_t { Head, Body, ChunkSize, Chunk, ChunkEnd, Trailer, Done };

  std::expected<void, std::string> take_line(std::string_view line);
  std::expected<void, std::string> take_header(std::string_view line);
  void end_head();

  State state_ = State::Head;
  std::string line_;
  std::size_t head_bytes_ = 0;
  int status_ = 0;
  bool is_chunked_ = false;
  std::uint64_t left_ = 0;
  std::string location_;
};

}  // namespace penstock::tools
