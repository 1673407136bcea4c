// A chunked body that does not end, over loopback, for benchmarks of receiving.
#pragma once

#include <sched.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

namespace penstock::bench {

// The calling thread runs on one core as long as this lives: the first of those that it may run on, or the second. Where
// there is but one, nothing changes.
class OnCore {
 public:
  explicit OnCore(int which);
  OnCore(const OnCore&) = delete;
  OnCore& operator=(const OnCore&) = delete;
  ~OnCore();
  const cpu_set_t& others() const { return before_; }  // what the thread could run on

 private:
  cpu_set_t before_;
};

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

// The receiving end is read while it is sent to: by a thread that sends by sendfile out of memory that the kernel holds,
// for less than what receiving costs, on the second core; whoever receives stays on the first.
class BodySender final : public BodySource {
 public:
  // Sends `text` over and over, in chunks of `chunk_bytes` (the last of each round is shorter).
  BodySender(std::string_view text, std::size_t chunk_bytes, const OnCore& receiver);
  ~BodySender() override;  // somebody must have closed the receiving end
  void begin_turn() override;

 private:
  int memory_ = -1;
  std::size_t framed_bytes_ = 0;  // of one round
  cpu_set_t cores_;
  std::thread thread_;
};

}  // namespace penstock::bench
