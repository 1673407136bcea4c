// Two-phase operations against the moments at which they can come: beside the end of their load, a DROP DATABASE, the end of
// the store, and before the load has come to its shard.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "tests/crash/store_fixture.hpp"
#include "tests/crash/two_phase_clients.hpp"
#include "txn/schema/ddl_parser.hpp"

namespace penstock::crash {
namespace {

using core::Task;
using sim::RunStatus;
using Kind = txn::TxnOperation::Kind;

class TwoPhaseTest : public StoreFixture {
 protected:
  static void make_table(StoreWorld& world, Knowledge& knows) {
    open_well(world);
    ASSERT_EQ(world.run(create_table(&world.store(), &knows, "t")), RunStatus::Done);
  }
  static void look_twice(StoreWorld& world, Knowledge& knows) {
    ASSERT_EQ(world.run(look(&world.store(), &knows)), RunStatus::Done);
    world.lose_power(sim::UnsyncedPolicy::DropAll, sim::NamesPolicy::DropAll);
    open_well(world);
    ASSERT_EQ(world.run(look(&world.store(), &knows)), RunStatus::Done);
  }
};

struct Together {
  explicit Together(int count) : left(count) {}
  int left;
  core::Event done;
  void one_done() {
    if (--left == 0) done.set();
  }
};
Task<void> beside(Task<void> task, Together* all) {
  co_await std::move(task);
  all->one_done();
}
Task<void> later(Task<void> task, int micros) {
  (void)co_await core::current_shard().sleep_for(std::chrono::microseconds(micros));
  co_await std::move(task);
}
Task<void> both(Task<void> one, Task<void> other, int micros) {
  Together all(2);
  core::current_shard().spawn(beside(std::move(one), &all));
  core::current_shard().spawn(beside(later(std::move(other), micros), &all));
  co_await all.done.wait();
}
Task<void> ask(txn::Store* store, txn::TxnOperation operation, txn::TxnAnswer* answer) {
  *answer = co_await store->operate(std::move(operation));
}

Task<void> end_there(OpenLoad* open, Outcome* outcome) {
  auto finished = co_await open->load->finish();
  co_await open->load->abort("finish failed");
  open->load.reset();
  *outcome = finished ? Outcome{true, ""} : Outcome{false, finished.error().message};
}
Task<void> end_open(OpenLoad* open, Outcome* outcome) {
  co_await core::call_on(open->began.shard, [open, outcome] { return end_there(open, outcome); });
}

TEST_F(TwoPhaseTest, an_operation_beside_the_end_of_its_load_meets_it_before_its_vote_or_behind_its_record) {
  std::set<std::string> met;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    for (const Kind kind : {Kind::Abort, Kind::Commit}) {
      SCOPED_TRACE(seed);
      StoreWorld world(seed, 2);
      Knowledge knows;
      make_table(world, knows);
      OpenLoad open;
      Outcome outcome;
      txn::TxnAnswer answer;
      knows.two_phase[1].stage = TwoPhase::Stage::Sending;
      ASSERT_EQ(world.run(open_load(&world.store(), &knows, {.number = 1, .rows = 20}, &open)),
                RunStatus::Done);
      const txn::TxnId txn = open.began.txn;
      const int micros = static_cast<int>(seed * 7 % 400);
      Task<void> ended = end_open(&open, &outcome);
      Task<void> asked = ask(&world.store(), {kind, "db", txn, ""}, &answer);
      ASSERT_EQ(world.run(seed % 3 == 0 ? both(std::move(asked), std::move(ended), micros)
                                        : both(std::move(ended), std::move(asked), micros)),
                RunStatus::Done);
      TwoPhase& load = knows.two_phase[1];
      load.txn = txn;
      load.stage = TwoPhase::Stage::Racing;
      if (kind == Kind::Abort) {
        EXPECT_TRUE(answer.done) << answer.text;
        load.stage = TwoPhase::Stage::Aborting;
        met.insert(outcome.ok ? "abort behind the record" : "abort before the vote");
      } else if (answer.done) {
        EXPECT_TRUE(outcome.ok);
        met.insert("commit behind the record");
      } else {
        EXPECT_NE(answer.text.find("is prepare, not pre-committed."), std::string::npos) << answer.text;
        EXPECT_TRUE(outcome.ok) << outcome.message;
        load.stage = TwoPhase::Stage::Precommitted;
        met.insert("commit before the vote");
      }
      look_twice(world, knows);
      EXPECT_EQ(knows.violation, "");
      EXPECT_EQ(load.stage, kind == Kind::Abort ? TwoPhase::Stage::Aborted
                            : answer.done       ? TwoPhase::Stage::Committed
                                                : TwoPhase::Stage::Precommitted);
    }
  }
  EXPECT_EQ(met.size(), 4u);
}

Task<void> drop_database(txn::Store* store) {
  auto dropped = co_await store->execute(*txn::parse_statement("DROP DATABASE db"), "db");
  EXPECT_TRUE(dropped.has_value());
}

TEST_F(TwoPhaseTest, a_commit_beside_a_drop_of_its_database_is_answered_and_the_store_opens_again) {
  for (const Kind kind : {Kind::Commit, Kind::Abort}) {
    for (int micros = 0; micros < 60; micros += 3) {
      for (const bool drops_first : {false, true}) {
        StoreWorld world(static_cast<std::uint64_t>(micros + 1), 2);
        Knowledge knows;
        make_table(world, knows);
        ASSERT_EQ(world.run(prepare(&world.store(), &knows, {.number = 1, .rows = 20})), RunStatus::Done);
        txn::TxnAnswer answer;
        Task<void> asked = ask(&world.store(), {kind, "db", knows.two_phase[1].txn, ""}, &answer);
        Task<void> dropped = drop_database(&world.store());
        ASSERT_EQ(world.run(drops_first ? both(std::move(dropped), std::move(asked), micros)
                                        : both(std::move(asked), std::move(dropped), micros)),
                  RunStatus::Done);
        EXPECT_TRUE(answer.done || answer.text.find("database") != std::string::npos) << answer.text;
        world.lose_power(sim::UnsyncedPolicy::DropAll, sim::NamesPolicy::DropAll);
        open_well(world);
        EXPECT_TRUE(world.store().coordinator().manifest().prepared().empty());
      }
    }
  }
}

Task<void> begin_only(txn::Store* store, txn::BeginResult* result) {
  *result = co_await store->begin({.database = "db", .table = "t", .label = "l", .two_phase = true});
}
Task<void> abort_only(txn::Store* store, txn::TxnId txn) {
  co_await store->abort(txn, "the connection ended");
}

TEST_F(TwoPhaseTest, an_abort_of_a_load_that_has_not_come_to_its_shard_waits_for_it_and_not_for_ever) {
  StoreWorld world(3, 2);
  Knowledge knows;
  make_table(world, knows);
  txn::BeginResult began;
  ASSERT_EQ(world.run(begin_only(&world.store(), &began)), RunStatus::Done);
  txn::TxnAnswer answer;
  ASSERT_EQ(world.run(ask(&world.store(), {Kind::Abort, "db", std::nullopt, "l"}, &answer)), RunStatus::Done);
  EXPECT_EQ(answer.code, "INTERNAL_ERROR");
  EXPECT_NE(answer.text.find("is only just beginning"), std::string::npos) << answer.text;
  // It ends before it comes there.
  const txn::TxnId txn = began.load.txn;
  ASSERT_EQ(world.run(both(ask(&world.store(), {Kind::Abort, "db", txn, ""}, &answer),
                           abort_only(&world.store(), txn), 5000)),
            RunStatus::Done);
  EXPECT_EQ(answer.text,
            fmt::format("errCode = 2, detailMessage = transaction [{}] is already aborted, abort reason: "
                        "the connection ended",
                        txn.value));
}

Task<void> close_it(txn::Store* store) { co_await store->close(); }

TEST_F(TwoPhaseTest,
       an_operation_beside_the_end_of_the_store_is_carried_out_or_refused_and_never_left_waiting) {
  std::set<bool> met;
  for (int micros = 0; micros < 1500; micros += 50) {
    StoreWorld world(static_cast<std::uint64_t>(micros + 1), 2);
    Knowledge knows;
    make_table(world, knows);
    ASSERT_EQ(world.run(prepare(&world.store(), &knows, {.number = 1, .rows = 20})), RunStatus::Done);
    txn::TxnAnswer answer;
    ASSERT_EQ(world.run(both(close_it(&world.store()),
                             ask(&world.store(), {Kind::Commit, "db", knows.two_phase[1].txn, ""}, &answer),
                             micros)),
              RunStatus::Done);
    met.insert(answer.done);
    if (!answer.done) EXPECT_NE(answer.text.find("shutting down"), std::string::npos) << answer.text;
    knows.two_phase[1].stage = answer.done ? TwoPhase::Stage::Committed : TwoPhase::Stage::Precommitted;
    if (answer.done) knows.loads[1] = Known::Acknowledged;
    world.kill();
    open_well(world);
    ASSERT_EQ(world.run(look(&world.store(), &knows)), RunStatus::Done);
    EXPECT_EQ(knows.violation, "");
  }
  EXPECT_EQ(met.size(), 2u);
}

// Appends until the memory of the shard is full many times over.
Task<void> press(OpenLoad* open, int rows) {
  std::string body;
  for (int i = 0; i < rows; ++i) body += fmt::format("{}\tvalue-{}\n", open->plan.number * 1000 + i, i);
  for (std::size_t at = 0; at < body.size(); at += 97) {
    auto fed = co_await open->load->append(
        core::as_bytes(body).subspan(at, std::min<std::size_t>(97, body.size() - at)));
    EXPECT_TRUE(fed.has_value());
  }
}
Task<void> two_loads(txn::Store* store, Knowledge* knows, OpenLoad* one, OpenLoad* two) {
  knows->two_phase[1].stage = TwoPhase::Stage::Sending;
  knows->two_phase[2].stage = TwoPhase::Stage::Sending;
  co_await open_load(store, knows, {.number = 1, .rows = 7}, one);
  co_await open_load(store, knows, {.number = 2, .rows = 0}, two);
}

TEST_F(TwoPhaseTest, a_load_that_is_aborted_while_it_is_written_out_gives_its_memory_back) {
  txn::StoreLimits limits = tiny_limits();
  limits.load_memory_max = core::kKiB;
  limits.block.rows_max = 64;
  limits.block.input_bytes_max = 8 * core::kKiB;
  for (int micros = 0; micros < 600; micros += 20) {
    StoreWorld world(static_cast<std::uint64_t>(micros + 1), 1, limits);
    Knowledge knows;
    make_table(world, knows);
    OpenLoad one;
    OpenLoad two;
    ASSERT_EQ(world.run(two_loads(&world.store(), &knows, &one, &two)), RunStatus::Done);
    txn::TxnAnswer answer;
    ASSERT_EQ(world.run(both(press(&two, 60),
                             ask(&world.store(), {Kind::Abort, "db", one.began.txn, ""}, &answer), micros)),
              RunStatus::Done);
    EXPECT_TRUE(answer.done) << answer.text;
    ASSERT_EQ(world.run(press(&two, 60)), RunStatus::Done);
    EXPECT_EQ(one.load->builder_memory(), 0u);
    Outcome outcome;
    ASSERT_EQ(world.run(end_open(&one, &outcome)), RunStatus::Done);
    EXPECT_FALSE(outcome.ok);
    ASSERT_EQ(world.run(end_open(&two, &outcome)), RunStatus::Done);
    EXPECT_TRUE(outcome.ok) << outcome.message;
  }
}

Task<void> prepare_many(txn::Store* store, Knowledge* knows, int count) {
  for (int i = 1; i <= count; ++i) co_await prepare(store, knows, {.number = i, .rows = i % 3});
}

TEST_F(TwoPhaseTest, commits_that_wait_together_share_a_record) {
  txn::StoreLimits limits = tiny_limits();
  limits.log.file_bytes = 2048 * core::kPage;
  limits.coordinator.txn_range = 1u << 20;
  limits.journal = {.file_bytes = 16 * core::kMiB, .file_bytes_min = core::kMiB};
  StoreWorld world(9, 2, limits);
  Knowledge knows;
  make_table(world, knows);
  constexpr int kCount = 1000;
  ASSERT_EQ(world.run(prepare_many(&world.store(), &knows, kCount)), RunStatus::Done);
  (void)world.world().run_idle();
  const std::uint64_t before = world.store().coordinator().stats().records;
  std::vector<int> all;
  for (int i = 1; i <= kCount; ++i) all.push_back(i);
  int syncs = 0;
  world.world().scene().on_submit = [&](std::uint64_t, const core::Op& op) {
    syncs += op.kind == core::OpKind::Sync || op.kind == core::OpKind::SyncDir || op.durable ? 1 : 0;
  };
  ASSERT_EQ(world.run(commit_together(&world.store(), &knows, all)), RunStatus::Done);
  world.world().scene().on_submit = nullptr;
  EXPECT_LE(world.store().coordinator().stats().records - before, 2u);
  EXPECT_LE(syncs, 2);
  look_twice(world, knows);
  EXPECT_EQ(knows.violation, "");
  EXPECT_EQ(knows.seen_visible.size(), static_cast<std::size_t>(kCount));
}

}  // namespace
}  // namespace penstock::crash
