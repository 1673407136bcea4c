// SinkConnection: one connection of the sink: heads are read, bodies are counted and dropped, answers are Success.
//
// Journey:  run_sink -> [SinkConnection] -> a socket that does not block.
// Shard:    none; the sink's thread.
// Promise:  a body is over where its framing says so; nothing is kept of it.
// Failure:  receive() says false: the connection is to be closed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::tools {

class SinkConnection {
 public:
  // `scratch` is where copied bytes go, and is as large as a piece may be.
  SinkConnection(int socket, std::string& scratch, bool copy)
      : socket_(socket), scratch_(scratch), copy_(copy) {}
  ~SinkConnection();
  SinkConnection(const SinkConnection&) = delete;
  SinkConnection& operator=(const SinkConnection&) = delete;

  bool receive();
  std::uint64_t body_bytes() const { return body_bytes_; }  // since it was opened
  std::uint64_t loads() const { return loads_; }

 private:
  enum class State : std::uint8_t { Head, Body, ChunkSize, Chunk, ChunkEnd, Trailer };
  enum class Step : std::uint8_t { Again, NeedMore, Broken };

  Step step();
  Step take_head();
  Step take_chunk_line();
  bool drop_from_socket(bool& is_empty);
  bool answer();
  bool send_text(std::string_view text);

  const int socket_;
  std::string& scratch_;
  const bool copy_;
  State state_ = State::Head;
  std::string pending_;   // read and not used yet
  std::size_t used_ = 0;  // of pending_
  std::string method_path_;
  std::uint64_t left_ = 0;
  std::uint64_t body_bytes_ = 0;
  std::uint64_t loads_ = 0;
  std::uint64_t body_began_at_ = 0;
};

}  // namespace penstock::tools
