// Connection: one client's connection, request after request: one coroutine.
//
// Journey:  Server (accept, or the hand-over from another shard) -> [Connection] -> Handler; it ends with the
//           connection's close, or with a Move that the Server carries to another shard.
// Shard:    one shard; a Move takes everything to a new Connection there.
// Promise:  requests are answered in the order they came, one at a time; at rest it holds no receive buffer
//           and no request. After a reply before the body's end it half-closes, discards what still comes,
//           then closes, so that the client can read the reply.
// Failure:  a head that cannot be parsed is answered (400, 414, 431, 505) and ends the connection; so does
//           any time-out.
#pragma once

#include <memory>
#include <optional>

#include "net/http/exchange.hpp"
#include "net/http/head_parser.hpp"
#include "net/http/wire.hpp"

namespace penstock::net {

// A connection on its way to a shard: fresh from accept, or in the middle of a request.
struct Arrival {
  int handle = -1;
  Carry rest = {};
  std::optional<Request> request = {};  // parsed elsewhere: the exchange begins at its handler
  std::unique_ptr<HandoverState> state = {};
};

class Connection {
 public:
  struct Move {
    core::ShardId target;
    Arrival arrival;
  };

  Connection(HttpContext& context, Handler& handler, Arrival arrival);

  // Until the connection is closed, or moves.
  core::Task<std::optional<Move>> run();

 private:
  enum class Next : std::uint8_t { Request, Close, Move };
  // The next request; nothing: the connection is to be closed.
  core::Task<std::optional<Request>> read_head();
  core::Task<Next> serve(Request request, bool moved);
  core::Task<void> refuse(int status, std::string text);
  core::Task<void> farewell(BodyReader* body);

  HttpContext& context_;
  Handler& handler_;
  Wire wire_;
  std::optional<Request> moved_request_;
  std::unique_ptr<HandoverState> handover_;
  std::optional<Move> move_;
};

}  // namespace penstock::net
