#include <gtest/gtest.h>

#include "tests/txn/journal/golden_bytes.hpp"
#include "txn/journal/file_header.hpp"
#include "txn/journal/file_name.hpp"
#include "txn/journal/footer.hpp"

namespace penstock::txn {
namespace {

constexpr FileKind kKinds[] = {FileKind::Journal, FileKind::CommitLog, FileKind::Snapshot};

FileHeader sample_header() {
  return FileHeader{.kind = FileKind::Journal, .store = sample_uuid(), .id = FileId::make(3, 1, 7)};
}

BlockRef sample_block(std::uint64_t n) {
  return BlockRef{.extent = {.file = FileId::make(3, 1, 7),
                             .offset = 4096 * n,
                             .length = 512,
                             .checksum = 0x1122334455667788},
                  .table = TableId(5),
                  .schema = SchemaId(9),
                  .rows = 8,
                  .bucket_low = 1,
                  .bucket_high = 2,
                  .first_row_offset = 100 * n};
}

Footer sample_footer() {
  return Footer{.table = TableId(5), .txn_id = 42, .blocks = {sample_block(1), sample_block(2)}};
}

TEST(FileName, every_name_reads_back_and_sorts_by_number) {
  for (const FileKind kind : kKinds) {
    std::string last;
    for (const auto& [epoch, shard, counter] : std::vector<std::array<std::uint64_t, 3>>{
             {1, 0, 0},
             {1, 0, 1},
             {1, 2, 0},
             {9, 0, 0},
             {10, 0, 0},
             {FileId::kEpochMax, FileId::kShardMax, FileId::kCounterMax}}) {
      const FileId id = FileId::make(epoch, static_cast<std::uint32_t>(shard), counter);
      EXPECT_EQ(id.epoch(), epoch);
      EXPECT_EQ(id.shard(), shard);
      EXPECT_EQ(id.counter(), counter);
      const std::string name = format_file_name(kind, id);
      const auto read = parse_file_name(name);
      ASSERT_TRUE(read) << name;
      EXPECT_EQ(read->kind, kind);
      EXPECT_EQ(read->id, id);
      EXPECT_LT(last, name);
      last = name;
    }
  }
}

TEST(FileName, a_name_that_is_not_ours_is_none) {
  const std::string good = format_file_name(FileKind::Journal, FileId::make(1, 2, 3));
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = 'x';
    EXPECT_FALSE(parse_file_name(bad)) << bad;
    EXPECT_FALSE(parse_file_name(good.substr(0, i))) << i;
  }
  for (const char* bad :
       {"", "LOCK", "reserve", "journal-", "log", "log--0000-000000000", "log-00000001-0000-0000000000",
        "journal-99999999-0000-000000000", "journal-00000001-9999-000000000",
        "journal-00000001-0000-999999999", "journal- 0000001-0000-000000000"}) {
    EXPECT_FALSE(parse_file_name(bad)) << bad;
  }
}

TEST(FileHeader, reads_back_and_its_bytes_are_golden) {
  std::vector<std::byte> page(FileHeader::kBytes);
  sample_header().encode(page);
  const auto read = FileHeader::decode(page, FileKind::Journal, FileId::make(3, 1, 7));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->store, sample_uuid());
  expect_golden("file_header_v1.hex", core::Bytes(page).first(64));
  EXPECT_TRUE(std::all_of(page.begin() + 64, page.end(), [](std::byte b) { return b == std::byte{0}; }));
}

TEST(FileHeader, damage_at_every_byte_is_seen) {
  std::vector<std::byte> page(FileHeader::kBytes);
  sample_header().encode(page);
  for (std::size_t at = 0; at < 64; ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::vector<std::byte> bad = page;
      bad[at] ^= static_cast<std::byte>(1u << bit);
      EXPECT_FALSE(FileHeader::decode(bad, FileKind::Journal, FileId::make(3, 1, 7))) << at;
    }
    EXPECT_FALSE(FileHeader::decode(core::Bytes(page).first(at), FileKind::Journal, FileId::make(3, 1, 7)));
  }
}

TEST(FileHeader, of_another_kind_or_file_is_corrupt) {
  std::vector<std::byte> page(FileHeader::kBytes);
  sample_header().encode(page);
  EXPECT_FALSE(FileHeader::decode(page, FileKind::CommitLog, FileId::make(3, 1, 7)));
  EXPECT_FALSE(FileHeader::decode(page, FileKind::Journal, FileId::make(3, 1, 8)));
}

TEST(FileHeader, of_a_commit_log_has_a_version_of_its_own_and_those_before_it_read) {
  const FileId id = FileId::make(3, 0, 7);
  std::vector<std::byte> page(FileHeader::kBytes);
  FileHeader{.kind = FileKind::CommitLog, .store = sample_uuid(), .id = id}.encode(page);
  expect_golden("commit_log_header_v3.hex", core::Bytes(page).first(64));
  for (const unsigned version : {1u, 2u, 3u, 4u}) {
    page[8] = static_cast<std::byte>(version);
    const std::uint64_t sum =
        record_checksum(sample_uuid(), id, RecordKind::FileHeader, 0, core::Bytes(page).first(56));
    std::memcpy(page.data() + 56, &sum, 8);
    const auto read = FileHeader::decode(page, FileKind::CommitLog, id);
    EXPECT_EQ(read.has_value(), version <= 3) << version;
    if (!read) EXPECT_EQ(read.error().code, core::Errc::Unsupported);
  }
}

// A later penstock's file verifies, and is refused by name, not as damage.
TEST(FileHeader, a_newer_version_or_feature_is_unsupported) {
  for (const std::size_t at : {std::size_t{8}, std::size_t{40}}) {
    std::vector<std::byte> page(FileHeader::kBytes);
    sample_header().encode(page);
    page[at] = std::byte{9};
    const std::uint64_t sum = record_checksum(sample_uuid(), FileId::make(3, 1, 7), RecordKind::FileHeader, 0,
                                              core::Bytes(page).first(56));
    std::memcpy(page.data() + 56, &sum, 8);
    const auto read = FileHeader::decode(page, FileKind::Journal, FileId::make(3, 1, 7));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, core::Errc::Unsupported);
  }
}

TEST(RecordChecksum, is_bound_to_store_file_kind_and_offset) {
  const core::Bytes bytes = core::as_bytes("some rows");
  const FileId file = FileId::make(3, 1, 7);
  const std::uint64_t sum = record_checksum(sample_uuid(), file, RecordKind::Block, 4096, bytes);
  EXPECT_EQ(sum, record_checksum(sample_uuid(), file, RecordKind::Block, 4096, bytes));
  EXPECT_NE(sum, record_checksum({}, file, RecordKind::Block, 4096, bytes));
  EXPECT_NE(sum, record_checksum(sample_uuid(), FileId::make(4, 1, 7), RecordKind::Block, 4096, bytes));
  EXPECT_NE(sum, record_checksum(sample_uuid(), FileId::make(3, 2, 7), RecordKind::Block, 4096, bytes));
  EXPECT_NE(sum, record_checksum(sample_uuid(), file, RecordKind::Footer, 4096, bytes));
  EXPECT_NE(sum, record_checksum(sample_uuid(), file, RecordKind::Block, 8192, bytes));
}

TEST(Footer, reads_back_and_its_bytes_are_golden) {
  std::vector<std::byte> bytes;
  encode_footer(sample_footer(), bytes);
  expect_golden("footer_v1.hex", bytes);
  const auto read = decode_footer(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->table, TableId(5));
  EXPECT_EQ(read->txn_id, 42u);
  EXPECT_EQ(read->blocks, sample_footer().blocks);
}

TEST(Footer, hostile_bytes_are_corrupt_or_a_footer_never_a_crash) {
  std::vector<std::byte> bytes;
  encode_footer(sample_footer(), bytes);
  expect_survives_damage(bytes, [&](core::Bytes damaged, std::string_view how) {
    const auto read = decode_footer(damaged);
    if (how == "cut") EXPECT_FALSE(read);
    if (!read) EXPECT_EQ(read.error().code, core::Errc::Corrupt);
  });
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(decode_footer(bytes));  // longer than it says
}

TEST(Footer, a_block_of_another_table_is_corrupt) {
  Footer footer = sample_footer();
  footer.blocks[1].table = TableId(6);
  std::vector<std::byte> bytes;
  encode_footer(footer, bytes);
  EXPECT_FALSE(decode_footer(bytes));
}

}  // namespace
}  // namespace penstock::txn
