// RowFilter: `where`: which rows of a table's columns a predicate is true for.
//
// Journey:  load_shape (where: of a load), net/query (where= of a scan) -> [RowFilter] -> the rows to keep.
// Shard:    one at a time; a run changes it.
// Promise:  a row is kept if the predicate is true for it: not if it is false, and not if it is NULL.
// Failure:  make: the message for whoever wrote it. keep: false when a batch is too much: fewer rows may do.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "txn/expression/program.hpp"
#include "txn/schema/table_schema.hpp"

namespace penstock::txn {

class RowFilter {
 public:
  static std::expected<std::unique_ptr<RowFilter>, std::string> make(std::string_view where,
                                                                     const TableSchema& schema,
                                                                     const ExpressionOptions& options);

  // The columns of the schema that it looks at.
  const std::vector<std::size_t>& columns() const { return columns_; }
  // `rows[i]` is where columns()[i] lies. Appends to `kept` which of `count` rows (at most kBatchRowsMax) to keep.
  bool keep(std::span<const ColumnRows> rows, std::size_t count, std::vector<std::uint32_t>& kept);
  // Of `count` rows, any number, so many that it is work enough for one step; gives how many they were. A row that
  // alone is too much is an error.
  std::expected<std::size_t, std::string> keep_some(std::span<const ColumnRows> rows, std::size_t count,
                                                    std::vector<std::uint32_t>& kept);
  const Evaluation& evaluation() { return program_.evaluation(); }
  std::size_t batch_rows_max() const { return program_.batch_rows_max(); }
  std::size_t reserved_bytes() const { return program_.reserved_bytes(); }
  void release_memory() { program_.release_memory(); }
  std::size_t fixed_bytes() const { return program_.fixed_bytes(); }

 private:
  explicit RowFilter(const ExpressionOptions& options) : program_(options) {}

  Program program_;
  Program::NodeId predicate_ = 0;
  std::vector<std::size_t> columns_;
  BatchSize batch_;
};

}  // namespace penstock::txn
