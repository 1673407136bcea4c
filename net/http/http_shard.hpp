// HttpShard: the connections of one shard.
//
// Journey:  Server deals an Arrival to it -> [HttpShard] -> Connection, until it closes or moves.
// Shard:    made before the shards run; everything else on its own shard only.
// Promise:  every connection is in connections(); after stop() no coroutine of it is left.
// Failure:  none.
#pragma once

#include <atomic>

#include "core/task/sync.hpp"
#include "net/http/connection.hpp"

namespace penstock::net {

class Server;

class HttpShard {
 public:
  HttpShard(Server& server, core::Shard& shard, const HttpOptions& options)
      : server_(server), context_{.shard = shard, .options = options} {}

  // Begins to look at time limits. `handler` must outlive the shard's connections.
  void start(Handler& handler);
  bool is_started() const { return handler_ != nullptr; }
  void adopt(Arrival arrival);
  std::size_t connections() const { return connections_; }

  // Closes what is idle; running exchanges see is_draining(), and their connections close after the reply.
  void begin_drain();
  void cancel_all();
  core::Task<void> stop();

 private:
  core::Task<void> serve(Arrival arrival);
  core::Task<void> tick();

  Server& server_;
  HttpContext context_;
  Handler* handler_ = nullptr;
  core::TaskScope scope_;
  std::size_t connections_ = 0;
  core::AwaitOp* timer_ = nullptr;
  bool is_stopping_ = false;
  core::Event has_stopped_;  // the ticker has
};

}  // namespace penstock::net
