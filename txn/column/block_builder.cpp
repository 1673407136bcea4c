#include "txn/column/block_builder.hpp"

#include "core/base/check.hpp"

namespace penstock::txn {
namespace {
constexpr std::size_t kBytesHardMax =
    64 * core::kMiB;  // and one row more: what encode_block takes, whatever the limits say
}

std::size_t BlockBuilder::bytes() const {
  std::size_t sum = 0;
  for (const ColumnBuilder& column : columns_) sum += column.bytes();
  return sum;
}

std::size_t BlockBuilder::reserved_bytes() const {
  std::size_t sum = columns_.capacity() * sizeof(ColumnBuilder);
  for (const ColumnBuilder& column : columns_) sum += column.reserved_bytes();
  return sum;
}

bool BlockBuilder::is_full(const BlockLimits& limits) const {
  if (rows() == 0) return false;
  if (rows() >= limits.rows_max || input_bytes_ >= limits.input_bytes_max) return true;
  const std::size_t used = bytes();
  return used >= limits.memory_bytes_max || used >= kBytesHardMax;
}

std::span<ColumnBuilder> BlockBuilder::columns() {
  if (columns_.empty()) [[unlikely]] {
    columns_.reserve(schema_->columns.size());
    for (const ColumnDef& column : schema_->columns) columns_.emplace_back(column.type);
  }
  return columns_;
}

ColumnView BlockBuilder::view(std::size_t index) const {
  if (!columns_.empty()) return columns_[index].view();
  ColumnView empty;
  empty.type = schema_->columns[index].type;
  return empty;
}

void BlockBuilder::append_all(const BlockBuilder& rows) {
  CHECK_EQ(schema_->id.value, rows.schema_->id.value);
  if (rows.rows() == 0) return;
  const bool was_empty = this->rows() == 0;
  const std::span<ColumnBuilder> mine = columns();
  CHECK_EQ(mine.size(), rows.columns_.size());
  for (std::size_t i = 0; i < mine.size(); ++i) mine[i].append_all(rows.columns_[i].view());
  if (was_empty) {
    set_input(rows.first_row_offset_, rows.input_bytes_);
  } else {
    input_bytes_ += rows.input_bytes_;
  }
}

void BlockBuilder::truncate(std::size_t rows) {
  for (ColumnBuilder& column : columns_) {
    if (column.rows() > rows) column.truncate(rows);
  }
}

void BlockBuilder::clear() {
  truncate(0);
  set_input(0, 0);
}

void BlockBuilder::release_memory() {
  columns_.clear();
  columns_.shrink_to_fit();
  set_input(0, 0);
}

}  // namespace penstock::txn
