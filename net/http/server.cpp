#include "net/http/server.hpp"

#include "core/base/log.hpp"

namespace penstock::net {
namespace {

constexpr core::Duration kAcceptPause = std::chrono::milliseconds(50);
constexpr core::Duration kDrainLook = std::chrono::milliseconds(10);

core::Task<void> adopt_here(HttpShard* part, Arrival arrival) {
  part->adopt(std::move(arrival));
  co_return;
}

core::Task<void> drain_here(HttpShard* part) {
  part->begin_drain();
  co_return;
}

core::Task<void> cancel_here(HttpShard* part) {
  part->cancel_all();
  co_return;
}

}  // namespace

Server::Server(core::ShardSet& shards, HttpOptions options) : shards_(shards), options_(options) {
  for (std::uint32_t i = 0; i < shards.count(); ++i) {
    parts_.push_back(std::make_unique<HttpShard>(*this, shards.at(i), options_));
  }
}

core::Task<core::Result<int>> Server::listen(std::string address) {
  CO_TRY(core::Listener listener,
         co_await core::Listener::open(core::current_shard().kernel(), std::move(address)));
  listeners_.push_back(std::make_unique<core::Listener>(listener));
  const int handle = listeners_.back()->handle();
  scope_.spawn(accept_loop(listeners_.back().get()));
  co_return handle;
}

core::Task<void> Server::accept_loop(core::Listener* listener) {
  bool was_refused = false;
  while (!is_draining_) {
    const core::Result<int> handle = co_await listener->accept();
    if (!handle) {
      if (is_draining_ || handle.error().code == core::Errc::Cancelled) break;
      // Usually no more file descriptors: those who wait are served when some connection has closed.
      if (!was_refused) core::log_warn("accept_failed", "why", handle.error().to_string());
      was_refused = true;
      (void)co_await core::current_shard().sleep_for(kAcceptPause);
      continue;
    }
    was_refused = false;
    if (is_draining_ || connections() >= options_.connections_max) {
      scope_.spawn(turn_away(*handle));
      continue;
    }
    open_.fetch_add(1, std::memory_order_relaxed);
    const core::ShardId target(next_shard_);
    next_shard_ = (next_shard_ + 1) % shards_.count();
    scope_.spawn(deal(target, Arrival{.handle = *handle}));
  }
  co_await listener->close();
}

core::Task<void> Server::turn_away(int handle) {
  core::Shard& shard = core::current_shard();
  core::Stream stream(shard.kernel(), shard.recv_turns(), handle);
  co_await stream.close();
}

core::Task<void> Server::deal(core::ShardId target, Arrival arrival) {
  if (target == core::current_shard().id()) {
    part(target).adopt(std::move(arrival));
    co_return;
  }
  // The value lies in this frame until the other shard takes it: a message that is lost with its process
  // leaks nothing.
  co_await core::call_on(target,
                         [to = &part(target), &arrival] { return adopt_here(to, std::move(arrival)); });
}

core::Task<void> Server::begin_drain() {
  if (std::exchange(is_draining_, true)) co_return;
  for (auto& listener : listeners_) listener->cancel();
  for (auto& each : parts_) {
    HttpShard* const to = each.get();
    const core::ShardId id(static_cast<std::uint32_t>(&each - parts_.data()));
    co_await core::call_on(id, [to] { return drain_here(to); });
  }
}

core::Task<bool> Server::drained(core::Instant deadline) {
  co_await begin_drain();
  core::Shard& here = core::current_shard();
  bool in_time = true;
  while (connections() > 0) {
    if (here.now().monotonic >= deadline) {
      in_time = false;
      for (std::uint32_t i = 0; i < shards_.count(); ++i) {
        HttpShard* const to = parts_[i].get();
        co_await core::call_on(core::ShardId(i), [to] { return cancel_here(to); });
      }
    }
    (void)co_await here.sleep_for(kDrainLook);
  }
  for (std::uint32_t i = 0; i < shards_.count(); ++i) {
    HttpShard* const to = parts_[i].get();
    co_await core::call_on(core::ShardId(i), [to] { return to->stop(); });
  }
  co_await scope_.join();
  co_return in_time;
}

}  // namespace penstock::net
