// Labels that have gone to disk, asked for through the store.
#include <gtest/gtest.h>

#include "core/base/log.hpp"
#include "tests/crash/store_world.hpp"
#include "txn/schema/ddl_parser.hpp"

namespace penstock::crash {
namespace {

using core::Task;
using sim::RunStatus;
using txn::BeginResult;

class Labels : public ::testing::Test {
 protected:
  Labels() {
    core::set_log_sink([](core::LogLevel, std::string_view) {});
    limits_ = tiny_limits();
    limits_.coordinator.txn_range = 1000;  // a begin that has to wait for another range looks again anyhow
    limits_.coordinator.labels = {.in_memory = 4, .fan_in = 100};
  }
  ~Labels() override { core::set_log_sink({}); }

  void open() {
    world_ = std::make_unique<StoreWorld>(7, 2, limits_);
    reopen();
    run(create_table(&store(), &knows_, "t"));
  }
  void reopen() {
    std::string error;
    ASSERT_EQ(world_->open(error), RunStatus::Done);
    ASSERT_EQ(error, "");
  }
  void run(Task<void> task) { ASSERT_EQ(world_->run(std::move(task)), RunStatus::Done); }
  txn::Store& store() { return world_->store(); }
  const txn::LabelBook& book() { return store().coordinator().manifest().labels(); }
  void load_some(int first, int count) {
    for (int i = 0; i < count; ++i) run(load(&store(), &knows_, {.number = first + i, .rows = 1}));
    (void)world_->world().run_idle();
  }
  static Task<void> begin(txn::Store* store, txn::BeginRequest request, BeginResult* result, int* done) {
    *result = co_await store->begin(std::move(request));
    ++*done;
  }
  BeginResult begin(const std::string& label, bool two_phase = false) {
    BeginResult result;
    int done = 0;
    run(begin(&store(), {.database = "db", .table = "t", .label = label, .two_phase = two_phase}, &result,
              &done));
    return result;
  }
  static Task<void> abort(txn::Store* store, txn::TxnId txn) { co_await store->abort(txn, "test"); }
  static Task<void> commit(txn::Store* store, txn::TxnId txn, txn::TxnAnswer* answer) {
    *answer = co_await store->operate(
        {.kind = txn::TxnOperation::Kind::Commit, .database = "db", .txn = txn, .label = {}});
  }
  txn::TxnAnswer commit(txn::TxnId txn) {
    txn::TxnAnswer answer;
    run(commit(&store(), txn, &answer));
    return answer;
  }
  static Task<void> execute(txn::Store* store, std::string sql) {
    auto done = co_await store->execute(*txn::parse_statement(sql), "db");
    EXPECT_TRUE(done) << done.error().message;
  }
  static Task<void> send(txn::Store* store, txn::BeganLoad load, int number) {
    const Outcome outcome = co_await send_whole_load(store, load, {.number = number, .rows = 1});
    EXPECT_TRUE(outcome.ok) << outcome.message;
  }
  static Task<void> ask_state(txn::Store* store, std::string label,
                              std::expected<std::optional<txn::TxnState>, std::string>* state) {
    *state = co_await store->label_state("db", std::move(label));
  }
  static Task<void> sleep(core::Duration time) { (void)co_await core::current_shard().sleep_for(time); }
  std::vector<std::string> run_files() {
    std::vector<std::string> names;
    for (const std::string& name : world_->world().disk().list_path("/data"))
      if (name.starts_with("labels-")) names.push_back(name);
    return names;
  }

  txn::StoreLimits limits_;
  Knowledge knows_;
  std::unique_ptr<StoreWorld> world_;
};

TEST_F(Labels, what_went_to_disk_is_answered_by_label_and_by_txn_id) {
  open();
  load_some(1, 9);
  ASSERT_GE(book().runs().size(), 1u);
  EXPECT_LT(book().in_memory(), 4u);
  for (int number = 1; number <= 9; ++number) {
    const BeginResult known = begin(label_of(number));
    ASSERT_EQ(known.status, BeginResult::Status::LabelExists);
    EXPECT_EQ(known.existing, txn::TxnState::Visible);
    EXPECT_NE(commit(known.existing_txn).text.find("is already visible, not pre-committed."),
              std::string::npos);
    EXPECT_NE(commit(txn::TxnId(known.existing_txn.value + 1'000'000)).text.find("not found"),
              std::string::npos);
  }
}

// The question has to read a run, and the answer is no: by then another load may hold the label.
TEST_F(Labels, of_two_loads_that_wait_for_the_same_page_one_begins) {
  limits_.coordinator.label_retention_seconds = 2;
  limits_.coordinator.log_files_per_snapshot = 1000;
  open();
  load_some(1, 5);
  ASSERT_EQ(book().runs().size(), 1u);
  ASSERT_EQ(begin(label_of(1)).status, BeginResult::Status::LabelExists);
  run(sleep(std::chrono::seconds(5)));
  const txn::DatabaseId database = store().coordinator().manifest().catalog()->find_database("db")->id;
  ASSERT_TRUE(book().look(database, label_of(1), 0).must_read);  // it is on disk, and out of date

  std::array<BeginResult, 3> results;
  int done = 0;
  for (BeginResult& result : results)
    world_->world().start(
        0, begin(&store(), {.database = "db", .table = "t", .label = label_of(1)}, &result, &done));
  ASSERT_EQ(world_->world().run_until([&] { return done == 3; }), RunStatus::Done);
  int began = 0;
  for (const BeginResult& result : results) {
    began += result.status == BeginResult::Status::Began ? 1 : 0;
    if (result.status == BeginResult::Status::Began) continue;
    // The label is held, by a load that has not come to its shard: nobody can look at it.
    EXPECT_EQ(result.status, BeginResult::Status::Refused);
    EXPECT_NE(result.message.find("could not be looked at"), std::string::npos) << result.message;
  }
  EXPECT_EQ(began, 1);
  for (const BeginResult& result : results)
    if (result.status == BeginResult::Status::Began) run(abort(&store(), result.load.txn));
}

TEST_F(Labels, behind_the_retention_a_label_is_free_and_its_old_txn_id_is_not_found) {
  limits_.coordinator.label_retention_seconds = 2;
  open();
  load_some(1, 5);
  const txn::TxnId old = begin(label_of(1)).existing_txn;
  EXPECT_NE(commit(old).text.find("is already visible"), std::string::npos);
  run(sleep(std::chrono::seconds(5)));
  EXPECT_NE(commit(old).text.find("not found"), std::string::npos);
  knows_ = {};
  knows_.tables["t"] = Known::Acknowledged;
  const BeginResult again = begin(label_of(1));
  ASSERT_EQ(again.status, BeginResult::Status::Began);
  run(abort(&store(), again.load.txn));
  load_some(101, 9);  // snapshots let go of the run in which all is out of date
  for (const auto& each : book().runs()) EXPECT_GT(each->info().txn_low, old);
  EXPECT_EQ(run_files().size(), book().runs().size());
}

TEST_F(Labels, a_dropped_database_takes_its_labels_with_it) {
  open();
  load_some(1, 5);
  ASSERT_EQ(begin(label_of(1)).status, BeginResult::Status::LabelExists);
  const txn::TxnId old = begin(label_of(1)).existing_txn;
  run(execute(&store(), "DROP DATABASE db"));
  run(execute(&store(), "CREATE DATABASE db"));
  run(execute(&store(), "CREATE TABLE db.t (k BIGINT) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 1"));
  const BeginResult again = begin(label_of(1));
  EXPECT_EQ(again.status, BeginResult::Status::Began);
  run(abort(&store(), again.load.txn));
  EXPECT_NE(commit(old).text.find("not found"), std::string::npos);
}

TEST_F(Labels, a_label_that_the_server_made_is_kept_for_two_phase_loads_only) {
  open();
  const std::uint64_t before = book().size();
  for (int i = 0; i < 6; ++i) {
    const BeginResult plain = begin("");
    ASSERT_EQ(plain.status, BeginResult::Status::Began);
    EXPECT_FALSE(plain.load.label_kept);
    run(send(&store(), plain.load, i));
  }
  EXPECT_EQ(book().size(), before);
  const BeginResult two_phase = begin("", true);
  EXPECT_TRUE(two_phase.load.label_kept);
  run(send(&store(), two_phase.load, 50));
  EXPECT_TRUE(commit(two_phase.load.txn).done);
  EXPECT_EQ(book().size(), before + 1);
  load_some(1, 5);
  (void)world_->close();
  reopen();
  EXPECT_NE(commit(two_phase.load.txn).text.find("is already visible, not pre-committed."),
            std::string::npos);
}

TEST_F(Labels, a_page_that_does_not_verify_is_an_error_and_never_a_free_label) {
  open();
  load_some(1, 5);
  const txn::TxnId known = begin(label_of(1)).existing_txn;
  const std::string file = run_files().at(0);
  const auto& index = book().runs().at(0)->index();
  ASSERT_EQ(index.label_pages.size(), 1u);
  world_->world().disk().flip_bit("/data/" + file, core::kPage + 50);
  const BeginResult begun = begin(label_of(1));
  EXPECT_EQ(begun.status, BeginResult::Status::Refused);
  EXPECT_EQ(begun.code, "INTERNAL_ERROR");
  EXPECT_NE(begun.message.find(file + " at offset 4096"), std::string::npos) << begun.message;
  EXPECT_EQ(begin("another").status, BeginResult::Status::Began);  // what needs no read is not touched by it
  world_->world().disk().flip_bit("/data/" + file, 2 * core::kPage + 50);
  const txn::TxnAnswer answer = commit(known);
  EXPECT_FALSE(answer.done);
  EXPECT_EQ(answer.code, "INTERNAL_ERROR");
  EXPECT_NE(answer.text.find(file + " at offset 8192"), std::string::npos) << answer.text;
  std::expected<std::optional<txn::TxnState>, std::string> state;
  run(ask_state(&store(), label_of(1), &state));
  ASSERT_FALSE(state);
  EXPECT_NE(state.error().find(file), std::string::npos);
  world_->world().disk().flip_bit("/data/" + file, core::kPage + 50);
  world_->world().disk().flip_bit("/data/" + file, 2 * core::kPage + 50);
  EXPECT_EQ(begin(label_of(1)).status, BeginResult::Status::LabelExists);
}

TEST_F(Labels, merged_runs_leave_no_files_behind_and_an_orderly_end_does_not_wait_for_a_merge) {
  limits_.coordinator.labels = {.in_memory = 3, .fan_in = 2};
  open();
  load_some(1, 40);
  EXPECT_GT(store().coordinator().stats().label_merges, 3u);
  EXPECT_LT(book().runs().size(), 6u);
  EXPECT_EQ(run_files().size(), book().runs().size());
  std::size_t orderly = 0;
  for (int turn = 0; turn < 20; ++turn) {
    run(load(&store(), &knows_, {.number = 100 + turn, .rows = 1}));
    ASSERT_EQ(world_->close(), RunStatus::Done);
    ++orderly;
    reopen();
  }
  EXPECT_EQ(orderly, 20u);
  (void)world_->world().run_idle();
  run(look(&store(), &knows_));
  EXPECT_EQ(knows_.violation, "");
  EXPECT_EQ(run_files().size(), book().runs().size());
}

}  // namespace
}  // namespace penstock::crash
