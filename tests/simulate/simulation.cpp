#include "tests/simulate/simulation.hpp"

#include <algorithm>
#include <memory>

#include "core/base/log.hpp"
#include "core/task/frame_pool.hpp"
#include "tests/simulate/server_process.hpp"

namespace penstock::simulate {
namespace {

using sim::RunStatus;

constexpr std::uint64_t kStepsMax = 3'000'000;

class Simulation {
 public:
  explicit Simulation(const SimulationOptions& options);
  ~Simulation();
  Outcome run();
  std::string describe() const;

 private:
  void live_once(bool is_last);
  void draw_faults();
  void crash_at_kind();
  Script<> make_trouble();
  void rot();
  bool start_server();
  void end_process(bool power_loss);
  void forget_life();
  template <class Predicate>
  RunStatus run_until(Predicate done, core::Duration at_most);
  void run_script(Script<> script, bool* done, std::string_view what);
  txn::StoreLimits draw_limits();
  bool is_broken() const { return !model_.violation().empty(); }
  void note(std::string text) { journey_.add(world_->now().monotonic, std::move(text)); }

  void draw_perhaps();
  void rest();
  void check_versions();
  void check_left_overs(std::uint64_t frames_before);

  const SimulationOptions options_;
  sim::SimRandom plan_;  // lives, ends, faults
  sim::SimRandom clients_dice_;
  sim::SimRandom perhaps_dice_;
  Journey journey_;
  Model model_;
  Tally tally_;
  std::unique_ptr<sim::SimWorld> world_;
  std::unique_ptr<Scripts> scripts_;
  std::unique_ptr<Clients> clients_;
  std::unique_ptr<ServerProcess> server_;
  txn::StoreLimits limits_;
  ServerProcess::Versions versions_;
  std::uint32_t shards_ = 2;
  bool has_tables_ = false;
  bool has_faults_ = false;
  bool is_slow_ = false;
  int life_ = 0;
  Outcome outcome_;
};

Simulation* running = nullptr;

// The least of everything with which a server can go on.
txn::StoreLimits smallest_limits() {
  txn::StoreLimits limits;
  limits.block = {.rows_max = 1, .input_bytes_max = 1, .memory_bytes_max = 1};
  limits.row_bytes_max = 4096;
  limits.load_memory_max = 4 * core::kKiB;  // one row
  limits.write_buffers = 2;
  limits.write_buffer_bytes = 8192;
  limits.loads_per_vote_max = 1;
  limits.journal = {.file_bytes = 16384, .file_bytes_min = 16384};
  limits.log = {.file_bytes = 5 * core::kPage, .reserve_bytes = 0};
  limits.coordinator.txn_range = 1;
  limits.coordinator.log_files_per_snapshot = 1;
  limits.coordinator.requests_per_record_max = 1;
  limits.coordinator.labels.in_memory = 1;
  limits.coordinator.labels.fan_in = 2;
  return limits;
}

// Small enough that every edge is met, and not always the same.
txn::StoreLimits Simulation::draw_limits() {
  if (plan_.percent(8)) return smallest_limits();
  txn::StoreLimits limits;
  limits.block = {.rows_max = static_cast<std::uint32_t>(plan_.between(2, 16)),
                  .input_bytes_max = static_cast<std::uint32_t>(plan_.between(200, 2000)),
                  .memory_bytes_max = core::kMiB};
  limits.row_bytes_max = 4096;
  limits.load_memory_max = plan_.percent(30)   ? plan_.between(4 * core::kKiB, 8 * core::kKiB)
                           : plan_.percent(30) ? 16 * core::kKiB
                                               : core::kMiB;
  limits.write_buffers = plan_.between(2, 4);
  limits.write_buffer_bytes = 8192;
  limits.loads_per_vote_max = plan_.between(1, 6);
  limits.journal = {.file_bytes = plan_.between(6, 12) * 4096, .file_bytes_min = 16384};
  limits.log = {.file_bytes = plan_.between(5, 9) * core::kPage,
                .reserve_bytes = plan_.percent(30) ? 64 * core::kKiB : 0};
  limits.coordinator.txn_range = plan_.between(3, 40);
  limits.coordinator.log_files_per_snapshot = plan_.between(1, 3);
  limits.coordinator.labels.in_memory = plan_.between(3, 60);
  limits.coordinator.labels.fan_in = plan_.between(2, 4);
  if (plan_.percent(20)) {
    limits.coordinator.prepared_lease_seconds = plan_.between(1, 3);
    limits.coordinator.watch_seconds = plan_.between(1, 2);
  }
  if (plan_.percent(70)) {  // else one write is every sync, and nothing is prewritten
    limits.journal.small_sync_bytes = plan_.between(0, 2) * 4096;
    limits.journal.prewrite_bytes = plan_.between(0, 4) * 16384;
    // Files long enough for zeros and what is written to them, so that records are written beside their rows.
    if (limits.journal.prewrite_bytes > 16384) limits.journal.file_bytes *= 16;
  }
  return limits;
}

Simulation::Simulation(const SimulationOptions& options)
    : options_(options),
      plan_(options.seed, 11),
      clients_dice_(options.seed, 12),
      perhaps_dice_(options.seed, 13) {
  sim::SimWorld::Options world;
  world.seed = options.seed;
  world.kernel.head_buffers = static_cast<std::uint32_t>(plan_.between(2, 32));
  world.kernel.body_buffers = static_cast<std::uint32_t>(plan_.between(1, 8));
  world.kernel.body_buffer_bytes = plan_.coin() ? 4096 : 128 * core::kKiB;
  world.kernel.split_percent = static_cast<std::uint32_t>(plan_.between(0, 60));
  shards_ = static_cast<std::uint32_t>(plan_.between(1, 3));
  limits_ = draw_limits();
  world_ = std::make_unique<sim::SimWorld>(world);
  world_->disk().make_path("/data");
  model_.now = [this] { return world_->now().monotonic; };
  journey_.print_all(options.print_events);
  running = this;
}

Simulation::~Simulation() {
  running = nullptr;
  clients_.reset();
  scripts_.reset();
  if (world_->has_process()) world_->kill_process();
  server_.reset();
}

std::string Simulation::describe() const {
  return fmt::format("life {} of seed {}, {} operations\n{}", life_, options_.seed, world_->op_count(),
                     journey_.text());
}

// Lets the server and the clients go on, in small steps, until `done` holds or so much virtual time is over.
template <class Predicate>
RunStatus Simulation::run_until(Predicate done, core::Duration at_most) {
  const core::Instant end = world_->now().monotonic + at_most;
  for (std::uint64_t turn = 0; turn < kStepsMax; ++turn) {
    while (!is_broken() && scripts_->pump()) {
    }
    if (world_->crashed()) return RunStatus::Crashed;
    if (is_broken() || done()) return RunStatus::Done;
    if (world_->now().monotonic >= end) return RunStatus::Stuck;
    const core::Instant until = std::min(end, scripts_->next_deadline());
    (void)world_->run_until_or(until, [&] { return scripts_->any_ready() || done(); }, kStepsMax);
  }
  return RunStatus::StepLimit;
}

void Simulation::run_script(Script<> script, bool* done, std::string_view what) {
  *done = false;
  scripts_->start(std::move(script));
  const RunStatus status = run_until([done] { return *done; }, std::chrono::hours(10));
  if (status == RunStatus::Stuck || status == RunStatus::StepLimit) {
    model_.violate(fmt::format("{}: {}", what, sim::run_status_name(status)));
  }
}

void Simulation::draw_faults() {
  sim::SimDisk& disk = world_->disk();
  disk.set_capacity(UINT64_MAX);
  disk.late_write_percent = static_cast<std::uint32_t>(plan_.between(0, 100));
  disk.late_write_span = static_cast<std::uint32_t>(plan_.between(1, 200));
  disk.clear_faults();
  disk.short_write_percent = plan_.percent(30) ? static_cast<std::uint32_t>(plan_.between(1, 30)) : 0;
  disk.short_read_percent = plan_.percent(30) ? static_cast<std::uint32_t>(plan_.between(1, 30)) : 0;
  is_slow_ = plan_.percent(10);
  disk.slow_percent = is_slow_ ? 3 : 0;
  has_faults_ = plan_.percent(25);
  if (!has_faults_) return;
  static constexpr core::OpKind kKinds[] = {core::OpKind::Write,    core::OpKind::Sync,
                                            core::OpKind::Allocate, core::OpKind::Open,
                                            core::OpKind::SyncDir,  core::OpKind::Read};
  const core::OpKind kind = kKinds[plan_.below(std::size(kKinds))];
  const auto nth = static_cast<std::uint32_t>(plan_.between(1, 40));
  const int error = plan_.coin() ? EIO : ENOSPC;
  note(fmt::format("fault: operation {} of kind {} fails with {}", nth, static_cast<int>(kind), error));
  disk.fail_nth(kind, "", nth, error);
}

// At the nth operation of one kind: those that matter are few among all.
void Simulation::crash_at_kind() {
  static constexpr core::OpKind kKinds[] = {core::OpKind::Write,  core::OpKind::Sync, core::OpKind::SyncDir,
                                            core::OpKind::Unlink, core::OpKind::Open, core::OpKind::Allocate};
  const core::OpKind kind = kKinds[plan_.below(std::size(kKinds))];
  const auto left = std::make_shared<std::uint64_t>(plan_.between(1, kind == core::OpKind::Write ? 40 : 12));
  const bool after = plan_.coin();
  const auto watch = [this, kind, left](std::uint64_t, const core::Op& op) {
    const bool is_of_kind = op.kind == kind || (kind == core::OpKind::Sync && op.durable);
    if (is_of_kind && *left > 0 && --*left == 0) world_->scene().crash();
  };
  world_->scene().on_submit = after ? nullptr : std::function<void(std::uint64_t, const core::Op&)>(watch);
  world_->scene().on_complete = after ? std::function<void(std::uint64_t, const core::Op&)>(watch) : nullptr;
}

// For each life some of the rare paths are taken now and then.
void Simulation::draw_perhaps() {
  for (std::uint32_t& percent : world_->scene().perhaps.percent) {
    percent = perhaps_dice_.percent(40) ? static_cast<std::uint32_t>(perhaps_dice_.between(1, 60)) : 0;
  }
}

// Whoever has asked for something gets an answer, if nothing fails and nobody begins anything new; and leases end.
void Simulation::rest() {
  note("nobody begins anything new");
  clients_->is_resting = true;
  if (run_until([this] { return clients_->at_work == 0; }, std::chrono::hours(1)) == RunStatus::Stuck) {
    model_.violate("requests are never answered, though nothing fails and nobody asks for more");
  }
  if (is_broken() || world_->crashed() || model_.lease == core::Duration{}) return;
  note("nobody comes until every lease is over");
  (void)run_until([] { return false; },
                  model_.lease + 3 * std::chrono::seconds(limits_.coordinator.watch_seconds + 1));
  if (is_broken() || world_->crashed()) return;
  bool looked = false;
  run_script(clients_->find_none_prepared(&looked), &looked, "looking for prepared loads");
}

// What is durable never goes back, whatever ends a process.
void Simulation::check_versions() {
  const auto now = server_ == nullptr ? std::nullopt : server_->versions();
  if (!now) return;
  for (const auto& [table, version] : now->tables) {
    const auto before = versions_.tables.find(table);
    if (before != versions_.tables.end() && version < before->second) {
      model_.violate(
          fmt::format("the version of table {} was {}, and is {}", table.value, before->second, version));
    }
  }
  if (now->checkpoint < versions_.checkpoint || now->catalog < versions_.catalog) {
    model_.violate(fmt::format("checkpoint {} and catalog {} were durable, and now it is {} and {}",
                               versions_.checkpoint, versions_.catalog, now->checkpoint, now->catalog));
  }
  versions_ = *now;
}

void Simulation::check_left_overs(std::uint64_t frames_before) {
  if (!server_->left_over().empty()) {
    model_.violate("after an orderly end there are left:" + server_->left_over());
  }
  world_->end_process();  // CHECKs that no coroutine, handle or buffer is left
  forget_life();
  if (core::frame_pool_stats().live != frames_before) {
    model_.violate(fmt::format("after an orderly end {} frames are left, and {} were there before",
                               core::frame_pool_stats().live, frames_before));
  }
}

// Faults that come and go while the server lives.
Script<> Simulation::make_trouble() {
  sim::SimDisk& disk = world_->disk();
  for (;;) {
    (void)co_await scripts_->pause(
        core::Duration(static_cast<std::int64_t>(plan_.between(100'000, 20'000'000))));
    switch (plan_.below(4)) {
      case 0:
        note("the wall clock jumps by a year");
        world_->jump_wall(plan_.coin() ? std::chrono::hours(24 * 365) : -std::chrono::hours(24 * 365));
        break;
      case 1:
        note("the disk is full");
        has_faults_ = clients_->may_refuse = clients_->may_be_late = true;
        disk.set_capacity(disk.used_bytes() + plan_.below(8) * 4096);
        (void)co_await scripts_->pause(
            core::Duration(static_cast<std::int64_t>(plan_.between(100'000, 5'000'000))));
        note("the disk has space");
        disk.set_capacity(UINT64_MAX);
        break;
      case 2:
        disk.slow_percent = static_cast<std::uint32_t>(plan_.between(1, 20));
        disk.slow_nanos = static_cast<std::int64_t>(plan_.between(1'000'000, 200'000'000));
        note("the disk is slow");
        (void)co_await scripts_->pause(std::chrono::milliseconds(5));
        disk.slow_percent = 0;
        break;
      default:
        break;
    }
  }
}

bool Simulation::start_server() {
  server_ = std::make_unique<ServerProcess>(*world_, shards_, limits_);
  server_->start();
  const RunStatus status = run_until(
      [this] { return server_->is_listening() || !server_->why_not().empty(); }, std::chrono::hours(1));
  if (status == RunStatus::Crashed) return false;
  if (status != RunStatus::Done) {
    model_.violate(fmt::format("the server does not come up: {}", sim::run_status_name(status)));
    return false;
  }
  if (!server_->why_not().empty()) {
    note("no start: " + server_->why_not());
    if (!has_faults_) model_.violate("the server refuses to start: " + server_->why_not());
    return false;
  }
  note(fmt::format("the server is up, {} shards", shards_));
  check_versions();
  return true;
}

void Simulation::end_process(bool power_loss) {
  while (scripts_->pump()) {  // answers that have arrived are read
  }
  check_versions();
  clients_.reset();
  scripts_.reset();
  ++outcome_.crashes;
  if (power_loss) {
    static constexpr sim::UnsyncedPolicy kPages[] = {
        sim::UnsyncedPolicy::KeepAll, sim::UnsyncedPolicy::DropAll, sim::UnsyncedPolicy::Random,
        sim::UnsyncedPolicy::TornAll, sim::UnsyncedPolicy::Garbage};
    static constexpr sim::NamesPolicy kNames[] = {sim::NamesPolicy::KeepAll, sim::NamesPolicy::DropAll,
                                                  sim::NamesPolicy::Random};
    const auto pages = kPages[plan_.below(std::size(kPages))];
    const auto names = kNames[plan_.below(std::size(kNames))];
    note(fmt::format("power loss: pages {}, names {}", static_cast<int>(pages), static_cast<int>(names)));
    world_->lose_power(pages, names);
  } else {
    note("kill -9");
    world_->kill_process();
  }
  forget_life();
}

void Simulation::forget_life() {
  server_.reset();
  world_->scene().on_submit = nullptr;
  world_->scene().on_complete = nullptr;
  model_.forget_requests();
}

// One bit of one file turns over at rest. Either the server refuses to start and names the file, or what it shows is right
// or an error: never other rows. (The last record of the commit log is the exception: it looks like a torn tail.)
void Simulation::rot() {
  sim::SimDisk& disk = world_->disk();
  std::vector<std::string> files;
  for (const std::string& name : disk.list_path("/data")) {
    if (disk.size_of("/data/" + name) > 0) files.push_back(name);
  }
  if (files.empty()) return;
  const std::string name = files[plan_.below(files.size())];
  const std::uint64_t size = disk.size_of("/data/" + name);
  const std::uint64_t offset =
      plan_.percent(30) ? plan_.below(std::min<std::uint64_t>(size, 256)) : plan_.below(size);
  disk.flip_bit("/data/" + name, offset, static_cast<unsigned>(plan_.below(8)));
  note(fmt::format("a bit of {} at offset {} has turned over", name, offset));
  scripts_ = std::make_unique<Scripts>(clients_dice_, [this] { return world_->now().monotonic; });
  clients_ = std::make_unique<Clients>(*world_, clients_dice_, *scripts_, model_, journey_, tally_);
  clients_->may_refuse = true;
  has_faults_ = true;
  if (!start_server()) {
    if (!is_broken() && server_->why_not().find(name) == std::string::npos) {
      model_.violate(fmt::format("{} is damaged, and the server refuses without naming it: {}", name,
                                 server_->why_not()));
    }
  } else {
    clients_->may_have_lost = name.starts_with("log-");
    bool settled = false;
    run_script(clients_->read_all(&settled), &settled, "reading after rot");
  }
  end_process(false);
}

void Simulation::live_once(bool is_last) {
  sim::SimWorld& world = *world_;
  if (is_last) {
    world.disk().clear_faults();
    world.disk().set_capacity(UINT64_MAX);
    world.disk().short_write_percent = world.disk().short_read_percent = world.disk().slow_percent = 0;
    has_faults_ = is_slow_ = false;
  } else {
    draw_faults();
    if (plan_.percent(15)) limits_ = draw_limits();
    if (plan_.percent(10)) shards_ = static_cast<std::uint32_t>(plan_.between(1, 3));
    if (plan_.percent(5)) {
      note("the wall clock jumps by a year");
      world.jump_wall(plan_.coin() ? std::chrono::hours(24 * 365) : -std::chrono::hours(24 * 365));
    }
  }
  if (is_last) limits_.coordinator.prepared_lease_seconds = 0;  // what is prepared is to be committed
  model_.lease = std::chrono::seconds(limits_.coordinator.prepared_lease_seconds);
  draw_perhaps();
  const std::uint64_t frames_before = core::frame_pool_stats().live;
  if (world.disk().list_path("/data").size() > 1) ++outcome_.recoveries;
  scripts_ = std::make_unique<Scripts>(clients_dice_, [this] { return world_->now().monotonic; });
  clients_ = std::make_unique<Clients>(world, clients_dice_, *scripts_, model_, journey_, tally_);
  clients_->may_refuse = has_faults_;
  clients_->may_run_out = limits_.load_memory_max < 64 * core::kKiB;
  clients_->may_be_late = is_slow_ || has_faults_;
  clients_->unkind_percent = static_cast<std::uint32_t>(plan_.between(0, 40));

  // Where it ends: anywhere, the recovery included.
  const bool crashes = !is_last && plan_.percent(80);
  if (crashes) {
    const std::uint64_t ahead = plan_.percent(30) ? plan_.between(1, 60) : plan_.between(1, 1500);
    if (plan_.percent(35))
      crash_at_kind();
    else
      world.crash_at_op(world.op_count() + ahead,
                        plan_.coin() ? sim::CrashPoint::Submit : sim::CrashPoint::Complete);
  }
  const bool by_power = plan_.percent(55);
  const bool drains = plan_.percent(60);
  const bool rests = plan_.percent(50);

  bool up = start_server();
  if (up && !is_broken() && has_tables_ && (is_last || plan_.percent(50))) {
    bool settled = false;
    run_script(clients_->settle(&settled), &settled, "settling");
  }
  if (up && !is_broken() && !world.crashed()) {
    if (!has_tables_) run_script(clients_->make_tables(&has_tables_), &has_tables_, "making the tables");
    if (is_last) {
      bool finished = false;
      run_script(clients_->finish(&finished), &finished, "bringing everything to an end");
    } else if (!world.crashed()) {
      const std::uint64_t workers = plan_.between(1, 10);
      for (std::uint64_t i = 0; i < workers; ++i) scripts_->start(clients_->work());
      if (plan_.percent(30)) scripts_->start(make_trouble());
      (void)run_until([] { return false; },
                      core::Duration(static_cast<std::int64_t>(plan_.between(1, 30)) * 1'000'000));
      if (rests && !has_faults_ && !is_broken() && !world.crashed()) rest();
    }
  }
  if (is_broken()) return;
  world.disk().set_capacity(UINT64_MAX);  // whoever drains finds space again
  if (server_->poisoned_by().empty() && !world.crashed() && up && (is_last || drains)) {
    note("SIGTERM");
    clients_->may_be_late = clients_->may_refuse = true;
    server_->stop();
    // Clients go on for a while; those that have vanished are waited for until the deadline.
    (void)run_until([this] { return server_->has_stopped(); }, std::chrono::milliseconds(5));
    if (is_broken()) return;
    clients_->is_resting = true;
    const RunStatus status = run_until([this] { return server_->has_stopped(); }, std::chrono::hours(1));
    if (is_broken()) return;
    if (status == RunStatus::Done) {
      while (scripts_->pump()) {
      }
      check_versions();
      clients_.reset();
      scripts_.reset();
      check_left_overs(frames_before);
      note("the server has stopped");
      return;
    }
    if (status != RunStatus::Crashed) {
      model_.violate(fmt::format("the server does not stop: {}", sim::run_status_name(status)));
      return;
    }
  }
  if (server_ != nullptr && !server_->poisoned_by().empty()) {
    note("poisoned: " + server_->poisoned_by());
    if (!has_faults_) model_.violate("the server poisoned itself without a fault: " + server_->poisoned_by());
  }
  end_process(by_power);
}

Outcome Simulation::run() {
  for (life_ = 1; life_ <= options_.lives + 1 && !is_broken(); ++life_) {
    note(fmt::format("---- life {}", life_));
    live_once(life_ > options_.lives);
  }
  if (!is_broken() && plan_.percent(30)) rot();
  outcome_.violation = model_.violation();
  outcome_.journey = journey_.text();
  outcome_.trace = world_->trace_hash();
  outcome_.operations = world_->op_count();
  outcome_.tally = tally_;
  outcome_.perhaps = world_->scene().perhaps.fired;
  return outcome_;
}

}  // namespace

Outcome simulate(const SimulationOptions& options) {
  Simulation simulation(options);
  return simulation.run();
}

std::string describe_running() { return running == nullptr ? "" : running->describe(); }

}  // namespace penstock::simulate
