// FormerNames: what the columns of a table were called since somebody began to look at it.
//
// A client that renames a column does so on another connection than the one of its load. Rows that it wrote before may
// still be unread then, and say the old name.
//
// Journey:  Load, with every ALTER TABLE of its table -> [FormerNames] -> JsonRowParser, which takes them as keys.
// Shard:    the load's.
// Promise:  a name leads to one column only: never to one if a column has that name now, and else to the last one that had
//           it and is still there. At most kMax names; the oldest go first.
// Failure:  none.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "txn/schema/table_schema.hpp"

namespace penstock::txn {

struct ColumnAlias {
  std::string name;
  std::size_t column = 0;  // in the schema
  friend bool operator==(const ColumnAlias&, const ColumnAlias&) = default;
};

class FormerNames {
 public:
  static constexpr std::size_t kMax = 1024;

  explicit FormerNames(std::shared_ptr<const TableSchema> first) : last_(std::move(first)) {}

  // Schemas older than the last are nothing new.
  void note(const std::shared_ptr<const TableSchema>& schema);
  // For a schema of the table; the newest first. Names are told apart by case, as keys of JSON are.
  std::vector<ColumnAlias> aliases(const TableSchema& schema) const;

 private:
  struct Name {
    std::string name;
    ColumnId column;
  };
  std::shared_ptr<const TableSchema> last_;
  std::vector<Name> names_;  // the newest last
};

}  // namespace penstock::txn
