#include "txn/checkpoint/commit_log.hpp"

#include <gtest/gtest.h>

#include "core/base/log.hpp"
#include "tests/sim/sim_world.hpp"
#include "tests/txn/journal/golden_bytes.hpp"
#include "txn/checkpoint/log_reader.hpp"
#include "txn/checkpoint/recovery.hpp"
#include "txn/checkpoint/snapshot.hpp"

namespace penstock::txn {
namespace {

using core::Task;
using sim::RunStatus;

class CommitLogTest : public ::testing::Test {
 protected:
  CommitLogTest()
      : poison_([this](const std::string& why) {
          poisoned_ = why;
          world_.scene().crash();
        }) {
    core::set_log_sink([](core::LogLevel, std::string_view) {});
    world_.start_process(1);
    make(8 * core::kPage, 0);
  }
  ~CommitLogTest() override {
    world_.kill_process();
    core::set_log_sink({});
  }
  void make(std::uint64_t file_bytes, std::uint64_t reserve_bytes) {
    limits_.file_bytes = file_bytes;
    limits_.reserve_bytes = reserve_bytes;
  }
  Task<void> begin() {
    directory_ = *co_await core::Directory::open(world_.kernel(), "/data");
    log_ = std::make_unique<CommitLog>(world_.shard(0), directory_, poison_, sample_uuid(), 1, limits_);
    EXPECT_TRUE(co_await log_->open(std::nullopt, 0));
    EXPECT_TRUE(co_await append_one(BootItem{}));
    co_await log_->sync_first_name();
    co_await log_->make_reserve();
  }
  Task<bool> append_one(LogItem item, CommitLog::Reserve reserve = CommitLog::Reserve::Keep) {
    std::vector<LogItem> items;
    items.push_back(std::move(item));
    auto place = co_await log_->append(std::move(items), reserve, nullptr);
    if (!place) error_ = place.error();
    co_return place.has_value();
  }
  Task<void> append_many(int count, std::size_t bytes,
                         CommitLog::Reserve reserve = CommitLog::Reserve::Keep) {
    for (int i = 0; i < count; ++i) {
      if (co_await append_one(AbortedItem{TxnId(1), std::string(bytes, 'x')}, reserve)) ++appended_;
    }
  }
  Task<void> read(std::vector<FileId> files) { run_ = *co_await read_run(directory_, std::move(files)); }
  RunStatus run(Task<void> task) {
    bool done = false;
    world_.start(0, note_end(std::move(task), &done));
    return world_.run_until([&] { return done; });
  }
  static Task<void> note_end(Task<void> task, bool* done) {
    co_await std::move(task);
    *done = true;
  }
  std::vector<FileId> files() const {
    std::vector<FileId> ids;
    for (const CommitLog::LogFile& file : log_->files()) ids.push_back(file.id);
    return ids;
  }
  void expect_chain(std::size_t count) {
    ASSERT_TRUE(run_);
    EXPECT_EQ(run_->damage, "");
    EXPECT_EQ(run_->gap, "");
    ASSERT_EQ(run_->records.size(), count);
    for (std::size_t i = 1; i < count; ++i) {
      EXPECT_EQ(run_->records[i].record.sequence, i + 1);
      EXPECT_EQ(run_->records[i].record.previous_checksum, run_->records[i - 1].place.checksum);
    }
  }

  sim::SimWorld world_{3};
  std::string poisoned_;
  Poison poison_;
  CommitLog::Limits limits_;
  core::Directory directory_;
  std::unique_ptr<CommitLog> log_;
  std::optional<RunRecords> run_;
  core::Error error_;
  int appended_ = 0;
};

TEST_F(CommitLogTest, records_go_on_over_the_end_of_files_in_one_chain) {
  ASSERT_EQ(run(begin()), RunStatus::Done);
  ASSERT_EQ(run(append_many(40, 100)), RunStatus::Done);
  ASSERT_EQ(run(append_many(5, 9000)), RunStatus::Done);
  EXPECT_GT(log_->files().size(), 6u);
  ASSERT_EQ(run(read(files())), RunStatus::Done);
  expect_chain(46);
  EXPECT_TRUE(run_->begins_with_boot);
}

TEST_F(CommitLogTest, files_up_to_a_sequence_are_taken_off_and_never_the_current_one) {
  ASSERT_EQ(run(begin()), RunStatus::Done);
  ASSERT_EQ(run(append_many(20, 100)), RunStatus::Done);
  const std::vector<FileId> before = files();
  EXPECT_TRUE(log_->take_files_up_to(3).empty());
  EXPECT_EQ(log_->take_files_up_to(7).size(), 1u);
  EXPECT_EQ(log_->take_files_up_to(1000).size() + 2, before.size());
  EXPECT_EQ(files().back(), before.back());
}

TEST_F(CommitLogTest, what_is_left_of_a_run_whose_unlinks_survived_in_part_says_where_it_begins) {
  ASSERT_EQ(run(begin()), RunStatus::Done);
  ASSERT_EQ(run(append_many(30, 100)), RunStatus::Done);
  std::vector<FileId> left = files();
  left.erase(left.begin() + 1);
  ASSERT_EQ(run(read(left)), RunStatus::Done);
  ASSERT_TRUE(run_);
  EXPECT_EQ(run_->damage, "");
  EXPECT_NE(run_->gap.find("log-00000001-0000-000000000 at offset"), std::string::npos) << run_->gap;
  EXPECT_EQ(run_->records.front().place.file, left[1]);
}

TEST_F(CommitLogTest, no_file_is_large_enough_for_a_record_that_could_not_be_read_again) {
  make(1024 * core::kMiB, 0);
  const CommitLog log(world_.shard(0), directory_, poison_, sample_uuid(), 1, limits_);
  EXPECT_EQ(log.record_bytes_max(), LogRecord::kBytesMax - 3 * core::kPage);
}

TEST_F(CommitLogTest, a_record_too_large_to_be_repeated_at_the_next_start_is_refused) {
  ASSERT_EQ(run(begin()), RunStatus::Done);
  ASSERT_EQ(run(append_many(1, 6 * core::kPage)), RunStatus::Done);
  EXPECT_EQ(appended_, 0);
  EXPECT_EQ(error_.code, core::Errc::TooLarge);
  ASSERT_EQ(run(append_many(3, 10)), RunStatus::Done);  // the log goes on
  EXPECT_EQ(appended_, 3);
}

// The record at `offset` of the first log becomes one whose only item is of an unknown kind, or no record any more.
Task<void> rewrite_record(core::Directory directory, std::uint64_t offset, bool verifies) {
  const FileId id = FileId::make(1, 0, 0);
  core::File file = *co_await directory.open_file(format_file_name(FileKind::CommitLog, id), {.write = true});
  std::vector<std::byte> page(core::kPage);
  EXPECT_TRUE(co_await file.read_exact(offset, page));
  page[LogRecord::kHeaderBytes] = std::byte{200};
  if (verifies) {
    std::uint32_t payload = 0;
    std::memcpy(&payload, page.data() + 4, 4);
    std::memset(page.data() + 32, 0, 8);
    const std::uint64_t sum = record_checksum(sample_uuid(), id, RecordKind::Commit, offset,
                                              core::Bytes(page).first(LogRecord::kHeaderBytes + payload));
    std::memcpy(page.data() + 32, &sum, 8);
  }
  EXPECT_TRUE(co_await file.write_all(offset, page));
  co_await file.close();
}
Task<void> recover_into(core::Directory directory, std::string* error) {
  const auto recovered = co_await recover(directory);
  *error = recovered ? "" : recovered.error();
}

TEST_F(CommitLogTest, a_record_that_verifies_and_does_not_decode_refuses_the_start_and_is_never_a_torn_tail) {
  ASSERT_EQ(run(begin()), RunStatus::Done);
  ASSERT_EQ(run(append_many(3, 100)), RunStatus::Done);
  for (const std::uint64_t record : {3u, 1u, 0u}) {  // the last one, one in the middle, the first
    const std::uint64_t offset = FileHeader::kBytes + record * core::kPage;
    ASSERT_EQ(run(rewrite_record(directory_, offset, true)), RunStatus::Done);
    const std::string place = "log-00000001-0000-000000000 at offset " + std::to_string(offset);
    ASSERT_EQ(run(read(files())), RunStatus::Done);
    ASSERT_TRUE(run_);
    EXPECT_EQ(run_->newer, place);
    std::string error;
    ASSERT_EQ(run(recover_into(directory_, &error)), RunStatus::Done);
    EXPECT_TRUE(error.starts_with(place + " was written by a newer version")) << error;
  }
}

// Behind a place where nothing verifies it is no torn tail either.
TEST_F(CommitLogTest, a_newer_record_behind_one_that_does_not_verify_refuses_the_start) {
  ASSERT_EQ(run(begin()), RunStatus::Done);
  ASSERT_EQ(run(append_many(3, 100)), RunStatus::Done);
  ASSERT_EQ(run(rewrite_record(directory_, 4 * core::kPage, true)), RunStatus::Done);
  ASSERT_EQ(run(rewrite_record(directory_, 3 * core::kPage, false)), RunStatus::Done);
  std::string error;
  ASSERT_EQ(run(recover_into(directory_, &error)), RunStatus::Done);
  EXPECT_NE(error.find("000000000 at offset 16384 was written by a newer version"), std::string::npos)
      << error;
}

TEST_F(CommitLogTest, a_full_disk_refuses_what_may_wait_and_the_reserve_takes_what_may_not) {
  make(8 * core::kPage, 16 * core::kPage);
  ASSERT_EQ(run(begin()), RunStatus::Done);
  world_.disk().set_capacity(world_.disk().used_bytes());
  ASSERT_EQ(run(append_many(20, 100)), RunStatus::Done);
  EXPECT_EQ(error_.code, core::Errc::NoSpace);
  EXPECT_FALSE(log_->accepts_loads());
  const int before = appended_;
  ASSERT_EQ(run(append_many(5, 100, CommitLog::Reserve::MayUse)), RunStatus::Done);
  EXPECT_EQ(appended_, before + 5);
  world_.disk().set_capacity(UINT64_MAX);
  ASSERT_EQ(world_.run_for(std::chrono::seconds(3)), RunStatus::Done);
  EXPECT_TRUE(log_->accepts_loads());
  ASSERT_EQ(run(append_many(20, 100)), RunStatus::Done);
  EXPECT_EQ(appended_, before + 25);
  ASSERT_EQ(run(read(files())), RunStatus::Done);
  expect_chain(static_cast<std::size_t>(appended_) + 1);
}

TEST_F(CommitLogTest, a_failed_write_or_sync_of_a_record_poisons) {
  ASSERT_EQ(run(begin()), RunStatus::Done);
  world_.disk().fail_nth(core::OpKind::Write, "log-", 1);
  EXPECT_EQ(run(append_many(1, 100)), RunStatus::Crashed);
  EXPECT_NE(poisoned_.find("writing a commit record"), std::string::npos) << poisoned_;
  EXPECT_EQ(appended_, 0);
}

TEST_F(CommitLogTest, a_record_whose_sync_fails_poisons_also_on_a_full_disk) {
  ASSERT_EQ(run(begin()), RunStatus::Done);
  world_.disk().fail_nth(core::OpKind::Sync, "log-", 1, ENOSPC);
  EXPECT_EQ(run(append_many(1, 100)), RunStatus::Crashed);
  EXPECT_NE(poisoned_.find("writing a commit record"), std::string::npos) << poisoned_;
  EXPECT_EQ(appended_, 0);
}

TEST_F(CommitLogTest, a_record_is_one_operation_of_the_disk) {
  ASSERT_EQ(run(begin()), RunStatus::Done);
  int operations = 0;
  world_.scene().on_submit = [&](std::uint64_t, const core::Op& op) {
    ++operations;
    EXPECT_TRUE(op.kind == core::OpKind::Write && op.durable);
  };
  ASSERT_EQ(run(append_many(2, 100)), RunStatus::Done);
  world_.scene().on_submit = nullptr;
  EXPECT_EQ(operations, 2);
}

// Appends until `count` records went in.
Task<void> hammer(core::Shard* shard, CommitLog* log, int count, int* appended) {
  while (*appended < count) {
    std::vector<LogItem> items;
    items.emplace_back(AbortedItem{TxnId(1), std::string(9000, 'x')});
    const auto place = co_await log->append(std::move(items), CommitLog::Reserve::Keep, nullptr);
    if (place) {
      ++*appended;
    } else {
      (void)co_await shard->sleep_for(std::chrono::milliseconds(1));
    }
  }
}

Task<void> open_and_fill(CommitLog* log) {
  EXPECT_TRUE(co_await log->open(std::nullopt, 0));
  std::vector<LogItem> boot;
  boot.emplace_back(BootItem{});
  EXPECT_TRUE(co_await log->append(std::move(boot), CommitLog::Reserve::MayUse, nullptr));
  co_await log->sync_first_name();
  co_await log->make_reserve();
}

Task<void> append_small(CommitLog* log, int count, CommitLog::Reserve reserve) {
  for (int i = 0; i < count; ++i) {
    std::vector<LogItem> items;
    items.emplace_back(AbortedItem{TxnId(1), std::string(100, 'x')});
    (void)co_await log->append(std::move(items), reserve, nullptr);
  }
}

Task<void> open_folder(core::Kernel* kernel, core::Directory* directory) {
  *directory = *co_await core::Directory::open(*kernel, "/data");
}

TEST(CommitLog, appends_go_on_after_a_full_disk_whatever_the_keeper_of_the_next_file_does_meanwhile) {
  core::set_log_sink([](core::LogLevel, std::string_view) {});
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    sim::SimWorld world(seed);
    world.start_process(1);
    Poison poison([&](const std::string&) { world.scene().crash(); });
    core::Directory directory;
    world.start(0, open_folder(&world.kernel(), &directory));
    ASSERT_EQ(world.run_to_end(), RunStatus::Done);
    CommitLog log(world.shard(0), directory, poison, sample_uuid(), 1,
                  {.file_bytes = 12 * core::kPage,
                   .reserve_bytes = 24 * core::kPage,
                   .retry = std::chrono::milliseconds(1)});
    world.start(0, open_and_fill(&log));
    ASSERT_EQ(world.run_for(std::chrono::seconds(1)), RunStatus::Done);
    world.disk().set_capacity(world.disk().used_bytes());
    world.start(0, append_small(&log, 25, CommitLog::Reserve::Keep));
    ASSERT_EQ(world.run_for(std::chrono::seconds(1)), RunStatus::Done);
    world.start(0, append_small(&log, 14, CommitLog::Reserve::MayUse));
    ASSERT_EQ(world.run_for(std::chrono::seconds(1)), RunStatus::Done);
    world.disk().set_capacity(UINT64_MAX);
    int appended = 0;
    world.start(0, hammer(&world.shard(0), &log, 100, &appended));
    ASSERT_EQ(world.run_for(std::chrono::seconds(60)), RunStatus::Done);
    EXPECT_EQ(appended, 100) << "seed " << seed;
    world.kill_process();
  }
  core::set_log_sink({});
}

Task<void> read_files(core::Kernel* kernel, std::vector<FileId> files, std::optional<RunRecords>* read) {
  core::Directory directory = *co_await core::Directory::open(*kernel, "/data");
  *read = *co_await read_run(directory, std::move(files));
  co_await directory.close();
}

// At each operation of the disk, with short writes: what append() gave a place for is read again, and at most the one
// record behind it that was in flight.
TEST(CommitLog, a_power_loss_at_any_point_leaves_every_record_that_was_appended) {
  core::set_log_sink([](core::LogLevel, std::string_view) {});
  for (const auto policy : {sim::UnsyncedPolicy::DropAll, sim::UnsyncedPolicy::TornAll,
                            sim::UnsyncedPolicy::Garbage, sim::UnsyncedPolicy::Random}) {
    for (std::uint64_t crash_at = 5; crash_at <= 90; ++crash_at) {
      SCOPED_TRACE(crash_at);
      sim::SimWorld world(crash_at);
      world.disk().short_write_percent = 30;
      world.start_process(1);
      Poison poison([&](const std::string&) { world.scene().crash(); });
      core::Directory directory;
      world.start(0, open_folder(&world.kernel(), &directory));
      ASSERT_EQ(world.run_to_end(), RunStatus::Done);
      int appended = 0;
      std::vector<FileId> files;
      {
        CommitLog log(world.shard(0), directory, poison, sample_uuid(), 1,
                      {.file_bytes = 16 * core::kPage, .reserve_bytes = 0});
        world.start(0, open_and_fill(&log));
        (void)world.run_to_end();
        world.start(0, hammer(&world.shard(0), &log, 20, &appended));
        world.scene().crash_at = world.scene().ops + crash_at;
        world.scene().crash_point = crash_at % 2 == 0 ? sim::CrashPoint::Submit : sim::CrashPoint::Complete;
        (void)world.run_to_end();
        for (const CommitLog::LogFile& file : log.files()) files.push_back(file.id);
        world.lose_power(policy, sim::NamesPolicy::DropAll);
      }
      world.start_process(1);
      std::optional<RunRecords> read;
      world.start(0, read_files(&world.kernel(), std::move(files), &read));
      ASSERT_EQ(world.run_to_end(), RunStatus::Done);
      ASSERT_TRUE(read);
      EXPECT_EQ(read->damage, "");
      EXPECT_EQ(read->gap, "");
      EXPECT_GE(read->records.size(), static_cast<std::size_t>(appended) + 1);
      EXPECT_LE(read->records.size(), static_cast<std::size_t>(appended) + 2);
      world.kill_process();
    }
  }
  core::set_log_sink({});
}

// The log file ends exactly with record 7, the snapshot covers 7, and its record 8 begins the next file, alone.
Task<void> snapshot_record_alone_in_its_file(core::Shard* shard, core::Directory directory, Poison* poison,
                                             CommitLog* log, CommitLog::Limits limits, std::string* error) {
  co_await append_small(log, 6, CommitLog::Reserve::Keep);
  Manifest manifest;
  VisibleChange ignored;
  LogRecord record{.sequence = 7, .previous_checksum = 0, .items = {}};
  record.items.emplace_back(AbortedItem{TxnId(1), "x"});
  const FooterBlocks none;
  EXPECT_TRUE(manifest.apply(record, [&](std::size_t) -> const FooterBlocks& { return none; }, ignored));
  std::vector<std::byte> payload;
  core::ByteWriter writer(payload);
  manifest.encode(writer);
  auto item = co_await write_snapshot(directory, *poison, sample_uuid(), FileId::make(1, 0, 0), 7,
                                      std::move(payload));
  std::vector<LogItem> items;
  items.emplace_back(*item);
  EXPECT_TRUE(co_await log->append(std::move(items), CommitLog::Reserve::Keep, nullptr));
  const std::vector<FileId> unneeded = log->take_files_up_to(7);
  EXPECT_EQ(unneeded.size(), 1u);
  for (const FileId file : unneeded) {
    EXPECT_TRUE(co_await directory.unlink(format_file_name(FileKind::CommitLog, file)));
  }
  co_await log->close();

  auto first = co_await recover(directory);
  if (!first) {
    *error = first.error();
    co_return;
  }
  CommitLog next(*shard, directory, *poison, sample_uuid(), 2, limits);
  EXPECT_TRUE(co_await next.open(first->previous, first->previous_record.size()));
  std::vector<LogItem> boot;
  boot.emplace_back(BootItem{
      .has_previous = true, .previous = *first->previous, .previous_record = first->previous_record});
  boot.emplace_back(TxnRangeItem{5});
  EXPECT_TRUE(co_await next.append(std::move(boot), CommitLog::Reserve::MayUse, nullptr));
  co_await next.sync_first_name();
  co_await next.close();
  auto second = co_await recover(directory);
  if (!second) *error = second.error();
}

TEST(CommitLog, a_snapshot_record_alone_in_its_file_is_enough_for_the_start_after_a_start_that_died) {
  core::set_log_sink([](core::LogLevel, std::string_view) {});
  sim::SimWorld world(5);
  world.start_process(1);
  Poison poison([&](const std::string&) { world.scene().crash(); });
  core::Directory directory;
  world.start(0, open_folder(&world.kernel(), &directory));
  ASSERT_EQ(world.run_to_end(), RunStatus::Done);
  const CommitLog::Limits limits{.file_bytes = 8 * core::kPage, .reserve_bytes = 0};
  CommitLog log(world.shard(0), directory, poison, sample_uuid(), 1, limits);
  world.start(0, open_and_fill(&log));
  ASSERT_EQ(world.run_to_end(), RunStatus::Done);
  std::string error;
  world.start(0,
              snapshot_record_alone_in_its_file(&world.shard(0), directory, &poison, &log, limits, &error));
  ASSERT_EQ(world.run_to_end(), RunStatus::Done);
  EXPECT_EQ(error, "");
  world.kill_process();
  core::set_log_sink({});
}

}  // namespace
}  // namespace penstock::txn
