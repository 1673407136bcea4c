#include "net/http/http_shard.hpp"

#include "net/http/server.hpp"

namespace penstock::net {

void HttpShard::start(Handler& handler) {
  CHECK(handler_ == nullptr);
  handler_ = &handler;
  context_.shard.spawn(tick());  // the shard's own scope: it keeps turning until stop()
}

core::Task<void> HttpShard::tick() {
  while (!is_stopping_) {
    core::AwaitOp timer(
        context_.shard.kernel(),
        core::Op{.kind = core::OpKind::Timer, .deadline = context_.now() + context_.options.tick});
    timer_ = &timer;
    (void)co_await timer;
    timer_ = nullptr;
    context_.deadlines.tick(context_.now());
  }
  has_stopped_.set();
}

void HttpShard::adopt(Arrival arrival) {
  CHECK(handler_ != nullptr);
  scope_.spawn(serve(std::move(arrival)));
}

core::Task<void> HttpShard::serve(Arrival arrival) {
  ++connections_;
  std::optional<Connection::Move> move;
  {
    Connection connection(context_, *handler_, std::move(arrival));
    move = co_await connection.run();
  }
  --connections_;
  if (move) {
    co_await server_.deal(move->target, std::move(move->arrival));
  } else {
    server_.connection_closed();
  }
}

void HttpShard::begin_drain() {
  context_.is_draining = true;
  context_.deadlines.for_each([](DeadlineEntry& entry) {
    Wire& wire = static_cast<Wire&>(entry);
    if (wire.is_idle()) wire.cancel();
  });
}

void HttpShard::cancel_all() {
  context_.deadlines.for_each([](DeadlineEntry& entry) { static_cast<Wire&>(entry).cancel(); });
}

core::Task<void> HttpShard::stop() {
  is_stopping_ = true;
  if (timer_ != nullptr) context_.shard.kernel().cancel(*timer_);
  co_await scope_.join();
  if (handler_ != nullptr) co_await has_stopped_.wait();
}

}  // namespace penstock::net
