#include "core/kernel/uring_kernel.hpp"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "core/kernel/socket_calls.hpp"
#include "tests/core/kernel/uring_world.hpp"

namespace penstock::core {
namespace {

std::unique_ptr<KernelWorld> make_world() { return std::make_unique<UringWorld>(); }
std::unique_ptr<KernelWorld> make_tiny_world() {
  return std::make_unique<UringWorld>(2);
}  // every queue fills

INSTANTIATE_TEST_SUITE_P(Uring, KernelContract,
                         testing::Values(WorldMaker{"uring", make_world},
                                         WorldMaker{"uring_tiny", make_tiny_world}),
                         world_name);

std::int64_t run(UringKernel& kernel, CountedOp& op) {
  kernel.submit(op);
  for (int i = 0; i < 1000 && !op.is_done(); ++i)
    kernel.poll(kernel.now().monotonic + std::chrono::milliseconds(5));
  EXPECT_EQ(op.completions, 1);
  return op.result;
}
std::int64_t run(UringKernel& kernel, Op request) {
  CountedOp op(std::move(request));
  return run(kernel, op);
}

TEST(UringKernel, no_rare_path_is_taken_at_will) {
  UringWorld world;
  for (std::size_t i = 0; i < kPerhapsCount; ++i) {
    EXPECT_FALSE(world.kernel().perhaps(static_cast<Perhaps>(i)));
  }
}

TEST(UringKernel, an_idle_poll_makes_no_system_call) {
  UringWorld world;
  UringKernel& kernel = world.kernel();
  const std::uint64_t before = kernel.stats().enters;
  for (int i = 0; i < 100; ++i) kernel.poll(Instant{});
  EXPECT_EQ(kernel.stats().enters, before);
}

TEST(UringKernel, a_turns_submissions_go_out_with_one_enter) {
  UringWorld world;
  UringKernel& kernel = world.kernel();
  const std::string path = world.temp_dir_path();
  const int dir = static_cast<int>(run(kernel, Op{.kind = OpKind::OpenDir, .path = path.c_str()}));
  std::vector<std::unique_ptr<CountedOp>> ops;
  const std::uint64_t before = kernel.stats().enters;
  for (int i = 0; i < 50; ++i) {
    ops.push_back(std::make_unique<CountedOp>(Op{.kind = OpKind::SyncDir, .handle = dir}));
    kernel.submit(*ops.back());
  }
  kernel.poll(Instant{});
  EXPECT_EQ(kernel.stats().enters, before + 1);
  for (auto& op : ops) {
    while (!op->is_done()) kernel.poll(kernel.now().monotonic + std::chrono::milliseconds(5));
  }
  run(kernel, Op{.kind = OpKind::Close, .handle = dir});
}

TEST(UringKernel, an_accepted_connection_has_nodelay_and_keepalive) {
  UringWorld world;
  UringKernel& kernel = world.kernel();
  const int listener = static_cast<int>(run(kernel, Op{.kind = OpKind::Listen, .path = "127.0.0.1:0"}));
  EXPECT_TRUE(local_address(listener).starts_with("127.0.0.1:")) << local_address(listener);
  const auto peer = world.connect(listener);
  const int connection = static_cast<int>(run(kernel, Op{.kind = OpKind::Accept, .handle = listener}));
  int value = 0;
  socklen_t size = sizeof value;
  ASSERT_EQ(::getsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &value, &size), 0);
  EXPECT_NE(value, 0);
  ASSERT_EQ(::getsockopt(connection, SOL_SOCKET, SO_KEEPALIVE, &value, &size), 0);
  EXPECT_NE(value, 0);
  const std::pair<int, int> times[] = {{TCP_KEEPIDLE, 60}, {TCP_KEEPINTVL, 15}, {TCP_KEEPCNT, 4}};
  for (const auto& [option, wanted] : times) {
    ASSERT_EQ(::getsockopt(connection, IPPROTO_TCP, option, &value, &size), 0);
    EXPECT_EQ(value, wanted);
  }
  run(kernel, Op{.kind = OpKind::Close, .handle = connection});
  run(kernel, Op{.kind = OpKind::Close, .handle = listener});
}

TEST(UringKernel, an_accepted_connection_has_the_keepalive_times_that_were_asked_for) {
  UringOptions options;
  options.keep_alive = {.idle_seconds = 7, .interval_seconds = 3, .probes = 9};
  const auto made = UringKernel::make(options);
  ASSERT_TRUE(made.has_value());
  UringKernel& kernel = **made;
  const int door = static_cast<int>(run(kernel, Op{.kind = OpKind::Listen, .path = "127.0.0.1:0"}));
  ASSERT_GE(door, 0);
  sockaddr_in address{};
  socklen_t address_size = sizeof address;
  ASSERT_EQ(::getsockname(door, reinterpret_cast<sockaddr*>(&address), &address_size), 0);
  const int peer = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::connect(peer, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const int connection = static_cast<int>(run(kernel, Op{.kind = OpKind::Accept, .handle = door}));
  const std::pair<int, int> times[] = {{TCP_KEEPIDLE, 7}, {TCP_KEEPINTVL, 3}, {TCP_KEEPCNT, 9}};
  for (const auto& [option, wanted] : times) {
    int value = 0;
    socklen_t size = sizeof value;
    ASSERT_EQ(::getsockopt(connection, IPPROTO_TCP, option, &value, &size), 0);
    EXPECT_EQ(value, wanted);
  }
  ::close(peer);
  run(kernel, Op{.kind = OpKind::Close, .handle = connection});
  run(kernel, Op{.kind = OpKind::Close, .handle = door});
}

TEST(UringKernel, listens_on_an_ipv6_address) {
  UringWorld world;
  UringKernel& kernel = world.kernel();
  const auto listener = run(kernel, Op{.kind = OpKind::Listen, .path = "[::1]:0"});
  if (listener == -EADDRNOTAVAIL || listener == -EAFNOSUPPORT) GTEST_SKIP() << "this machine has no IPv6";
  ASSERT_GE(listener, 0);
  EXPECT_TRUE(local_address(static_cast<int>(listener)).starts_with("[::1]:"));
  const auto peer = world.connect(static_cast<int>(listener));
  const auto connection = run(kernel, Op{.kind = OpKind::Accept, .handle = static_cast<int>(listener)});
  EXPECT_GE(connection, 0);
  run(kernel, Op{.kind = OpKind::Close, .handle = static_cast<int>(connection)});
  run(kernel, Op{.kind = OpKind::Close, .handle = static_cast<int>(listener)});
}

TEST(UringKernel, running_out_of_descriptors_is_told_and_does_not_spin) {
  UringWorld world;
  UringKernel& kernel = world.kernel();
  const int listener = static_cast<int>(run(kernel, Op{.kind = OpKind::Listen, .path = "127.0.0.1:0"}));
  const int client = connect_to(listener);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const int lowest = ::dup(0);  // the next descriptor there is
  ::close(lowest);
  rlimit none = limit;
  none.rlim_cur = static_cast<rlim_t>(lowest);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  CountedOp refused(Op{.kind = OpKind::Accept, .handle = listener});
  const std::int64_t result = run(kernel, refused);
  CountedOp accept(Op{.kind = OpKind::Accept, .handle = listener});
  kernel.submit(accept);
  const std::uint64_t before = kernel.stats().enters;
  kernel.poll(kernel.now().monotonic + std::chrono::milliseconds(20));
  kernel.poll(kernel.now().monotonic + std::chrono::milliseconds(20));
  EXPECT_LE(kernel.stats().enters, before + 2);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(result, -EMFILE);
  for (int i = 0; i < 100 && !accept.is_done(); ++i)
    kernel.poll(kernel.now().monotonic + std::chrono::seconds(1));
  EXPECT_GE(accept.result, 0);  // the connection was not lost
  ::close(client);
  run(kernel, Op{.kind = OpKind::Close, .handle = static_cast<int>(accept.result)});
  run(kernel, Op{.kind = OpKind::Close, .handle = listener});
}

TEST(UringKernel, connections_that_nobody_takes_do_not_pile_up_without_bound) {
  UringWorld world;
  UringKernel& kernel = world.kernel();
  const int listener = static_cast<int>(run(kernel, Op{.kind = OpKind::Listen, .path = "127.0.0.1:0"}));
  std::vector<int> clients;
  const int count = static_cast<int>(AcceptQueue::kPausedAt) * 2;
  clients.push_back(connect_to(listener));
  std::vector<int> taken{static_cast<int>(run(kernel, Op{.kind = OpKind::Accept, .handle = listener}))};
  while (static_cast<int>(clients.size()) < count) {
    clients.push_back(connect_to(listener));
    kernel.poll(Instant{});
  }
  const int next = ::dup(0);
  ::close(next);
  EXPECT_LT(next, count + static_cast<int>(AcceptQueue::kPausedAt) + 100);
  while (static_cast<int>(taken.size()) < count) {
    taken.push_back(static_cast<int>(run(kernel, Op{.kind = OpKind::Accept, .handle = listener})));
    ASSERT_GE(taken.back(), 0);
  }
  for (const int client : clients) ::close(client);
  for (const int connection : taken) run(kernel, Op{.kind = OpKind::Close, .handle = connection});
  run(kernel, Op{.kind = OpKind::Close, .handle = listener});
}

TEST(UringKernel, a_kernel_with_a_listener_left_open_goes_away_in_peace) {
  int client = -1;
  int listener = -1;
  {
    UringWorld world;
    UringKernel& kernel = world.kernel();
    listener = static_cast<int>(run(kernel, Op{.kind = OpKind::Listen, .path = "127.0.0.1:0"}));
    const auto peer = world.connect(listener);
    const auto connection = run(kernel, Op{.kind = OpKind::Accept, .handle = listener});
    client = connect_to(listener);  // accepted by the multishot accept, taken by nobody
    kernel.poll(kernel.now().monotonic + std::chrono::milliseconds(10));
    ::close(static_cast<int>(connection));
  }
  char byte = 0;
  EXPECT_LE(::recv(client, &byte, 1, 0), 0);  // it was closed
  ::close(client);
  ::close(listener);
}

TEST(UringKernel, more_completions_than_the_ring_holds_are_not_lost) {
  UringWorld world(2);  // a completion queue of eight
  UringKernel& kernel = world.kernel();
  const int listener = static_cast<int>(run(kernel, Op{.kind = OpKind::Listen, .path = "127.0.0.1:0"}));
  std::vector<int> clients, connections;
  std::vector<std::unique_ptr<CountedOp>> ops;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(connect_to(listener));
    connections.push_back(static_cast<int>(run(kernel, Op{.kind = OpKind::Accept, .handle = listener})));
    ops.push_back(std::make_unique<CountedOp>(
        Op{.kind = OpKind::Recv, .buffers = BufferRing::Head, .handle = connections.back()}));
    kernel.submit(*ops.back());
  }
  kernel.poll(Instant{});
  for (const int client : clients) ASSERT_EQ(::send(client, "x", 1, 0), 1);
  int done = 0;
  for (int i = 0; i < 1000 && done < 200; ++i) {
    kernel.poll(kernel.now().monotonic + std::chrono::milliseconds(5));
    done = 0;
    for (auto& op : ops) {
      done += op->completions;
      op->buffer = Buffer();
    }
  }
  EXPECT_EQ(done, 200);
  for (auto& op : ops) EXPECT_TRUE(op->result == 1 || op->result == -ENOBUFS) << op->result;
  for (const int client : clients) ::close(client);
  for (const int connection : connections) run(kernel, Op{.kind = OpKind::Close, .handle = connection});
  run(kernel, Op{.kind = OpKind::Close, .handle = listener});
}

TEST(UringKernel, a_write_arena_that_cannot_be_pinned_is_reported_and_done_without) {
  void* const memory = ::mmap(nullptr, 4 * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  {
    const auto made =
        UringKernel::make({.entries = 8, .write_arena = {static_cast<std::byte*>(memory), 4 * kPage}});
    ASSERT_TRUE(made) << made.error();
    EXPECT_FALSE((*made)->features().registered_write_buffers);
    EXPECT_NE((*made)->features().to_line().find("registered_write_buffers=no ("), std::string::npos);
  }
  ::munmap(memory, 4 * kPage);
}

TEST(UringKernel, more_files_than_slots_keep_their_bytes_apart_also_when_handles_come_again) {
  UringWorld world;
  auto made = UringKernel::make({.entries = 64});
  ASSERT_TRUE(made) << made.error();
  UringKernel& kernel = **made;
  const std::string path = world.temp_dir_path();
  const auto directory = static_cast<int>(run(kernel, Op{.kind = OpKind::OpenDir, .path = path.c_str()}));
  ASSERT_GE(directory, 0);
  constexpr int kFiles = 80;  // the table has fewer slots
  for (int round = 0; round < 2; ++round) {
    std::vector<int> handles;
    for (int i = 0; i < kFiles; ++i) {
      const std::string name = "file-" + std::to_string(round) + "-" + std::to_string(i);
      const auto handle = run(kernel, Op{.kind = OpKind::Open,
                                         .open = {.write = true, .create_exclusive = true},
                                         .handle = directory,
                                         .path = name.c_str()});
      ASSERT_GE(handle, 0);
      handles.push_back(static_cast<int>(handle));
    }
    for (int i = 0; i < kFiles; ++i) {
      auto byte = static_cast<std::byte>(round * 100 + i);
      ASSERT_EQ(run(kernel, Op{.kind = OpKind::Write, .handle = handles[i], .length = 1, .data = &byte}), 1);
      ASSERT_EQ(run(kernel, Op{.kind = OpKind::Sync, .handle = handles[i]}), 0);
    }
    for (int i = 0; i < kFiles; ++i) {
      std::byte byte{};
      ASSERT_EQ(run(kernel, Op{.kind = OpKind::Read, .handle = handles[i], .length = 1, .data = &byte}), 1);
      EXPECT_EQ(byte, static_cast<std::byte>(round * 100 + i));
      ASSERT_EQ(run(kernel, Op{.kind = OpKind::Close, .handle = handles[i]}), 0);
    }
  }
  run(kernel, Op{.kind = OpKind::Close, .handle = directory});
}

TEST(UringKernel, says_what_it_has) {
  UringWorld world;
  const std::string line = world.kernel().features().to_line();
  EXPECT_NE(line.find("linux="), std::string::npos);
  EXPECT_NE(line.find("registered_write_buffers="), std::string::npos);
  EXPECT_NE(line.find("registered_files=yes"), std::string::npos);
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(UringKernel, a_file_is_cut_off_the_shards_thread_where_the_kernel_can) {
  UringWorld world;
  UringKernel& kernel = world.kernel();
  const std::string path = world.temp_dir_path();
  const int dir = static_cast<int>(run(kernel, Op{.kind = OpKind::OpenDir, .path = path.c_str()}));
  const int file = static_cast<int>(run(kernel, Op{.kind = OpKind::Open,
                                                   .open = {.write = true, .create_exclusive = true},
                                                   .handle = dir,
                                                   .path = "cut"}));
  ASSERT_GE(file, 0);
  const bool elsewhere = kernel.features().truncates_elsewhere;
  if (kernel.features().version >= KernelVersion{6, 9}) EXPECT_TRUE(elsewhere);
  const std::uint64_t before = kernel.stats().sqes;
  EXPECT_EQ(run(kernel, Op{.kind = OpKind::Truncate, .handle = file, .length = 12345}), 0);
  EXPECT_EQ(kernel.stats().sqes - before, elsewhere ? 1u : 0u);
  EXPECT_EQ(run(kernel, Op{.kind = OpKind::Size, .handle = file}), 12345);
  run(kernel, Op{.kind = OpKind::Close, .handle = file});
  run(kernel, Op{.kind = OpKind::Close, .handle = dir});
}

struct PollingKernel {
  explicit PollingKernel(Duration busy_poll) {
    auto made =
        UringKernel::make({.entries = 8, .body_buffers = 1, .head_buffers = 1, .busy_poll = busy_poll});
    EXPECT_TRUE(made.has_value());
    kernel = std::move(*made);
    file = static_cast<int>(run(
        *kernel,
        Op{.kind = OpKind::Open, .open = {.write = true, .create_exclusive = true}, .path = path.c_str()}));
    EXPECT_GE(file, 0);
  }
  ~PollingKernel() { run(*kernel, Op{.kind = OpKind::Close, .handle = file}); }
  Op write(bool durable) {
    return Op{.kind = OpKind::Write,
              .durable = durable,
              .handle = file,
              .length = bytes.size(),
              .data = bytes.data()};
  }

  UringWorld world;  // for its folder
  const std::string path = world.temp_dir_path() + "/file";
  std::unique_ptr<UringKernel> kernel;
  int file = -1;
  std::array<std::byte, 512> bytes{};
};

TEST(UringKernel, a_durable_write_is_waited_for_awake_until_it_is_there) {
  PollingKernel polling(std::chrono::hours(1));
  UringKernel& kernel = *polling.kernel;
  EXPECT_FALSE(kernel.expects_soon());
  for (int i = 0; i < 20; ++i) {
    CountedOp op(polling.write(true));
    kernel.submit(op);
    while (!op.is_done()) {
      EXPECT_TRUE(kernel.expects_soon());
      kernel.poll(Instant{});
    }
    EXPECT_EQ(op.result, 512);
    EXPECT_FALSE(kernel.expects_soon());
  }
  kernel.yield_core();
  EXPECT_EQ(kernel.stats().yields, 1u);
}

TEST(UringKernel, nothing_else_is_waited_for_awake) {
  PollingKernel polling(std::chrono::hours(1));
  CountedOp op(polling.write(false));
  polling.kernel->submit(op);
  EXPECT_FALSE(polling.kernel->expects_soon());
  while (!op.is_done()) polling.kernel->poll(polling.kernel->now().monotonic + std::chrono::milliseconds(5));
}

TEST(UringKernel, a_durable_write_that_takes_long_is_slept_for) {
  PollingKernel polling(std::chrono::nanoseconds(1));
  CountedOp op(polling.write(true));
  polling.kernel->submit(op);
  polling.kernel->poll(Instant{});
  EXPECT_FALSE(polling.kernel->expects_soon());
  while (!op.is_done()) polling.kernel->poll(polling.kernel->now().monotonic + std::chrono::milliseconds(5));
}

TEST(UringKernel, without_a_time_for_it_no_write_is_waited_for_awake) {
  PollingKernel polling(Duration{});
  CountedOp op(polling.write(true));
  polling.kernel->submit(op);
  EXPECT_FALSE(polling.kernel->expects_soon());
  while (!op.is_done()) polling.kernel->poll(polling.kernel->now().monotonic + std::chrono::milliseconds(5));
}

TEST(UringProbe, an_old_kernel_is_refused_by_name) {
  const auto old = check_kernel_version("5.15.0-91-generic");
  ASSERT_FALSE(old);
  EXPECT_NE(old.error().find("5.15.0-91-generic"), std::string::npos);
  EXPECT_NE(old.error().find("6.1"), std::string::npos);
  EXPECT_FALSE(check_kernel_version("6.0.19"));
  EXPECT_FALSE(check_kernel_version(""));
  EXPECT_FALSE(check_kernel_version("six"));
  EXPECT_TRUE(check_kernel_version("6.1.0-18-amd64"));
  EXPECT_TRUE(check_kernel_version("6.18.44"));
  EXPECT_EQ(check_kernel_version("10.2-rc1").value(), (KernelVersion{10, 2}));
}

TEST(UringProbe, a_failed_setup_names_the_cause_and_the_fix) {
  EXPECT_NE(explain_setup_failure(EPERM, "6.8", "2").find("kernel.io_uring_disabled is 2"),
            std::string::npos);
  EXPECT_NE(explain_setup_failure(EPERM, "6.8", "1").find("io_uring_group"), std::string::npos);
  EXPECT_NE(explain_setup_failure(EPERM, "6.8", "0").find("seccomp"), std::string::npos);
  EXPECT_NE(explain_setup_failure(EPERM, "6.5", "").find("seccomp"), std::string::npos);
  EXPECT_NE(explain_setup_failure(EMFILE, "6.8", "0").find("RLIMIT_NOFILE"), std::string::npos);
  EXPECT_NE(explain_setup_failure(ENOMEM, "6.8", "0").find("RLIMIT_MEMLOCK"), std::string::npos);
  EXPECT_NE(explain_setup_failure(ENOSYS, "6.8", "0").find("CONFIG_IO_URING"), std::string::npos);
}

TEST(UringProbe, refused_pinning_names_the_limit) {
  EXPECT_NE(explain_pinning_failure(ENOMEM, 4096).find("RLIMIT_MEMLOCK"), std::string::npos);
  EXPECT_EQ(explain_pinning_failure(EFAULT, 4096).find("RLIMIT_MEMLOCK"), std::string::npos);
}

TEST(UringProbe, no_descriptor_left_for_the_ring_is_a_clear_error) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  rlimit none = limit;
  none.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto made = UringKernel::make({});
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().find("RLIMIT_NOFILE is 0"), std::string::npos) << made.error();
}

}  // namespace
}  // namespace penstock::core
