// RowChooser: which rows of each block a scan gives: all, or those its `where` is true for.
//
// Journey:  ScanHandler: Scan::next -> [RowChooser] -> RowWriter, RowSorter.
// Shard:    the scan's; lets others run between two batches.
// Promise:  rows come in the order of the block.
// Failure:  choose: the text when a single row is too much to be worked with.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "core/shard/shard.hpp"
#include "txn/column/block_format.hpp"
#include "txn/expression/row_filter.hpp"

namespace penstock::net {

class RowChooser {
 public:
  // `filter` may be nullptr; it must outlive the chooser.
  RowChooser(txn::RowFilter* filter, const txn::TableSchema& schema);

  // The columns that a block must be read with for it.
  const std::vector<txn::ColumnId>& needed() const { return needed_; }
  core::Task<std::expected<void, std::string>> choose(core::Shard& shard, const txn::Block& block);

  std::size_t count() const { return filter_ == nullptr ? rows_ : kept_.size(); }
  std::uint32_t row(std::size_t i) const {
    return filter_ == nullptr ? static_cast<std::uint32_t>(i) : kept_[i];
  }

 private:
  txn::RowFilter* const filter_;
  std::vector<txn::ColumnId> needed_;
  std::size_t rows_ = 0;
  std::vector<std::uint32_t> kept_;
};

}  // namespace penstock::net
