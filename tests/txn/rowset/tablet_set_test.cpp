#include "txn/rowset/tablet_set.hpp"

#include <gtest/gtest.h>

namespace penstock::txn {
namespace {

VisibleBlock block_of(std::uint64_t table, std::uint32_t bucket, std::uint64_t checkpoint) {
  VisibleBlock block;
  block.block.table = TableId(table);
  block.block.bucket_low = block.block.bucket_high = bucket;
  block.checkpoint = CheckpointNumber(checkpoint);
  return block;
}

TEST(TabletSet, each_block_belongs_to_exactly_one_shard_of_any_number) {
  for (std::uint32_t shards = 1; shards <= 5; ++shards) {
    std::vector<TabletSet> sets;
    for (std::uint32_t i = 0; i < shards; ++i) sets.emplace_back(core::ShardId(i), shards);
    VisibleChange change{.checkpoint = CheckpointNumber(1), .catalog = nullptr};
    for (std::uint32_t bucket = 0; bucket < 16; ++bucket) change.blocks.push_back(block_of(3, bucket, 1));
    std::size_t found = 0;
    for (TabletSet& set : sets) {
      set.apply(change);
      found += set.blocks_at(TableId(3), CheckpointNumber(1)).size();
    }
    EXPECT_EQ(found, 16u);
  }
}

TEST(TabletSet, shows_what_was_visible_at_a_checkpoint_and_nothing_later) {
  TabletSet set(core::ShardId(0), 1);
  for (std::uint64_t checkpoint = 1; checkpoint <= 5; ++checkpoint) {
    set.apply({.checkpoint = CheckpointNumber(checkpoint),
               .catalog = nullptr,
               .blocks = {block_of(3, 0, checkpoint)}});
  }
  EXPECT_EQ(set.applied(), CheckpointNumber(5));
  EXPECT_EQ(set.blocks_at(TableId(3), CheckpointNumber(3)).size(), 3u);
  EXPECT_TRUE(set.blocks_at(TableId(4), CheckpointNumber(5)).empty());
}

TEST(TabletSet, rows_of_a_dropped_table_are_gone) {
  TabletSet set(core::ShardId(0), 1);
  set.apply({.checkpoint = CheckpointNumber(1), .catalog = nullptr, .blocks = {block_of(3, 0, 1)}});
  set.apply({.checkpoint = CheckpointNumber(1), .catalog = Catalog::empty(), .blocks = {}});
  EXPECT_TRUE(set.blocks_at(TableId(3), CheckpointNumber(1)).empty());
}

}  // namespace
}  // namespace penstock::txn
