// Which requests share a record: all that wait, but none beside a commit that may take the disk space kept aside for ends.
#include "txn/checkpoint/record_batch.hpp"

#include <gtest/gtest.h>

#include "core/base/log.hpp"
#include "tests/sim/sim_world.hpp"
#include "tests/txn/journal/golden_bytes.hpp"
#include "txn/schema/ddl_parser.hpp"

namespace penstock::txn {
namespace {

using core::Task;

class RecordBatchTest : public ::testing::Test {
 protected:
  RecordBatchTest() : poison_([](const std::string& why) { ADD_FAILURE() << why; }) {
    core::set_log_sink([](core::LogLevel, std::string_view) {});
    world_.start_process(1);
    run(open());
    for (RecordRequest* vote : {&vote_one_, &vote_two_}) {
      vote->vote = Vote{};
      vote->vote->loads = {LoadInfo{.txn = TxnId(5), .label = "l"}};
    }
    commit_.commit = TxnId(1);
    abort_.item = AbortedItem{TxnId(2), "User Abort"};
    drop_.statement = *parse_statement("DROP TABLE db.t");
    truncate_.statement = *parse_statement("TRUNCATE TABLE db.t");
    create_.statement = *parse_statement("CREATE DATABASE other");
    range_.item = TxnRangeItem{100};
    snapshot_.item = SnapshotItem{};
    waiting_ = {&vote_one_, &commit_, &create_, &abort_, &vote_two_, &drop_, &range_, &snapshot_, &truncate_};
  }
  ~RecordBatchTest() override {
    world_.kill_process();
    core::set_log_sink({});
  }
  Task<void> open() {
    directory_ = *co_await core::Directory::open(world_.kernel(), "/data");
    log_ = std::make_unique<CommitLog>(
        world_.shard(0), directory_, poison_, sample_uuid(), 1,
        CommitLog::Limits{.file_bytes = 8 * core::kPage, .reserve_bytes = 16 * core::kPage});
    EXPECT_TRUE(co_await log_->open(std::nullopt, 0));
    std::vector<LogItem> boot;
    boot.emplace_back(BootItem{});
    EXPECT_TRUE(co_await log_->append(std::move(boot), CommitLog::Reserve::MayUse, nullptr));
    co_await log_->sync_first_name();
    co_await log_->make_reserve();
  }
  Task<void> fill() {  // until the log has no room and no next file
    for (int i = 0; i < 40; ++i) {
      std::vector<LogItem> items;
      items.emplace_back(TxnRangeItem{1});
      (void)co_await log_->append(std::move(items), CommitLog::Reserve::Keep, nullptr);
    }
  }
  void run(Task<void> task) {
    bool done = false;
    world_.start(0, note_end(std::move(task), &done));
    ASSERT_EQ(world_.run_until([&] { return done; }), sim::RunStatus::Done);
  }
  static Task<void> note_end(Task<void> task, bool* done) {
    co_await std::move(task);
    *done = true;
  }

  sim::SimWorld world_{1};
  Poison poison_;
  core::Directory directory_;
  std::unique_ptr<CommitLog> log_;
  RecordRequest vote_one_, vote_two_, commit_, abort_, drop_, truncate_, create_, range_, snapshot_;
  std::deque<RecordRequest*> waiting_;
};

TEST_F(RecordBatchTest, everything_that_waits_goes_together_where_there_is_room) {
  RecordBatch batch;
  const auto all = waiting_;
  batch.take(waiting_, 100, *log_);
  EXPECT_TRUE(waiting_.empty());
  EXPECT_TRUE(std::ranges::equal(batch.requests, all));
  EXPECT_FALSE(batch.may_use_reserve);
}

TEST_F(RecordBatchTest, on_a_full_disk_only_what_ends_or_frees_something_may_use_the_reserve_and_goes_alone) {
  world_.disk().set_capacity(world_.disk().used_bytes());
  run(fill());
  ASSERT_FALSE(log_->has_room(100));
  RecordBatch first;
  first.take(waiting_, 100, *log_);
  EXPECT_EQ(first.requests, (std::vector<RecordRequest*>{&vote_one_, &create_, &vote_two_, &range_}));
  EXPECT_FALSE(first.may_use_reserve);
  RecordBatch second;
  second.take(waiting_, 100, *log_);
  EXPECT_EQ(second.requests,
            (std::vector<RecordRequest*>{&commit_, &abort_, &drop_, &snapshot_, &truncate_}));
  EXPECT_TRUE(second.may_use_reserve);
  EXPECT_TRUE(waiting_.empty());
}

TEST_F(RecordBatchTest, a_record_takes_what_fits_and_no_more_than_so_many) {
  RecordBatch few;
  few.take(waiting_, 2, *log_);
  EXPECT_EQ(few.requests.size(), 2u);
  EXPECT_EQ(waiting_.size(), 7u);
  RecordRequest large;
  large.vote = Vote{};
  large.vote->loads.assign(400, LoadInfo{.label = std::string(128, 'l')});
  waiting_ = {&vote_one_, &large, &vote_two_};
  RecordBatch first;
  first.take(waiting_, 100, *log_);
  EXPECT_EQ(first.requests, (std::vector<RecordRequest*>{&vote_one_}));
  RecordBatch second;  // one that fits into no record is refused by the log, alone
  second.take(waiting_, 100, *log_);
  EXPECT_EQ(second.requests, (std::vector<RecordRequest*>{&large}));
}

}  // namespace
}  // namespace penstock::txn
