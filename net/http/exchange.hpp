// Exchange: one request and its reply, as a Handler sees them.
//
// A handler reads the body (or not), replies once, and returns. A reply given before the body's end carries
// `Connection: close`; the connection then discards what the client still sends. Returning without a reply
// closes the connection (that is what a poisoned store wants), except after a body whose framing is broken:
// that is answered 400.
//
// Journey:  Connection -> Router -> [Exchange] -> net/load, net/query; and back out through Wire.
// Shard:    the connection's; after move_to the same handler class goes on at the other shard with a new
//           Exchange.
// Promise:  at most one final reply; a streamed reply is held in bounded memory: write() waits for the
//           client.
// Failure:  Closed, TimedOut or Cancelled from any send: the client is gone, return soon.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http/body_reader.hpp"
#include "net/http/message.hpp"

namespace penstock::net {

// What a handler wants to find again after the connection has moved. Made on one shard, used and destroyed on
// the other.
class HandoverState {
 public:
  virtual ~HandoverState() = default;
};

class Exchange {
 public:
  Exchange(HttpContext& context, Wire& wire, Request request, std::unique_ptr<HandoverState> handover,
           bool moved);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  const Request& request() const { return request_; }
  // A path parameter of the route, decoded: parameter("db"). Empty if the route has none of that name.
  std::string_view parameter(std::string_view name) const;
  core::Shard& shard() { return context_.shard; }

  BodyReader& body() { return body_; }
  // `100 Continue`, if the client expects one (never to HTTP/1.0 or a body of no bytes) and it was not sent
  // yet.
  core::Task<core::Result<>> send_continue();
  // send_continue, then the whole of a small body.
  core::Task<core::Result<std::string>> read_body(std::size_t bytes_max);

  core::Task<core::Result<>> reply(Response response);

  // A reply of unknown length: begin, any number of write, end. An Exchange that begins and does not end is
  // cut off, so that the client sees the reply is not complete.
  core::Task<core::Result<>> begin_reply(Response head);
  core::Task<core::Result<>> write(core::Bytes bytes);
  core::Task<core::Result<>> write(std::string_view text) { return write(core::as_bytes(text)); }
  core::Task<core::Result<>> flush();  // what was written goes out now
  core::Task<core::Result<>> end_reply();

  // The reply that is still to come carries `Connection: close`: what follows may not be read as a request.
  void close_after_reply() { closes_after_reply_ = true; }
  // Closes the connection without another byte, whatever was begun.
  void abandon() { is_abandoned_ = true; }

  bool is_draining() const { return context_.is_draining; }
  // The server is ending and waits no longer: whoever works on a long reply stops.
  bool is_cancelled() const { return wire_.is_cancelled(); }
  bool peer_is_gone() const { return wire_.peer_is_gone(); }  // as far as the last read or write showed
  bool has_replied() const { return reply_state_ != ReplyState::None; }
  // Bytes behind the head have come already and nobody has read them: of the body, where there is one.
  bool has_unread_bytes() const { return !wire_.rest().empty(); }

  // Asks that the connection goes on at another shard, with this request and every byte behind its head. Only
  // before the body was touched and before any reply; return from handle() right after it.
  void move_to(core::ShardId target, std::unique_ptr<HandoverState> state);
  // On the target shard: this exchange has come here by move_to; do not move it again. What was given to
  // move_to, once.
  bool was_moved() const { return was_moved_; }
  std::unique_ptr<HandoverState> take_handover() { return std::move(handover_); }

 private:
  friend class Connection;
  friend class Router;
  enum class ReplyState : std::uint8_t { None, Streaming, Done };

  std::string make_head(const Response& response, std::optional<std::size_t> length);
  void decide_keep_alive();
  bool sends_body(const Response& response) const;
  core::Task<core::Result<>> send_chunk();

  HttpContext& context_;
  Wire& wire_;
  Request request_;
  BodyReader body_;
  std::vector<std::pair<std::string, std::string>> parameters_;
  std::unique_ptr<HandoverState> handover_;
  std::optional<core::ShardId> move_target_;
  std::string stream_;  // of a streamed reply: room for a chunk's size line, then its payload
  ReplyState reply_state_ = ReplyState::None;
  bool keep_alive_ = false;
  bool continue_sent_ = false;
  bool is_chunked_ = false;
  bool drops_body_ = false;  // HEAD
  bool is_abandoned_ = false;
  bool closes_after_reply_ = false;
  const bool was_moved_;
};

class Handler {
 public:
  virtual ~Handler() = default;
  virtual core::Task<void> handle(Exchange& exchange) = 0;
};

}  // namespace penstock::net
