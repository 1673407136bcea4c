// Stream and Listener: connections over the seam.
//
// Journey:  net/http accepts with a Listener, reads and answers on a Stream.
// Shard:    a Stream belongs to one shard; release() gives the bare handle away so that another shard may adopt it, only
//           while no operation is in flight.
// Promise:  at most one recv and one send are in flight; cancel() ends them soon, with Errc::Cancelled. A recv that finds
//           its ring empty waits its turn for a buffer that comes back.
// Failure:  Errc::Closed for a reset, Errc::Cancelled after cancel(); an orderly end of the peer's side is 0 bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/kernel/await_op.hpp"
#include "core/task/task.hpp"

namespace penstock::core {

class RecvTurns;  // core/io/recv_turns.hpp: who waits for a receive buffer, in order

class Stream {
 public:
  Stream(Kernel& kernel, RecvTurns& turns, int handle) : kernel_(&kernel), turns_(&turns), handle_(handle) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { CHECK(handle_ < 0 || is_tearing_down()); }

  // An empty Buffer: the peer ended its side.
  Task<Result<Buffer>> recv(BufferRing ring);
  // Into memory of the caller's, with no ring and no turn: what must not wait for others. 0: the peer ended its side.
  Task<Result<std::size_t>> recv_into(std::span<std::byte> memory);
  Task<Result<>> send_all(Bytes bytes);
  Task<void> shutdown();
  Task<void> close();

  // Ends the recv and the send in flight, and every later one, with Errc::Cancelled. From any coroutine of the shard.
  void cancel();
  // Ends only the recv in flight, with Errc::Cancelled; the stream stays usable.
  void cancel_recv();
  bool is_cancelled() const { return cancelled_; }
  int release() { return std::exchange(handle_, -1); }
  bool is_open() const { return handle_ >= 0; }

 private:
  Kernel* kernel_;
  RecvTurns* turns_;
  int handle_;
  bool cancelled_ = false;
  bool recv_cancelled_ = false;  // of the recv in flight
  Op* recv_in_flight_ = nullptr;
  Op* send_in_flight_ = nullptr;
};

class Listener {
 public:
  // `address` is "host:port"; port 0 takes a free one.
  static Task<Result<Listener>> open(Kernel& kernel, std::string address);
  Listener(Kernel& kernel, int handle) : kernel_(&kernel), handle_(handle) {}

  Task<Result<int>> accept();  // the connection's handle
  void cancel();               // ends the accept in flight and every later one
  Task<void> close();
  int handle() const { return handle_; }

 private:
  Kernel* kernel_;
  int handle_;
  bool cancelled_ = false;
  Op* accept_in_flight_ = nullptr;
};

}  // namespace penstock::core
