#include "tools/serve.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <thread>

#include "core/base/log.hpp"
#include "core/kernel/uring_kernel.hpp"
#include "core/shard/shard.hpp"
#include "net/doors/doors.hpp"
#include "net/http/server.hpp"
#include "tools/zone_files.hpp"
#include "txn/store/store.hpp"

namespace penstock::tools {
namespace {

std::uint64_t file_limit() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return std::numeric_limits<std::int32_t>::max();
  return std::min<std::uint64_t>(files.rlim_cur, std::numeric_limits<std::int32_t>::max());
}
// What is open before the first connection, the files that follow one another while it works, and connections that are only
// taken to be closed.
std::uint64_t files_needed(std::uint32_t shards) { return 64 + 10ull * shards; }

std::uint32_t shard_count(const Config& config) {
  if (config.shards != 0) return config.shards;
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  return std::max(1u, static_cast<std::uint32_t>(CPU_COUNT(&allowed)));
}

class Process {
 public:
  Process(const Config& config, const std::string& config_file)
      : config_(config),
        config_file_(config_file),
        shards_(shard_count(config)),
        limits_(store_limits(config)),
        connections_max_(connections_within_file_limit(config.limits.connections_max, shards_.count())),
        server_(shards_, http_options(config, connections_max_ - front_share(config, connections_max_))),
        front_(shards_, http_options(config, front_share(config, connections_max_))),
        error_logs_(shards_,
                    {.bytes_max = config.limits.error_log_mib * core::kMiB,
                     .age_max = std::chrono::hours(config.limits.error_log_hours)},
                    config.listen) {
    std::vector<core::PageArena*> arenas;
    for (std::uint32_t i = 0; i < shards_.count(); ++i) {
      arenas_.push_back(std::make_unique<core::PageArena>(limits_.write_buffers, limits_.write_buffer_bytes));
      arenas.push_back(arenas_.back().get());
      ended_.push_back(std::make_unique<core::Event>());
    }
    doors_.resize(shards_.count());
    store_ = std::make_unique<txn::Store>(
        shards_, txn::Store::Options{.data_dir = config.data_dir,
                                     .limits = limits_,
                                     .arenas = std::move(arenas),
                                     .end_process = [](const std::string& why) {
                                       core::log_error("poisoned", "why", why);
                                       std::fprintf(stderr, "penstock: %s\n", why.c_str());
                                       ::_exit(kExitPoisoned);
                                     }});
  }

  int run() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before any thread is made: all inherit it
    signal_fd_ = ::signalfd(-1, &signals, SFD_CLOEXEC);

    const std::string error = shards_.run_threads(
        {.pin = true,
         .with_kernel =
             [this](core::Shard& shard, const std::function<void(core::Kernel&)>& run_with) {
               return with_kernel(shard, run_with);
             },
         .main = [this](core::Shard& shard) { return main_of(this, &shard); }});
    ::close(signal_fd_);
    if (error_.empty()) error_ = error;
    if (error_.empty()) return 0;
    std::fprintf(stderr, "penstock: %s\n", error_.c_str());
    return 1;
  }

 private:
  static txn::StoreLimits store_limits(const Config& config) {
    txn::StoreLimits limits;
    limits.row_bytes_max = config.limits.row_mib * core::kMiB;
    limits.split_segments = config.limits.split_segments;
    limits.load_memory_max = config.limits.load_memory_mib * core::kMiB;
    limits.inflate_memory_max = config.limits.inflate_memory_mib * core::kMiB;
    limits.journal.file_bytes = config.limits.journal_file_mib * core::kMiB;
    limits.log.file_bytes = config.limits.log_file_mib * core::kMiB;
    limits.log.reserve_bytes = config.limits.reserve_mib * core::kMiB;
    limits.coordinator.open_loads_max = config.limits.open_loads_max;
    limits.coordinator.label_retention_seconds = config.limits.label_days * 24 * 3600;
    limits.coordinator.prepared_lease_seconds = config.limits.prepared_lease_seconds;
    return limits;
  }
  // Connections may not take the last file descriptors: without one the journal and the commit log cannot go on.
  static std::uint32_t connections_within_file_limit(std::uint64_t wanted, std::uint32_t shards) {
    constexpr std::uint64_t kOtherFiles = 512;  // scans and label runs hold some, too
    const std::uint64_t limit = file_limit();
    const std::uint64_t room = std::min(limit > 2 * kOtherFiles ? limit - kOtherFiles : limit / 2,
                                        limit - std::min(limit - 1, files_needed(shards)));
    if (wanted <= room) return static_cast<std::uint32_t>(wanted);
    core::log_warn("fewer_connections", "connections_max", room, "wanted", wanted, "why",
                   "the limit of open files (RLIMIT_NOFILE, ulimit -n) is low: raise it for more");
    return static_cast<std::uint32_t>(room);
  }
  // connections_max counts both listeners.
  static std::uint32_t front_share(const Config& config, std::uint32_t connections_max) {
    return config.redirect_listen.empty() ? 0 : std::max(connections_max / 4, 1u);
  }
  static net::HttpOptions http_options(const Config& config, std::uint32_t connections_max) {
    net::HttpOptions options;
    options.connections_max = connections_max;
    options.body_idle_max = std::chrono::seconds(config.limits.body_idle_seconds);
    return options;
  }

  std::string with_kernel(core::Shard& shard, const std::function<void(core::Kernel&)>& run_with) {
    core::UringOptions options;
    options.write_arena = arenas_[shard.id().value]->memory();
    options.buffer_returned = {[](void* context, core::BufferRing ring) {
                                 static_cast<core::Shard*>(context)->recv_turns().buffer_returned(ring);
                               },
                               &shard};
    options.busy_poll = std::chrono::microseconds(config_.busy_poll_micros);
    options.keep_alive = {.idle_seconds = config_.limits.keepalive_idle_seconds,
                          .interval_seconds = config_.limits.keepalive_interval_seconds,
                          .probes = config_.limits.keepalive_probes};
    auto kernel = core::UringKernel::make(options);
    if (!kernel) return kernel.error();
    if (shard.id() == core::ShardId(0)) kernel_ = kernel->get();
    run_with(**kernel);
    return {};
  }

  static core::Task<void> main_of(Process* process, core::Shard* shard) {
    if (shard->id() != core::ShardId(0)) {
      co_await process->ended_[shard->id().value]->wait();
      co_return;
    }
    process->error_ = co_await process->lead();
    for (std::uint32_t i = 1; i < process->shards_.count(); ++i) {
      co_await core::call_on(core::ShardId(i), [process, i] { return end_shard(process, i); });
    }
  }
  static core::Task<void> end_shard(Process* process, std::uint32_t index) {
    process->ended_[index]->set();
    co_return;
  }
  static core::Task<void> open_doors(Process* process, std::uint32_t index) {
    core::Shard& shard = process->shards_.at(index);
    net::Authenticator::Key key{};
    for (std::size_t at = 0; at < key.size(); at += 8) {
      const std::uint64_t random = shard.kernel().entropy();
      std::copy_n(reinterpret_cast<const unsigned char*>(&random), 8,
                  key.begin() + static_cast<std::ptrdiff_t>(at));
    }
    process->doors_[index] = std::make_unique<net::Doors>(
        *process->store_, process->error_logs_,
        net::Doors::Options{.address = process->config_.listen,
                            .version = PENSTOCK_VERSION,
                            .sort_memory_max = process->config_.limits.sort_memory_mib * core::kMiB,
                            .users = user_entries(process->config_),
                            .key = key});
    process->server_.start_shard(shard, process->doors_[index]->main());
    if (process->has_front()) process->front_.start_shard(shard, process->doors_[index]->redirecting());
    co_return;
  }

  bool has_front() const { return !config_.redirect_listen.empty(); }
  static core::Task<void> set_address(Process* process, std::uint32_t index, std::string address) {
    process->error_logs_.set_address(address);
    process->doors_[index]->set_address(address);
    co_return;
  }
  // Both listeners; a text says which could not be opened, and why.
  core::Task<std::string> listen() {
    auto listening = co_await server_.listen(config_.listen);
    if (!listening) {
      co_return fmt::format("listen = {}: {}. Is the port taken? Give another with --listen", config_.listen,
                            listening.error().to_string());
    }
    const std::string address = address_of(*listening, config_.listen);
    for (std::uint32_t i = 0; i < shards_.count(); ++i) {
      co_await core::call_on(core::ShardId(i), [this, i, address] { return set_address(this, i, address); });
    }
    if (has_front()) {
      auto redirecting = co_await front_.listen(config_.redirect_listen);
      if (!redirecting) {
        co_return fmt::format(
            "redirect_listen = {}: {}. Is the port taken? Give another with --redirect-listen",
            config_.redirect_listen, redirecting.error().to_string());
      }
      core::log_info("redirecting", "address", address_of(*redirecting, config_.redirect_listen), "to",
                     address);
    }
    core::log_info("listening", "address", address, "shards", shards_.count(), "data_dir", config_.data_dir,
                   "version", PENSTOCK_VERSION, "kernel", kernel_->features().to_line());
    co_return "";
  }

  // Shard 0: everything from opening the store to the end.
  core::Task<std::string> lead() {
    core::Shard& shard = core::current_shard();
    if (auto opened = co_await store_->open(); !opened) co_return opened.error();
    for (std::uint32_t i = 0; i < shards_.count(); ++i) {
      co_await core::call_on(core::ShardId(i), [this, i] { return open_doors(this, i); });
    }
    const std::string error = co_await listen();
    if (error.empty()) {
      co_await wait_for_end(shard);
      core::log_info("draining", "seconds_max", config_.drain_seconds, "connections",
                     server_.connections() + front_.connections());
    }
    const core::Instant deadline = shard.now().monotonic + std::chrono::seconds(config_.drain_seconds);
    co_await server_.begin_drain();
    if (has_front()) co_await front_.begin_drain();
    bool drained = co_await server_.drained(deadline);
    if (has_front()) drained = co_await front_.drained(deadline) && drained;
    co_await store_->close();
    if (error.empty())
      core::log_info("stopped", "drained", drained ? "all" : "some connections were cut off");
    co_return error;
  }

  // SIGHUP: users as the configuration file has them now. What is under way goes on as whoever it was.
  core::Task<void> reload_users() {
    if (config_file_.empty()) {
      core::log_warn("users_not_reloaded", "why",
                     "there is no configuration file: none was given by --config");
      co_return;
    }
    auto next = read_users(config_file_, config_);
    if (!next) {
      core::log_error("users_not_reloaded", "why", next.error(), "users", config_.users.size());
      co_return;
    }
    config_.users = std::move(next->users);
    for (std::uint32_t i = 0; i < shards_.count(); ++i) {
      co_await core::call_on(core::ShardId(i), [this, i, users = user_entries(config_)] {
        return replace_users(this, i, users);
      });
    }
    core::log_info("users_reloaded", "users", config_.users.size(), "file", config_file_);
  }
  static core::Task<void> replace_users(Process* process, std::uint32_t index,
                                        std::vector<net::UserEntry> users) {
    process->doors_[index]->replace_users(std::move(users));
    co_return;
  }

  core::Task<void> wait_for_end(core::Shard& shard) {
    core::File signals(shard.kernel(), signal_fd_);
    for (;;) {
      signalfd_siginfo info{};
      const auto got = co_await signals.read(0, std::as_writable_bytes(std::span(&info, 1)));
      if (!got || info.ssi_signo != SIGHUP) break;
      co_await reload_users();
    }
    sigset_t unblocked;  // a second signal ends the process at once, as usual
    sigemptyset(&unblocked);
    sigaddset(&unblocked, SIGTERM);
    sigaddset(&unblocked, SIGINT);
    pthread_sigmask(SIG_UNBLOCK, &unblocked, nullptr);
  }

  // The address with the port that was really taken (listen may say port 0).
  static std::string address_of(int listener, const std::string& asked) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) return asked;
    const std::uint16_t port = address.ss_family == AF_INET6
                                   ? ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port)
                                   : ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
    return fmt::format("{}:{}", asked.substr(0, asked.rfind(':')), port);
  }

  Config config_;  // its users change by reload_users
  const std::string config_file_;
  core::ShardSet shards_;
  const txn::StoreLimits limits_;
  const std::uint32_t connections_max_;
  net::Server server_;
  net::Server front_;  // of redirect_listen
  net::ErrorLogs error_logs_;
  std::vector<std::unique_ptr<core::PageArena>> arenas_;
  std::unique_ptr<txn::Store> store_;
  std::vector<std::unique_ptr<net::Doors>> doors_;
  std::vector<std::unique_ptr<core::Event>> ended_;
  int signal_fd_ = -1;
  core::UringKernel* kernel_ = nullptr;  // of shard 0
  std::string error_;
};

void raise_limits() {
  for (const int which : {RLIMIT_NOFILE, RLIMIT_MEMLOCK}) {
    rlimit limit{};
    if (::getrlimit(static_cast<__rlimit_resource>(which), &limit) != 0) continue;
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(static_cast<__rlimit_resource>(which), &limit);
  }
  ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace

int serve(const Config& config, const std::string& config_file) {
  raise_limits();
  if (auto zones = install_machine_time_zones(config.time_zone); !zones) {
    fmt::print(stderr, "penstock: {}\n", zones.error());
    return 1;
  }
  const std::uint64_t files_min =
      files_needed(shard_count(config)) + (config.redirect_listen.empty() ? 1 : 2);
  if (file_limit() < files_min) {
    fmt::print(stderr,
               "penstock: only {} files may be open, and {} shards need at least {}: raise RLIMIT_NOFILE "
               "(ulimit -n)\n",
               file_limit(), shard_count(config), files_min);
    return 1;
  }
  if (config.allow_no_password && config.users.empty()) {
    core::log_warn("no_password", "listen", config.listen, "why",
                   "allow_no_password: whoever reaches the port may do everything");
  }
  Process process(config, config_file);
  return process.run();
}

}  // namespace penstock::tools
