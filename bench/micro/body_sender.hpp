// A chunked body that does not end, over loopback, for benchmarks of receiving.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace penstock::bench {

// Who sends a chunked body to a benchmark, a turn after the other.
class BodySource {
 public:
  BodySource() = default;
  BodySource(const BodySource&) = delete;
  BodySource& operator=(const BodySource&) = delete;
  virtual ~BodySource() = default;

  int receiving_end() const { return receiving_end_; }  // whoever reads it closes it
  virtual void begin_turn() = 0;
  // What is to have been received at the end of the turn: with the framing, and without it.
  std::uint64_t bytes_goal() const { return bytes_goal_; }
  std::uint64_t payload_goal() const { return payload_goal_; }

 protected:
  int sending_end_ = -1;
  int receiving_end_ = -1;
  std::uint64_t bytes_goal_ = 0;
  std::uint64_t payload_goal_ = 0;
};

// As much as the connection holds (up to 1 MiB) is sent before a turn, on the receiver's own thread: nobody else has to
// run meanwhile, so that what is measured does not depend on who gets which core.
class QueuedBody final : public BodySource {
 public:
  explicit QueuedBody(std::size_t chunk_bytes);
  ~QueuedBody() override;
  void begin_turn() override;

 private:
  const std::size_t chunk_bytes_;
  std::string frame_;  // a chunk with its framing
  std::size_t head_bytes_ = 0;
};

// Sends while it is received: one thread for all bodies, so that it is as near or far for each, by sendfile out of memory
// that the kernel holds, for less than what receiving costs.
class BodySender {
 public:
  // Each body is `text` over and over, in chunks of `chunk_bytes` (the last of each round is shorter).
  BodySender(std::string_view text, std::size_t chunk_bytes, std::size_t bodies);
  BodySender(const BodySender&) = delete;
  BodySender& operator=(const BodySender&) = delete;
  ~BodySender();  // somebody must have closed all receiving ends
  BodySource& body(std::size_t index);

 private:
  class Body;
  void send();

  int memory_ = -1;
  std::size_t framed_bytes_ = 0;  // of one round
  std::vector<std::unique_ptr<Body>> bodies_;
  std::thread thread_;
};

}  // namespace penstock::bench
