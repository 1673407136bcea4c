#include "txn/checkpoint/label_book.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

#include "tests/sim/sim_random.hpp"
#include "tests/txn/checkpoint/label_world.hpp"

namespace penstock::txn {
namespace {

using core::Task;
using sim::RunStatus;

TEST(LabelBook, an_outcome_stays_until_its_running_time_is_over) {
  LabelBook book;
  book.add(finished_load(7, "a"), 100);
  book.add(finished_load(8, "b"), 200);
  EXPECT_TRUE(book.look(DatabaseId(1), "a", 100).found);
  EXPECT_FALSE(book.look(DatabaseId(1), "a", 101).found);
  EXPECT_FALSE(book.look(DatabaseId(1), TxnId(7), 101).found);
  EXPECT_TRUE(book.look(DatabaseId(1), TxnId(8), 101).found);
  EXPECT_FALSE(book.look(DatabaseId(2), TxnId(8), 0).found);
  EXPECT_FALSE(book.look(DatabaseId(2), "b", 0).found);
  book.add(finished_load(9, "a"), 300);  // used again behind its time
  EXPECT_EQ(book.look(DatabaseId(1), "a", 101).found->txn, TxnId(9));
  book.forget_database(DatabaseId(1));
  EXPECT_EQ(book.size(), 0u);
  EXPECT_FALSE(book.look(DatabaseId(1), TxnId(8), 0).found);
}

TEST(LabelBook, runs_that_a_snapshot_names_twice_or_in_another_order_are_refused) {
  const auto decodes = [](std::vector<std::pair<std::uint64_t, std::uint32_t>> runs) {
    std::vector<std::byte> bytes;
    core::ByteWriter writer(bytes);
    writer.put(static_cast<std::uint32_t>(runs.size()));
    for (const auto& [file, level] : runs)
      LabelRunInfo{.file = FileId::make(1, 0, file), .level = level}.encode(writer);
    writer.put(std::uint32_t{0});
    core::ByteReader reader(bytes);
    LabelBook book;
    book.decode(reader, true);
    return reader.ok();
  };
  EXPECT_TRUE(decodes({{1, 2}, {5, 2}, {7, 1}, {9, 0}}));
  EXPECT_FALSE(decodes({{1, 1}, {5, 2}}));
  EXPECT_FALSE(decodes({{1, 0}, {1, 0}}));
}

// A book against two maps that are never wrong, through flushes and merges that go on beside the questions, expiry, dropped
// databases and restarts.
class Model {
 public:
  Model(LabelWorld& world, std::uint64_t seed) : world_(world), dice_(seed, 1) {}

  Task<void> live(int steps) {
    for (int step = 0; step < steps && !::testing::Test::HasFailure(); ++step) {
      const std::uint64_t choice = dice_.between(1, 100);
      if (choice <= 45) {
        add();
      } else if (choice <= 80) {
        co_await ask();
      } else if (choice <= 88) {
        now_ += dice_.between(1, 40);
        book_.expire_runs(keep_from());
      } else if (choice <= 92) {
        start_flush();
      } else if (choice <= 96) {
        start_merge();
      } else if (choice == 97 && databases_.size() > 1) {
        book_.forget_database(DatabaseId(*databases_.begin()));
        databases_.erase(databases_.begin());
        databases_.insert(next_database_++);
      } else if (choice == 98) {
        co_await reopen();
      } else {
        co_await world_.world().shard(0).sleep_for(std::chrono::milliseconds(dice_.between(1, 5)));
      }
    }
    co_await settle();
    for (int i = 0; i < 50; ++i) co_await ask();
    co_await reopen();
    EXPECT_EQ(files(), named());
    co_await book_.close();
  }
  std::uint64_t flushes = 0;
  std::uint64_t merges = 0;
  std::uint64_t reads = 0;
  std::uint64_t found = 0;

 private:
  struct Outcome {
    std::uint64_t txn = 0;
    std::uint64_t finished_at = 0;
  };
  using Key = std::pair<std::uint64_t, std::string>;

  std::uint64_t keep_from() const { return now_ > 400 ? now_ - 400 : 0; }
  std::uint64_t some_database() {
    auto at = databases_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(dice_.between(0, databases_.size() - 1)));
    return *at;
  }
  std::string some_label() { return fmt::format("l{}", dice_.between(0, 400)); }
  LabelRetention retention() const {
    LabelRetention all{.keep_from = keep_from(), .databases = {}};
    for (const std::uint64_t id : databases_) all.databases.emplace_back(id);
    return all;
  }

  void add() {
    const Key key{some_database(), some_label()};
    const auto known = labels_.find(key);
    if (known != labels_.end() && known->second.finished_at >= keep_from()) return;
    const std::uint64_t txn = next_txn_ += dice_.between(1, 3);
    book_.add(finished_load(txn, key.second, key.first), now_);
    labels_[key] = Outcome{txn, now_};
    txns_[txn] = {key.first, now_};
  }

  Task<void> ask() {
    const std::uint64_t keep = keep_from();
    if (dice_.coin()) {
      const Key key{some_database(), some_label()};
      const auto known = labels_.find(key);
      const bool wanted = known != labels_.end() && known->second.finished_at >= keep;
      const Outcome right = wanted ? known->second : Outcome{};
      auto said = book_.look(DatabaseId(key.first), key.second, keep);
      if (said.must_read) {
        ++reads;
        auto read = co_await book_.read(DatabaseId(key.first), key.second, keep);
        EXPECT_TRUE(read) << read.error();
        if (read) said.found = *read;
      }
      EXPECT_EQ(said.found.has_value(), wanted) << key.first << ' ' << key.second;
      if (said.found && wanted) {
        EXPECT_EQ(said.found->txn, TxnId(right.txn));
        EXPECT_EQ(said.found->finished_at, right.finished_at);
        ++found;
      }
    } else {
      const std::uint64_t txn = dice_.between(1, next_txn_ + 3);
      const std::uint64_t database = some_database();
      const auto known = txns_.find(txn);
      const bool wanted =
          known != txns_.end() && known->second.first == database && known->second.second >= keep;
      auto said = book_.look(DatabaseId(database), TxnId(txn), keep);
      if (said.must_read) {
        ++reads;
        auto read = co_await book_.read(DatabaseId(database), TxnId(txn), keep);
        EXPECT_TRUE(read) << read.error();
        if (read) said.found = *read;
      }
      EXPECT_EQ(said.found.has_value(), wanted) << txn;
      found += wanted ? 1 : 0;
    }
  }

  void start_flush() {
    if (flushing_ || book_.in_memory() == 0) return;
    flushing_ = true;
    if (dice_.percent(20))
      world_.disk().fail_nth(core::OpKind::Write, "labels-", static_cast<std::uint32_t>(dice_.between(1, 2)),
                             ENOSPC);
    world_.world().shard(0).spawn(flush());
  }
  Task<void> flush() {
    const auto done =
        co_await book_.flush(world_.place(), world_.next_file(), LabelBook::Limits{}, retention());
    if (done) ++flushes;
    flushing_ = false;
    changed_.notify_all();
  }
  void start_merge() {
    const auto level = book_.level_to_merge(limits_);
    if (!level) return;
    ++merging_;
    world_.world().shard(0).spawn(merge(*level));
  }
  Task<void> merge(std::uint32_t level) {
    const auto done =
        co_await book_.merge(world_.place(), world_.next_file(), limits_, level, retention(), &give_up_);
    if (done) ++merges;
    --merging_;
    changed_.notify_all();
  }
  Task<void> settle() {
    give_up_ = dice_.coin();
    while (flushing_ || merging_ > 0) co_await changed_.wait();
    give_up_ = false;
    world_.disk().clear_faults();
  }
  // As a snapshot and a start do it.
  Task<void> reopen() {
    co_await settle();
    std::vector<std::byte> bytes;
    core::ByteWriter writer(bytes);
    book_.encode(writer);
    const LabelBook::Runs dead = book_.take_dead_runs();
    co_await book_.close();
    for (const auto& run : dead) co_await run->close();
    LabelBook next;
    core::ByteReader reader(bytes);
    next.decode(reader, true);
    EXPECT_TRUE(reader.ok() && reader.remaining() == 0);
    const auto opened = co_await next.open_runs(world_.directory(), sample_uuid());
    EXPECT_TRUE(opened) << opened.error();
    book_ = std::move(next);
    for (const std::string& name : files()) {
      core::Directory directory = world_.directory();
      if (!named().contains(name)) (void)co_await directory.unlink(name);
    }
  }
  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const std::string& name : world_.disk().list_path("/data")) names.insert(name);
    return names;
  }
  std::set<std::string> named() const {
    std::set<std::string> names;
    for (const auto& run : book_.runs()) names.insert(format_file_name(FileKind::LabelRun, run->info().file));
    return names;
  }

  LabelWorld& world_;
  sim::SimRandom dice_;
  LabelBook book_;
  const LabelBook::Limits limits_{.in_memory = 10, .fan_in = 2};
  std::map<Key, Outcome> labels_;
  std::map<std::uint64_t, std::pair<std::uint64_t, std::uint64_t>> txns_;
  std::set<std::uint64_t> databases_{1, 2};
  std::uint64_t next_database_ = 3;
  std::uint64_t next_txn_ = 1;
  std::uint64_t now_ = 1;
  bool flushing_ = false;
  std::size_t merging_ = 0;
  bool give_up_ = false;
  core::WaitList changed_;
};

TEST(LabelBook, answers_as_a_map_does_through_flushes_merges_expiry_and_restarts) {
  std::uint64_t flushes = 0;
  std::uint64_t merges = 0;
  std::uint64_t reads = 0;
  std::uint64_t found = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    LabelWorld world(seed);
    Model model(world, seed);
    ASSERT_EQ(world.run(model.live(1500)), RunStatus::Done);
    if (::testing::Test::HasFailure()) return;
    flushes += model.flushes;
    merges += model.merges;
    reads += model.reads;
    found += model.found;
  }
  EXPECT_GT(flushes, 500u);
  EXPECT_GT(merges, 200u);
  EXPECT_GT(reads, 2000u);
  EXPECT_GT(found, 1000u);
  std::printf("label book: %llu flushes, %llu merges, %llu questions read runs, %llu found\n",
              static_cast<unsigned long long>(flushes), static_cast<unsigned long long>(merges),
              static_cast<unsigned long long>(reads), static_cast<unsigned long long>(found));
}

Task<void> flush_all(LabelBook* book, LabelPlace place, FileId id, core::Result<>* done) {
  *done = co_await book->flush(place, id, {}, {0, {DatabaseId(1)}});
}
Task<void> close_book(LabelBook* book) { co_await book->close(); }
Task<void> close_run(LabelRun* run) { co_await run->close(); }

TEST(LabelBook, a_flush_that_finds_no_room_keeps_everything_in_memory_and_waits_for_more_before_the_next) {
  LabelWorld world;
  LabelBook book;
  const LabelBook::Limits limits{.in_memory = 10, .fan_in = 2};
  for (std::uint64_t i = 0; i < 10; ++i) book.add(finished_load(i + 1, fmt::format("l{}", i)), 5);
  EXPECT_TRUE(book.wants_flush(limits));
  world.disk().fail_nth(core::OpKind::Write, "labels-", 1, ENOSPC);
  core::Result<> done;
  ASSERT_EQ(world.run(flush_all(&book, world.place(), world.next_file(), &done)), RunStatus::Done);
  EXPECT_FALSE(done);
  EXPECT_TRUE(world.disk().list_path("/data").empty());
  EXPECT_TRUE(book.look(DatabaseId(1), "l3", 0).found);
  EXPECT_FALSE(book.wants_flush(limits));
  for (std::uint64_t i = 10; i < 20; ++i) book.add(finished_load(i + 1, fmt::format("l{}", i)), 5);
  EXPECT_TRUE(book.wants_flush(limits));
  ASSERT_EQ(world.run(flush_all(&book, world.place(), world.next_file(), &done)), RunStatus::Done);
  ASSERT_EQ(world.run(flush_all(&book, world.place(), world.next_file(), &done)), RunStatus::Done);
  EXPECT_TRUE(done);
  EXPECT_EQ(book.runs().size(), 2u);
  EXPECT_EQ(book.in_memory(), 0u);
  EXPECT_EQ(book.size(), 20u);
  ASSERT_EQ(world.run(close_book(&book)), RunStatus::Done);
}

Task<void> merge_all(LabelBook* book, LabelPlace place, FileId id, LabelBook::Limits limits, bool* done) {
  const bool give_up = false;
  *done = (co_await book->merge(place, id, limits, 0, {0, {DatabaseId(1)}}, &give_up)).has_value();
}

TEST(LabelBook, a_merge_without_room_writes_nothing_and_waits_for_as_many_more_runs_before_the_next) {
  LabelWorld world;
  LabelBook book;
  const LabelBook::Limits limits{.in_memory = 10, .fan_in = 2};
  std::uint64_t txn = 0;
  const auto add_run = [&] {
    for (int i = 0; i < 200; ++i) book.add(finished_load(++txn, fmt::format("l{}", txn)), 5);
    core::Result<> flushed;
    ASSERT_EQ(world.run(flush_all(&book, world.place(), world.next_file(), &flushed)), RunStatus::Done);
    ASSERT_TRUE(flushed);
  };
  add_run();
  add_run();
  ASSERT_EQ(book.level_to_merge(limits), 0u);
  const std::uint64_t used = world.disk().used_bytes();
  world.disk().set_capacity(used + 4 * core::kPage);
  bool done = true;
  ASSERT_EQ(world.run(merge_all(&book, world.place(), world.next_file(), limits, &done)), RunStatus::Done);
  EXPECT_FALSE(done);
  EXPECT_EQ(world.disk().used_bytes(), used);
  EXPECT_EQ(world.disk().list_path("/data").size(), 2u);
  EXPECT_FALSE(book.level_to_merge(limits));
  world.disk().set_capacity(UINT64_MAX);
  add_run();
  EXPECT_FALSE(book.level_to_merge(limits));
  add_run();
  ASSERT_EQ(book.level_to_merge(limits), 0u);
  const std::uint64_t before = world.disk().used_bytes();
  ASSERT_EQ(world.run(merge_all(&book, world.place(), world.next_file(), limits, &done)), RunStatus::Done);
  EXPECT_TRUE(done);
  EXPECT_EQ(book.level_to_merge(limits), 0u);  // the other two
  EXPECT_LT(world.disk().used_bytes() - before, book.runs()[0]->info().length + core::kPage);
  ASSERT_EQ(world.run(close_book(&book)), RunStatus::Done);
  for (const auto& run : book.take_dead_runs()) ASSERT_EQ(world.run(close_run(run.get())), RunStatus::Done);
}

TEST(LabelBook, a_failed_sync_of_a_run_ends_the_process) {
  LabelWorld world;
  LabelBook book;
  book.add(finished_load(1, "a"), 5);
  world.disk().fail_nth(core::OpKind::Sync, "labels-", 1);
  core::Result<> done;
  EXPECT_EQ(world.run(flush_all(&book, world.place(), world.next_file(), &done)), RunStatus::Crashed);
  EXPECT_NE(world.poisoned().find("fdatasync of a label run"), std::string::npos);
}

Task<void> flush_and_watch(LabelBook* book, LabelPlace place, FileId id, bool* is_over) {
  EXPECT_TRUE(co_await book->flush(place, id, {}, {0, {DatabaseId(1)}}));
  *is_over = true;
}
Task<void> add_beside(LabelBook* book, core::Shard* shard, const bool* is_over, std::uint64_t* added) {
  while (!*is_over) {
    const std::uint64_t txn = 100'000 + ++*added;
    book->add(finished_load(txn, fmt::format("beside-{}", txn)), 9);
    co_await shard->yield();
  }
}

TEST(LabelBook, others_have_their_turns_while_a_run_is_written) {
  LabelWorld world;
  LabelBook book;
  for (std::uint64_t i = 0; i < 20'000; ++i) book.add(finished_load(i + 1, fmt::format("l{}", i)), 5);
  bool is_over = false;
  std::uint64_t added = 0;
  core::Shard& shard = world.world().shard(0);
  world.world().start(0, add_beside(&book, &shard, &is_over, &added));
  ASSERT_EQ(world.run(flush_and_watch(&book, world.place(), world.next_file(), &is_over)), RunStatus::Done);
  EXPECT_GT(added, 2 * 20'000 / LabelRunWriter::kEntriesEach);
  EXPECT_LE(book.in_memory(), added);
  EXPECT_GE(book.runs().at(0)->info().labels, 20'000u);
  (void)world.world().run_idle();
  ASSERT_EQ(world.run(close_book(&book)), RunStatus::Done);
}

}  // namespace
}  // namespace penstock::txn
