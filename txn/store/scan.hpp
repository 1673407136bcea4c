// Scan: the visible rows of a table at one checkpoint, block by block, in bounded memory.
//
// Journey:  net/query -> Store::scan -> [Scan] -> ExtentReader -> decode_block -> lift_block.
// Shard:    the shard that asked; the list of blocks comes from the shards that own the table's buckets.
// Promise:  all blocks of one checkpoint and none of a later one, in the order the rows became visible. What it reads is
//           pinned. close() must be awaited before destruction.
// Failure:  Errc::Corrupt with error_place(): a block does not verify; nothing of it is returned.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "txn/column/block_format.hpp"
#include "txn/journal/extent_reader.hpp"
#include "txn/rowset/tablet_set.hpp"

namespace penstock::txn {

class Scan {
 public:
  Scan(std::shared_ptr<const Table> table, std::vector<VisibleBlock> blocks, ExtentReader reader,
       std::uint64_t pin_id)
      : table_(std::move(table)), blocks_(std::move(blocks)), reader_(std::move(reader)), pin_id_(pin_id) {}

  const Table& table() const { return *table_; }
  std::uint64_t rows() const;  // from the block list alone: count(*)
  // The next block with the chosen columns, as the table has them at the checkpoint; nothing after the last.
  core::Task<core::Result<std::optional<Block>>> next(std::vector<ColumnId> columns);
  const std::string& error_place() const { return reader_.last_error_place(); }
  core::Task<void> close_files() { co_await reader_.close(); }
  std::uint64_t pin_id() const { return pin_id_; }

 private:
  std::shared_ptr<const Table> table_;
  std::vector<VisibleBlock> blocks_;
  std::size_t at_ = 0;
  ExtentReader reader_;
  std::uint64_t pin_id_;
};

}  // namespace penstock::txn
