#include <gtest/gtest.h>

#include "tests/crash/store_fixture.hpp"
#include "txn/decode/csv_decoder.hpp"

namespace penstock::crash {
namespace {

using core::Task;
using sim::RunStatus;

class StoreTest : public StoreFixture {};

TEST_F(StoreTest, sixty_loads_that_are_open_at_once_all_end_in_little_memory) {
  txn::StoreLimits limits = tiny_limits();
  limits.load_memory_max = 16 * core::kKiB;
  StoreWorld world(1, 2, limits);
  open_well(world);
  Knowledge knows;
  ASSERT_EQ(world.run(create_table(&world.store(), &knows, "t")), RunStatus::Done);
  std::vector<LoadPlan> plans;
  for (int i = 1; i <= 60; ++i) plans.push_back({.number = i, .rows = 21});
  ASSERT_EQ(world.run(loads_together(&world.store(), &knows, plans)), RunStatus::Done);
  ASSERT_EQ(world.run(look(&world.store(), &knows)), RunStatus::Done);
  EXPECT_EQ(knows.violation, "");
  EXPECT_EQ(knows.seen_visible.size(), 60u);
}

// Every subtask waits for the others before it ends (Flink's barrier): none may need another's end for its memory.
Task<void> barrier_of(txn::Store* store, Knowledge* knows, std::vector<OpenLoad>* open) {
  for (std::size_t i = 0; i < open->size(); ++i) {
    co_await open_load(store, knows, {.number = static_cast<int>(i + 1), .rows = 19}, &(*open)[i]);
  }
  for (OpenLoad& each : *open) co_await end_load(knows, &each);
}
TEST_F(StoreTest, sixty_loads_that_wait_for_each_other_do_not_deadlock) {
  txn::StoreLimits limits = tiny_limits();
  limits.load_memory_max = 16 * core::kKiB;
  StoreWorld world(2, 2, limits);
  open_well(world);
  Knowledge knows;
  std::vector<OpenLoad> open(60);
  ASSERT_EQ(world.run(create_table(&world.store(), &knows, "t")), RunStatus::Done);
  ASSERT_EQ(world.run(barrier_of(&world.store(), &knows, &open)), RunStatus::Done);
  ASSERT_EQ(world.run(look(&world.store(), &knows)), RunStatus::Done);
  EXPECT_EQ(knows.violation, "");
  EXPECT_EQ(knows.seen_visible.size(), 60u);
}

Task<void> begin_many(txn::Store* store, std::vector<txn::BeganLoad>* began, int count,
                      std::string label = "") {
  for (int i = 0; i < count; ++i) {
    auto result = co_await store->begin({.database = "db", .table = "t", .label = label});
    if (result.status == txn::BeginResult::Status::Began) began->push_back(result.load);
  }
}
Task<void> abort_all(txn::Store* store, std::vector<txn::BeganLoad>* began) {
  for (const txn::BeganLoad& load : *began) co_await store->abort(load.txn, "test");
  began->clear();
}

TEST_F(StoreTest, twenty_loads_differ_by_at_most_one_a_shard) {
  for (const std::uint32_t shards : {1u, 2u, 3u, 4u}) {
    StoreWorld world(1, shards);
    open_well(world);
    Knowledge knows;
    std::vector<txn::BeganLoad> began;
    ASSERT_EQ(world.run(create_table(&world.store(), &knows, "t")), RunStatus::Done);
    ASSERT_EQ(world.run(begin_many(&world.store(), &began, 20)), RunStatus::Done);
    ASSERT_EQ(began.size(), 20u);
    std::map<std::uint32_t, int> counts;
    for (const txn::BeganLoad& load : began) ++counts[load.shard.value];
    ASSERT_EQ(counts.size(), shards);
    for (const auto& [shard, count] : counts) EXPECT_LE(std::abs(count - static_cast<int>(20 / shards)), 1);
    ASSERT_EQ(world.run(abort_all(&world.store(), &began)), RunStatus::Done);
  }
}

TEST_F(StoreTest, a_label_is_held_by_one_open_load_and_free_at_once_after_its_abort) {
  StoreWorld world(1, 2);
  open_well(world);
  Knowledge knows;
  std::vector<txn::BeganLoad> began;
  ASSERT_EQ(world.run(create_table(&world.store(), &knows, "t")), RunStatus::Done);
  ASSERT_EQ(world.run(begin_many(&world.store(), &began, 3, "mine")), RunStatus::Done);
  EXPECT_EQ(began.size(), 1u);
  const txn::TxnId first = began.front().txn;
  ASSERT_EQ(world.run(abort_all(&world.store(), &began)), RunStatus::Done);
  ASSERT_EQ(world.run(begin_many(&world.store(), &began, 1, "mine")), RunStatus::Done);
  ASSERT_EQ(began.size(), 1u);
  EXPECT_GT(began.front().txn, first);
  ASSERT_EQ(world.run(abort_all(&world.store(), &began)), RunStatus::Done);
}

TEST_F(StoreTest, a_retry_of_an_aborted_load_succeeds_and_of_a_visible_one_changes_nothing) {
  StoreWorld world(4, 2);
  open_well(world);
  Knowledge knows;
  ASSERT_EQ(world.run(create_table(&world.store(), &knows, "t")), RunStatus::Done);
  ASSERT_EQ(world.run(aborted_load(&world.store(), &knows, {.number = 1, .rows = 30})), RunStatus::Done);
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(world.run(load(&world.store(), &knows, {.number = 1, .rows = 30})), RunStatus::Done);
    ASSERT_EQ(world.run(look(&world.store(), &knows)), RunStatus::Done);
  }
  EXPECT_EQ(knows.violation, "");
}

Task<void> forget_labels(txn::Store* store, std::optional<txn::TxnState>* state) {
  *state = *co_await store->label_state("db", "load-1");
}
TEST_F(StoreTest, a_label_expires_by_running_time_and_not_by_the_wall_clock) {
  txn::StoreLimits limits = tiny_limits();
  limits.coordinator.label_retention_seconds = 1000;
  StoreWorld world(5, 1, limits);
  open_well(world);
  Knowledge knows;
  std::optional<txn::TxnState> state;
  ASSERT_EQ(world.run(create_table(&world.store(), &knows, "t")), RunStatus::Done);
  ASSERT_EQ(world.run(load(&world.store(), &knows, {.number = 1, .rows = 1})), RunStatus::Done);
  world.world().jump_wall(std::chrono::hours(24 * 365));
  for (int i = 2; i <= 12; ++i) {  // enough for snapshots, where labels expire
    ASSERT_EQ(world.run(load(&world.store(), &knows, {.number = i, .rows = 1})), RunStatus::Done);
  }
  ASSERT_EQ(world.run(forget_labels(&world.store(), &state)), RunStatus::Done);
  EXPECT_EQ(state, txn::TxnState::Visible);
  ASSERT_EQ(world.world().run_for(std::chrono::seconds(1500)), RunStatus::Done);
  for (int i = 13; i <= 24; ++i) {
    ASSERT_EQ(world.run(load(&world.store(), &knows, {.number = i, .rows = 1})), RunStatus::Done);
  }
  ASSERT_EQ(world.run(forget_labels(&world.store(), &state)), RunStatus::Done);
  EXPECT_FALSE(state.has_value());
}

// One row that never ends.
Task<void> send_endless(txn::Store* store, txn::BeganLoad began, std::size_t bytes, std::string* error) {
  txn::CsvOptions options;
  options.block = store->limits().block;
  options.row_bytes_max = store->limits().row_bytes_max;
  auto mapping = txn::map_columns(*began.table->schema, {});
  auto decoder =
      std::make_unique<txn::CsvDecoder>(options, began.table->schema, *mapping, store->here().scratch());
  txn::Load load(store->here(), began, std::move(decoder), 0.0);
  const std::string piece(1024, 'x');
  for (std::size_t sent = 0; sent < bytes && error->empty(); sent += piece.size()) {
    if (auto fed = co_await load.append(core::as_bytes(piece)); !fed) *error = fed.error().message;
  }
  co_await load.abort("test");
}
Task<void> endless(txn::Store* store, std::string* error) {
  auto began = co_await store->begin({.database = "db", .table = "t"});
  co_await core::call_on(began.load.shard, [store, l = began.load, error]() mutable {
    return send_endless(store, l, 256 * 1024, error);
  });
}
TEST_F(StoreTest, unfinished_rows_that_fill_the_memory_fail_with_the_name_of_the_limit) {
  txn::StoreLimits limits = tiny_limits();
  limits.row_bytes_max = core::kMiB;
  limits.load_memory_max = 32 * core::kKiB;
  StoreWorld world(6, 1, limits);
  open_well(world);
  Knowledge knows;
  std::string error;
  ASSERT_EQ(world.run(create_table(&world.store(), &knows, "t")), RunStatus::Done);
  ASSERT_EQ(world.run(endless(&world.store(), &error)), RunStatus::Done);
  EXPECT_NE(error.find("load_memory_max"), std::string::npos) << error;
  ASSERT_EQ(world.run(load(&world.store(), &knows, {.number = 1, .rows = 30})), RunStatus::Done);
  ASSERT_EQ(world.run(look(&world.store(), &knows)), RunStatus::Done);
  EXPECT_EQ(knows.violation, "");
}

}  // namespace
}  // namespace penstock::crash
