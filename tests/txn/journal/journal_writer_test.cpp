#include "txn/journal/journal_writer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "core/base/log.hpp"
#include "tests/crash/file_watch.hpp"
#include "tests/sim/sim_world.hpp"
#include "tests/txn/journal/golden_bytes.hpp"
#include "txn/journal/extent_reader.hpp"

namespace penstock::txn {
namespace {

using core::Task;
using sim::RunStatus;

struct Written {
  std::vector<Extent> extents;
  std::vector<std::vector<std::byte>> records;
  std::string error;
};

class JournalWriterTest : public ::testing::Test {
 protected:
  JournalWriterTest()
      : arena_(3, 8192), poison_([this](const std::string& why) {
          poisoned_ = why;
          world_.scene().crash();
        }) {
    core::set_log_sink([](core::LogLevel, std::string_view) {});
    watch_.attach(world_.scene());
    world_.start_process(1);
    world_.start(0, open());
    EXPECT_EQ(world_.run_to_end(), RunStatus::Done);
    writer_ = std::make_unique<JournalWriter>(
        world_.shard(0), directory_, buffers_, poison_, JournalWriter::Place{sample_uuid(), 1},
        JournalWriter::Limits{.file_bytes = 32768, .file_bytes_min = 16384});
  }
  ~JournalWriterTest() override {
    world_.kill_process();
    core::set_log_sink({});
  }

  Task<void> open() { directory_ = *co_await core::Directory::open(world_.kernel(), "/data"); }
  Task<void> write(std::size_t count, std::size_t bytes_each, bool sync_each) {
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<std::byte> record(bytes_each + i % 13, static_cast<std::byte>('a' + i % 26));
      auto extent = co_await writer_->append(record, RecordKind::Block);
      if (!extent) {
        written_.error = extent.error().to_string();
        co_return;
      }
      written_.extents.push_back(*extent);
      written_.records.push_back(std::move(record));
      if (sync_each) co_await writer_->sync();
    }
    co_await writer_->sync();
  }
  Task<void> read_back(std::size_t* good, std::uint64_t cache_kept = ExtentReader::kCacheKept) {
    ExtentReader reader(directory_, sample_uuid(), cache_kept);
    for (std::size_t i = 0; i < written_.extents.size(); ++i) {
      auto bytes = co_await reader.read(written_.extents[i], RecordKind::Block);
      if (bytes && *bytes == written_.records[i]) ++*good;
    }
    co_await reader.close();
  }
  // Two that append and sync without a look at each other.
  Task<void> write_from_two_sides(std::size_t count_each) {
    int running = 2;
    core::WaitList ended;
    for (int side = 0; side < 2; ++side) world_.shard(0).spawn(one_side(count_each, &running, &ended));
    while (running > 0) co_await ended.wait();
  }
  Task<void> one_side(std::size_t count, int* running, core::WaitList* ended) {
    co_await write(count, 700, true);
    --*running;
    ended->notify_all();
  }
  Task<void> close() { co_await writer_->close(); }
  RunStatus run(Task<void> task) {
    world_.start(0, std::move(task));
    return world_.run_to_end();
  }

  sim::SimWorld world_{11};
  crash::FileWatch watch_;
  core::PageArena arena_;
  JournalWriter::Buffers buffers_{.arena = arena_, .released = {}};
  std::string poisoned_;
  Poison poison_;
  core::Directory directory_;
  std::unique_ptr<JournalWriter> writer_;
  Written written_;
};

TEST_F(JournalWriterTest, records_lie_one_behind_the_other_and_read_back) {
  ASSERT_EQ(run(write(20, 300, false)), RunStatus::Done);
  for (std::size_t i = 1; i < written_.extents.size(); ++i) {
    const Extent& before = written_.extents[i - 1];
    EXPECT_EQ(written_.extents[i].offset, core::round_up(before.offset + before.length, 8));
    EXPECT_EQ(written_.extents[i].file, before.file);
  }
  EXPECT_EQ(written_.extents.front().offset, FileHeader::kBytes);
  std::size_t good = 0;
  ASSERT_EQ(run(read_back(&good)), RunStatus::Done);
  EXPECT_EQ(good, 20u);
}

TEST_F(JournalWriterTest, no_page_is_written_twice_and_consecutive_records_go_out_in_one_write) {
  ASSERT_EQ(run(write(40, 700, true)), RunStatus::Done);
  ASSERT_EQ(run(write(60, 500, false)), RunStatus::Done);
  EXPECT_EQ(watch_.violation(), "");
  EXPECT_LT(writer_->stats().writes, 70u);
  std::size_t good = 0;
  ASSERT_EQ(run(read_back(&good)), RunStatus::Done);
  EXPECT_EQ(good, 100u);
}

TEST_F(JournalWriterTest, a_full_file_is_sealed_cut_to_its_last_page_and_listed_once_unpinned) {
  ASSERT_EQ(run(write(40, 3000, false)), RunStatus::Done);
  EXPECT_GT(writer_->stats().files_made, 3u);
  EXPECT_TRUE(writer_->sealed_files().empty());  // every extent is a pin
  for (const Extent& extent : written_.extents) writer_->unpin(extent.file);
  const std::vector<FileId> sealed = writer_->sealed_files();
  EXPECT_EQ(sealed.size() + 1, writer_->stats().files_made);
  for (const FileId file : sealed) {
    std::uint64_t end = 0;
    for (const Extent& extent : written_.extents) {
      if (extent.file == file) end = std::max(end, extent.offset + extent.length);
    }
    EXPECT_EQ(world_.disk().size_of("/data/" + format_file_name(FileKind::Journal, file)),
              core::round_up(end, core::kPage));
  }
  writer_->forget(sealed.front());
  EXPECT_EQ(writer_->sealed_files().size() + 1, sealed.size());
  ASSERT_EQ(run(close()), RunStatus::Done);
}

TEST_F(JournalWriterTest, a_record_larger_than_a_file_gets_a_file_of_its_size) {
  ASSERT_EQ(run(write(2, 100'000, false)), RunStatus::Done);
  std::size_t good = 0;
  ASSERT_EQ(run(read_back(&good)), RunStatus::Done);
  EXPECT_EQ(good, 2u);
}

TEST_F(JournalWriterTest, a_failed_write_breaks_its_file_and_the_next_record_goes_to_another) {
  world_.disk().fail_nth(core::OpKind::Write, "journal-", 2, ENOSPC);  // a durable one
  ASSERT_EQ(run(write(30, 900, true)), RunStatus::Done);
  EXPECT_EQ(poisoned_, "");
  const FileId first = written_.extents.front().file;
  EXPECT_TRUE(writer_->is_broken(first));
  EXPECT_FALSE(writer_->is_broken(written_.extents.back().file));
  EXPECT_NE(written_.extents.back().file, first);
}

TEST_F(JournalWriterTest, a_full_disk_fails_the_append_leaves_no_file_and_passes) {
  world_.disk().set_capacity(8192);
  ASSERT_EQ(run(write(1, 900, true)), RunStatus::Done);
  EXPECT_NE(written_.error.find("No space"), std::string::npos) << written_.error;
  EXPECT_TRUE(world_.disk().list_path("/data").empty());
  world_.disk().set_capacity(UINT64_MAX);
  written_.error.clear();
  ASSERT_EQ(run(write(1, 900, true)), RunStatus::Done);
  EXPECT_EQ(written_.error, "");
}

TEST_F(JournalWriterTest, a_file_is_smaller_where_the_disk_has_no_room_for_a_whole_one) {
  world_.disk().set_capacity(20'000);
  ASSERT_EQ(run(write(2, 900, true)), RunStatus::Done);
  EXPECT_EQ(written_.error, "");
  EXPECT_EQ(world_.disk().size_of("/data/" + format_file_name(FileKind::Journal, written_.extents[0].file)),
            16384u);
}

TEST_F(JournalWriterTest, a_failed_write_that_carries_no_sync_breaks_its_file_whatever_the_error) {
  world_.disk().fail_nth(core::OpKind::Write, "journal-", 2);
  ASSERT_EQ(run(write(12, 3000, false)), RunStatus::Done);
  EXPECT_EQ(poisoned_, "");
  EXPECT_TRUE(writer_->is_broken(written_.extents.front().file));
}

TEST_F(JournalWriterTest, a_failed_sync_poisons) {
  world_.disk().fail_nth(core::OpKind::Sync, "journal-", 1);
  EXPECT_EQ(run(write(4, 3000, false)), RunStatus::Crashed);
  EXPECT_NE(poisoned_.find("fdatasync of a journal file"), std::string::npos) << poisoned_;
}

TEST_F(JournalWriterTest, a_durable_write_that_fails_for_anything_but_space_poisons) {
  world_.disk().fail_nth(core::OpKind::Write, "journal-", 1);
  EXPECT_EQ(run(write(1, 900, true)), RunStatus::Crashed);
  EXPECT_NE(poisoned_.find("durable write of a journal file"), std::string::npos) << poisoned_;
}

TEST_F(JournalWriterTest, a_sync_of_one_small_piece_is_one_durable_write_and_any_other_is_an_fdatasync) {
  std::string seen;
  world_.scene().on_submit = [&](std::uint64_t, const core::Op& op) {
    if (op.kind == core::OpKind::Write) seen += op.durable ? 'D' : 'w';
    // Whoever waits for a durable write is a client: it goes the short way.
    if (op.kind == core::OpKind::Write) EXPECT_NE(op.may_block, op.durable);
    if (op.kind == core::OpKind::Sync) seen += 'S';
    if (op.kind == core::OpKind::SyncDir) seen += 'n';
  };
  ASSERT_EQ(run(write(3, 900, true)), RunStatus::Done);
  EXPECT_EQ(seen, "DnDD");
  seen.clear();
  ASSERT_EQ(run(write(1, 9000, true)), RunStatus::Done);  // over the end of a buffer
  EXPECT_EQ(seen, "wwS");
  seen.clear();
  ASSERT_EQ(run(write(1, 300, true)), RunStatus::Done);
  EXPECT_EQ(seen, "D");
  seen.clear();
  ASSERT_EQ(run(write(4, 5000, true)), RunStatus::Done);  // over the end of the file
  EXPECT_NE(seen.find('S'), std::string::npos) << seen;
  EXPECT_EQ(writer_->stats().durable_writes, static_cast<std::uint64_t>(4 + std::ranges::count(seen, 'D')));
  world_.scene().on_submit = nullptr;
}

TEST_F(JournalWriterTest, a_long_scan_leaves_no_cache_behind_and_a_short_one_does) {
  ASSERT_EQ(run(write(50, 1500, false)), RunStatus::Done);  // some files
  ASSERT_EQ(writer_->stats().files_made, 3u);
  std::size_t dropped = 0;
  world_.scene().on_submit = [&](std::uint64_t, const core::Op& op) {
    if (op.kind == core::OpKind::DropCache) ++dropped;
  };
  std::size_t good = 0;
  ASSERT_EQ(run(read_back(&good)), RunStatus::Done);
  EXPECT_EQ(good, 50u);
  EXPECT_EQ(dropped, 0u);
  good = 0;
  ASSERT_EQ(run(read_back(&good, 40'000)), RunStatus::Done);
  EXPECT_EQ(good, 50u);
  EXPECT_EQ(dropped, 2u);  // the first file was left before it read so much
  world_.scene().on_submit = nullptr;
}

TEST_F(JournalWriterTest, what_goes_out_while_a_durable_write_is_under_way_is_the_next_syncs) {
  world_.scene().perhaps.percent[static_cast<std::size_t>(core::Perhaps::JournalWritesEarly)] = 50;
  ASSERT_EQ(run(write_from_two_sides(60)), RunStatus::Done);
  EXPECT_EQ(watch_.violation(), "");
  world_.lose_power(sim::UnsyncedPolicy::DropAll, sim::NamesPolicy::DropAll);
  watch_.attach(world_.scene());
  world_.start_process(1);
  ASSERT_EQ(run(open()), RunStatus::Done);
  std::size_t good = 0;
  ASSERT_EQ(run(read_back(&good)), RunStatus::Done);
  EXPECT_EQ(good, 120u);
}

TEST_F(JournalWriterTest, what_a_sync_covered_outlives_a_power_loss) {
  ASSERT_EQ(run(write(50, 1500, false)), RunStatus::Done);
  world_.lose_power(sim::UnsyncedPolicy::DropAll, sim::NamesPolicy::DropAll);
  watch_.attach(world_.scene());
  world_.start_process(1);
  ASSERT_EQ(run(open()), RunStatus::Done);
  std::size_t good = 0;
  ASSERT_EQ(run(read_back(&good)), RunStatus::Done);
  EXPECT_EQ(good, 50u);
}

// What a sync covered, at each operation of the disk at which the power may go.
struct Crashed {
  std::vector<Extent> extents;
  std::vector<std::vector<std::byte>> records;
  std::size_t synced = 0;
  std::size_t good = 0;
  std::size_t pieces = 0;  // of the extents; they were pieces in place
};
Task<void> write_until_crash(core::Kernel* kernel, core::Shard* shard, JournalWriter::Buffers* buffers,
                             Poison* poison, JournalWriter::Limits limits,
                             std::unique_ptr<JournalWriter>* writer, Crashed* crashed) {
  core::Directory directory = *co_await core::Directory::open(*kernel, "/data");
  *writer = std::make_unique<JournalWriter>(*shard, directory, *buffers, *poison,
                                            JournalWriter::Place{sample_uuid(), 1}, limits);
  for (std::size_t i = 0; i < 60; ++i) {
    std::vector<std::byte> record((i % 11 == 10 ? 9000 : 400) + i * 37 % 1500,
                                  static_cast<std::byte>('a' + i % 26));
    auto extent = co_await (*writer)->append(record, RecordKind::Block);
    if (!extent) co_return;
    crashed->extents.push_back(*extent);
    crashed->records.push_back(std::move(record));
    if (i % 5 == 3) continue;
    const std::size_t before = crashed->records.size();
    const auto piece = (*writer)->piece_in_place();
    co_await (*writer)->sync();
    crashed->synced = before;
    if (!piece) continue;
    EXPECT_EQ((*writer)->piece_in_place(), std::nullopt);
    crashed->extents.push_back(*piece);  // read back as a record of its own, whatever it holds
    crashed->records.emplace_back();
    crashed->synced = crashed->records.size();
    ++crashed->pieces;
  }
  co_await (*writer)->close();
}
Task<void> read_after_crash(core::Kernel* kernel, Crashed* crashed) {
  const auto directory = co_await core::Directory::open(*kernel, "/data");
  ExtentReader reader(*directory, sample_uuid());
  for (std::size_t i = 0; i < crashed->synced; ++i) {
    const bool is_piece = crashed->records[i].empty();
    const auto bytes =
        co_await reader.read(crashed->extents[i], is_piece ? RecordKind::Piece : RecordKind::Block);
    if (bytes && (is_piece || *bytes == crashed->records[i])) ++crashed->good;
  }
  co_await reader.close();
}

void lose_power_everywhere(JournalWriter::Limits limits, bool kill) {
  core::set_log_sink([](core::LogLevel, std::string_view) {});
  for (const auto policy : {sim::UnsyncedPolicy::DropAll, sim::UnsyncedPolicy::TornAll,
                            sim::UnsyncedPolicy::Garbage, sim::UnsyncedPolicy::Random}) {
    for (std::uint64_t at = 1; at <= 170; ++at) {
      SCOPED_TRACE(at);
      sim::SimWorld world(at);
      if (at % 3 == 0) world.disk().short_write_percent = 40;
      world.disk().late_write_percent = 100;
      crash::FileWatch watch;
      if (at % 3 != 0) watch.attach(world.scene());
      core::PageArena arena(3, 8192);
      JournalWriter::Buffers buffers{.arena = arena, .released = {}};
      Poison poison([&](const std::string&) { world.scene().crash(); });
      std::unique_ptr<JournalWriter> writer;
      Crashed crashed;
      world.start_process(1);
      world.scene().crash_at = at;
      world.scene().crash_point = at % 2 == 0 ? sim::CrashPoint::Submit : sim::CrashPoint::Complete;
      world.start(0, write_until_crash(&world.kernel(), &world.shard(0), &buffers, &poison, limits, &writer,
                                       &crashed));
      (void)world.run_to_end();
      EXPECT_EQ(watch.violation(), "");
      kill ? world.kill_process() : world.lose_power(policy, sim::NamesPolicy::DropAll);
      world.disk().land_late_writes();
      world.start_process(1);
      world.start(0, read_after_crash(&world.kernel(), &crashed));
      ASSERT_EQ(world.run_to_end(), RunStatus::Done);
      EXPECT_EQ(crashed.good, crashed.synced);
      world.kill_process();
    }
    if (kill) break;
  }
  core::set_log_sink({});
}

TEST(JournalWriter, a_power_loss_at_any_point_leaves_what_a_sync_covered) {
  lose_power_everywhere(
      {.file_bytes = 49152, .file_bytes_min = 16384, .small_sync_bytes = 8192, .prewrite_bytes = 0}, false);
}

TEST(JournalWriter, a_power_loss_at_any_point_leaves_what_a_sync_covered_also_where_zeros_are_written_ahead) {
  lose_power_everywhere(
      {.file_bytes = 65536, .file_bytes_min = 16384, .small_sync_bytes = 4096, .prewrite_bytes = 12288},
      false);
}

TEST(JournalWriter, a_kill_whose_writes_land_late_leaves_what_a_sync_covered_also_among_zeros) {
  lose_power_everywhere(
      {.file_bytes = 65536, .file_bytes_min = 16384, .small_sync_bytes = 4096, .prewrite_bytes = 12288},
      true);
}

// Where the zeros are slow and the records are not, records come to places that zeros are still being written to.
struct Prewriting {
  sim::SimWorld world;
  crash::FileWatch watch;
  core::PageArena arena{3, 8192};
  JournalWriter::Buffers buffers{.arena = arena, .released = {}};
  std::string poisoned;
  Poison poison{[this](const std::string& why) {
    poisoned = why;
    world.scene().crash();
  }};
  std::unique_ptr<JournalWriter> writer;
  Crashed written;

  explicit Prewriting(std::uint64_t seed) : world(seed) {
    core::set_log_sink([](core::LogLevel, std::string_view) {});
    watch.attach(world.scene());
    world.start_process(1);
  }
  ~Prewriting() {
    world.kill_process();
    core::set_log_sink({});
  }
  RunStatus run(JournalWriter::Limits limits) {
    world.start(
        0, write_until_crash(&world.kernel(), &world.shard(0), &buffers, &poison, limits, &writer, &written));
    return world.run_to_end();
  }
  void expect_all_read_back() {
    world.lose_power(sim::UnsyncedPolicy::DropAll, sim::NamesPolicy::DropAll);
    world.start_process(1);
    world.start(0, read_after_crash(&world.kernel(), &written));
    ASSERT_EQ(world.run_to_end(), RunStatus::Done);
    EXPECT_EQ(written.good, written.synced);
  }
};
constexpr JournalWriter::Limits kPrewrites{
    .file_bytes = 262144, .file_bytes_min = 16384, .small_sync_bytes = 4096, .prewrite_bytes = 16384};

TEST(JournalWriter, zeros_never_land_on_a_record_however_slow_they_are) {
  std::uint64_t zero_writes = 0;
  std::size_t pieces = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Prewriting one(seed);
    one.world.disk().slow_percent = 20;
    one.world.disk().slow_nanos = 300'000'000;
    ASSERT_EQ(one.run(kPrewrites), RunStatus::Done);
    EXPECT_EQ(one.watch.violation(), "");
    EXPECT_EQ(one.written.synced, one.written.records.size());
    zero_writes += one.watch.zero_writes();
    // No space is filled with zeros twice.
    EXPECT_LE(one.writer->stats().bytes_prewritten, one.writer->stats().files_made * kPrewrites.file_bytes);
    one.expect_all_read_back();
    pieces += one.written.pieces;
  }
  EXPECT_GT(zero_writes, 60u);
  EXPECT_GT(pieces, 60u);
}

TEST(JournalWriter, large_syncs_and_files_without_room_get_no_zeros) {
  Prewriting large(1);
  ASSERT_EQ(
      large.run(
          {.file_bytes = 262144, .file_bytes_min = 16384, .small_sync_bytes = 0, .prewrite_bytes = 16384}),
      RunStatus::Done);
  EXPECT_EQ(large.watch.zero_writes(), 0u);
  EXPECT_EQ(large.writer->stats().durable_writes, 0u);
  Prewriting small_file(2);
  ASSERT_EQ(small_file.run({.file_bytes = 16384, .file_bytes_min = 16384, .small_sync_bytes = 12288}),
            RunStatus::Done);
  EXPECT_EQ(small_file.watch.zero_writes(), 0u);
}

// Both lanes of a shard, over the least of write buffers that they can share. Some records need more than there are.
Task<void> write_lane(JournalWriter* writer, Lane lane, Crashed* written, int* running) {
  for (std::size_t i = 0; i < 40; ++i) {
    std::vector<std::byte> record((i % 7 == 3 ? 20'000 : 500) + i * 37 % 1500,
                                  static_cast<std::byte>('a' + i % 26));
    auto extent = co_await writer->append(record, RecordKind::Block);
    EXPECT_TRUE(extent);
    if (!extent) break;
    EXPECT_EQ(lane_of(extent->file), lane);
    written->extents.push_back(*extent);
    written->records.push_back(std::move(record));
    const std::size_t before = written->records.size();
    if (i % 3 != 1) continue;
    co_await writer->sync();
    written->synced = before;
  }
  co_await writer->close();
  written->synced = written->records.size();
  --*running;
}
Task<void> open_lanes(core::Kernel* kernel, core::Shard* shard, JournalWriter::Buffers* buffers,
                      Poison* poison, std::array<std::unique_ptr<JournalWriter>, kLanes>* writers,
                      std::array<Crashed, kLanes>* written, int* running) {
  core::Directory directory = *co_await core::Directory::open(*kernel, "/data");
  JournalWriter::Limits limits = kPrewrites;
  limits.file_bytes = 65536;  // several files each
  for (const Lane lane : kAllLanes) {
    auto& writer = (*writers)[index_of(lane)];
    writer = std::make_unique<JournalWriter>(
        *shard, directory, *buffers, *poison,
        JournalWriter::Place{.store = sample_uuid(), .epoch = 1, .lane = lane}, limits);
    shard->spawn(write_lane(writer.get(), lane, &(*written)[index_of(lane)], running));
  }
}

TEST(JournalWriter, two_lanes_share_two_write_buffers_and_each_has_files_of_its_own) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    sim::SimWorld world(seed);
    core::PageArena arena(kLanes, 8192);
    JournalWriter::Buffers buffers{.arena = arena, .released = {}};
    Poison poison([&](const std::string&) { world.scene().crash(); });
    std::array<std::unique_ptr<JournalWriter>, kLanes> writers;
    std::array<Crashed, kLanes> written;
    int running = kLanes;
    crash::FileWatch watch;
    watch.attach(world.scene());
    world.start_process(1);
    world.start(
        0, open_lanes(&world.kernel(), &world.shard(0), &buffers, &poison, &writers, &written, &running));
    ASSERT_EQ(world.run_idle(), RunStatus::Stuck);
    EXPECT_EQ(running, 0);  // none waits for a buffer for ever
    EXPECT_EQ(arena.free_count(), kLanes);
    EXPECT_EQ(watch.violation(), "");
    world.lose_power(sim::UnsyncedPolicy::DropAll, sim::NamesPolicy::DropAll);
    world.start_process(1);
    for (Crashed& lane : written) {
      EXPECT_EQ(lane.synced, 40u);
      world.start(0, read_after_crash(&world.kernel(), &lane));
      ASSERT_EQ(world.run_idle(), RunStatus::Stuck);
      EXPECT_EQ(lane.good, lane.synced);
    }
    world.kill_process();
  }
}

// The write that fails is one of zeros, or a record's beside them: then its file is broken, or the store poisoned.
TEST(JournalWriter, zeros_that_cannot_be_written_end_prewriting_and_nothing_else) {
  int ended = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    Prewriting one(seed);
    bool failed = false;
    one.world.scene().on_submit = [&, watch = one.world.scene().on_submit](std::uint64_t index,
                                                                           const core::Op& op) {
      watch(index, op);
      if (one.watch.zero_writes() == 0 || failed) return;
      failed = true;
      one.world.disk().fail_nth(core::OpKind::Write, "journal-", 1, seed % 2 == 0 ? ENOSPC : EIO);
    };
    JournalWriter::Limits limits = kPrewrites;
    limits.file_bytes = core::kMiB;  // one file holds all: another may be prewritten again
    (void)one.run(limits);
    EXPECT_TRUE(failed);
    EXPECT_EQ(one.watch.violation(), "");
    const FileId first = one.written.extents.front().file;
    if (one.writer->is_broken(first)) continue;
    if (one.poisoned.empty()) {
      ++ended;
      EXPECT_EQ(one.watch.zero_writes(), 1u);
    }
    one.expect_all_read_back();
  }
  EXPECT_GT(ended, 10);
}

TEST(JournalWriter, zeros_that_cannot_be_synced_poison) {
  Prewriting one(4);
  one.world.scene().on_submit = [&, watch = one.world.scene().on_submit](std::uint64_t index,
                                                                         const core::Op& op) {
    watch(index, op);
    // No sync of this file is due but that of its zeros.
    if (op.kind == core::OpKind::Sync && one.watch.zero_writes() == 1 && one.poisoned.empty()) {
      one.world.disk().fail_nth(core::OpKind::Sync, "journal-", 1);
    }
  };
  EXPECT_EQ(one.run(kPrewrites), RunStatus::Crashed);
  EXPECT_NE(one.poisoned.find("journal file"), std::string::npos) << one.poisoned;
}

// Slow zeros are still under way when their file is full: it is neither cut nor closed before they have ended. A
// descriptor that is closed under them may be another file's next.
TEST(JournalWriter, a_sealed_file_is_cut_to_its_last_page_though_zeros_were_written_behind_it) {
  std::uint64_t prewritten = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    Prewriting one(seed);
    one.world.disk().slow_percent = 20;
    one.world.disk().slow_nanos = 300'000'000;
    one.world.scene().perhaps.percent[static_cast<std::size_t>(core::Perhaps::JournalFileIsFull)] = 20;
    ASSERT_EQ(one.run({.file_bytes = 65536,
                       .file_bytes_min = 16384,
                       .small_sync_bytes = 4096,
                       .prewrite_bytes = 32768}),
              RunStatus::Done);
    EXPECT_EQ(one.poisoned, "");
    prewritten += one.writer->stats().bytes_prewritten;
    for (const Extent& extent : one.written.extents) {
      std::uint64_t end = 0;
      for (const Extent& each : one.written.extents) {
        if (each.file == extent.file) end = std::max(end, each.offset + each.length);
      }
      EXPECT_EQ(one.world.disk().size_of("/data/" + format_file_name(FileKind::Journal, extent.file)),
                core::round_up(end, core::kPage));
    }
  }
  EXPECT_GT(prewritten, 0u);
}

}  // namespace
}  // namespace penstock::txn
