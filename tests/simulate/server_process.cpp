#include "tests/simulate/server_process.hpp"

namespace penstock::simulate {

ServerProcess::ServerProcess(sim::SimWorld& world, std::uint32_t shards, txn::StoreLimits limits)
    : world_(world), shards_(shards), limits_(limits) {}

ServerProcess::~ServerProcess() { CHECK(!world_.has_process()); }

void ServerProcess::start() {
  core::ShardSet& set = world_.start_process(shards_);
  txn::Store::Options options{.data_dir = "/data", .limits = limits_, .arenas = {}, .end_process = {}};
  for (std::uint32_t i = 0; i < shards_; ++i) {
    arenas_.push_back(std::make_unique<core::PageArena>(limits_.write_buffers, limits_.write_buffer_bytes));
    options.arenas.push_back(arenas_.back().get());
  }
  options.end_process = [this](const std::string& why) {
    if (poisoned_by_.empty()) poisoned_by_ = why;
    world_.scene().crash();  // nobody runs on: what is not answered now never will be
  };
  store_ = std::make_unique<txn::Store>(set, std::move(options));
  error_logs_ = std::make_unique<net::ErrorLogs>(set, net::ErrorLogs::Limits{}, std::string(kAddress));
  server_ = std::make_unique<net::Server>(set, net::HttpOptions{});
  doors_.resize(shards_);
  world_.start(0, run(this));
}

core::Task<void> ServerProcess::open_doors(ServerProcess* server, std::uint32_t index) {
  server->doors_[index] = std::make_unique<net::Doors>(
      *server->store_, *server->error_logs_,
      net::Doors::Options{.address = std::string(kAddress), .version = "simulated", .users = {}, .key = {}});
  server->server_->start_shard(core::current_shard(), server->doors_[index]->main());
  co_return;
}

core::Task<void> ServerProcess::run(ServerProcess* server) {
  if (auto opened = co_await server->store_->open(); !opened) {
    server->why_not_ = opened.error();
    co_return;
  }
  for (std::uint32_t i = 0; i < server->shards_; ++i) {
    co_await core::call_on(core::ShardId(i), [server, i] { return open_doors(server, i); });
  }
  const auto listening = co_await server->server_->listen(std::string(kAddress));
  if (!listening) {
    server->why_not_ = listening.error().to_string();
    co_return;
  }
  server->listening_ = server->has_listened_ = true;
}

core::Task<void> ServerProcess::drain(ServerProcess* server) {
  const core::Instant deadline = core::current_shard().now().monotonic + std::chrono::seconds(30);
  co_await server->server_->begin_drain();
  (void)co_await server->server_->drained(deadline);
  co_await server->store_->close();
  for (std::uint32_t i = 0; i < server->shards_; ++i) {
    co_await core::call_on(core::ShardId(i), [server, i] { return look_for_left_overs(server, i); });
  }
  const txn::Coordinator& coordinator = server->store_->coordinator();
  if (coordinator.open_loads().size() != 0) server->left_over_ += " open loads;";
  if (coordinator.pins() != 0) server->left_over_ += " pins of scans;";
  server->stopped_ = true;
}

core::Task<void> ServerProcess::look_for_left_overs(ServerProcess* server, std::uint32_t index) {
  txn::StoreShard& shard = server->store_->here();
  const auto note = [&](const char* what, std::size_t count) {
    if (count != 0) server->left_over_ += fmt::format(" {} {} of shard {};", count, what, index);
  };
  note("loads", shard.open_loads());
  note("bytes of load memory", shard.load_memory());
  note("bytes of inflate memory", shard.inflate_memory());
  for (const txn::Lane lane : txn::kAllLanes)
    note("pinned journal files", shard.journal(lane).pinned_files());
  note("write buffers", server->limits_.write_buffers - server->arenas_[index]->free_count());
  co_return;
}

std::optional<ServerProcess::Versions> ServerProcess::versions() const {
  if (!has_listened_) return std::nullopt;
  const txn::Manifest& manifest = store_->coordinator().manifest();
  Versions now{
      .checkpoint = manifest.checkpoint().value, .catalog = manifest.catalog()->version(), .tables = {}};
  for (const auto& [id, table] : manifest.catalog()->tables()) now.tables[id] = manifest.version_of(id);
  return now;
}

void ServerProcess::stop() {
  listening_ = false;
  world_.start(0, drain(this));
}

}  // namespace penstock::simulate
