// Rot at rest: what is needed and does not verify is named by file and offset; nothing is guessed, nothing is changed.
#include <gtest/gtest.h>

#include "core/base/log.hpp"
#include "tests/crash/crash_matrix.hpp"
#include "tests/crash/store_fixture.hpp"
#include "tests/crash/two_phase_clients.hpp"
#include "txn/journal/file_name.hpp"

namespace penstock::crash {
namespace {

using sim::RunStatus;
using sim::SimDisk;

class Damage : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    txn::StoreLimits limits = tiny_limits();
    limits.log.file_bytes = 16 * core::kPage;
    limits.coordinator.log_files_per_snapshot = 100;  // only the one that every run begins with
    limits_ = limits;
    StoreWorld world(5, 2, limits_);
    open_well(world);
    ASSERT_EQ(world.run(create_table(&world.store(), &knows_, "t")), RunStatus::Done);
    (void)world.world().run_idle();
    for (int i = 1; i <= 6; ++i) {
      ASSERT_EQ(world.run(load(&world.store(), &knows_, {.number = i, .rows = 20 * (i % 2) + 5})),
                RunStatus::Done);
    }
    (void)world.world().run_idle();
    world.kill();
    disk_ = std::make_unique<SimDisk>(world.world().disk());
  }
  std::string newest(std::string_view prefix) const {
    std::string found;
    for (const std::string& name : disk_->list_path("/data")) {
      const std::vector<std::byte> bytes = disk_->read_file("/data/" + name);
      const bool is_used =
          bytes.size() > core::kPage && bytes[core::kPage] != std::byte{0};  // a spare log is not
      if (name.starts_with(prefix) && is_used) found = name;
    }
    return found;
  }
  // What open() says with one bit turned over.
  std::string open_with_flip(const std::string& name, std::uint64_t offset) const {
    StoreWorld world(6, 2, *disk_, limits_);
    world.world().disk().flip_bit("/data/" + name, offset, offset % 8);
    const std::vector<std::string> before = world.world().disk().list_path("/data");
    std::string error;
    EXPECT_EQ(world.open(error), RunStatus::Done);
    if (!error.empty()) {
      EXPECT_EQ(world.world().disk().list_path("/data"), before) << "it refused, and changed something";
    }
    world.kill();
    return error;
  }
  // Offsets of the records of a log file.
  std::vector<std::uint64_t> records_of(const std::string& name) const {
    const std::vector<std::byte> bytes = disk_->read_file("/data/" + name);
    std::vector<std::uint64_t> offsets;
    for (std::size_t at = core::kPage; at + core::kPage <= bytes.size(); at += core::kPage) {
      if (std::memcmp(bytes.data() + at, "PSRC", 4) == 0) offsets.push_back(at);
    }
    return offsets;
  }

  txn::StoreLimits limits_;
  Knowledge knows_;
  std::unique_ptr<SimDisk> disk_;
};

TEST_F(Damage, a_record_that_is_not_the_last_is_named) {
  const std::string name = newest("log-");
  const std::vector<std::uint64_t> records = records_of(name);
  ASSERT_GE(records.size(), 6u);
  for (std::size_t i = 0; i + 1 < records.size(); ++i) {
    for (const std::uint64_t byte : {0u, 5u, 9u, 18u, 25u, 34u, 41u, 50u}) {
      const std::string error = open_with_flip(name, records[i] + byte);
      EXPECT_NE(error.find(i == 0 ? name : name + " at offset " + std::to_string(records[i])),
                std::string::npos)
          << i << ' ' << byte << ' ' << error;
    }
  }
}

TEST_F(Damage, a_last_record_that_does_not_verify_is_a_torn_tail) {
  const std::string name = newest("log-");
  const std::uint64_t last = records_of(name).back();
  EXPECT_EQ(open_with_flip(name, last + 41), "");
}

TEST_F(Damage, a_snapshot_or_its_header_is_named) {
  const std::string name = newest("snapshot-");
  for (const std::uint64_t offset : {0u, 9u, 17u, 33u, 57u, 4096u, 4100u, 4150u}) {
    const std::string error = open_with_flip(name, offset);
    EXPECT_NE(error.find(name), std::string::npos) << offset << ' ' << error;
    EXPECT_NE(error.find(" at offset "), std::string::npos) << offset << ' ' << error;
  }
}

TEST_F(Damage, the_header_of_a_log_or_a_journal_is_named) {
  for (const std::string& name : {newest("log-"), newest("journal-")}) {
    for (const std::uint64_t offset : {0u, 8u, 16u, 33u, 57u}) {
      const std::string error = open_with_flip(name, offset);
      EXPECT_NE(error.find(name), std::string::npos) << offset << ' ' << error;
    }
  }
}

TEST_F(Damage, a_footer_that_recovery_needs_is_named_and_a_block_fails_its_scan_only) {
  const std::string name = newest("journal-");
  const std::vector<std::byte> bytes = disk_->read_file("/data/" + name);
  std::size_t footers = 0;
  std::size_t blocks = 0;
  for (std::size_t at = core::kPage; at + 8 < bytes.size(); at += 8) {
    const bool is_footer = std::memcmp(bytes.data() + at, "PSFT", 4) == 0;
    const bool is_block = std::memcmp(bytes.data() + at, "PSBK", 4) == 0;
    if (is_footer) {
      ++footers;
      const std::string error = open_with_flip(name, at + 9);
      EXPECT_NE(error.find(name + " at offset " + std::to_string(at)), std::string::npos) << error;
    }
    if (is_block && ++blocks <= 3) {
      StoreWorld world(6, 2, *disk_, limits_);
      world.world().disk().flip_bit("/data/" + name, at + 100);
      open_well(world);
      Knowledge after = knows_;
      ASSERT_EQ(world.run(look(&world.store(), &after)), RunStatus::Done);
      EXPECT_NE(after.violation.find(name + " at offset " + std::to_string(at)), std::string::npos)
          << after.violation;
      // Nothing else is affected.
      Knowledge other;
      ASSERT_EQ(world.run(create_table(&world.store(), &other, "u")), RunStatus::Done);
      ASSERT_EQ(world.run(load(&world.store(), &other, {.number = 50, .rows = 9, .table = "u"})),
                RunStatus::Done);
      ASSERT_EQ(world.run(look(&world.store(), &other)), RunStatus::Done);
      EXPECT_EQ(other.violation, "");
    }
  }
  EXPECT_GT(footers, 0u);
  EXPECT_GT(blocks, 0u);
}

// Of rows that were written beside their record only the end of the process tells whether they were whole. So that this is
// said of nothing that was answered long ago, a record follows soon.
TEST_F(Damage, rows_beside_the_last_record_are_a_torn_tail_until_something_follows_then_they_are_damage) {
  txn::StoreLimits limits = limits_;
  limits.journal = {
      .file_bytes = 262144, .file_bytes_min = 16384, .small_sync_bytes = 4096, .prewrite_bytes = 32768};
  for (const bool is_settled : {false, true}) {
    StoreWorld world(5, 1, limits);
    Knowledge knows;
    open_well(world);
    ASSERT_EQ(world.run(create_table(&world.store(), &knows, "t")), RunStatus::Done);
    (void)world.world().run_idle();
    for (int i = 1; i <= 12; ++i)
      ASSERT_EQ(world.run(load(&world.store(), &knows, {.number = i, .rows = 5})), RunStatus::Done);
    EXPECT_GT(world.store().coordinator().stats().records_beside_rows, 0u);
    if (is_settled) (void)world.world().run_idle();
    world.kill();
    disk_ = std::make_unique<SimDisk>(world.world().disk());
    std::string name;
    std::size_t footer = 0;
    for (const std::string& each : disk_->list_path("/data")) {
      const std::vector<std::byte> bytes = disk_->read_file("/data/" + each);
      if (!each.starts_with("journal-")) continue;
      for (std::size_t at = core::kPage; at + 8 < bytes.size(); at += 8) {
        if (std::memcmp(bytes.data() + at, "PSFT", 4) != 0) continue;
        name = each;
        footer = at;
      }
    }
    ASSERT_GT(footer, 0u);
    StoreWorld later(6, 1, *disk_, limits);
    later.world().disk().flip_bit("/data/" + name, footer + 9);
    std::string error;
    EXPECT_EQ(later.open(error), RunStatus::Done);
    if (is_settled) {
      EXPECT_NE(error.find(name + " at offset " + std::to_string(footer)), std::string::npos) << error;
    } else {
      ASSERT_EQ(error, "");
      Knowledge after = knows;
      ASSERT_EQ(later.run(look(&later.store(), &after)), RunStatus::Done);
      EXPECT_NE(after.violation, "") << "the last load is there, or the bit was not in it";
    }
    later.kill();
  }
}

// The rows of an aborted load are nobody's: that they rot stops no start.
TEST_F(Damage, the_footer_of_an_aborted_load_is_not_wanted) {
  StoreWorld world(7, 1, limits_);
  Knowledge knows;
  open_well(world);
  ASSERT_EQ(world.run(create_table(&world.store(), &knows, "t")), RunStatus::Done);
  (void)world.world().run_idle();
  for (int i = 1; i <= 2; ++i) {
    ASSERT_EQ(world.run(prepare(&world.store(), &knows, {.number = i, .rows = 9})), RunStatus::Done);
  }
  ASSERT_EQ(world.run(abort(&world.store(), &knows, 1, By::Id)), RunStatus::Done);
  world.kill();
  disk_ = std::make_unique<SimDisk>(world.world().disk());
  const std::string name = newest("journal-");
  const std::vector<std::byte> bytes = disk_->read_file("/data/" + name);
  std::vector<std::uint64_t> footers;
  for (std::size_t at = core::kPage; at + 8 < bytes.size(); at += 8) {
    if (std::memcmp(bytes.data() + at, "PSFT", 4) == 0) footers.push_back(at);
  }
  ASSERT_EQ(footers.size(), 2u);
  EXPECT_EQ(open_with_flip(name, footers[0] + 9), "");
  EXPECT_NE(open_with_flip(name, footers[1] + 9).find(name), std::string::npos);
}

// With labels in runs: what a start reads of them is named by it.
TEST_F(Damage, a_label_run_that_the_snapshot_names_is_named_where_it_is_damaged_or_gone) {
  limits_ = tiny_limits();
  limits_.coordinator.labels = {.in_memory = 3, .fan_in = 2};
  knows_ = {};
  StoreWorld world(5, 2, limits_);
  open_well(world);
  ASSERT_EQ(world.run(create_table(&world.store(), &knows_, "t")), RunStatus::Done);
  for (int i = 1; i <= 8; ++i)
    ASSERT_EQ(world.run(load(&world.store(), &knows_, {.number = i, .rows = 1})), RunStatus::Done);
  (void)world.world().run_idle();
  world.kill();
  disk_ = std::make_unique<SimDisk>(world.world().disk());
  const std::string name = newest("labels-");
  ASSERT_NE(name, "");
  const std::size_t pages = disk_->size_of("/data/" + name) / core::kPage;
  ASSERT_EQ(pages, 7u);  // header, labels, TxnIds, two indexes, filter, footer
  for (const std::size_t page : {0u, 3u, 4u, 5u, 6u}) {
    const std::string error = open_with_flip(name, page * core::kPage + 9);
    EXPECT_NE(error.find(name + " at offset " + std::to_string(page * core::kPage)), std::string::npos)
        << error;
    EXPECT_NE(error.find("the store is damaged"), std::string::npos) << error;
  }
  EXPECT_EQ(open_with_flip(name, core::kPage + 9), "");  // found by who needs it
  StoreWorld without(6, 2, *disk_, limits_);
  without.world().disk().remove_file("/data/" + name);
  std::string error;
  EXPECT_EQ(without.open(error), RunStatus::Done);
  EXPECT_NE(error.find(name), std::string::npos) << error;
}

}  // namespace
}  // namespace penstock::crash
