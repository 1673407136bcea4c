// Which journal files live: the counts that records keep must agree with a walk over everything, after any history.
#include <gtest/gtest.h>

#include "tests/sim/sim_random.hpp"
#include "txn/checkpoint/manifest.hpp"
#include "txn/schema/ddl_parser.hpp"
#include "txn/schema/plan.hpp"

namespace penstock::txn {
namespace {

FileId file(std::uint64_t number) { return FileId::make(1, 1, number); }

BlockRef block_in(FileId where, TableId table) {
  return BlockRef{.extent = {.file = where, .offset = 4096, .length = 100, .checksum = 1},
                  .table = table,
                  .schema = SchemaId(1),
                  .rows = 1};
}
FooterRef footer_in(FileId where, TableId table) {
  return FooterRef{{.file = where, .offset = 8192, .length = 60, .checksum = 2}, table};
}

// A manifest and what is applied to it, one item a record.
class History {
 public:
  Manifest manifest;

  void apply(LogItem item, const FooterBlocks& blocks = {}) {
    LogRecord record{.sequence = manifest.sequence() + 1};
    record.items.push_back(std::move(item));
    VisibleChange change;
    ASSERT_TRUE(manifest.apply(record, [&](std::size_t) -> const FooterBlocks& { return blocks; }, change));
  }
  void ddl(const std::string& sql) {
    auto statement = parse_statement(sql);
    ASSERT_TRUE(statement.has_value()) << sql;
    auto change = plan_change(*manifest.catalog(), *statement, "db");
    ASSERT_TRUE(change.has_value() && change->has_value()) << sql;
    apply(DdlItem{**change});
  }
  TableId make_table(const std::string& name) {
    ddl("CREATE TABLE " + name + " (k BIGINT NOT NULL) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 1");
    return manifest.catalog()->find_table("db", name)->id;
  }
  void prepare(TxnId txn, TableId table, const std::vector<FileId>& blocks, FileId footer) {
    FooterBlocks refs(1);
    for (const FileId where : blocks) refs[0].push_back(block_in(where, table));
    apply(PreparedItem{info(txn, table), {footer_in(footer, table)}}, refs);
  }
  void commit(std::vector<TxnId> prepared) {
    apply(CheckpointItem{.number = CheckpointNumber(manifest.checkpoint().value + 1),
                         .prepared = std::move(prepared)});
  }
  LoadInfo info(TxnId txn, TableId table) const {
    return LoadInfo{.txn = txn,
                    .database = manifest.catalog()->find_database("db")->id,
                    .table = table,
                    .label = "l" + std::to_string(txn.value),
                    .label_kept = true,
                    .rows = 1};
  }
};

TEST(LiveFiles, an_abort_gives_back_the_files_of_its_footers_without_a_snapshot) {
  History h;
  h.ddl("CREATE DATABASE db");
  const TableId t = h.make_table("t");
  h.prepare(TxnId(1), t, {file(1), file(2)}, file(3));
  h.prepare(TxnId(2), t, {file(2)}, file(3));
  h.apply(AbortedItem{TxnId(1), "User Abort"});
  EXPECT_FALSE(h.manifest.is_live(file(1)));
  EXPECT_TRUE(h.manifest.is_live(file(2)));
  EXPECT_TRUE(h.manifest.is_live(file(3))) << "a recovery reads the other load's footer there";
  h.apply(AbortedItem{TxnId(2), "User Abort"});
  EXPECT_FALSE(h.manifest.is_live(file(2)));
  EXPECT_FALSE(h.manifest.is_live(file(3)));
}

TEST(LiveFiles, a_commit_keeps_the_files_of_its_footers_and_an_abort_behind_it_changes_nothing) {
  History h;
  h.ddl("CREATE DATABASE db");
  const TableId t = h.make_table("t");
  h.prepare(TxnId(1), t, {file(1)}, file(2));
  h.commit({TxnId(1)});
  h.apply(AbortedItem{TxnId(1), "User Abort"});
  EXPECT_TRUE(h.manifest.is_live(file(1)));
  EXPECT_TRUE(h.manifest.is_live(file(2))) << "a recovery reads the footer to learn of the rows";
  h.manifest.forget_footers_up_to(h.manifest.sequence());
  EXPECT_FALSE(h.manifest.is_live(file(2)));
}

void expect_agreement(const Manifest& manifest, std::uint64_t files, const std::string& when) {
  const auto walked = manifest.walk_live_files();
  for (std::uint64_t n = 0; n < files; ++n) {
    ASSERT_EQ(manifest.is_live(file(n)), walked.contains(file(n))) << when << ", file " << n;
  }
}

TEST(LiveFiles, counts_agree_with_a_walk_after_any_history) {
  constexpr std::uint64_t kFiles = 40;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    sim::SimRandom dice(seed, 1);
    History h;
    h.ddl("CREATE DATABASE db");
    std::vector<std::string> tables;
    std::uint64_t next_txn = 1;
    std::uint64_t next_table = 1;
    const auto some_file = [&] { return file(dice.between(0, kFiles - 1)); };
    const auto some_table = [&] {
      const std::string& name = tables.at(dice.between(0, tables.size() - 1));
      return h.manifest.catalog()->find_table("db", name)->id;
    };
    const auto some_blocks = [&](TableId table) {
      std::vector<BlockRef> blocks;
      for (std::uint64_t n = dice.between(0, 3); n > 0; --n) blocks.push_back(block_in(some_file(), table));
      return blocks;
    };
    const auto some_prepared = [&]() -> std::optional<TxnId> {
      const auto& all = h.manifest.prepared();
      if (all.empty()) return std::nullopt;
      return std::next(all.begin(), static_cast<std::ptrdiff_t>(dice.between(0, all.size() - 1)))->first;
    };
    for (int step = 0; step < 120; ++step) {
      const std::uint64_t what = dice.between(0, 99);
      if (tables.empty() || what < 4) {
        tables.push_back("t" + std::to_string(next_table++));
        h.make_table(tables.back());
      } else if (what < 30) {
        const TableId table = some_table();
        std::vector<FooterRef> footers;
        FooterBlocks blocks;
        for (std::uint64_t n = dice.between(0, 2); n > 0; --n) {
          footers.push_back(footer_in(some_file(), table));
          blocks.push_back(some_blocks(table));
        }
        h.apply(PreparedItem{h.info(TxnId(next_txn++), table), footers}, blocks);
      } else if (what < 45) {
        const TableId table = some_table();
        CheckpointItem item{.number = CheckpointNumber(h.manifest.checkpoint().value + 1)};
        item.loads = {h.info(TxnId(next_txn++), table)};
        item.footers = {footer_in(some_file(), table), footer_in(some_file(), table)};
        if (const auto txn = some_prepared(); txn && dice.coin()) item.prepared = {*txn};
        const FooterBlocks blocks = {some_blocks(table), some_blocks(table)};
        h.apply(item, blocks);
      } else if (what < 60) {
        if (const auto txn = some_prepared()) h.commit({*txn});
      } else if (what < 78) {
        // An abort of what is not prepared does nothing.
        const auto txn = some_prepared();
        h.apply(AbortedItem{txn && dice.percent(80) ? *txn : TxnId(dice.between(1, next_txn)), "User Abort"});
      } else if (what < 82) {
        const std::size_t at = dice.between(0, tables.size() - 1);
        h.ddl("DROP TABLE " + tables.at(at));
        tables.erase(tables.begin() + static_cast<std::ptrdiff_t>(at));
      } else if (what < 86) {
        h.ddl("TRUNCATE TABLE " + tables.at(dice.between(0, tables.size() - 1)));
      } else if (what < 87) {
        h.ddl("DROP DATABASE db");
        h.ddl("CREATE DATABASE db");
        tables.clear();
      } else if (what < 92) {
        h.manifest.forget_footers_up_to(h.manifest.sequence() -
                                        std::min<std::uint64_t>(dice.between(0, 9), h.manifest.sequence()));
      } else if (what < 95) {  // a restart from a snapshot
        std::vector<std::byte> bytes;
        core::ByteWriter writer(bytes);
        h.manifest.encode(writer);
        auto read = Manifest::decode(bytes);
        ASSERT_TRUE(read);
        h.manifest = std::move(*read);
      }
      expect_agreement(h.manifest, kFiles, "seed " + std::to_string(seed) + " step " + std::to_string(step));
      if (HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace penstock::txn
