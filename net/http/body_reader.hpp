// BodyReader: a request's body, one piece at a time, where it lies in the receive buffer.
//
// Journey:  Wire -> [BodyReader] -> net/load's session (or read_all for the small bodies of other routes).
// Shard:    the connection's.
// Promise:  no body is held whole; a piece stays readable, with Buffer::kSlack bytes behind it, until the
//           next call; the Buffer is given back before more bytes are waited for, and at the body's end.
// Failure:  Closed: the peer left in the middle. TimedOut: silent for too long or the deadline is past; a
//           reply is still possible. InvalidArgument: framing that cannot be parsed (is_broken); when the
//           handler gives no reply of its own the connection answers 400. TooLarge: a limit of discard_rest
//           or read_all. Cancelled: the server stops.
#pragma once

#include <string>

#include "net/http/chunked_decoder.hpp"
#include "net/http/message.hpp"
#include "net/http/wire.hpp"

namespace penstock::net {

struct BodyPiece {
  core::Bytes bytes;  // empty at the end, and only there
  bool is_end() const { return bytes.empty(); }
};

struct DiscardLimits {
  core::Instant deadline = core::Instant::never();
  std::uint64_t bytes_max = UINT64_MAX;
};

// Where a body stands behind what has come of it.
enum class BodyStand : std::uint8_t {
  Open,  // more is to come: nothing came for a while, or far more than had been sent at the time of the question
  Whole,      // its end has come
  Cut,        // it never will: the connection has ended, or the framing is broken
  NotLooked,  // nobody knows: no turn, no memory left for what has come, or the body was left
};

class BodyReader {
 public:
  BodyReader(HttpContext& context, Wire& wire, const Request& request);

  core::Task<core::Result<BodyPiece>> next();
  // Reads and drops until the body's end or a limit.
  core::Task<core::Result<>> discard_rest(DiscardLimits limits);
  // The whole of a small body. Send the 100 first: Exchange::read_body does.
  core::Task<core::Result<std::string>> read_all(std::size_t bytes_max);

  // Receives on beside whoever is busy with a piece, into memory of its own, past every budget but those of
  // HttpOptions::read_on_*; until it is known whether the body is whole or cut. next() gives what was received so in its
  // turn. Of a body that is cut it gives only the error. However many ask, one at a time looks, and has one turn: who asks
  // before it begins shares what it finds.
  core::Task<BodyStand> read_on();
  // Behind it nobody reads on: whoever leaves the body waits for that.
  core::Task<void> end_reading_on();

  // Gives the receive buffer back before a wait for something else than the body; pieces are gone after it.
  void put_down();

  // The body's last byte (and its framing's) was consumed, or there was none to come.
  bool is_finished() const { return is_finished_; }
  bool is_broken() const { return is_broken_; }
  bool has_begun() const { return has_begun_; }  // next() was called for a body that is there
  std::uint64_t bytes_read() const { return bytes_read_; }

  void set_idle_limit(core::Duration limit) { idle_limit_ = limit; }
  void set_deadline(core::Instant deadline) { deadline_ = deadline; }
  // Set when what the client sent behind the body could not be kept: no further request may be read.
  bool lost_what_follows() const { return lost_what_follows_; }

 private:
  class Skim;
  struct Look;
  core::Task<BodyStand> find_out();
  core::Task<BodyStand> look(core::Instant give_up);
  core::Task<BodyStand> look_for_end();
  core::Task<BodyStand> look_for_end(Look& look, Skim& skim);
  static core::Task<void> end_in_time(BodyReader* self, Look* look, core::Instant deadline);
  core::Bytes take_from_rest();
  void finish();

  HttpContext& context_;
  Wire& wire_;
  const BodyLength kind_;
  ChunkedDecoder chunks_;
  std::uint64_t left_ = 0;  // of Content-Length
  std::uint64_t bytes_read_ = 0;
  core::Duration idle_limit_;
  core::Instant deadline_ = core::Instant::never();
  bool is_finished_ = false;
  bool is_broken_ = false;
  bool has_begun_ = false;
  bool lost_what_follows_ = false;
  std::size_t reading_on_ = 0;  // calls of read_on that have not returned
  bool is_being_left_ = false;  // they are to return
  Look* look_ = nullptr;        // it has taken the connection over
  bool is_looking_ = false;     // the same, or it waits for a turn
  std::uint64_t look_number_ = 0;
  std::uint64_t looks_ended_ = 0;
  BodyStand last_look_ = BodyStand::NotLooked;
  core::WaitList reading_on_ended_;
};

}  // namespace penstock::net
