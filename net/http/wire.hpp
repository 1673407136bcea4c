// Wire: a connection's bytes in and out, with their time limits. Knows no HTTP.
//
// What was received and not consumed yet lies either in the receive Buffer or, when the connection has to
// wait for something else than bytes, in a copy of its own: a Buffer is never held across such a wait.
//
// A connection may be read on beside its reader, which is busy with what it has and cannot see that the peer has gone: what
// is received so is held, and is what receive() gives next.
//
// Journey:  core/io/stream -> [Wire] -> HeadParser and BodyReader; Exchange -> [Wire] -> core/io/stream.
// Shard:    one shard; its handle and its rest can move to another one (depart).
// Promise:  receive() gives the old Buffer back before it waits for the next; kSlack bytes behind rest() may
//           be read.
// Failure:  TimedOut leaves the other direction usable; Cancelled after cancel(); Closed when the peer is
//           gone.
#pragma once

#include <cstring>
#include <deque>
#include <memory>
#include <optional>

#include "core/io/stream.hpp"
#include "core/shard/shard.hpp"
#include "core/task/sync.hpp"
#include "net/http/deadline_list.hpp"
#include "net/http/options.hpp"

namespace penstock::net {

// What all connections of a shard share.
struct HttpContext {
  core::Shard& shard;
  const HttpOptions& options;
  DeadlineList deadlines = {};
  std::size_t pipelined_bytes = 0;  // of HttpOptions::pipelined_bytes_max
  std::size_t read_on_bytes = 0;    // of HttpOptions::read_on_shard_bytes_max
  core::Semaphore read_on_turns{options.read_on_turns};
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
  // Room for `size` bytes, to be filled from the front; then how many it were.
  std::span<std::byte> make_room(std::size_t size);
  void set_filled(std::size_t size);

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

  // From here to hand_back() nobody but the caller receives; a receive() that is under way waits for what hold() gives it.
  core::Task<void> take_over();
  bool is_taken_over() const { return is_taken_over_; }
  core::Task<core::Result<Carry>> receive_own(std::size_t bytes_max);  // empty: the peer ended its side
  void stop_receiving() { stream_.cancel_recv(); }
  void hold(Carry bytes);
  void hold_end(core::Result<bool> end);  // what receive() says behind what is held
  void drop_held();
  void hand_back();
  const std::deque<Carry>& held() const { return held_; }
  const std::optional<core::Result<bool>>& held_end() const { return held_end_; }
  bool is_cancelled() const { return stream_.is_cancelled(); }
  bool peer_is_gone() const { return peer_is_gone_; }
  std::uint64_t bytes_received() const { return bytes_received_; }
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
  std::uint64_t bytes_received_ = 0;
  std::deque<Carry> held_;  // received beside the reader, behind rest()
  std::optional<core::Result<bool>> held_end_;
  core::WaitList held_changed_;
  core::WaitList recv_ended_;
  bool is_taken_over_ = false;
  bool is_receiving_ = false;
  bool has_expired_ = false;
  bool peer_is_gone_ = false;
  bool is_idle_ = false;
};

}  // namespace penstock::net
