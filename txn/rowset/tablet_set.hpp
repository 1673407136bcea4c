// TabletSet: the visible blocks of the buckets that one shard owns.
//
// Which shard owns a bucket is computed, never stored: any number of shards opens any store. A checkpoint arrives from
// shard 0 as a VisibleChange; scans ask for what was visible at a checkpoint.
//
// Journey:  Coordinator publishes -> [TabletSet] -> scan.
// Shard:    one per shard.
// Promise:  blocks_at(table, c) is exactly what checkpoints up to c made visible, in checkpoint order, once
//           applied() >= c.
// Failure:  none.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/base/units.hpp"
#include "core/task/sync.hpp"
#include "core/task/task.hpp"
#include "txn/journal/extent.hpp"
#include "txn/schema/catalog.hpp"

namespace penstock::txn {

using CheckpointNumber = core::StrongId<struct CheckpointTag, std::uint64_t>;

// A visible block and where it stands in the order of all rows: (checkpoint, position in its record).
struct VisibleBlock {
  BlockRef block;
  CheckpointNumber checkpoint;
  std::uint32_t position = 0;
};

// What one commit record changed, published to every shard. Immutable once made.
struct VisibleChange {
  CheckpointNumber checkpoint;
  std::shared_ptr<const Catalog> catalog;
  std::vector<VisibleBlock> blocks;
};

// The shard that owns a bucket of a table.
inline core::ShardId owner_of(TableId table, std::uint32_t bucket, std::uint32_t shard_count) {
  return core::ShardId(static_cast<std::uint32_t>((table.value + bucket) % shard_count));
}

class TabletSet {
 public:
  TabletSet(core::ShardId self, std::uint32_t shard_count) : self_(self), shard_count_(shard_count) {}

  void apply(const VisibleChange& change);
  CheckpointNumber applied() const { return applied_; }
  // Returns once `checkpoint` has been applied here.
  core::Task<void> wait_applied(CheckpointNumber checkpoint);
  std::vector<VisibleBlock> blocks_at(TableId table, CheckpointNumber checkpoint) const;
  const std::shared_ptr<const Catalog>& catalog() const { return catalog_; }

 private:
  const core::ShardId self_;
  const std::uint32_t shard_count_;
  CheckpointNumber applied_;
  std::shared_ptr<const Catalog> catalog_;
  std::unordered_map<TableId, std::vector<VisibleBlock>> tables_;
  core::WaitList changed_;
};

}  // namespace penstock::txn
