// What fails while the store runs: a write, a sync, the room on the disk.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "core/base/log.hpp"
#include "core/base/planted.hpp"
#include "tests/crash/crash_matrix.hpp"
#include "tests/crash/two_phase_clients.hpp"

namespace penstock::crash {
namespace {

using sim::RunStatus;

#ifndef PENSTOCK_PLANTED_BUGS
// In every build but one the planted sites are the constant false: no code is made for them.
static_assert(!core::planted(core::Planted::SkipJournalSync) && !core::planted(core::Planted::SkipPoison));
#endif

class LiveFaults : public ::testing::Test {
 protected:
  void SetUp() override {
    core::set_log_sink([](core::LogLevel, std::string_view) {});
  }
  void TearDown() override { core::set_log_sink({}); }
};

void open_well(StoreWorld& world) {
  std::string error;
  ASSERT_EQ(world.open(error), RunStatus::Done);
  ASSERT_EQ(error, "");
}

core::Task<void> some_loads(txn::Store* store, Knowledge* knows, int first, int count, int rows) {
  for (int i = 0; i < count; ++i) co_await load(store, knows, {.number = first + i, .rows = rows});
}

TEST_F(LiveFaults, a_journal_file_waits_for_a_descriptor_that_is_missing_for_a_moment) {
  for (const bool comes_back : {true, false}) {
    Knowledge knows;
    StoreWorld world(1, 1);
    open_well(world);
    ASSERT_EQ(world.run(create_table(&world.store(), &knows, "t")), RunStatus::Done);
    sim::SimDisk& disk = world.world().disk();
    if (comes_back) {
      disk.fail_nth(core::OpKind::Open, "journal-", 1, EMFILE);
    } else {
      disk.fail_from(core::OpKind::Open, "journal-", 1, EMFILE);
    }
    knows.may_refuse = !comes_back;
    ASSERT_EQ(world.run(some_loads(&world.store(), &knows, 1, 1, 3)), RunStatus::Done);
    EXPECT_EQ(knows.violation, "");
    EXPECT_EQ(knows.loads[1], comes_back ? Known::Acknowledged : Known::Refused);
    disk.clear_faults();
    knows.may_refuse = false;
    ASSERT_EQ(world.run(some_loads(&world.store(), &knows, 2, 1, 3)), RunStatus::Done);
    ASSERT_EQ(world.run(look(&world.store(), &knows)), RunStatus::Done);
    EXPECT_EQ(knows.violation, "");
  }
}

TEST_F(LiveFaults, a_failed_journal_write_fails_its_load_and_no_other) {
  constexpr int kFillsBlocks = 40;
  constexpr int kSmall = 3;  // its one write is a durable one
  for (const int rows : {kFillsBlocks, kSmall}) {
    for (std::uint32_t nth = 1; nth <= 6; ++nth) {
      SCOPED_TRACE(fmt::format("write {} of loads of {} rows", nth, rows));
      Knowledge knows;
      StoreWorld world(nth, 2);
      open_well(world);
      ASSERT_EQ(world.run(create_table(&world.store(), &knows, "t")), RunStatus::Done);
      // For space: a durable write that fails for anything else ends the process.
      world.world().disk().fail_nth(core::OpKind::Write, "journal-", nth, ENOSPC);
      knows.may_refuse = true;
      ASSERT_EQ(world.run(some_loads(&world.store(), &knows, 1, 8, rows)), RunStatus::Done);
      EXPECT_FALSE(world.is_poisoned());
      int refused = 0;
      for (const auto& [number, known] : knows.loads) refused += known == Known::Refused ? 1 : 0;
      EXPECT_EQ(refused, 1);
      EXPECT_NE(knows.last_refusal.find("journal failed"), std::string::npos) << knows.last_refusal;
      knows.may_refuse = false;
      ASSERT_EQ(world.run(some_loads(&world.store(), &knows, 20, 3, 10)), RunStatus::Done);
      ASSERT_EQ(world.run(look(&world.store(), &knows)), RunStatus::Done);
      EXPECT_EQ(knows.violation, "");
      world.lose_power(sim::UnsyncedPolicy::DropAll, sim::NamesPolicy::DropAll);
      open_well(world);
      ASSERT_EQ(world.run(look(&world.store(), &knows)), RunStatus::Done);
      EXPECT_EQ(knows.violation, "");
    }
  }
}

// The journals of both lanes: of long loads and of small ones.
TEST_F(LiveFaults, journal_files_go_with_the_table_whose_rows_they_have) {
  const auto journals = [](StoreWorld& world) {
    return std::ranges::count_if(world.world().disk().list_path("/data"),
                                 [](const std::string& name) { return name.starts_with("journal-"); });
  };
  for (const int rows : {40, 3}) {
    SCOPED_TRACE(rows);
    Knowledge knows;
    txn::StoreLimits limits = tiny_limits();
    limits.journal = {.file_bytes = 16384, .file_bytes_min = 12288};
    StoreWorld world(1, 1, limits);
    open_well(world);
    ASSERT_EQ(world.run(create_table(&world.store(), &knows, "t")), RunStatus::Done);
    ASSERT_EQ(world.run(some_loads(&world.store(), &knows, 1, 30, rows)), RunStatus::Done);
    EXPECT_GT(journals(world), 4);
    ASSERT_EQ(world.run(drop_table(&world.store(), &knows, "t")), RunStatus::Done);
    // What is sealed goes; a file that is written to stays.
    ASSERT_EQ(world.run(create_table(&world.store(), &knows, "u")), RunStatus::Done);
    ASSERT_EQ(world.run(drop_table(&world.store(), &knows, "u")), RunStatus::Done);
    (void)world.world().run_idle();
    EXPECT_LE(journals(world), 2);
    EXPECT_EQ(knows.violation, "");
  }
}

// The same for every file that is synced, and every folder sync: the process ends, nobody is told anything more, and a
// restart has all that was acknowledged, whatever the failed sync dropped.
TEST_F(LiveFaults, any_failed_sync_or_record_write_ends_the_process_and_loses_nothing) {
  std::uint64_t schedules = 0;
  for (const Scenario& scenario : fault_scenarios()) {
    // Behind the fault, and at some operations before and after it.
    for (const CrashMatrix::Options& options : {CrashMatrix::Options{.second_crashes = 0, .only_whole = true},
                                                CrashMatrix::Options{.stride = 53, .in_turn = true}}) {
      const Tally tally = CrashMatrix::run(scenario, options);
      schedules += tally.schedules;
      EXPECT_EQ(tally.violation, "") << "PENSTOCK_REPLAY=\"" << tally.at.to_text() << '"';
    }
  }
  std::printf("live faults: %llu schedules\n", static_cast<unsigned long long>(schedules));
}

struct SyncFault {
  const char* what;
  core::OpKind kind;
  const char* file;
  bool at_start;  // hits the opening of a store that has data
  int rows = 90;  // of each load
};

TEST_F(LiveFaults, each_kind_of_sync_that_fails_poisons) {
  const SyncFault faults[] = {
      {"journal", core::OpKind::Sync, "journal-", false},
      {"durable write of a journal", core::OpKind::Write, "journal-", false, 2},  // small: no other writes
      {"folder of a journal", core::OpKind::SyncDir, "data", false},
      {"commit log", core::OpKind::Sync, "log-", false},
      {"commit log write", core::OpKind::Write, "log-", false},
      {"snapshot", core::OpKind::Sync, "snapshot-", false},
      {"boot", core::OpKind::Sync, "log-", true},
      {"folder at boot", core::OpKind::SyncDir, "data", true},
  };
  for (const SyncFault& fault : faults) {
    SCOPED_TRACE(fault.what);
    Knowledge knows;
    StoreWorld world(7, 2);
    open_well(world);
    ASSERT_EQ(world.run(create_table(&world.store(), &knows, "t")), RunStatus::Done);
    ASSERT_EQ(world.run(some_loads(&world.store(), &knows, 1, 2, 5)), RunStatus::Done);
    (void)world.world().run_idle();
    if (fault.at_start) {
      world.kill();
      world.world().disk().fail_nth(fault.kind, fault.file, 1);
      std::string error;
      EXPECT_EQ(world.open(error), RunStatus::Crashed);
    } else {
      world.world().disk().fail_nth(fault.kind, fault.file, 1);
      EXPECT_EQ(world.run(some_loads(&world.store(), &knows, 10, 20, fault.rows)), RunStatus::Crashed);
    }
    EXPECT_TRUE(world.is_poisoned());
    EXPECT_NE(world.poisoned_by().find("Input/output error"), std::string::npos) << world.poisoned_by();
    world.kill();
    world.world().disk().clear_faults();
    open_well(world);
    ASSERT_EQ(world.run(look(&world.store(), &knows)), RunStatus::Done);
    ASSERT_EQ(world.run(retry_doubtful(&world.store(), &knows)), RunStatus::Done);
    world.lose_power(sim::UnsyncedPolicy::DropAll, sim::NamesPolicy::DropAll);
    open_well(world);
    ASSERT_EQ(world.run(look(&world.store(), &knows)), RunStatus::Done);
    EXPECT_EQ(knows.violation, "");
  }
}

txn::StoreLimits limits_with_reserve() {
  txn::StoreLimits limits = tiny_limits();
  limits.log.reserve_bytes = 20 * core::kPage;  // four log files, as by default
  return limits;
}

TEST_F(LiveFaults, a_full_disk_refuses_loads_loses_nothing_and_still_drops_tables) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    Knowledge knows;
    StoreWorld world(seed, 2, limits_with_reserve());
    open_well(world);
    ASSERT_EQ(world.run(create_table(&world.store(), &knows, "t")), RunStatus::Done);
    ASSERT_EQ(world.run(create_table(&world.store(), &knows, "gone")), RunStatus::Done);
    ASSERT_EQ(world.run(load(&world.store(), &knows, {.number = 1, .rows = 150, .table = "gone"})),
              RunStatus::Done);
    (void)world.world().run_idle();
    world.world().disk().set_capacity(world.world().disk().used_bytes() + seed * 2 * core::kPage);
    knows.may_refuse = true;
    ASSERT_EQ(world.run(some_loads(&world.store(), &knows, 10, 30, 60)), RunStatus::Done);
    EXPECT_NE(knows.last_refusal.find("the disk is full"), std::string::npos) << knows.last_refusal;
    EXPECT_FALSE(world.is_poisoned());
    ASSERT_EQ(world.run(look(&world.store(), &knows)), RunStatus::Done);
    EXPECT_EQ(knows.violation, "");
    ASSERT_EQ(world.run(drop_table(&world.store(), &knows, "gone")),
              RunStatus::Done);  // violates if it is refused
    EXPECT_EQ(knows.violation, "");
    world.kill();
    open_well(world);  // a start on a full disk
    ASSERT_EQ(world.run(look(&world.store(), &knows)), RunStatus::Done);
    EXPECT_EQ(knows.violation, "");
    world.world().disk().set_capacity(UINT64_MAX);
    ASSERT_EQ(world.world().run_for(std::chrono::seconds(3)), RunStatus::Done);
    knows.may_refuse = false;
    ASSERT_EQ(world.run(some_loads(&world.store(), &knows, 100, 5, 30)), RunStatus::Done);
    ASSERT_EQ(world.run(look(&world.store(), &knows)), RunStatus::Done);
    EXPECT_EQ(knows.violation, "");
    world.lose_power(sim::UnsyncedPolicy::DropAll, sim::NamesPolicy::DropAll);
    open_well(world);
    ASSERT_EQ(world.run(look(&world.store(), &knows)), RunStatus::Done);
    EXPECT_EQ(knows.violation, "");
  }
}

TEST_F(LiveFaults, a_full_disk_still_commits_and_aborts_what_is_precommitted) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Knowledge knows;
    StoreWorld world(seed, 2, limits_with_reserve());
    open_well(world);
    ASSERT_EQ(world.run(create_table(&world.store(), &knows, "t")), RunStatus::Done);
    for (int i = 1; i <= 6; ++i) {
      ASSERT_EQ(world.run(prepare(&world.store(), &knows, {.number = i, .rows = 9})), RunStatus::Done);
    }
    (void)world.world().run_idle();
    world.world().disk().set_capacity(world.world().disk().used_bytes() + seed * 2 * core::kPage);
    knows.may_refuse = true;
    ASSERT_EQ(world.run(some_loads(&world.store(), &knows, 10, 30, 60)), RunStatus::Done);
    EXPECT_NE(knows.last_refusal.find("the disk is full"), std::string::npos) << knows.last_refusal;
    knows.may_refuse = false;  // of these none may be refused
    ASSERT_EQ(world.run(commit_together(&world.store(), &knows, {1, 2})), RunStatus::Done);
    ASSERT_EQ(world.run(abort(&world.store(), &knows, 3, By::Label)), RunStatus::Done);
    ASSERT_EQ(world.run(commit(&world.store(), &knows, 4, By::Id)), RunStatus::Done);
    ASSERT_EQ(world.run(look(&world.store(), &knows)), RunStatus::Done);
    EXPECT_EQ(knows.violation, "");
    world.kill();
    open_well(world);
    ASSERT_EQ(world.run(look(&world.store(), &knows)), RunStatus::Done);
    world.world().disk().set_capacity(UINT64_MAX);
    ASSERT_EQ(world.world().run_for(std::chrono::seconds(3)), RunStatus::Done);
    ASSERT_EQ(world.run(commit(&world.store(), &knows, 5, By::Label)), RunStatus::Done);
    ASSERT_EQ(world.run(look(&world.store(), &knows)), RunStatus::Done);
    EXPECT_EQ(knows.violation, "");
  }
}

core::Task<void> prepare_until_full(txn::Store* store, Knowledge* knows, int first, int count,
                                    int* prepared) {
  for (int i = 0; i < count; ++i) {
    co_await prepare(store, knows, {.number = first + i, .rows = 40});
    *prepared += knows->two_phase[first + i].stage == TwoPhase::Stage::Precommitted ? 1 : 0;
  }
}
core::Task<void> abort_prepared(txn::Store* store, Knowledge* knows) {
  std::vector<int> numbers;
  for (const auto& [number, load] : knows->two_phase) {
    if (load.stage == TwoPhase::Stage::Precommitted) numbers.push_back(number);
  }
  for (const int number : numbers) co_await abort(store, knows, number, By::Id);
}

// The snapshot that would have freed them needs room itself, and may be hours away.
TEST_F(LiveFaults, aborting_what_fills_the_disk_frees_it_without_a_snapshot) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    Knowledge knows;
    txn::StoreLimits limits = limits_with_reserve();
    limits.log.file_bytes = 256 * core::kPage;
    limits.coordinator.log_files_per_snapshot = 100;
    limits.journal = {.file_bytes = 16384, .file_bytes_min = 8192};
    StoreWorld world(seed, 2, limits);
    open_well(world);
    ASSERT_EQ(world.run(create_table(&world.store(), &knows, "t")), RunStatus::Done);
    (void)world.world().run_idle();
    world.world().disk().set_capacity(world.world().disk().used_bytes() + (40 + seed) * core::kPage);
    knows.may_refuse = true;
    int before = 0;
    ASSERT_EQ(world.run(prepare_until_full(&world.store(), &knows, 1, 40, &before)), RunStatus::Done);
    EXPECT_NE(knows.last_refusal.find("the disk is full"), std::string::npos) << knows.last_refusal;
    ASSERT_GT(before, 3);
    const std::uint64_t snapshots = world.store().coordinator().stats().snapshots;
    ASSERT_EQ(world.run(abort_prepared(&world.store(), &knows)), RunStatus::Done);
    (void)world.world().run_idle();
    int behind = 0;
    ASSERT_EQ(world.run(prepare_until_full(&world.store(), &knows, 100, 40, &behind)), RunStatus::Done);
    EXPECT_GE(behind, before - 2) << "their files are not free";
    EXPECT_EQ(world.store().coordinator().stats().snapshots, snapshots);
    world.kill();
    world.world().disk().set_capacity(UINT64_MAX);
    open_well(world);  // none of the files that are gone is asked for
    ASSERT_EQ(world.run(look(&world.store(), &knows)), RunStatus::Done);
    EXPECT_EQ(knows.violation, "");
  }
}

txn::StoreLimits limits_for_rows_in_flight() {
  txn::StoreLimits limits = tiny_limits();
  limits.log.file_bytes = 32 * core::kPage;
  limits.coordinator.log_files_per_snapshot = 100;
  limits.coordinator.txn_range = 1000;
  limits.coordinator.labels = {.in_memory = 1000, .fan_in = 2};
  limits.journal = {
      .file_bytes = 262144, .file_bytes_min = 16384, .small_sync_bytes = 4096, .prewrite_bytes = 32768};
  return limits;
}

// A failed write may leave its bytes in memory as if it had not failed, where the next process reads them. What it takes for
// whole must be so after a power loss, too.
TEST_F(LiveFaults, rows_whose_write_failed_beside_their_record_are_written_again_or_not_there) {
  int poisoned = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    for (std::uint32_t nth = 1; nth <= 25; ++nth) {
      SCOPED_TRACE(fmt::format("seed {}, {}. sync", seed, nth));
      StoreWorld world(seed, 1, limits_for_rows_in_flight());
      Knowledge knows;
      open_well(world);
      ASSERT_EQ(world.run(create_table(&world.store(), &knows, "t")), RunStatus::Done);
      world.world().disk().fail_nth(core::OpKind::Sync, "journal-", nth, EIO);
      (void)world.run(some_loads(&world.store(), &knows, 1, 14, 5));
      poisoned += world.is_poisoned() ? 1 : 0;
      world.kill();
      world.world().disk().clear_faults();
      open_well(world);
      ASSERT_EQ(world.run(look(&world.store(), &knows)), RunStatus::Done);
      world.lose_power(sim::UnsyncedPolicy::KeepAll, sim::NamesPolicy::KeepAll);
      open_well(world);
      ASSERT_EQ(world.run(look(&world.store(), &knows)), RunStatus::Done);
      ASSERT_EQ(knows.violation, "");
      world.kill();
    }
  }
  EXPECT_GT(poisoned, 100);
}

TEST_F(LiveFaults, a_snapshot_that_is_due_with_the_last_record_of_a_run_does_not_outlive_the_run) {
  std::uint64_t beside = 0;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    for (int count = 6; count <= 30; ++count) {
      SCOPED_TRACE(fmt::format("seed {}, {} loads", seed, count));
      txn::StoreLimits limits = limits_for_rows_in_flight();
      limits.log.file_bytes = 6 * core::kPage;
      limits.coordinator.log_files_per_snapshot = 1;
      StoreWorld world(seed, 1, limits);
      Knowledge knows;
      open_well(world);
      ASSERT_EQ(world.run(create_table(&world.store(), &knows, "t")), RunStatus::Done);
      ASSERT_EQ(world.run(some_loads(&world.store(), &knows, 1, count, 5)), RunStatus::Done);
      beside += world.store().coordinator().stats().records_beside_rows;
      ASSERT_EQ(world.close(), RunStatus::Done);
      ASSERT_FALSE(world.is_poisoned()) << world.poisoned_by();
    }
  }
  EXPECT_GT(beside, 100u);
}

}  // namespace
}  // namespace penstock::crash
