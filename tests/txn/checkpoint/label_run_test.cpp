#include "txn/checkpoint/label_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "tests/sim/sim_random.hpp"
#include "tests/txn/checkpoint/label_world.hpp"
#include "txn/checkpoint/label_merge.hpp"

namespace penstock::txn {
namespace {

using core::Task;
using sim::RunStatus;

struct Sample {
  std::uint64_t database;
  std::string label;
  std::uint64_t txn;
  std::uint64_t finished_at;
};

Task<void> write_run(LabelPlace place, FileId id, std::vector<Sample> samples,
                     std::shared_ptr<LabelRun>* run) {
  std::sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) { return a.txn < b.txn; });
  LabelRunWriter writer(place, id, 0, samples.size());
  EXPECT_TRUE(co_await writer.open());
  std::vector<Sample> by_hash = samples;
  std::sort(by_hash.begin(), by_hash.end(), [](const Sample& a, const Sample& b) {
    return label_hash(DatabaseId(a.database), a.label) < label_hash(DatabaseId(b.database), b.label);
  });
  for (const Sample& each : by_hash) {
    const DatabaseId database(each.database);
    writer.add(LabelEntry{label_hash(database, each.label), database, each.label, TxnId(each.txn),
                          each.finished_at});
    if (writer.wants_write()) EXPECT_TRUE(co_await writer.write());
  }
  writer.end_labels();
  for (const Sample& each : samples)
    writer.add(TxnEntry{TxnId(each.txn), DatabaseId(each.database), each.finished_at});
  auto finished = co_await writer.finish();
  EXPECT_TRUE(finished);
  *run = std::move(*finished);
}

Task<void> ask(LabelRun* run, DatabaseId database, std::string label,
               LabelRun::Found<LabelRun::Outcome>* found) {
  *found = co_await run->find(database, std::move(label));
}
Task<void> ask_txn(LabelRun* run, TxnId txn, LabelRun::Found<TxnEntry>* found) {
  *found = co_await run->find(txn);
}
Task<void> open_run(LabelRun* run, core::Directory directory, std::string* error) {
  auto opened = co_await run->open(directory, sample_uuid());
  *error = opened ? "" : opened.error();
}
Task<void> close_run(LabelRun* run) { co_await run->close(); }

std::vector<Sample> many(std::uint64_t count) {
  std::vector<Sample> samples;
  for (std::uint64_t i = 0; i < count; ++i)
    samples.push_back({1 + i % 3, fmt::format("label-{}", i), 1000 + 7 * i, 60 + i});
  return samples;
}

class LabelRunTest : public ::testing::Test {
 protected:
  void write(std::vector<Sample> samples) {
    ASSERT_EQ(world_.run(write_run(world_.place(), world_.next_file(), std::move(samples), &run_)),
              RunStatus::Done);
    ASSERT_NE(run_, nullptr);
  }
  std::string reopen() {
    (void)world_.run(close_run(run_.get()));
    run_ = std::make_shared<LabelRun>(run_->info());
    std::string error;
    EXPECT_EQ(world_.run(open_run(run_.get(), world_.directory(), &error)), RunStatus::Done);
    return error;
  }
  LabelRun::Found<LabelRun::Outcome> find(std::uint64_t database, const std::string& label) {
    LabelRun::Found<LabelRun::Outcome> found;
    EXPECT_EQ(world_.run(ask(run_.get(), DatabaseId(database), label, &found)), RunStatus::Done);
    return found;
  }
  LabelRun::Found<TxnEntry> find(std::uint64_t txn) {
    LabelRun::Found<TxnEntry> found;
    EXPECT_EQ(world_.run(ask_txn(run_.get(), TxnId(txn), &found)), RunStatus::Done);
    return found;
  }
  std::string path() const { return "/data/" + format_file_name(FileKind::LabelRun, run_->info().file); }

  LabelWorld world_;
  std::shared_ptr<LabelRun> run_;
};

TEST_F(LabelRunTest, bytes_of_a_run_are_golden) {
  write({{1, "first", 7, 60}, {1, "second", 8, 60}, {2, "first", 300, 70}});
  const std::vector<std::byte> bytes = world_.disk().read_file(path());
  ASSERT_EQ(bytes.size(), 7 * core::kPage);  // header, labels, TxnIds, two indexes, filter, footer
  std::vector<std::byte> used;
  for (std::size_t page = 0; page < 7; ++page) {
    const auto front = core::Bytes(bytes).subspan(page * core::kPage, 96);
    used.insert(used.end(), front.begin(), front.end());
    const auto rest = core::Bytes(bytes).subspan(page * core::kPage + 96, core::kPage - 96);
    EXPECT_TRUE(std::all_of(rest.begin(), rest.end(), [](std::byte b) { return b == std::byte{0}; }));
  }
  expect_golden("label_run_v1.hex", used);
}

TEST_F(LabelRunTest, every_label_and_txn_id_is_found_before_and_behind_a_reopen) {
  const std::vector<Sample> samples = many(3000);
  write(samples);
  for (const bool reopened : {false, true}) {
    if (reopened) ASSERT_EQ(reopen(), "");
    EXPECT_GT(run_->index().label_pages.size(), 10u);
    for (std::size_t i = 0; i < samples.size(); i += 7) {
      const Sample& each = samples[i];
      EXPECT_TRUE(run_->may_hold(label_hash(DatabaseId(each.database), each.label)));
      const auto by_label = find(each.database, each.label);
      ASSERT_TRUE(by_label && *by_label) << i;
      EXPECT_EQ((*by_label)->txn, TxnId(each.txn));
      EXPECT_EQ((*by_label)->finished_at, each.finished_at);
      const auto by_txn = find(each.txn);
      ASSERT_TRUE(by_txn && *by_txn) << i;
      EXPECT_EQ((*by_txn)->database, DatabaseId(each.database));
      EXPECT_EQ((*by_txn)->finished_at, each.finished_at);
      EXPECT_FALSE(*find(each.txn + 1));
      EXPECT_FALSE(*find(each.database + 1 + (each.database == 3 ? 7 : 0), each.label + "x"));
    }
  }
  EXPECT_FALSE(run_->may_hold(TxnId(999)));
  EXPECT_EQ(run_->info().labels, 3000u);
  EXPECT_EQ(run_->info().finished_low, 60u);
  EXPECT_EQ(run_->info().finished_high, 3059u);
  EXPECT_EQ(world_.disk().size_of(path()), run_->info().length);
}

TEST_F(LabelRunTest, the_longest_labels_and_the_largest_numbers_fit) {
  std::vector<Sample> samples;
  for (std::uint64_t i = 0; i < 200; ++i)
    samples.push_back({UINT64_MAX - 1, fmt::format("{:x>128}", i), UINT64_MAX - 1000 + i, UINT64_MAX - 5});
  write(samples);
  ASSERT_EQ(reopen(), "");
  for (const Sample& each : samples) {
    EXPECT_EQ((*find(each.database, each.label))->txn, TxnId(each.txn));
    EXPECT_TRUE(*find(each.txn));
  }
}

TEST_F(LabelRunTest, a_filter_passes_few_labels_that_are_not_there) {
  for (const auto& [entries, most] : {std::pair(1u << 16, 0.003), std::pair((1u << 22) + 1, 0.008)}) {
    LabelFilter filter(LabelFilter::words_for(entries));
    sim::SimRandom random(1, 1);
    std::vector<std::uint64_t> hashes;
    for (unsigned i = 0; i < entries; ++i) hashes.push_back(random.next());
    for (const std::uint64_t hash : hashes) filter.add(hash);
    for (const std::uint64_t hash : hashes) ASSERT_TRUE(filter.may_contain(hash));
    unsigned passed = 0;
    for (unsigned i = 0; i < 1u << 16; ++i) passed += filter.may_contain(random.next()) ? 1 : 0;
    EXPECT_LT(passed, most * (1u << 16)) << entries;
  }
}

// A flipped bit anywhere: what open() reads is named by open(); an entry's page by the question that needs it; zeros of the
// header page mean nothing.
TEST_F(LabelRunTest, a_flipped_bit_in_every_region_is_named_and_is_never_taken_for_not_there) {
  const std::vector<Sample> samples = many(1000);
  write(samples);
  const LabelRunInfo info = run_->info();
  const std::uint64_t labels = run_->index().label_pages.size();
  const std::uint64_t txns = run_->index().txn_pages.size();
  ASSERT_GT(labels, 2u);
  ASSERT_GT(txns, 1u);
  for (std::uint64_t page = 0; page < info.length / core::kPage; ++page) {
    for (const std::uint64_t at : {0u, 7u, 8u, 9u, 10u, 37u, 60u, 500u, 4095u}) {
      if (page == 0 && at > 63) continue;
      const std::uint64_t offset = page * core::kPage + at;
      world_.disk().flip_bit(path(), offset, at % 8);
      const std::string place =
          fmt::format("{} at offset {}", format_file_name(FileKind::LabelRun, info.file), page * core::kPage);
      const std::string error = reopen();
      if (page == 0 || page > labels + txns) {
        EXPECT_NE(error.find(place), std::string::npos) << offset << ": " << error;
      } else {
        EXPECT_EQ(error, "");
        unsigned wrong = 0;
        for (std::size_t i = 0; i < samples.size(); i += 7) {
          const auto by_label = find(samples[i].database, samples[i].label);
          const auto by_txn = find(samples[i].txn);
          const std::string said = !by_label ? by_label.error() : !by_txn ? by_txn.error() : std::string();
          if (said.empty()) {
            EXPECT_TRUE(*by_label && *by_txn);
          } else {
            ++wrong;
            EXPECT_NE(said.find(place), std::string::npos) << said;
          }
        }
        EXPECT_GT(wrong, 0u) << offset;
      }
      world_.disk().flip_bit(path(), offset, at % 8);
    }
  }
  EXPECT_EQ(reopen(), "");
}

TEST_F(LabelRunTest, a_cut_or_missing_file_or_one_of_another_place_is_refused) {
  write(many(600));
  const LabelRunInfo info = run_->info();
  const std::string name = format_file_name(FileKind::LabelRun, info.file);
  const std::vector<std::byte> bytes = world_.disk().read_file(path());
  for (const std::size_t size :
       {bytes.size() - 1, bytes.size() - core::kPage, std::size_t{4096}, std::size_t{0}}) {
    world_.disk().write_file(path(), core::Bytes(bytes).first(size));
    EXPECT_NE(reopen().find(name), std::string::npos) << size;
  }
  world_.disk().remove_file(path());
  EXPECT_NE(reopen().find(name), std::string::npos);
  world_.disk().write_file(path(), bytes);
  EXPECT_EQ(reopen(), "");
  // The bytes of one run under the name of another.
  LabelRunInfo other = info;
  other.file = FileId::make(2, 0, 99);
  world_.disk().write_file("/data/" + format_file_name(FileKind::LabelRun, other.file), bytes);
  (void)world_.run(close_run(run_.get()));
  run_ = std::make_shared<LabelRun>(other);
  std::string error;
  ASSERT_EQ(world_.run(open_run(run_.get(), world_.directory(), &error)), RunStatus::Done);
  EXPECT_NE(error.find("another file"), std::string::npos) << error;
  // What the snapshot says of it must be so.
  for (int field = 0; field < 4; ++field) {
    LabelRunInfo wrong = info;
    (field == 0   ? wrong.labels
     : field == 1 ? wrong.checksum
     : field == 2 ? wrong.txns
                  : wrong.finished_high) += 1;
    (void)world_.run(close_run(run_.get()));
    run_ = std::make_shared<LabelRun>(wrong);
    ASSERT_EQ(world_.run(open_run(run_.get(), world_.directory(), &error)), RunStatus::Done);
    EXPECT_NE(error.find(name), std::string::npos) << field;
  }
}

// Behind the checksum: pages that verify and make no sense (ours never do).
TEST(LabelPage, entries_that_do_not_decode_end_the_page_and_never_crash) {
  LabelPageBuilder labels;
  LabelPageBuilder txns;
  for (std::uint64_t i = 0; labels.add(LabelEntry{0, DatabaseId(1), "label", TxnId(i * 99), i}); ++i) {
  }
  for (std::uint64_t i = 0; txns.add(TxnEntry{TxnId(i * 99), DatabaseId(1), i}); ++i) {
  }
  sim::SimRandom random(5, 1);
  for (LabelPageBuilder* builder : {&labels, &txns}) {
    const auto good = builder->page();
    for (int turn = 0; turn < 4'000; ++turn) {
      std::vector<std::byte> page(good.begin(), good.end());
      for (int flips = 0; flips < 4; ++flips)
        page[random.between(8, core::kPage - 1)] = static_cast<std::byte>(random.next());
      LabelEntryReader label_reader(page);
      std::size_t count = 0;
      for (LabelEntry entry; label_reader.next(entry);) {
        EXPECT_LE(entry.label.size(), 128u);
        ++count;
      }
      TxnEntryReader txn_reader(page);
      for (TxnEntry entry; txn_reader.next(entry);) ++count;
      EXPECT_LE(count, 2 * core::kPage);
    }
  }
}

Task<void> merge(LabelPlace place, FileId id, std::vector<std::shared_ptr<LabelRun>> runs,
                 LabelRetention retention, const bool* give_up, std::shared_ptr<LabelRun>* merged,
                 std::string* error) {
  auto done = co_await merge_label_runs(place, id, 1, std::move(runs), std::move(retention), give_up);
  *error = done ? "" : done.error();
  if (done) *merged = *done;
}

TEST_F(LabelRunTest, a_merge_keeps_the_newer_of_equal_labels_and_drops_what_is_out_of_date) {
  write({{1, "old", 10, 100}, {1, "both", 11, 100}, {2, "dropped", 12, 300}, {1, "stays", 13, 250}});
  std::vector<std::shared_ptr<LabelRun>> runs = {run_};
  write({{1, "both", 30, 300}, {1, "new", 31, 300}, {2, "dropped too", 32, 300}});
  runs.push_back(run_);
  std::string error;
  bool give_up = false;
  ASSERT_EQ(world_.run(merge(world_.place(), world_.next_file(), runs, {200, {DatabaseId(1)}}, &give_up,
                             &run_, &error)),
            RunStatus::Done);
  ASSERT_EQ(error, "");
  EXPECT_EQ(run_->info().labels, 3u);
  EXPECT_EQ(run_->info().txns, 3u);
  EXPECT_EQ(run_->info().level, 1u);
  EXPECT_EQ(run_->info().txn_low, TxnId(13));
  EXPECT_EQ((*find(1, "both"))->txn, TxnId(30));
  EXPECT_EQ((*find(1, "stays"))->txn, TxnId(13));
  EXPECT_FALSE(*find(1, "old"));
  EXPECT_FALSE(*find(2, "dropped"));
  EXPECT_FALSE(*find(11));
  EXPECT_TRUE(*find(31));
}

TEST_F(LabelRunTest, a_merge_that_gives_up_or_meets_damage_leaves_nothing_behind) {
  write(many(2000));
  std::vector<std::shared_ptr<LabelRun>> runs = {run_};
  const std::string damaged = path();
  write(many(2000));
  runs.push_back(run_);
  const std::vector<std::string> before = world_.disk().list_path("/data");
  std::string error;
  bool give_up = true;
  const auto try_merge = [&] {
    ASSERT_EQ(world_.run(merge(world_.place(), world_.next_file(), runs, {0, {DatabaseId(1)}}, &give_up,
                               &run_, &error)),
              RunStatus::Done);
    EXPECT_EQ(world_.disk().list_path("/data"), before);
  };
  try_merge();
  EXPECT_EQ(error, "");
  give_up = false;
  world_.disk().flip_bit(damaged, 3 * core::kPage + 100);
  try_merge();
  EXPECT_NE(error.find(damaged.substr(6) + " at offset 12288"), std::string::npos) << error;
  world_.disk().flip_bit(damaged, 3 * core::kPage + 100);
  world_.disk().fail_nth(core::OpKind::Write, "labels-", 1, ENOSPC);
  try_merge();
  EXPECT_NE(error.find("No space"), std::string::npos) << error;
  world_.disk().fail_nth(core::OpKind::Open, "labels-", 1, ENOSPC);
  try_merge();
  EXPECT_EQ(world_.poisoned(), "");
}

}  // namespace
}  // namespace penstock::txn
