// PartitionFilter: whether a row has a place in a table, or in the partitions that a load is restricted to.
//
// Ranges are found by binary search, with a guess first that the row lies where the one before it lay; values of lists
// by their hash. A NULL lies below everything in a range, and in a list only where the list names it.
//
// Journey:  net/load (table, `partitions` header) -> [PartitionFilter] -> PartitionedDecoder.
// Shard:    the shard of its load.
// Promise:  none is made where every row has a place, so such loads pay nothing.
// Failure:  make: the message for the reply.
#pragma once

#include <expected>
#include <memory>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "txn/column/column_view.hpp"
#include "txn/schema/table_schema.hpp"

namespace penstock::txn {

class PartitionFilter {
 public:
  // `only`: names of the partitions that the load may fill; empty: all of the table's. nullptr: every row has a place.
  static std::expected<std::unique_ptr<PartitionFilter>, std::string> make(const Table& table,
                                                                           std::span<const std::string> only);

  // The partition columns' places in the table's schema, in the order in which has_place() wants their views.
  const std::vector<std::size_t>& columns() const { return columns_; }
  bool has_place(std::span<const ColumnView> views, std::size_t row);

 private:
  PartitionFilter() = default;
  bool has_range(std::span<const ColumnView> views, std::size_t row);
  bool has_span(const ColumnView& view, std::size_t row);
  void append_value(const ColumnView& view, std::size_t row);

  PartitionKind kind_ = PartitionKind::None;
  std::vector<std::size_t> columns_;
  struct Span {
    Int128 first;
    Int128 end;
    bool has_end;
  };
  std::vector<Partition> ranges_;  // in their order
  std::vector<Span> spans_;        // the same for a single column, as numbers
  bool takes_null_ = false;        // of a single column
  std::size_t last_ = 0;           // where the row before lay
  PartitionKey key_;
  std::unordered_set<std::string> values_;  // of lists: the bytes of a row's values
  std::string bytes_;
};

}  // namespace penstock::txn
