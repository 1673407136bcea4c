#include "net/http/connection.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace penstock::net {

Connection::Connection(HttpContext& context, Handler& handler, Arrival arrival)
    : context_(context),
      handler_(handler),
      wire_(context, arrival.handle, std::move(arrival.rest)),
      moved_request_(std::move(arrival.request)),
      handover_(std::move(arrival.state)) {}

core::Task<std::optional<Connection::Move>> Connection::run() {
  for (;;) {
    const bool moved = moved_request_.has_value();
    std::optional<Request> request =
        moved ? std::exchange(moved_request_, std::nullopt) : co_await read_head();
    if (!request) break;
    const Next next = co_await serve(std::move(*request), moved);
    if (next == Next::Move) co_return std::move(move_);
    if (next == Next::Close) break;
  }
  co_await wire_.close();
  co_return std::nullopt;
}

core::Task<std::optional<Request>> Connection::read_head() {
  // Lives only while a head is read: a connection with an open load does not carry it.
  HeadParser parser(context_.options.head);
  core::Instant deadline = context_.now() + context_.options.idle_time_max;
  for (;;) {
    if (wire_.rest().empty()) {
      const bool is_idle = !parser.has_begun();
      if (is_idle && context_.is_draining) co_return std::nullopt;
      wire_.set_idle(is_idle);
      const core::Result<bool> more = co_await wire_.receive(core::BufferRing::Head, deadline);
      wire_.set_idle(false);
      if (!more || !*more) co_return std::nullopt;  // left, silent for too long, or we stop
    }
    const bool had_begun = parser.has_begun();
    std::size_t consumed = 0;
    const HeadParser::State state = parser.feed(wire_.rest(), consumed);
    wire_.consume(consumed);
    if (state == HeadParser::State::Done) {
      (void)wire_.put_down();  // a head buffer is small: its rest is always kept
      co_return parser.take();
    }
    if (state == HeadParser::State::Bad) {
      wire_.drop_rest();
      co_await refuse(parser.error().status, parser.error().text);
      co_return std::nullopt;
    }
    if (!had_begun && parser.has_begun()) deadline = context_.now() + context_.options.head_time_max;
  }
}

core::Task<Connection::Next> Connection::serve(Request request, bool moved) {
  Exchange exchange(context_, wire_, std::move(request), std::move(handover_), moved);
  co_await handler_.handle(exchange);
  if (exchange.move_target_) {
    Wire::Departure departure = wire_.depart();
    move_.emplace(
        Move{*exchange.move_target_, Arrival{departure.handle, std::move(departure.rest),
                                             std::move(exchange.request_), std::move(exchange.handover_)}});
    co_return Next::Move;
  }
  if (exchange.is_abandoned_ || wire_.is_cancelled()) co_return Next::Close;
  if (exchange.reply_state_ == Exchange::ReplyState::None) {
    const bool is_bad_framing =
        exchange.body_.is_broken() && exchange.request_.body_length() != BodyLength::Both;
    if (is_bad_framing) co_await refuse(400, "the body's framing cannot be parsed");
    co_return Next::Close;
  }
  if (exchange.reply_state_ != Exchange::ReplyState::Done || wire_.peer_is_gone()) co_return Next::Close;
  if (exchange.keep_alive_) co_return Next::Request;
  co_await farewell(&exchange.body_);
  co_return Next::Close;
}

core::Task<void> Connection::refuse(int status, std::string text) {
  const std::string body = fmt::format(R"({{"msg":"{}","code":{},"data":null,"count":0}})", text, status);
  const std::string reply = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
      status, reason_phrase(status), body.size(), body);
  const core::Result<> sent = co_await wire_.send(core::as_bytes(reply));
  if (sent) co_await farewell(nullptr);
}

// Our side ends here; the client's bytes are read until it closes too, or it would be told of a reset instead
// of reading our reply.
core::Task<void> Connection::farewell(BodyReader* body) {
  co_await wire_.half_close();
  const HttpOptions& options = context_.options;
  core::Instant deadline = context_.now() + options.discard_time_max;
  if (body != nullptr && !body->is_broken()) {
    body->set_idle_limit(options.discard_time_max);
    body->set_deadline(deadline);  // the handler's own may be what has passed: this is another wait
    const core::Result<> ended =
        co_await body->discard_rest({.deadline = deadline, .bytes_max = options.discard_bytes_max});
    if (ended) {
      deadline = std::min(deadline, context_.now() + options.linger_time_max);
    } else if (!body->is_broken()) {
      co_return;
    }
  }
  std::uint64_t discarded = 0;
  for (;;) {
    discarded += wire_.rest().size();
    wire_.drop_rest();
    if (discarded > options.discard_bytes_max || context_.now() >= deadline) co_return;
    const core::Result<bool> more = co_await wire_.receive(core::BufferRing::Body, deadline);
    if (!more || !*more) co_return;
  }
}

}  // namespace penstock::net
