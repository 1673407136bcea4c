// ServerProcess: the production server (doors, store, kernel seam) as the one process of a simulated machine.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/doors/doors.hpp"
#include "net/http/server.hpp"
#include "tests/sim/sim_world.hpp"
#include "txn/store/store.hpp"

namespace penstock::simulate {

class ServerProcess {
 public:
  static constexpr std::string_view kAddress = "127.0.0.1:8040";

  ServerProcess(sim::SimWorld& world, std::uint32_t shards, txn::StoreLimits limits);
  ~ServerProcess();  // the world's process must have ended

  // Begins to start; is_listening() or why_not() says how it went.
  void start();
  bool is_listening() const { return listening_; }
  const std::string& why_not() const { return why_not_; }
  const std::string& poisoned_by() const { return poisoned_by_; }
  // What was durable when it was last looked at; nothing before the server has listened.
  struct Versions {
    std::uint64_t checkpoint = 0;
    std::uint64_t catalog = 0;
    std::map<txn::TableId, std::uint64_t> tables;
  };
  std::optional<Versions> versions() const;
  // After an orderly end: what was not given back. Empty: nothing.
  const std::string& left_over() const { return left_over_; }
  // Begins to drain, as SIGTERM does; has_stopped() when the last coroutine has ended.
  void stop();
  bool has_stopped() const { return stopped_ && !world_.has_tasks(); }
  txn::Store& store() { return *store_; }

 private:
  static core::Task<void> run(ServerProcess* server);
  static core::Task<void> open_doors(ServerProcess* server, std::uint32_t index);
  static core::Task<void> drain(ServerProcess* server);
  static core::Task<void> look_for_left_overs(ServerProcess* server, std::uint32_t index);

  sim::SimWorld& world_;
  const std::uint32_t shards_;
  const txn::StoreLimits limits_;
  std::vector<std::unique_ptr<core::PageArena>> arenas_;
  std::unique_ptr<txn::Store> store_;
  std::unique_ptr<net::ErrorLogs> error_logs_;
  std::unique_ptr<net::Server> server_;
  std::vector<std::unique_ptr<net::Doors>> doors_;
  bool listening_ = false;
  bool stopped_ = false;
  bool has_listened_ = false;
  std::string left_over_;
  std::string why_not_;
  std::string poisoned_by_;
};

}  // namespace penstock::simulate
