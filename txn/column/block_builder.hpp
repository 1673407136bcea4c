// BlockBuilder: the columns of one block while rows arrive.
//
// Costs a few hundred bytes until the first row comes: a thousand connections may be open and silent. It also
// keeps where its rows come from: the place of its first row in the body, and how much input they were.
//
// Journey:  CsvDecoder -> [BlockBuilder] -> encode_block (full, or end of body), or append_all into a shared
// block. Shard:    the shard of its load. Promise:  all columns have rows() rows whenever a decoder has
// returned. Failure:  none of its own; is_full() is how it stays bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/units.hpp"
#include "txn/column/column_builder.hpp"
#include "txn/schema/table_schema.hpp"

namespace penstock::txn {

struct BlockLimits {
  std::size_t rows_max = 65536;
  std::size_t input_bytes_max = core::kMiB;
  std::size_t memory_bytes_max = 4 * core::kMiB;
};

class BlockBuilder {
 public:
  explicit BlockBuilder(std::shared_ptr<const TableSchema> schema) : schema_(std::move(schema)) {}

  const TableSchema& schema() const { return *schema_; }
  const std::shared_ptr<const TableSchema>& schema_pointer() const { return schema_; }
  std::size_t rows() const { return columns_.empty() ? 0 : columns_.front().rows(); }
  std::size_t bytes() const;           // used by the rows
  std::size_t reserved_bytes() const;  // asked from the allocator: what counts against the budget
  bool is_full(const BlockLimits& limits) const;

  // Bytes of input from the start of the first row to the end of the last row that was looked at.
  std::size_t input_bytes() const { return input_bytes_; }
  std::uint64_t first_row_offset() const { return first_row_offset_; }
  void set_input(std::uint64_t first_row_offset, std::size_t input_bytes) {
    first_row_offset_ = first_row_offset;
    input_bytes_ = input_bytes;
  }

  ColumnBuilder& column(std::size_t index) { return columns()[index]; }
  std::span<ColumnBuilder> columns();  // in schema order; makes them at the first call
  ColumnView view(std::size_t index) const;

  // Adds all rows of a builder of the same schema behind its own; the offset of the first row stays its own.
  void append_all(const BlockBuilder& rows);
  void truncate(std::size_t rows);
  void clear();           // no rows; memory is kept for the next
  void release_memory();  // no rows, no memory

 private:
  std::shared_ptr<const TableSchema> schema_;
  std::vector<ColumnBuilder> columns_;
  std::uint64_t first_row_offset_ = 0;
  std::size_t input_bytes_ = 0;
};

}  // namespace penstock::txn
