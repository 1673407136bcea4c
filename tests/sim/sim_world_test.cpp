// The world runs, replays, crashes anywhere, and leaves nothing behind.
#include <gtest/gtest.h>

#include <string>

#include "core/io/file.hpp"
#include "core/io/stream.hpp"
#include "core/task/frame_pool.hpp"
#include "tests/sim/sim_world.hpp"

namespace penstock::sim {
namespace {

using core::BufferRing;
using core::Directory;
using core::File;
using core::Kernel;
using core::Listener;
using core::Shard;
using core::ShardId;
using core::ShardSet;
using core::Stream;
using core::Task;

// A small server with all that makes a crash hard: nested scopes, guards, buffers held over waits, calls
// between shards.
struct PermitGuard {
  core::Semaphore& semaphore;
  ~PermitGuard() { semaphore.release(); }
};

Task<int> double_of(int value) {
  co_await core::current_shard().sleep_for(std::chrono::microseconds(30));
  co_return value * 2;
}
struct AskDouble {
  int value;
  Task<int> operator()() const { return double_of(value); }
};

Task<void> append_bytes(File* file, core::Semaphore* permits, std::uint64_t* end, core::Buffer buffer) {
  co_await permits->acquire();
  const PermitGuard guard{*permits};
  const std::uint64_t at = *end;
  *end += buffer.bytes().size();
  (void)co_await file->write_all(at, buffer.bytes());
  (void)co_await file->sync();
}

Task<void> serve_connection(Shard* shard, int handle, File* file, core::Semaphore* permits,
                            std::uint64_t* end) {
  Stream stream(shard->kernel(), shard->recv_turns(), handle);
  core::TaskScope writes;
  const std::string reply = "ok";
  for (;;) {
    auto received = co_await stream.recv(BufferRing::Body);
    if (!received || received->is_empty()) break;
    writes.spawn(append_bytes(file, permits, end, std::move(*received)));
    const ShardId other((shard->id().value + 1) % shard->set().count());
    if (co_await core::call_on(other, AskDouble{21}) != 42) break;
    if (!co_await stream.send_all(core::as_bytes(reply))) break;
  }
  co_await writes.join();
  co_await stream.close();
}

Task<void> serve(Shard* shard, std::string name) {
  auto opened = co_await Directory::open(shard->kernel(), "data");
  Directory dir = *opened;
  File file = *co_await dir.open_file(name, {.write = true, .create_exclusive = true});
  (void)co_await dir.sync();
  core::Semaphore permits(1);
  std::uint64_t end = 0;
  Listener listener = *co_await Listener::open(shard->kernel(), name + ":80");
  core::TaskScope connections;
  for (int i = 0; i < 2; ++i) {
    const auto accepted = co_await listener.accept();
    if (!accepted) break;
    connections.spawn(serve_connection(shard, *accepted, &file, &permits, &end));
  }
  co_await connections.join();
  co_await listener.close();
  co_await file.close();
  co_await dir.close();
}

// Two shards, two clients each; ends when all is served. Returns how it ended.
RunStatus run_scenario(SimWorld& world, const std::string& run_name) {
  world.start_process(2);
  const std::string names[] = {run_name + "a", run_name + "b"};
  for (std::uint32_t i = 0; i < 2; ++i) world.start(i, serve(&world.shard(i), names[i]));
  const auto listening = [&] {
    return world.net().is_listening(names[0] + ":80") && world.net().is_listening(names[1] + ":80");
  };
  if (const RunStatus status = world.run_until(listening); status != RunStatus::Done) return status;
  for (const std::string& name : names) {
    for (int i = 0; i < 2; ++i) {
      SimClient client = world.connect(name + ":80");
      client.send(std::string(5000, 'x'));
      client.shutdown_write();
    }
  }
  return world.run_to_end();
}

SimWorld::Options small_options(std::uint64_t seed) {
  return {.seed = seed, .kernel = {.body_buffers = 2, .body_buffer_bytes = 2048}};
}

TEST(SimWorld, an_orderly_run_leaves_nothing_behind) {
  const std::uint64_t frames = core::frame_pool_stats().live;
  SimWorld world(small_options(1));
  ASSERT_EQ(run_scenario(world, "r"), RunStatus::Done);
  EXPECT_EQ(world.disk().size_of("data/ra"), 10000u);
  world.end_process();
  EXPECT_EQ(core::frame_pool_stats().live, frames);
}

TEST(SimWorld, a_rare_path_is_taken_at_will_only_where_a_test_says_how_often) {
  SimWorld world(small_options(1));
  world.start_process(1);
  const auto ask = [&](core::Perhaps site) {
    int yes = 0;
    for (int i = 0; i < 1000; ++i) yes += world.shard(0).perhaps(site) ? 1 : 0;
    return yes;
  };
  for (std::size_t i = 0; i < core::kPerhapsCount; ++i) EXPECT_EQ(ask(static_cast<core::Perhaps>(i)), 0);
  world.scene().perhaps.percent[static_cast<std::size_t>(core::Perhaps::VoteIsFull)] = 30;
  EXPECT_EQ(ask(core::Perhaps::RecordIsFull), 0);
  const int fired = ask(core::Perhaps::VoteIsFull);
  EXPECT_GT(fired, 200);
  EXPECT_LT(fired, 400);
  EXPECT_EQ(world.scene().perhaps.fired[static_cast<std::size_t>(core::Perhaps::VoteIsFull)],
            static_cast<std::uint64_t>(fired));
  world.end_process();
}

TEST(SimWorld, the_same_seed_gives_the_same_trace) {
  const auto trace = [](std::uint64_t seed) {
    SimWorld world(small_options(seed));
    EXPECT_EQ(run_scenario(world, "r"), RunStatus::Done);
    return std::pair(world.trace_hash(), world.op_count());
  };
  EXPECT_EQ(trace(5), trace(5));
  EXPECT_EQ(trace(6), trace(6));
  EXPECT_NE(trace(5).first, trace(6).first);
}

TEST(SimWorld, a_crash_replays_too) {
  const auto trace = [] {
    SimWorld world(small_options(9));
    world.crash_at_op(40);
    EXPECT_EQ(run_scenario(world, "r"), RunStatus::Crashed);
    world.lose_power(UnsyncedPolicy::Random, NamesPolicy::Random);
    EXPECT_EQ(run_scenario(world, "s"), RunStatus::Done);
    return world.trace_hash();
  };
  EXPECT_EQ(trace(), trace());
}

TEST(SimWorld, every_frame_is_reclaimed_after_a_thousand_crashes) {
  const std::uint64_t frames = core::frame_pool_stats().live;
  std::uint64_t crashes = 0;
  for (std::uint64_t seed = 1; crashes < 1000; ++seed) {
    SimWorld probe(small_options(seed));
    ASSERT_EQ(run_scenario(probe, "r"), RunStatus::Done);
    const std::uint64_t ops = probe.op_count();
    ASSERT_GT(ops, 50u);
    for (std::uint64_t k = 1; k <= ops; ++k, ++crashes) {
      SimWorld world(small_options(seed));
      world.crash_at_op(k, k % 2 == 0 ? CrashPoint::Submit : CrashPoint::Complete);
      const RunStatus status = run_scenario(world, "r");
      if (k < ops) ASSERT_EQ(status, RunStatus::Crashed) << "seed " << seed << " op " << k;
      if (k % 3 == 0) {
        world.kill_process();
      } else {
        world.lose_power(UnsyncedPolicy::Random, NamesPolicy::Random);
      }
      ASSERT_EQ(core::frame_pool_stats().live, frames) << "seed " << seed << " op " << k;
      ASSERT_EQ(run_scenario(world, "s"), RunStatus::Done) << "seed " << seed << " op " << k;
    }
  }
  EXPECT_EQ(core::frame_pool_stats().live, frames);
}

TEST(SimWorld, a_deadlock_is_told_and_a_world_may_end_in_it) {
  SimWorld world(2);
  world.start_process(2);
  world.start(0, serve(&world.shard(0), "r"));
  EXPECT_EQ(world.run_to_end(), RunStatus::Stuck);  // nobody connects
  SimClient first = world.connect("r:80");
  EXPECT_FALSE(world.connect("elsewhere:80").is_connected());
  first.send("hello");
  EXPECT_EQ(world.run_until([&] { return !first.received().empty(); }), RunStatus::Done);
  EXPECT_EQ(world.run_idle(), RunStatus::Stuck);
  world.kill_process();
  EXPECT_TRUE(first.was_reset());
  EXPECT_FALSE(world.net().is_listening("r:80"));
}

Task<void> sleep_and_note(Shard* shard, std::int64_t* woke) {
  co_await shard->sleep_for(std::chrono::seconds(3));
  *woke = shard->now().monotonic.nanos;
}

TEST(SimWorld, time_is_virtual_and_the_wall_may_jump) {
  SimWorld world(2);
  world.start_process(1);
  std::int64_t woke = 0;
  const core::Clock before = world.now();
  world.start(0, sleep_and_note(&world.shard(0), &woke));
  EXPECT_EQ(world.run_for(std::chrono::seconds(1)), RunStatus::Done);
  EXPECT_EQ(woke, 0);
  EXPECT_EQ(world.now().monotonic, before.monotonic + std::chrono::seconds(1));
  world.jump_wall(std::chrono::hours(-5));
  EXPECT_LT(world.now().wall_micros, before.wall_micros);
  EXPECT_EQ(world.run_to_end(), RunStatus::Done);
  EXPECT_GE(woke, (before.monotonic + std::chrono::seconds(3)).nanos);
  world.end_process();
}

TEST(SimWorld, a_slow_taker_stalls_the_server_and_a_reset_ends_it) {
  SimWorld world(4);
  world.start_process(1);
  world.start(0, serve(&world.shard(0), "r"));
  ASSERT_EQ(world.run_until([&] { return world.net().is_listening("r:80"); }), RunStatus::Done);
  SimClient slow = world.connect("r:80");
  SimClient gone = world.connect("r:80");
  slow.set_window(1);
  slow.send("hello");
  EXPECT_EQ(world.run_idle(), RunStatus::Stuck);
  EXPECT_EQ(slow.take_received().size(), 1u);
  EXPECT_EQ(world.run_idle(), RunStatus::Stuck);
  EXPECT_EQ(slow.take_received().size(), 1u);
  slow.shutdown_write();
  gone.send("x");
  gone.reset();
  slow.set_window(100);
  EXPECT_EQ(world.run_to_end(), RunStatus::Done);
  world.end_process();
}

}  // namespace
}  // namespace penstock::sim
