#include "txn/schema/former_names.hpp"

#include <unordered_map>
#include <unordered_set>

namespace penstock::txn {

void FormerNames::note(const std::shared_ptr<const TableSchema>& schema) {
  if (schema->id <= last_->id) return;
  const auto& before = last_->columns;
  std::unordered_map<std::uint32_t, std::size_t>
      places;  // once it is needed: columns mostly stand in one order
  std::size_t at = 0;
  for (const ColumnDef& column : schema->columns) {
    if (at >= before.size() || before[at].id != column.id) {
      for (std::size_t i = places.size(); i < before.size(); ++i) places.emplace(before[i].id.value, i);
      const auto place = places.find(column.id.value);
      if (place == places.end()) continue;
      at = place->second;
    }
    const std::string& name = before[at++].name;
    if (name == column.name) continue;
    std::erase_if(names_, [&](const Name& old) { return old.name == name && old.column == column.id; });
    if (names_.size() == kMax) names_.erase(names_.begin());
    names_.push_back({name, column.id});
  }
  last_ = schema;
}

std::vector<ColumnAlias> FormerNames::aliases(const TableSchema& schema) const {
  std::vector<ColumnAlias> out;
  if (names_.empty()) return out;
  std::unordered_set<std::string_view> taken;
  std::unordered_map<std::uint32_t, std::size_t> places;
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    taken.insert(schema.columns[i].name);
    places.emplace(schema.columns[i].id.value, i);
  }
  for (auto name = names_.rbegin(); name != names_.rend(); ++name) {
    const auto place = places.find(name->column.value);
    if (place == places.end() || !taken.insert(name->name).second) continue;
    out.push_back({name->name, place->second});
  }
  return out;
}

}  // namespace penstock::txn
