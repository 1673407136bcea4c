#include "txn/expression/row_filter.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::txn {

std::expected<std::unique_ptr<RowFilter>, std::string> RowFilter::make(std::string_view where,
                                                                       const TableSchema& schema,
                                                                       const ExpressionOptions& options) {
  std::unique_ptr<RowFilter> filter(new RowFilter(options));
  const auto expr = parse_expression(where);
  if (!expr) return std::unexpected("where: " + expr.error().message);
  std::vector<std::pair<std::size_t, Program::NodeId>> inputs;
  const auto resolve = [&](std::string_view name) -> Program::Added {
    const auto column = schema.index_of(name);
    if (!column)
      return std::unexpected(fmt::format("unknown reference column in WHERE clause: {}", name.substr(0, 64)));
    for (const auto& [index, node] : inputs) {
      if (index == *column) return node;
    }
    const auto node = filter->program_.add_input(inputs.size(), schema.columns[*column]);
    if (!node) return std::unexpected(node.error());
    inputs.emplace_back(*column, *node);
    filter->columns_.push_back(*column);
    return *node;
  };
  const auto node = filter->program_.add(**expr, resolve);
  if (!node) return std::unexpected(node.error());
  const ValueKind kind = filter->program_.type_of(*node).kind;
  if (kind != ValueKind::Boolean && kind != ValueKind::Null) {
    return std::unexpected("where statement is not a valid statement return bool");
  }
  filter->predicate_ = *node;
  filter->batch_ = BatchSize(filter->program_.batch_rows_max());
  return filter;
}

bool RowFilter::keep(std::span<const ColumnRows> rows, std::size_t count, std::vector<std::uint32_t>& kept) {
  if (!program_.run(rows, count)) return false;
  const Vector& result = program_.result(predicate_);
  for (std::size_t row = 0; row < count; ++row) {
    if (!result.is_null(row) && result.number(row) != 0) kept.push_back(static_cast<std::uint32_t>(row));
  }
  return true;
}

std::expected<std::size_t, std::string> RowFilter::keep_some(std::span<const ColumnRows> rows,
                                                             std::size_t count,
                                                             std::vector<std::uint32_t>& kept) {
  std::vector<ColumnRows> at(rows.begin(), rows.end());
  std::size_t done = 0;
  for (std::size_t work = 0; done < count && work < kStepWorkMax;) {
    const std::size_t size = std::min(batch_.rows(), count - done);
    const std::size_t before = kept.size();
    const bool fits = keep(at, size, kept);
    work += evaluation().work;
    if (!fits) {
      if (size > 1) {
        batch_.shrink(size);
        continue;
      }
      if (evaluation().text.is_over()) return std::unexpected("where: its texts are too long for one row");
      return std::unexpected(fmt::format(
          "where: it takes too much work for one row (more than {} bytes read and made)", kRowWorkMax));
    }
    for (std::size_t i = before; i < kept.size(); ++i) kept[i] += static_cast<std::uint32_t>(done);
    for (ColumnRows& column : at) column.begin += size;
    done += size;
    batch_.took_one();
  }
  if (reserved_bytes() > kProgramBytesKept) release_memory();
  return done;
}

}  // namespace penstock::txn
