// The age of prepared loads over restarts, and the lease that may end them. Nothing else ever does.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "core/base/log.hpp"
#include "tests/crash/store_fixture.hpp"
#include "tests/crash/two_phase_clients.hpp"
#include "txn/schema/ddl_parser.hpp"

namespace penstock::crash {
namespace {

using core::Task;
using sim::RunStatus;
using std::chrono::seconds;
using Kind = txn::TxnOperation::Kind;

class PreparedLease : public StoreFixture {
 protected:
  void SetUp() override {
    core::set_log_sink([this](core::LogLevel, std::string_view line) { log_ += std::string(line) + "\n"; });
  }
  static txn::StoreLimits limits(std::uint64_t lease, std::uint64_t watch = 10) {
    txn::StoreLimits limits = tiny_limits();
    limits.log.file_bytes = 64 * core::kPage;
    limits.coordinator.prepared_lease_seconds = lease;
    limits.coordinator.watch_seconds = watch;
    return limits;
  }
  void prepare_some(StoreWorld& world, int count) {
    open_well(world);
    ASSERT_EQ(world.run(create_table(&world.store(), &knows_, "t")), RunStatus::Done);
    for (int i = 1; i <= count; ++i) {
      ASSERT_EQ(world.run(prepare(&world.store(), &knows_, {.number = i, .rows = 20})), RunStatus::Done);
    }
  }
  static void pass(StoreWorld& world, seconds time) {
    ASSERT_EQ(world.world().run_for(time, 10'000'000), RunStatus::Done);
  }
  static std::vector<txn::TransactionView> list(StoreWorld& world) {
    return world.store().coordinator().list({.limit = 10'000}).transactions;
  }
  static Task<void> ask(txn::Store* store, txn::TxnOperation operation, txn::TxnAnswer* answer) {
    *answer = co_await store->operate(std::move(operation));
  }
  txn::TxnAnswer operate(StoreWorld& world, Kind kind, txn::TxnId txn) {
    txn::TxnAnswer answer;
    EXPECT_EQ(world.run(ask(&world.store(), {kind, "db", txn, ""}, &answer)), RunStatus::Done);
    return answer;
  }

  Knowledge knows_;
  std::string log_;
};

TEST_F(PreparedLease, without_a_lease_a_prepared_load_is_never_dropped) {
  StoreWorld world(1, 2, limits(0, 3600));
  prepare_some(world, 2);
  pass(world, seconds(100 * 24 * 3600));  // longer than labels are kept
  ASSERT_EQ(list(world).size(), 2u);
  EXPECT_EQ(list(world)[0].state, txn::TxnState::Precommitted);
  EXPECT_GE(list(world)[0].age_seconds, 99u * 24 * 3600);
  ASSERT_EQ(world.run(commit(&world.store(), &knows_, 1, By::Id)), RunStatus::Done);
  ASSERT_EQ(world.run(look(&world.store(), &knows_)), RunStatus::Done);
  EXPECT_EQ(knows_.violation, "");
}

TEST_F(PreparedLease, an_age_goes_on_over_restarts_and_kills_of_a_store_that_does_nothing_else) {
  StoreWorld world(2, 2, limits(0));
  prepare_some(world, 1);
  for (int turn = 1; turn <= 8; ++turn) {
    pass(world, seconds(35));
    if (turn % 2 == 0) {
      world.kill();
    } else {
      ASSERT_EQ(world.close(), RunStatus::Done);
    }
    open_well(world);
    // At most what passed since the time was written last is lost, each time.
    ASSERT_EQ(list(world).size(), 1u);
    EXPECT_GE(list(world)[0].age_seconds, static_cast<std::uint64_t>(turn) * 25);
    EXPECT_LE(list(world)[0].age_seconds, static_cast<std::uint64_t>(turn) * 35);
  }
}

TEST_F(PreparedLease, a_load_that_is_older_than_the_lease_is_aborted_with_that_reason_also_after_a_restart) {
  StoreWorld world(3, 2, limits(100));
  prepare_some(world, 3);
  const txn::TxnId one = *knows_.two_phase[1].txn;
  const txn::TxnId two = *knows_.two_phase[2].txn;
  ASSERT_EQ(world.run(commit(&world.store(), &knows_, 2, By::Id)), RunStatus::Done);
  pass(world, seconds(60));
  world.kill();
  open_well(world);
  EXPECT_EQ(list(world).size(), 2u);
  pass(world, seconds(30));
  ASSERT_EQ(world.run(prepare(&world.store(), &knows_, {.number = 9, .rows = 3})), RunStatus::Done);
  pass(world, seconds(30));
  ASSERT_EQ(list(world).size(), 1u) << "the first ones are 110 s old at least";
  EXPECT_EQ(list(world)[0].label, label_of(9));
  EXPECT_EQ(world.store().coordinator().stats().leases_ended, 2u);
  EXPECT_NE(log_.find("lease_ended"), std::string::npos);
  EXPECT_NE(log_.find("label=load-1"), std::string::npos) << log_;
  EXPECT_EQ(operate(world, Kind::Commit, one).text,
            fmt::format("errCode = 2, detailMessage = transaction [{}] is already aborted. abort reason: "
                        "prepared_lease_seconds (100 s) is over",
                        one.value));
  EXPECT_NE(operate(world, Kind::Commit, two).text.find("is already visible, not pre-committed."),
            std::string::npos);
  for (const int number : {1, 3}) {
    knows_.two_phase[number].stage = TwoPhase::Stage::Aborted;
    knows_.two_phase[number].aborted.push_back(*knows_.two_phase[number].txn);
    knows_.loads[number] = Known::Refused;
  }
  ASSERT_EQ(world.run(look(&world.store(), &knows_)), RunStatus::Done);
  EXPECT_EQ(knows_.violation, "");
  world.lose_power(sim::UnsyncedPolicy::DropAll, sim::NamesPolicy::DropAll);
  open_well(world);
  ASSERT_EQ(world.run(look(&world.store(), &knows_)), RunStatus::Done);
  EXPECT_EQ(knows_.violation, "");
  pass(world, seconds(120));
  EXPECT_TRUE(list(world).empty());
}

TEST_F(PreparedLease, a_lease_ends_loads_also_where_watch_seconds_is_0) {
  StoreWorld world(3, 2, limits(100, 0));
  prepare_some(world, 2);
  pass(world, seconds(90));
  EXPECT_EQ(list(world).size(), 2u);
  pass(world, seconds(120));
  EXPECT_TRUE(list(world).empty());
}

TEST_F(PreparedLease, a_commit_beside_the_end_of_the_lease_wins_or_loses_and_never_both) {
  std::set<bool> met;
  for (int micros = -300; micros < 700; micros += 25) {
    SCOPED_TRACE(micros);
    Knowledge knows;
    knows_ = knows;
    StoreWorld world(static_cast<std::uint64_t>(micros + 1000), 2, limits(10));
    prepare_some(world, 1);
    const txn::TxnId txn = *knows_.two_phase[1].txn;
    pass(world, seconds(9));
    while (list(world).size() == 1 && list(world)[0].age_seconds < 10) {
      ASSERT_EQ(world.world().run_for(std::chrono::microseconds(500 + micros)), RunStatus::Done);
    }
    const txn::TxnAnswer answer = operate(world, Kind::Commit, txn);
    met.insert(answer.done);
    if (!answer.done) EXPECT_NE(answer.text.find("prepared_lease_seconds"), std::string::npos) << answer.text;
    knows_.two_phase[1].stage = answer.done ? TwoPhase::Stage::Committed : TwoPhase::Stage::Aborted;
    knows_.loads[1] = answer.done ? Known::Acknowledged : Known::Refused;
    world.kill();
    open_well(world);
    ASSERT_EQ(world.run(look(&world.store(), &knows_)), RunStatus::Done);
    EXPECT_EQ(knows_.violation, "");
  }
  EXPECT_EQ(met.size(), 2u);
}

TEST_F(PreparedLease, leases_that_end_together_share_a_record) {
  StoreWorld world(5, 2, limits(100));
  prepare_some(world, 200);
  const std::uint64_t before = world.store().coordinator().stats().records;
  pass(world, seconds(130));
  EXPECT_TRUE(list(world).empty());
  EXPECT_LE(world.store().coordinator().stats().records - before, 25u);
}

// ---- questions and ends at other moments --------------------------------------------------------------------------------

Task<void> abort_beside_questions(txn::Store* store, txn::TxnId txn, bool* done) {
  const txn::TxnAnswer answer = co_await store->operate({Kind::Abort, "db", txn, ""});
  EXPECT_TRUE(answer.done);
  *done = true;
}
Task<void> ask_state(txn::Store* store, const bool* done, std::set<std::string>* seen) {
  while (!*done) {
    const auto state = co_await store->label_state("db", label_of(1));
    EXPECT_TRUE(state.has_value());
    seen->insert(state && *state ? txn::txn_state_name(**state) : "UNKNOWN");
    co_await core::current_shard().yield();
  }
}
Task<void> abort_and_ask(txn::Store* store, txn::TxnId txn, std::set<std::string>* seen) {
  bool done = false;
  core::current_shard().spawn(abort_beside_questions(store, txn, &done));
  co_await ask_state(store, &done, seen);
}

TEST_F(PreparedLease, the_state_of_a_label_is_never_unknown_while_its_load_is_being_aborted) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    knows_ = {};
    StoreWorld world(seed, 2, limits(0));
    prepare_some(world, 1);
    std::set<std::string> seen;
    ASSERT_EQ(world.run(abort_and_ask(&world.store(), *knows_.two_phase[1].txn, &seen)), RunStatus::Done);
    EXPECT_FALSE(seen.contains("UNKNOWN"));
  }
}

Task<void> execute(txn::Store* store, std::string* error) {
  auto done = co_await store->execute(*txn::parse_statement("CREATE DATABASE late"), "db");
  *error = done ? "done" : done.error().message;
}
Task<void> close_only(txn::Store* store) { co_await store->close(); }

TEST_F(PreparedLease, whoever_comes_after_the_end_of_the_store_is_refused_and_does_not_wait) {
  StoreWorld world(7, 2, limits(0));
  prepare_some(world, 1);
  ASSERT_EQ(world.run(close_only(&world.store())), RunStatus::Done);
  std::string error;
  ASSERT_EQ(world.run(execute(&world.store(), &error)), RunStatus::Done);
  EXPECT_NE(error.find("shutting down"), std::string::npos) << error;
  EXPECT_NE(operate(world, Kind::Commit, *knows_.two_phase[1].txn).text.find("shutting down"),
            std::string::npos);
  world.kill();
}

// Store::close waits for whoever sleeps on shard 0 until a load has come to its shard.
Task<void> begin_only(txn::Store* store) {
  (void)co_await store->begin({.database = "db", .table = "t", .label = "l", .two_phase = true});
}
Task<void> abort_by_label(txn::Store* store, std::string* text) {
  *text = (co_await store->operate({Kind::Abort, "db", std::nullopt, "l"})).text;
}
Task<void> close_beside_a_sleeper(txn::Store* store, std::string* text) {
  co_await begin_only(store);
  core::current_shard().spawn(abort_by_label(store, text));
  (void)co_await core::current_shard().sleep_for(std::chrono::milliseconds(20));
  co_await store->close();
}

TEST_F(PreparedLease, an_abort_that_waits_for_its_load_ends_before_the_store_does) {
  StoreWorld world(8, 2, limits(0));
  prepare_some(world, 1);
  std::string text;
  ASSERT_EQ(world.run(close_beside_a_sleeper(&world.store(), &text)), RunStatus::Done);
  EXPECT_NE(text.find("shutting down"), std::string::npos) << text;
  world.kill();
}

}  // namespace
}  // namespace penstock::crash
