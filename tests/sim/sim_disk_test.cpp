// The disk forgets, lies and fails exactly as the headers say.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string>

#include "core/io/file.hpp"
#include "tests/sim/sim_world.hpp"

namespace penstock::sim {
namespace {

using core::Directory;
using core::File;
using core::Kernel;
using core::OpKind;
using core::Result;
using core::Task;

constexpr std::size_t kPage = 4096;

std::vector<std::byte> filled(std::size_t size, unsigned value) {
  return std::vector<std::byte>(size, static_cast<std::byte>(value));
}
std::size_t count_of(std::span<const std::byte> bytes, unsigned value) {
  return static_cast<std::size_t>(std::ranges::count(bytes, static_cast<std::byte>(value)));
}

// Page 0 of "data/f" is synced with the value 1, under a synced name; then `after` is done with it.
struct Plan {
  bool overwrite = false;  // page 0 with the value 2
  bool append = false;     // page 1 with the value 3
  bool sync = false;
  bool unsynced_file = false;  // "data/g", its bytes synced, its name not
  bool unlink = false;         // "data/f"
  std::optional<core::Error> sync_error;
  bool done = false;
};

Task<void> run_plan(Kernel* kernel, Plan* plan) {
  Directory dir = *co_await Directory::open(*kernel, "data");
  File file = *co_await dir.open_file("f", {.write = true, .create_exclusive = true});
  const auto one = filled(kPage, 1), two = filled(kPage, 2), three = filled(kPage, 3);
  (void)co_await file.write_all(0, one);
  (void)co_await file.sync();
  (void)co_await dir.sync();
  if (plan->overwrite) (void)co_await file.write_all(0, two);
  if (plan->append) (void)co_await file.write_all(kPage, three);
  if (plan->sync) {
    const auto synced = co_await file.sync();
    if (!synced) plan->sync_error = synced.error();
  }
  if (plan->unsynced_file) {
    File other = *co_await dir.open_file("g", {.write = true, .create_exclusive = true});
    (void)co_await other.write_all(0, one);
    (void)co_await other.sync();
    co_await other.close();
  }
  if (plan->unlink) (void)co_await dir.unlink("f");
  co_await file.close();
  co_await dir.close();
  plan->done = true;
}

struct PlannedWorld {
  explicit PlannedWorld(Plan p, std::uint64_t seed = 1) : world(seed), plan(p) { world.start_process(1); }
  void run() {
    world.start(0, run_plan(&world.kernel(), &plan));
    ASSERT_EQ(world.run_until([this] { return plan.done; }), RunStatus::Done);
  }
  std::vector<std::byte> bytes() { return world.disk().read_file("data/f"); }
  SimWorld world;
  Plan plan;
};

TEST(SimDisk, what_was_synced_survives_every_policy) {
  for (const auto policy : {UnsyncedPolicy::KeepAll, UnsyncedPolicy::DropAll, UnsyncedPolicy::Random,
                            UnsyncedPolicy::TornAll, UnsyncedPolicy::Garbage}) {
    PlannedWorld planned({.overwrite = true, .append = true, .sync = true});
    planned.run();
    planned.world.lose_power(policy, NamesPolicy::DropAll);
    EXPECT_EQ(planned.bytes().size(), 2 * kPage);
    EXPECT_EQ(count_of(planned.bytes(), 2), kPage);
    EXPECT_EQ(count_of(planned.bytes(), 3), kPage);
  }
}

TEST(SimDisk, unsynced_pages_and_sizes_are_dropped_or_kept) {
  PlannedWorld dropped({.overwrite = true, .append = true});
  dropped.run();
  EXPECT_EQ(count_of(dropped.bytes(), 2), kPage);  // the cache shows the newest
  dropped.world.lose_power(UnsyncedPolicy::DropAll, NamesPolicy::KeepAll);
  EXPECT_EQ(dropped.bytes(), filled(kPage, 1));

  PlannedWorld kept({.overwrite = true, .append = true});
  kept.run();
  kept.world.lose_power(UnsyncedPolicy::KeepAll, NamesPolicy::KeepAll);
  EXPECT_EQ(count_of(kept.bytes(), 2), kPage);
  EXPECT_EQ(count_of(kept.bytes(), 3), kPage);
}

// Page 0 and 2 of "data/f" plainly, page 1 durably (over an unsynced version of it); its name is synced if asked.
struct DurableWrite {
  bool name = true;
  bool last_page = false;  // page 2 is written before, so the size that covers it is not durable
  bool sync_after = false;
  std::optional<core::Error> error;
};
Task<void> run_durable_write(Kernel* kernel, DurableWrite* plan) {
  Directory dir = *co_await Directory::open(*kernel, "data");
  File file = *co_await dir.open_file("f", {.write = true, .create_exclusive = true});
  if (plan->name) (void)co_await dir.sync();
  const auto one = filled(kPage, 1), two = filled(kPage, 2), three = filled(kPage, 3);
  (void)co_await file.write_all(0, one);
  (void)co_await file.write_all(kPage, three);
  if (plan->last_page) (void)co_await file.write_all(2 * kPage, three);
  const auto written = co_await file.write_all(kPage, two, File::Durable::Yes);
  if (!written) plan->error = written.error();
  if (plan->sync_after) (void)co_await file.sync();
  co_await file.close();
  co_await dir.close();
}

TEST(SimDisk, a_durable_write_survives_every_policy_and_takes_nothing_else_along) {
  for (const auto policy : {UnsyncedPolicy::KeepAll, UnsyncedPolicy::DropAll, UnsyncedPolicy::Random,
                            UnsyncedPolicy::TornAll, UnsyncedPolicy::Garbage}) {
    for (const bool last_page : {false, true}) {
      SimWorld world(5);
      world.start_process(1);
      DurableWrite plan{.last_page = last_page};
      world.start(0, run_durable_write(&world.kernel(), &plan));
      ASSERT_EQ(world.run_to_end(), RunStatus::Done);
      world.lose_power(policy, NamesPolicy::DropAll);
      const auto bytes = world.disk().read_file("data/f");
      ASSERT_GE(bytes.size(), 2 * kPage);
      EXPECT_EQ(count_of(std::span(bytes).subspan(kPage, kPage), 2), kPage);
      if (policy == UnsyncedPolicy::DropAll) {
        EXPECT_EQ(bytes.size(), 2 * kPage);
        EXPECT_EQ(count_of(bytes, 1), 0u);
      }
    }
  }
}

TEST(SimDisk, a_sync_behind_a_durable_write_brings_no_older_version_back) {
  SimWorld world(5);
  world.start_process(1);
  DurableWrite plan{.last_page = true, .sync_after = true};
  world.start(0, run_durable_write(&world.kernel(), &plan));
  ASSERT_EQ(world.run_to_end(), RunStatus::Done);
  world.lose_power(UnsyncedPolicy::DropAll, NamesPolicy::DropAll);
  const auto bytes = world.disk().read_file("data/f");
  ASSERT_EQ(bytes.size(), 3 * kPage);
  EXPECT_EQ(count_of(bytes, 1), kPage);
  EXPECT_EQ(count_of(bytes, 2), kPage);
  EXPECT_EQ(count_of(bytes, 3), kPage);
}

TEST(SimDisk, a_durable_write_does_not_keep_a_name) {
  SimWorld world(5);
  world.start_process(1);
  DurableWrite plan{.name = false};
  world.start(0, run_durable_write(&world.kernel(), &plan));
  ASSERT_EQ(world.run_to_end(), RunStatus::Done);
  world.lose_power(UnsyncedPolicy::KeepAll, NamesPolicy::DropAll);
  EXPECT_FALSE(world.disk().exists("data/f"));
}

TEST(SimDisk, a_durable_write_is_torn_where_the_power_goes_before_it_completes) {
  bool torn = false, whole = false, none = false;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SimWorld world(seed);
    world.start_process(1);
    DurableWrite plan;
    world.scene().on_submit = [&](std::uint64_t, const core::Op& op) {
      if (op.durable) world.scene().crash();
    };
    world.start(0, run_durable_write(&world.kernel(), &plan));
    ASSERT_EQ(world.run_to_end(), RunStatus::Crashed);
    world.lose_power(UnsyncedPolicy::Random, NamesPolicy::DropAll);
    const auto bytes = world.disk().read_file("data/f");
    const std::size_t there = bytes.size() < kPage ? 0 : count_of(std::span(bytes).subspan(kPage), 2);
    torn |= there > 0 && there < kPage;
    whole |= there == kPage;
    none |= there == 0;
  }
  EXPECT_TRUE(torn && whole && none);
}

TEST(SimDisk, a_durable_write_fails_where_a_write_or_a_sync_would) {
  bool kept = false, lost = false;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (const OpKind kind : {OpKind::Write, OpKind::Sync}) {
      SimWorld world(seed);
      world.start_process(1);
      world.disk().fail_nth(kind, "f", kind == OpKind::Write ? 3 : 1);
      DurableWrite plan{.sync_after = true};
      world.start(0, run_durable_write(&world.kernel(), &plan));
      ASSERT_EQ(world.run_to_end(), RunStatus::Done);
      EXPECT_TRUE(plan.error);
      const bool shows = count_of(world.disk().read_file("data/f"), 2) == kPage;
      EXPECT_EQ(shows, kind == OpKind::Sync);
      world.lose_power(UnsyncedPolicy::DropAll, NamesPolicy::DropAll);
      const auto bytes = world.disk().read_file("data/f");
      EXPECT_EQ(count_of(bytes, 1), kPage);  // the sync behind it covers what it covers
      if (kind == OpKind::Sync) (count_of(bytes, 2) == kPage ? kept : lost) = true;
    }
  }
  EXPECT_TRUE(kept && lost);  // nobody knows
}

TEST(SimDisk, a_torn_page_is_old_and_new_by_sectors) {
  bool mixed = false;
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    PlannedWorld planned({.overwrite = true}, seed);
    planned.run();
    planned.world.lose_power(UnsyncedPolicy::TornAll, NamesPolicy::KeepAll);
    const auto bytes = planned.bytes();
    ASSERT_EQ(bytes.size(), kPage);
    EXPECT_LT(count_of(bytes, 2), kPage);
    EXPECT_EQ(count_of(bytes, 1) + count_of(bytes, 2), kPage);
    for (std::size_t sector = 0; sector < kPage; sector += 512) {
      EXPECT_EQ(count_of(std::span(bytes).subspan(sector, 512), static_cast<unsigned>(bytes[sector])), 512u);
    }
    mixed |= count_of(bytes, 2) > 0;
  }
  EXPECT_TRUE(mixed);
}

TEST(SimDisk, a_garbage_page_is_neither_old_nor_new) {
  PlannedWorld planned({.overwrite = true});
  planned.run();
  planned.world.lose_power(UnsyncedPolicy::Garbage, NamesPolicy::KeepAll);
  const auto bytes = planned.bytes();
  ASSERT_EQ(bytes.size(), kPage);
  EXPECT_LT(count_of(bytes, 1) + count_of(bytes, 2), kPage);
}

TEST(SimDisk, random_fates_reach_every_outcome) {
  bool old = false, fresh = false, other = false;
  for (std::uint64_t seed = 1; seed < 60; ++seed) {
    PlannedWorld planned({.overwrite = true}, seed);
    planned.run();
    planned.world.lose_power(UnsyncedPolicy::Random, NamesPolicy::KeepAll);
    const auto bytes = planned.bytes();
    old |= count_of(bytes, 1) == kPage;
    fresh |= count_of(bytes, 2) == kPage;
    other |= count_of(bytes, 1) != kPage && count_of(bytes, 2) != kPage;
  }
  EXPECT_TRUE(old && fresh && other);
}

TEST(SimDisk, an_unsynced_name_may_vanish_and_an_unsynced_unlink_may_not_have_been) {
  bool name_kept = false, name_lost = false, unlink_kept = false, unlink_lost = false;
  for (std::uint64_t seed = 1; seed < 30; ++seed) {
    PlannedWorld planned({.unsynced_file = true, .unlink = true}, seed);
    planned.run();
    EXPECT_EQ(planned.world.disk().list_path("data"), std::vector<std::string>{"g"});
    planned.world.lose_power(UnsyncedPolicy::DropAll, NamesPolicy::Random);
    (planned.world.disk().exists("data/g") ? name_kept : name_lost) = true;
    (planned.world.disk().exists("data/f") ? unlink_lost : unlink_kept) = true;
  }
  EXPECT_TRUE(name_kept && name_lost && unlink_kept && unlink_lost);

  PlannedWorld dropped({.unsynced_file = true, .unlink = true});
  dropped.run();
  dropped.world.lose_power(UnsyncedPolicy::KeepAll, NamesPolicy::DropAll);
  EXPECT_EQ(dropped.world.disk().list_path("data"), std::vector<std::string>{"f"});
  EXPECT_EQ(dropped.bytes(), filled(kPage, 1));
}

TEST(SimDisk, a_killed_process_leaves_all_that_had_completed) {
  PlannedWorld planned({.overwrite = true, .append = true, .unsynced_file = true});
  planned.run();
  planned.world.kill_process();
  EXPECT_EQ(count_of(planned.bytes(), 2), kPage);
  EXPECT_EQ(count_of(planned.bytes(), 3), kPage);
  EXPECT_TRUE(planned.world.disk().exists("data/g"));
}

TEST(SimDisk, a_failed_sync_drops_its_pages_and_the_cache_hides_it) {
  PlannedWorld planned({.overwrite = true, .sync = true});
  planned.world.disk().fail_nth(OpKind::Sync, "f", 2);
  planned.run();
  ASSERT_TRUE(planned.plan.sync_error.has_value());
  EXPECT_EQ(planned.plan.sync_error->code, core::Errc::Io);
  EXPECT_EQ(count_of(planned.bytes(), 2), kPage);
  planned.world.lose_power(UnsyncedPolicy::KeepAll, NamesPolicy::KeepAll);  // even so
  EXPECT_EQ(planned.bytes(), filled(kPage, 1));
}

// mkdir; open, sync and close its parent; opendir, create, write
constexpr std::uint64_t kWriteOp = 7;

Task<void> write_once(Kernel* kernel, std::size_t pages, std::int64_t* result) {
  Directory dir = *co_await Directory::open(*kernel, "data");
  File file = *co_await dir.open_file("f", {.write = true, .create_exclusive = true});
  const auto bytes = filled(pages * kPage, 7);
  const auto written = co_await file.write(0, bytes);
  *result = written ? static_cast<std::int64_t>(*written) : -written.error().os_error;
  co_await file.close();
  co_await dir.close();
}

TEST(SimDisk, writes_in_flight_at_a_kill_happen_in_full_or_not_at_all_or_later) {
  bool now = false, later = false, never = false;
  for (std::uint64_t seed = 1; seed < 60; ++seed) {
    SimWorld world(seed);
    world.start_process(1);
    std::int64_t result = 0;
    world.crash_at_op(kWriteOp);
    world.start(0, write_once(&world.kernel(), 2, &result));
    ASSERT_EQ(world.run_to_end(), RunStatus::Crashed);
    world.kill_process();
    const std::uint64_t size = world.disk().size_of("data/f");
    ASSERT_TRUE(size == 0 || size == 2 * kPage);
    now |= size > 0;
    if (world.disk().late_writes() > 0) {
      later = true;
      ASSERT_EQ(size, 0u);
      world.disk().land_late_writes();
      ASSERT_EQ(world.disk().read_file("data/f"), filled(2 * kPage, 7));
    } else {
      never |= size == 0;
    }
  }
  EXPECT_TRUE(now && later && never);
}

Task<void> read_often(Kernel* kernel, bool* saw_nothing, bool* saw_bytes) {
  Directory dir = *co_await Directory::open(*kernel, "data");
  File file = *co_await dir.open_file("f", {});
  for (int i = 0; i < 200; ++i) {
    (*co_await file.size() == 0 ? *saw_nothing : *saw_bytes) = true;
  }
  co_await file.close();
  co_await dir.close();
}

TEST(SimDisk, a_late_write_lands_while_the_next_process_reads) {
  SimWorld world(3);
  world.disk().late_write_percent = 100;
  world.start_process(1);
  std::int64_t result = 0;
  world.crash_at_op(kWriteOp);
  world.start(0, write_once(&world.kernel(), 2, &result));
  ASSERT_EQ(world.run_to_end(), RunStatus::Crashed);
  world.kill_process();
  ASSERT_EQ(world.disk().late_writes(), 1u);
  world.start_process(1);
  bool saw_nothing = false, saw_bytes = false;
  world.start(0, read_often(&world.kernel(), &saw_nothing, &saw_bytes));
  ASSERT_EQ(world.run_to_end(), RunStatus::Done);
  EXPECT_TRUE(saw_nothing && saw_bytes);
  world.end_process();
}

TEST(SimDisk, a_crash_in_mid_write_loses_power_page_by_page) {
  bool partial = false;
  for (std::uint64_t seed = 1; seed < 40; ++seed) {
    SimWorld world(seed);
    world.start_process(1);
    std::int64_t result = 0;
    world.crash_at_op(kWriteOp, seed % 2 == 0 ? CrashPoint::Submit : CrashPoint::Complete);
    world.start(0, write_once(&world.kernel(), 4, &result));
    ASSERT_EQ(world.run_to_end(), RunStatus::Crashed);
    EXPECT_EQ(result, 0);  // its caller never heard of it
    world.lose_power(UnsyncedPolicy::Random, NamesPolicy::KeepAll);
    const std::size_t arrived = count_of(world.disk().read_file("data/f"), 7);
    partial |= arrived > 0 && arrived < 4 * kPage;
  }
  EXPECT_TRUE(partial);
}

TEST(SimDisk, a_full_disk_cuts_a_write_short_then_refuses) {
  for (const auto& [capacity_pages, expected] :
       {std::pair{1, 4096}, std::pair{0, -ENOSPC}, std::pair{9, 3 * 4096}}) {
    SimWorld world(1);
    world.disk().set_capacity(static_cast<std::uint64_t>(capacity_pages) * kPage);
    world.start_process(1);
    std::int64_t result = 0;
    world.start(0, write_once(&world.kernel(), 3, &result));
    ASSERT_EQ(world.run_to_end(), RunStatus::Done);
    EXPECT_EQ(result, expected);
    world.end_process();
  }
}

TEST(SimDisk, space_comes_back_when_a_file_goes) {
  SimWorld world(1);
  world.disk().write_file("data/x", filled(10 * kPage, 1));
  EXPECT_EQ(world.disk().used_bytes(), 10 * kPage);
  world.disk().write_file("data/x", filled(3 * kPage, 1));
  EXPECT_EQ(world.disk().used_bytes(), 3 * kPage);
  world.disk().remove_file("data/x");
  EXPECT_EQ(world.disk().used_bytes(), 0u);
}

TEST(SimDisk, the_nth_write_fails_and_short_writes_are_retried) {
  SimWorld world(1);
  world.disk().fail_nth(OpKind::Write, "f", 1);
  world.start_process(1);
  std::int64_t result = 0;
  world.start(0, write_once(&world.kernel(), 1, &result));
  ASSERT_EQ(world.run_to_end(), RunStatus::Done);
  EXPECT_EQ(result, -EIO);
  world.end_process();

  PlannedWorld planned({.append = true, .sync = true});
  planned.world.disk().short_write_percent = 80;
  planned.run();
  planned.world.lose_power(UnsyncedPolicy::DropAll, NamesPolicy::DropAll);
  EXPECT_EQ(count_of(planned.bytes(), 1), kPage);
  EXPECT_EQ(count_of(planned.bytes(), 3), kPage);
}

TEST(SimDisk, a_slow_disk_takes_virtual_time_only) {
  PlannedWorld planned({.append = true, .sync = true});
  planned.world.disk().slow_percent = 100;
  const core::Instant before = planned.world.now().monotonic;
  planned.run();
  EXPECT_GT(planned.world.now().monotonic, before + std::chrono::seconds(10));
}

Task<void> write_and_sync_at_once(core::Shard* shard, File* file, int round, int* running) {
  const auto bytes = filled(kPage, static_cast<unsigned>(round));
  (void)co_await file->write(0, bytes);
  (void)co_await file->sync();
  --*running;
}
Task<void> overwrite_under_syncs(core::Shard* shard, File* file, int* running) {
  for (int round = 1; round <= 20; ++round) {
    ++*running;
    shard->spawn(write_and_sync_at_once(shard, file, round, running));
    if (round % 3 == 0) co_await shard->sleep_for(std::chrono::microseconds(150));
  }
}
Task<void> open_for_overwrites(Kernel* kernel, File* file) {
  Directory dir = *co_await Directory::open(*kernel, "data");
  *file = *co_await dir.open_file("f", {.write = true, .create_exclusive = true});
  (void)co_await dir.sync();
  co_await dir.close();
}

TEST(SimDisk, after_the_last_sync_the_durable_page_is_the_newest) {
  for (std::uint64_t seed = 1; seed < 40; ++seed) {
    SimWorld world(seed);
    world.start_process(1);
    File file;
    int running = 0;
    world.start(0, open_for_overwrites(&world.kernel(), &file));
    ASSERT_EQ(world.run_to_end(), RunStatus::Done);
    world.start(0, overwrite_under_syncs(&world.shard(0), &file, &running));
    ASSERT_EQ(world.run_to_end(), RunStatus::Done);
    const auto newest = world.disk().read_file("data/f");
    world.lose_power(UnsyncedPolicy::DropAll, NamesPolicy::DropAll);
    ASSERT_EQ(world.disk().read_file("data/f"), newest) << "seed " << seed;
  }
}

Task<void> write_directly(Kernel* kernel, std::uint64_t offset, std::int64_t* result) {
  Directory dir = *co_await Directory::open(*kernel, "data");
  File file = *co_await dir.open_file("f", {.write = true, .create_exclusive = true, .direct = true});
  alignas(4096) static const std::array<std::byte, 4096> bytes{};  // a frame aligns to 16 only
  const auto written = co_await file.write(offset, bytes);
  *result = written ? static_cast<std::int64_t>(*written) : -written.error().os_error;
  co_await file.close();
  co_await dir.close();
}

TEST(SimDisk, direct_writes_must_be_whole_pages) {
  for (const auto& [offset, expected] : {std::pair{8192, 4096}, std::pair{512, -EINVAL}}) {
    SimWorld world(1);
    world.start_process(1);
    std::int64_t result = 0;
    world.start(0, write_directly(&world.kernel(), static_cast<std::uint64_t>(offset), &result));
    ASSERT_EQ(world.run_to_end(), RunStatus::Done);
    EXPECT_EQ(result, expected);
    world.end_process();
  }
}

TEST(SimDisk, a_copy_shares_nothing_that_changes) {
  PlannedWorld planned({.overwrite = true});
  planned.run();
  planned.world.kill_process();
  SimDisk copy(planned.world.disk());
  SimRandom dice(1);
  copy.power_loss(UnsyncedPolicy::DropAll, NamesPolicy::KeepAll, {}, dice);
  EXPECT_EQ(copy.read_file("data/f"), filled(kPage, 1));
  EXPECT_EQ(planned.bytes(), filled(kPage, 2));
  copy.flip_bit("data/f", 5, 1);
  EXPECT_EQ(copy.read_file("data/f")[5], std::byte{3});
  EXPECT_EQ(planned.bytes(), filled(kPage, 2));
}

}  // namespace
}  // namespace penstock::sim
