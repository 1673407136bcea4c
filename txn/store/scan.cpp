#include "txn/store/scan.hpp"

#include "txn/rowset/block_lift.hpp"

namespace penstock::txn {

std::uint64_t Scan::rows() const {
  std::uint64_t rows = 0;
  for (const VisibleBlock& block : blocks_) rows += block.block.rows;
  return rows;
}

core::Task<core::Result<std::optional<Block>>> Scan::next(std::vector<ColumnId> columns) {
  if (at_ == blocks_.size()) co_return std::optional<Block>{};
  const BlockRef& ref = blocks_[at_++].block;
  CO_TRY(const std::vector<std::byte> bytes, co_await reader_.read(ref.extent, RecordKind::Block));
  CO_TRY(Block block, decode_block(bytes, columns));
  if (block.header.table != ref.table || block.rows() != ref.rows) {
    co_return core::fail(core::Errc::Corrupt, "a block that does not match the list it is in");
  }
  CO_TRY_VOID(lift_block(block, *table_->schema, columns));
  co_return std::optional<Block>(std::move(block));
}

}  // namespace penstock::txn
