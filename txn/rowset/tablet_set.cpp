#include "txn/rowset/tablet_set.hpp"

namespace penstock::txn {

void TabletSet::apply(const VisibleChange& change) {
  for (const VisibleBlock& block : change.blocks) {
    if (owner_of(block.block.table, block.block.bucket_low, shard_count_) != self_) continue;
    tables_[block.block.table].push_back(block);
  }
  if (change.catalog != catalog_) {
    catalog_ = change.catalog;
    std::erase_if(tables_, [&](const auto& entry) { return catalog_->find_table(entry.first) == nullptr; });
  }
  applied_ = change.checkpoint;
  changed_.notify_all();
}

core::Task<void> TabletSet::wait_applied(CheckpointNumber checkpoint) {
  while (applied_ < checkpoint) co_await changed_.wait();
}

std::vector<VisibleBlock> TabletSet::blocks_at(TableId table, CheckpointNumber checkpoint) const {
  const auto found = tables_.find(table);
  if (found == tables_.end()) return {};
  std::vector<VisibleBlock> blocks;
  for (const VisibleBlock& block : found->second) {
    if (block.checkpoint <= checkpoint) blocks.push_back(block);
  }
  return blocks;
}

}  // namespace penstock::txn
