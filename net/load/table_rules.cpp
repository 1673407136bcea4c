#include "net/load/table_rules.hpp"

#include <fmt/format.h>

namespace penstock::net {

// All tables are DUPLICATE KEY tables: rows are added and never changed.
std::expected<void, std::string> check_table_rules(const LoadRequest& request, const txn::Table& table) {
  if (request.merge_type != MergeType::Append)
    return std::unexpected("load by MERGE or DELETE is only supported in unique tables.");
  if (request.is_partial) return std::unexpected("Only unique key merge on write support partial update");
  if (!request.sequence_column.empty())
    return std::unexpected(fmt::format("There is no sequence column in the table {}", table.name));
  if (!request.is_negative) return {};
  for (const txn::ColumnDef& column : table.schema->columns) {
    if (column.is_key) continue;
    return std::unexpected(fmt::format("Column is not SUM AggregateType. column:{}", column.name));
  }
  return std::unexpected("negative: there is no SUM column in the table " + table.name);
}

}  // namespace penstock::net
