#include "net/query/row_chooser.hpp"

#include <algorithm>

namespace penstock::net {
namespace {

constexpr std::size_t kRowsBetweenYields = 4096;

}  // namespace

RowChooser::RowChooser(txn::RowFilter* filter, const txn::TableSchema& schema) : filter_(filter) {
  if (filter_ == nullptr) return;
  for (const std::size_t index : filter_->columns()) needed_.push_back(schema.columns[index].id);
}

core::Task<std::expected<void, std::string>> RowChooser::choose(core::Shard& shard, const txn::Block& block) {
  rows_ = block.rows();
  kept_.clear();
  if (filter_ == nullptr) co_return std::expected<void, std::string>{};
  std::vector<txn::ColumnRows> columns;
  for (const txn::ColumnId id : needed_) columns.push_back({.view = block.find(id), .begin = 0});
  for (std::size_t done = 0; done < rows_;) {
    const std::size_t count = std::min(kRowsBetweenYields, rows_ - done);
    const std::size_t before = kept_.size();
    const auto looked_at = filter_->keep_some(columns, count, kept_);
    if (!looked_at) co_return std::unexpected(looked_at.error());
    for (std::size_t i = before; i < kept_.size(); ++i) kept_[i] += static_cast<std::uint32_t>(done);
    for (txn::ColumnRows& column : columns) column.begin += *looked_at;
    done += *looked_at;
    if (done < rows_) co_await shard.yield();
  }
  co_return std::expected<void, std::string>{};
}

}  // namespace penstock::net
