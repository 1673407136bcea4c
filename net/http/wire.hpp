// Wire: a connection's bytes in and out, with their time limits. Knows no HTTP.
//
// What was received and not consumed yet lies either in the receive Buffer or, when the connection has to
// wait for something else than bytes, in a copy of its own: a Buffer is never held across such a wait.
//
// Journey:  core/io/stream -> [Wire] -> HeadParser and BodyReader; Exchange -> [Wire] -> core/io/stream.
// Shard:    one shard; its handle and its rest can move to another one (depart).
// Promise:  receive() gives the old Buffer back before it waits for the next; kSlack bytes behind rest() may
//           be read.
// Failure:  TimedOut leaves the other direction usable; Cancelled after cancel(); Closed when the peer is
//           gone.
#pragma once

#include <cstring>
#include <memory>

#include "core/io/stream.hpp"
#include "core/shard/shard.hpp"
#include "net/http/deadline_list.hpp"
#include "net/http/options.hpp"

namespace penstock::net {

// What all connections of a shard share.
struct HttpContext {
  core::Shard& shard;
  const HttpOptions& options;
  DeadlineList deadlines = {};
  std::size_t pipelined_bytes = 0;  // of HttpOptions::pipelined_bytes_max
  bool is_draining = false;

  core::Instant now() const { return shard.now().monotonic; }
};

// Received bytes in memory of their own.
class Carry {
 public:
  core::Bytes rest() const { return {data_.get() + begin_, end_ - begin_}; }
  void consume(std::size_t size) { begin_ += size; }
  bool holds_memory() const { return data_ != nullptr; }
  void assign(core::Bytes bytes);
  void clear();

 private:
  std::unique_ptr<std::byte[]> data_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

class Wire final : public DeadlineEntry {
 public:
  Wire(HttpContext& context, int handle, Carry rest = {});
  ~Wire();

  core::Bytes rest() const { return carry_.holds_memory() ? carry_.rest() : buffered_; }
  void consume(std::size_t size);
  void drop_rest() { consume(rest().size()); }

  // Waits for bytes; only when the rest is empty. False: the peer has ended its side, in good order.
  core::Task<core::Result<bool>> receive(core::BufferRing ring, core::Instant deadline);
  // Gives the Buffer back, the rest goes into a copy. False: it is longer than the shard can keep for this
  // connection, and was dropped: the connection must not read another request.
  bool put_down();
  core::Task<core::Result<>> send(core::Bytes bytes);
  core::Task<void> half_close() { return stream_.shutdown(); }
  core::Task<void> close();

  void cancel() { stream_.cancel(); }  // for good
  bool is_cancelled() const { return stream_.is_cancelled(); }
  bool peer_is_gone() const { return peer_is_gone_; }
  bool is_idle() const { return is_idle_; }  // waits for a first request, or the next one
  void set_idle(bool idle) { is_idle_ = idle; }

  struct Departure {
    int handle = -1;
    Carry rest;
  };
  Departure depart();
  void expire() override;

 private:
  void give_up_budget();

  HttpContext& context_;
  core::Stream stream_;
  core::Buffer buffer_;
  core::Bytes buffered_;  // what is left of buffer_
  Carry carry_;
  std::size_t budget_taken_ = 0;
  bool is_receiving_ = false;
  bool has_expired_ = false;
  bool peer_is_gone_ = false;
  bool is_idle_ = false;
};

}  // namespace penstock::net
