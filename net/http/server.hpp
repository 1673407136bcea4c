// Server: listens on shard 0, deals connections to all shards in turn, carries a moving connection, drains.
//
// Use: make one before the shards run; on each shard start_shard(shard, handler); then, on shard 0, listen().
// To end, on shard 0: begin_drain(), drained(deadline). A server that never listened is drained the same way.
//
// Journey:  core/io/Listener -> [Server] -> HttpShard -> Connection.
// Shard:    start_shard: each; deal, connection_closed: any; all else: shard 0.
// Promise:  a connection is dealt once and, with every byte it sent, carried on as often as it moves;
//           drained() returns when every connection is closed and no coroutine of the server is left.
// Failure:  listen: what the system said. A connection above connections_max is closed at once.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "net/http/http_shard.hpp"

namespace penstock::net {

class Server {
 public:
  Server(core::ShardSet& shards, HttpOptions options);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void start_shard(core::Shard& shard, Handler& handler) { part(shard.id()).start(handler); }
  // "host:port". Returns the listener's handle: whoever knows the operating system may ask it for the port.
  core::Task<core::Result<int>> listen(std::string address);

  core::Task<void> begin_drain();
  // True: everything ended by itself before the deadline; false: what was left then was cancelled.
  core::Task<bool> drained(core::Instant deadline);

  std::uint32_t connections() const { return open_.load(std::memory_order_relaxed); }
  HttpShard& part(core::ShardId id) { return *parts_[id.value]; }

  // For HttpShard.
  core::Task<void> deal(core::ShardId target, Arrival arrival);
  void connection_closed() { open_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  core::Task<void> accept_loop(core::Listener* listener);
  core::Task<void> turn_away(int handle);

  core::ShardSet& shards_;
  const HttpOptions options_;
  std::vector<std::unique_ptr<HttpShard>> parts_;
  std::vector<std::unique_ptr<core::Listener>> listeners_;
  core::TaskScope scope_;               // of shard 0
  std::atomic<std::uint32_t> open_{0};  // from accept to close, wherever the connection is
  std::uint32_t next_shard_ = 0;
  bool is_draining_ = false;
};

}  // namespace penstock::net
