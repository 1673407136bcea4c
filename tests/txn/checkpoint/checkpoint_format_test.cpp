#include <gtest/gtest.h>

#include <fstream>

#include "tests/txn/journal/golden_bytes.hpp"
#include "txn/checkpoint/aborted_loads.hpp"
#include "txn/checkpoint/log_record.hpp"
#include "txn/checkpoint/manifest.hpp"
#include "txn/checkpoint/open_loads.hpp"
#include "txn/schema/ddl_parser.hpp"
#include "txn/schema/plan.hpp"

namespace penstock::txn {
namespace {

const FileId kLog = FileId::make(2, 0, 1);

LoadInfo sample_load(std::uint64_t txn, std::string label) {
  return LoadInfo{.txn = TxnId(txn),
                  .database = DatabaseId(1),
                  .table = TableId(1),
                  .label = std::move(label),
                  .label_kept = true,
                  .rows = 8};
}
FooterRef sample_footer() {
  return FooterRef{{.file = FileId::make(2, 1, 0), .offset = 8192, .length = 112, .checksum = 77},
                   TableId(1)};
}
std::vector<BlockRef> sample_blocks() {
  return {BlockRef{.extent = {.file = FileId::make(2, 1, 0), .offset = 4096, .length = 600, .checksum = 88},
                   .table = TableId(1),
                   .schema = SchemaId(1),
                   .rows = 16,
                   .bucket_low = 1,
                   .bucket_high = 1}};
}
CatalogChange change_of(const Catalog& catalog, std::string_view sql) {
  auto statement = parse_statement(sql);
  CHECK(statement.has_value());
  auto change = plan_change(catalog, *statement, "db");
  CHECK(change.has_value() && change->has_value());
  return **change;
}

LabelRunInfo sample_run() {
  return LabelRunInfo{.file = FileId::make(2, 0, 4),
                      .length = 28672,
                      .checksum = 99,
                      .level = 1,
                      .labels = 3,
                      .txns = 3,
                      .txn_low = TxnId(2),
                      .txn_high = TxnId(5),
                      .finished_low = 10,
                      .finished_high = 20};
}

LogRecord commit_record() {
  CheckpointItem checkpoint{.number = CheckpointNumber(1), .running_seconds = 60};
  checkpoint.loads = {sample_load(7, "first"), sample_load(8, "second")};
  checkpoint.footers = {sample_footer()};
  LogRecord record{.sequence = 5, .previous_checksum = 0xABCD};
  record.items.emplace_back(checkpoint);
  return record;
}

// One of every item.
LogRecord every_item() {
  LogRecord record = commit_record();
  record.items.emplace_back(BootItem{true, {kLog, 4096, 3, 99}, {std::byte{1}, std::byte{2}}});
  record.items.emplace_back(TxnRangeItem{1000});
  record.items.emplace_back(PreparedItem{sample_load(9, "third"), {sample_footer()}});
  record.items.emplace_back(AbortedItem{TxnId(9), "the client said so"});
  record.items.emplace_back(DdlItem{change_of(*Catalog::empty(), "CREATE DATABASE db")});
  record.items.emplace_back(SnapshotItem{FileId::make(2, 0, 0), 100, 55, 4});
  record.items.emplace_back(TimeItem{4000});
  record.items.emplace_back(InFlightItem{{sample_footer().extent, {FileId::make(2, 1, 1), 4096, 700, 12}}});
  return record;
}

Manifest sample_manifest() {
  Manifest manifest;
  VisibleChange change;
  const FooterBlocks none;
  const auto apply = [&](std::uint64_t sequence, LogItem item, const FooterBlocks& blocks) {
    LogRecord record{.sequence = sequence};
    record.items.push_back(std::move(item));
    const auto applied =
        manifest.apply(record, [&](std::size_t) -> const FooterBlocks& { return blocks; }, change);
    CHECK(applied.has_value());
  };
  apply(1, TxnRangeItem{100}, none);
  apply(2, DdlItem{change_of(*manifest.catalog(), "CREATE DATABASE db")}, none);
  apply(3,
        DdlItem{change_of(
            *manifest.catalog(),
            "CREATE TABLE t (k BIGINT NOT NULL, v VARCHAR(40)) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) "
            "BUCKETS 3")},
        none);
  const FooterBlocks blocks = {sample_blocks()};
  LogRecord prepare{.sequence = 4};
  prepare.items.emplace_back(TimeItem{40});
  prepare.items.emplace_back(PreparedItem{sample_load(9, "third"), {sample_footer()}});
  CHECK(manifest.apply(prepare, [&](std::size_t) -> const FooterBlocks& { return blocks; }, change));
  LogRecord commit = commit_record();
  apply(5, commit.items[0], blocks);
  return manifest;
}

TEST(LogRecord, every_item_reads_back) {
  std::uint64_t sum = 0;
  const LogRecord record = every_item();
  const std::vector<std::byte> bytes = record.encode(sample_uuid(), kLog, 8192, sum);
  EXPECT_EQ(bytes.size() % core::kPage, 0u);
  const auto read = decode_record(bytes, sample_uuid(), kLog, 8192);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->record.items, record.items);
  EXPECT_EQ(read->record.sequence, 5u);
  EXPECT_EQ(read->record.previous_checksum, 0xABCDu);
  EXPECT_EQ(read->place, (RecordPlace{kLog, 8192, 5, sum}));
  EXPECT_EQ(read->bytes, bytes.size());
}

TEST(LogRecord, bytes_of_a_commit_are_golden) {
  std::uint64_t sum = 0;
  const std::vector<std::byte> bytes = commit_record().encode(sample_uuid(), kLog, 4096, sum);
  expect_golden("commit_record_v1.hex", core::Bytes(bytes).first(240));
  EXPECT_TRUE(std::all_of(bytes.begin() + 240, bytes.end(), [](std::byte b) { return b == std::byte{0}; }));
}

TEST(LogRecord, bytes_of_rows_in_flight_and_of_a_repeated_piece_are_golden) {
  const Extent piece{FileId::make(2, 1, 1), 8192, 5, 0x1122334455667788};
  LogRecord record{.sequence = 6, .previous_checksum = 0xABCD};
  record.items.emplace_back(InFlightItem{{piece}});
  record.items.emplace_back(PieceItem{piece, std::vector<std::byte>(5, std::byte{'p'})});
  std::uint64_t sum = 0;
  const std::vector<std::byte> bytes = record.encode(sample_uuid(), kLog, 8192, sum);
  expect_golden("commit_record_v3.hex", core::Bytes(bytes).first(112));
  // A piece that is not as long as its extent says is not ours.
  record.items.back() = PieceItem{piece, std::vector<std::byte>(4, std::byte{'p'})};
  const std::vector<std::byte> other = record.encode(sample_uuid(), kLog, 8192, sum);
  EXPECT_FALSE(decode_record(other, sample_uuid(), kLog, 8192));
}

TEST(LogRecord, a_record_verifies_only_where_it_was_written) {
  std::uint64_t sum = 0;
  const std::vector<std::byte> bytes = commit_record().encode(sample_uuid(), kLog, 8192, sum);
  EXPECT_TRUE(decode_record(bytes, sample_uuid(), kLog, 8192));
  EXPECT_FALSE(decode_record(bytes, sample_uuid(), kLog, 4096));
  EXPECT_FALSE(decode_record(bytes, sample_uuid(), FileId::make(3, 0, 1), 8192));
  EXPECT_FALSE(decode_record(bytes, {}, kLog, 8192));
}

TEST(LogRecord, every_flipped_bit_and_every_cut_is_corrupt) {
  std::uint64_t sum = 0;
  std::vector<std::byte> bytes = every_item().encode(sample_uuid(), kLog, 8192, sum);
  std::size_t used = bytes.size();
  while (bytes[used - 1] == std::byte{0}) --used;
  for (std::size_t bit = 0; bit < used * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    const auto read = decode_record(bytes, sample_uuid(), kLog, 8192);
    EXPECT_FALSE(read) << bit;
    bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_record(core::Bytes(bytes).first(size), sample_uuid(), kLog, 8192)) << size;
  }
}

// Behind the checksum: items that verify and make no sense (ours never do) are refused too.
TEST(LogRecord, items_that_do_not_decode_are_a_newer_version_never_a_torn_tail_or_a_crash) {
  std::uint64_t sum = 0;
  const std::vector<std::byte> good = every_item().encode(sample_uuid(), kLog, 8192, sum);
  std::size_t used = good.size();
  while (good[used - 1] == std::byte{0}) --used;
  for (std::size_t at = LogRecord::kHeaderBytes; at < used; ++at) {
    for (const unsigned value : {0u, 1u, 127u, 255u}) {
      std::vector<std::byte> bytes = good;
      bytes[at] = static_cast<std::byte>(value);
      std::memset(bytes.data() + 32, 0, 8);
      std::uint32_t payload = 0;
      std::memcpy(&payload, bytes.data() + 4, 4);
      const std::uint64_t again =
          record_checksum(sample_uuid(), kLog, RecordKind::Commit, 8192,
                          core::Bytes(bytes).first(LogRecord::kHeaderBytes + payload));
      std::memcpy(bytes.data() + 32, &again, 8);
      const auto read = decode_record(bytes, sample_uuid(), kLog, 8192);
      if (!read) EXPECT_EQ(read.error().code, core::Errc::Unsupported);
    }
  }
}

TEST(Manifest, a_snapshot_reads_back_and_its_bytes_are_golden) {
  Manifest manifest = sample_manifest();
  manifest.labels().add_run(std::make_shared<LabelRun>(sample_run()));
  std::vector<std::byte> bytes;
  core::ByteWriter writer(bytes);
  manifest.encode(writer);
  expect_golden("snapshot_v2.hex", bytes);
  const auto read = Manifest::decode(bytes);
  ASSERT_TRUE(read);
  std::vector<std::byte> again;
  core::ByteWriter second(again);
  read->encode(second);
  EXPECT_EQ(bytes, again);
  EXPECT_EQ(read->sequence(), 5u);
  EXPECT_EQ(read->checkpoint(), CheckpointNumber(1));
  EXPECT_EQ(read->rows_of(TableId(1)), 16u);
  EXPECT_EQ(read->version_of(TableId(1)), 1u);
  EXPECT_EQ(read->txn_range_end(), 100u);
  EXPECT_TRUE(read->labels().look(DatabaseId(1), "first", 0).found);
  EXPECT_TRUE(read->labels().look(DatabaseId(1), TxnId(8), 0).found);
  EXPECT_EQ(read->prepared().size(), 1u);
  EXPECT_EQ(read->find_prepared(DatabaseId(1), "third"), TxnId(9));
  ASSERT_EQ(read->labels().runs().size(), 1u);
  EXPECT_EQ(read->labels().runs()[0]->info(), sample_run());
  EXPECT_EQ(read->prepared().at(TxnId(9)).prepared_at, 40u);
}

// Version 1 held every label, named no runs and knew no ages.
TEST(Manifest, a_snapshot_of_version_1_still_reads) {
  const std::vector<std::byte> bytes = golden_bytes("snapshot_v1.hex");
  const auto read = Manifest::decode(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->sequence(), 5u);
  EXPECT_EQ(read->find_prepared(DatabaseId(1), "third"), TxnId(9));
  EXPECT_TRUE(read->labels().look(DatabaseId(1), "first", 0).found);
  EXPECT_TRUE(read->labels().look(DatabaseId(1), "second", 0).found);
  EXPECT_TRUE(read->labels().runs().empty());
  ASSERT_EQ(read->prepared().size(), 1u);  // as old as the snapshot: it knew no ages
  EXPECT_EQ(read->prepared().at(TxnId(9)).prepared_at, 60u);
}

TEST(Manifest, time_never_goes_back_and_what_is_prepared_is_as_old_as_its_record_says) {
  Manifest manifest = sample_manifest();
  VisibleChange change;
  const FooterBlocks none;
  LogRecord record{.sequence = 6};
  record.items.emplace_back(TimeItem{500});
  record.items.emplace_back(PreparedItem{sample_load(30, "later"), {}});
  ASSERT_TRUE(manifest.apply(record, [&](std::size_t) -> const FooterBlocks& { return none; }, change));
  EXPECT_EQ(manifest.prepared().at(TxnId(30)).prepared_at, 500u);
  record.sequence = 7;
  record.items = {TimeItem{100}, PreparedItem{sample_load(31, "last"), {}}};
  ASSERT_TRUE(manifest.apply(record, [&](std::size_t) -> const FooterBlocks& { return none; }, change));
  EXPECT_EQ(manifest.running_seconds(), 500u);
  EXPECT_EQ(manifest.prepared().at(TxnId(31)).prepared_at, 500u);
}

TEST(Manifest, a_damaged_snapshot_is_an_error_or_another_manifest_never_a_crash) {
  std::vector<std::byte> bytes;
  core::ByteWriter writer(bytes);
  sample_manifest().encode(writer);
  expect_survives_damage(bytes, [&](core::Bytes damaged, std::string_view how) {
    const auto read = Manifest::decode(damaged);
    if (how == "cut") EXPECT_FALSE(read);
  });
}

TEST(Manifest, footers_keep_their_files_until_a_snapshot_or_their_table_goes) {
  Manifest manifest = sample_manifest();
  EXPECT_TRUE(manifest.is_live(FileId::make(2, 1, 0)));
  const FooterBlocks blocks = {sample_blocks()};
  CheckpointItem item{.number = CheckpointNumber(2)};
  item.loads = {sample_load(20, "other")};
  item.footers = {FooterRef{{.file = FileId::make(2, 1, 9)}, TableId(1)}};
  LogRecord record{.sequence = 6};
  record.items.emplace_back(item);
  VisibleChange change;
  ASSERT_TRUE(manifest.apply(record, [&](std::size_t) -> const FooterBlocks& { return blocks; }, change));
  EXPECT_TRUE(manifest.is_live(FileId::make(2, 1, 9)));
  manifest.forget_footers_up_to(5);
  EXPECT_TRUE(manifest.is_live(FileId::make(2, 1, 9)));
  Manifest other = manifest;
  manifest.forget_footers_up_to(6);
  EXPECT_FALSE(manifest.is_live(FileId::make(2, 1, 9)));
  LogRecord drop{.sequence = 7};
  drop.items.emplace_back(DdlItem{change_of(*other.catalog(), "DROP TABLE t")});
  ASSERT_TRUE(other.apply(drop, [&](std::size_t) -> const FooterBlocks& { return blocks; }, change));
  EXPECT_FALSE(other.is_live(FileId::make(2, 1, 9)));
}

core::Result<> apply_item(Manifest& manifest, LogItem item, const FooterBlocks& blocks = {}) {
  LogRecord record{.sequence = manifest.sequence() + 1};
  record.items.push_back(std::move(item));
  VisibleChange change;
  return manifest.apply(record, [&](std::size_t) -> const FooterBlocks& { return blocks; }, change);
}

TEST(Manifest, a_label_is_found_while_its_load_is_prepared_and_is_free_behind_its_abort) {
  Manifest manifest = sample_manifest();
  EXPECT_EQ(manifest.find_prepared(DatabaseId(1), "third"), TxnId(9));
  EXPECT_FALSE(manifest.find_prepared(DatabaseId(2), "third"));
  ASSERT_TRUE(apply_item(manifest, AbortedItem{TxnId(9), "User Abort"}));
  EXPECT_FALSE(manifest.find_prepared(DatabaseId(1), "third"));
  ASSERT_TRUE(apply_item(manifest, PreparedItem{sample_load(10, "third"), {}}));
  ASSERT_TRUE(apply_item(manifest, AbortedItem{TxnId(9), "a second time"}));
  EXPECT_EQ(manifest.find_prepared(DatabaseId(1), "third"), TxnId(10));
  ASSERT_TRUE(apply_item(manifest, CheckpointItem{.number = CheckpointNumber(2), .prepared = {TxnId(10)}}));
  EXPECT_FALSE(manifest.find_prepared(DatabaseId(1), "third"));
  EXPECT_EQ(manifest.labels().look(DatabaseId(1), "third", 0).found->txn, TxnId(10));
  EXPECT_FALSE(apply_item(manifest, CheckpointItem{.number = CheckpointNumber(3), .prepared = {TxnId(10)}}));
}

TEST(Manifest, a_prepared_load_keeps_its_files_until_its_table_goes_and_goes_with_its_database) {
  for (const char* sql : {"DROP TABLE t", "TRUNCATE TABLE t", "DROP DATABASE db"}) {
    Manifest manifest = sample_manifest();
    LoadInfo load = sample_load(11, "fourth");
    const FooterBlocks blocks = {
        {BlockRef{.extent = {.file = FileId::make(2, 1, 30), .offset = 4096, .length = 600, .checksum = 1},
                  .table = TableId(1),
                  .schema = SchemaId(1),
                  .rows = 5}}};
    ASSERT_TRUE(apply_item(manifest, PreparedItem{load, {}}, blocks));
    manifest.forget_footers_up_to(100);
    EXPECT_TRUE(manifest.is_live(FileId::make(2, 1, 30)));
    ASSERT_TRUE(apply_item(manifest, DdlItem{change_of(*manifest.catalog(), sql)}));
    EXPECT_FALSE(manifest.is_live(FileId::make(2, 1, 30))) << sql;
    const bool is_gone = std::string_view(sql).starts_with("DROP DATABASE");
    EXPECT_EQ(manifest.prepared().contains(TxnId(11)), !is_gone) << sql;
    EXPECT_EQ(manifest.find_prepared(DatabaseId(1), "fourth").has_value(), !is_gone);
    // One that was open when they went.
    load.txn = TxnId(12);
    load.label = "fifth";
    ASSERT_TRUE(apply_item(manifest, PreparedItem{load, {}}, blocks));
    EXPECT_EQ(manifest.prepared().contains(TxnId(12)), !is_gone) << sql;
    EXPECT_FALSE(manifest.is_live(FileId::make(2, 1, 30))) << sql;
    std::vector<std::byte> bytes;
    core::ByteWriter writer(bytes);
    manifest.encode(writer);
    ASSERT_TRUE(Manifest::decode(bytes));
    EXPECT_EQ(Manifest::decode(bytes)->prepared().size(), manifest.prepared().size());
  }
}

TEST(AbortedLoads, the_newest_are_kept_with_their_reasons) {
  AbortedLoads loads;
  for (std::uint64_t n = 1; n <= AbortedLoads::kCountMax + 10; ++n) {
    loads.add(DatabaseId(1), TxnId(n), "l" + std::to_string(n % 5000), "first");
    loads.add(DatabaseId(1), TxnId(n), "l" + std::to_string(n % 5000), std::string(1000, 'x'));
  }
  EXPECT_EQ(loads.find(DatabaseId(1), TxnId(10)), nullptr);
  ASSERT_NE(loads.find(DatabaseId(1), TxnId(11)), nullptr);
  EXPECT_EQ(*loads.find(DatabaseId(1), TxnId(11)), std::string(AbortedLoads::kReasonBytesMax, 'x'));
  EXPECT_EQ(loads.find(DatabaseId(2), TxnId(11)), nullptr);
  EXPECT_FALSE(loads.has_label(DatabaseId(1), "l10"));
  EXPECT_TRUE(loads.has_label(DatabaseId(1), "l11"));
  EXPECT_FALSE(loads.has_label(DatabaseId(2), "l11"));
}

TEST(Manifest, a_checkpoint_that_does_not_follow_is_corrupt) {
  Manifest manifest = sample_manifest();
  LogRecord record{.sequence = 6};
  record.items.emplace_back(CheckpointItem{.number = CheckpointNumber(7)});
  VisibleChange change;
  const FooterBlocks none;
  EXPECT_FALSE(manifest.apply(record, [&](std::size_t) -> const FooterBlocks& { return none; }, change));
}

TEST(OpenLoads, twenty_loads_spread_evenly_over_any_number_of_shards) {
  for (std::uint32_t shards = 1; shards <= 7; ++shards) {
    OpenLoads open;
    open.resize(shards);
    for (std::uint64_t n = 1; n <= 20; ++n) {
      open.add(BeganLoad{
          .txn = TxnId(n), .label = std::to_string(n), .database = DatabaseId(1), .shard = open.place()});
      const auto [least, most] = std::minmax_element(open.per_shard().begin(), open.per_shard().end());
      EXPECT_LE(*most - *least, OpenLoads::kWeight);
    }
    EXPECT_TRUE(open.find(DatabaseId(1), "7"));
    for (std::uint64_t n = 1; n <= 20; ++n) open.remove(TxnId(n));
    EXPECT_EQ(open.size(), 0u);
    EXPECT_FALSE(open.find(DatabaseId(1), "7"));
  }
}

TEST(OpenLoads, small_loads_stay_with_their_connections_until_that_shard_has_clearly_more) {
  OpenLoads open;
  open.resize(3);
  const core::ShardId near(2);
  std::uint64_t stayed = 0;
  for (std::uint64_t n = 1; n <= 30; ++n) {
    const core::ShardId shard = open.place(near);
    stayed += shard == near ? 1 : 0;
    open.add(BeganLoad{.txn = TxnId(n),
                       .label = std::to_string(n),
                       .database = DatabaseId(1),
                       .shard = shard,
                       .is_small = true});
    const auto [least, most] = std::minmax_element(open.per_shard().begin(), open.per_shard().end());
    EXPECT_LE(*most - *least, 5u);
  }
  EXPECT_GE(stayed, 10u);
  for (std::uint64_t n = 1; n <= 30; ++n) open.remove(TxnId(n));
  EXPECT_EQ(open.place(near), near);
  // Beside one long load a small one does not wait.
  open.add(BeganLoad{.txn = TxnId(40), .label = "long", .database = DatabaseId(1), .shard = near});
  EXPECT_NE(open.place(near), near);
  open.remove(TxnId(40));
  EXPECT_EQ(open.per_shard(), std::vector<std::uint32_t>(3, 0));
}

}  // namespace
}  // namespace penstock::txn
