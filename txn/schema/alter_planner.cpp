#include "txn/schema/alter_planner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "txn/schema/names.hpp"
#include "txn/schema/show.hpp"
#include "txn/schema/table_planner.hpp"

namespace penstock::txn {
namespace {

constexpr std::string_view kBloomFilterProperty = "bloom_filter_columns";

bool contains(const std::vector<ColumnId>& ids, ColumnId id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

// `name` of a comma-separated list becomes `to`, or goes.
std::string replace_in_list(std::string_view list, std::string_view name, const std::string* to) {
  std::string out;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    std::string_view item = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (equal_ignoring_case(item, name)) {
      if (to == nullptr) continue;
      item = *to;
    }
    if (!out.empty()) out += ',';
    out += item;
  }
  return out;
}

// INDEX i (a, b) USING ...: a clause taken apart where its columns stand.
struct IndexClause {
  std::string before;  // up to the bracket
  std::vector<std::string> columns;
  std::string behind;

  std::string text() const {
    std::string list;
    for (const std::string& column : columns) {
      if (!list.empty()) list += ", ";
      list += quote_name(column);
    }
    return before + "(" + list + ")" + behind;
  }
};

IndexClause take_apart(const std::string& clause) {
  SqlCursor cursor(clause);
  while (!cursor.at_end() && !cursor.at_symbol('(')) cursor.advance();
  const std::size_t open = cursor.current().begin;
  auto columns = cursor.expect_name_list("a column name");
  if (!columns) return {clause, {}, ""};
  const std::size_t behind = open + cursor.text_since(open).size();
  return {clause.substr(0, open), std::move(*columns), clause.substr(behind)};
}

class Alteration {
 public:
  explicit Alteration(const Table& table) : table_(table), schema_(*table.schema) {}

  SqlResult<Table> finish() && {
    for (std::size_t i = 0; i < schema_.columns.size(); ++i) {
      const bool is_key = i < table_.key_columns.size();
      if (schema_.columns[i].is_key == is_key) continue;
      return sql_error(
          fmt::format("Invalid column order. value should be after key. index[{}]", table_.name));
    }
    if (const std::string_view what = too_long_text(schema_); !what.empty()) {
      return sql_error(fmt::format("{} are longer than {} bytes together", what, kColumnTextMax));
    }
    table_.schema = std::make_shared<const TableSchema>(std::move(schema_));
    return std::move(table_);
  }

  SqlResult<> apply(const AddColumns& add) {
    ColumnPlace place = add.place;
    for (const ColumnSpec& spec : add.columns) {
      TRY_VOID(add_column(spec, add.if_not_exists, place));
    }
    return {};
  }

  SqlResult<> apply(const DropColumn& drop) {
    const auto at = schema_.index_of(drop.name);
    if (!at) {
      if (drop.if_exists) return {};
      return sql_error(fmt::format("Column does not exists: {}", drop.name));
    }
    const ColumnDef& column = schema_.columns[*at];
    if (const std::string_view role = role_of(column); !role.empty()) {
      return sql_error(fmt::format("{} column[{}] cannot be dropped", role, column.name));
    }
    if (schema_.columns.size() == 1) {
      return sql_error(
          fmt::format("Do not allow remove last column of table: {} column: {}", table_.name, column.name));
    }
    forget_name(column.name, nullptr);
    schema_.columns.erase(schema_.columns.begin() + static_cast<std::ptrdiff_t>(*at));
    return {};
  }

  SqlResult<> apply(const RenameColumn& rename) {
    const auto at = schema_.index_of(rename.from);
    if (!at) return sql_error(fmt::format("Column[{}] does not exists", rename.from));
    ColumnDef& column = schema_.columns[*at];
    if (column.name == rename.to) return sql_error("Same column name");
    const auto taken = schema_.index_of(rename.to);
    if (taken && *taken != *at) return sql_error(fmt::format("Column name[{}] is already used", rename.to));
    if (!is_column_name(rename.to) || rename.to.starts_with("__DORIS_")) {
      return sql_error(fmt::format("Incorrect column name '{}'", rename.to));
    }
    if (contains(table_.partitioning.columns, column.id)) {
      return sql_error(fmt::format("Partition column[{}] cannot be renamed", column.name));
    }
    forget_name(column.name, &rename.to);
    column.name = rename.to;
    return {};
  }

  SqlResult<> apply(const ModifyColumn& modify) {
    const auto at = schema_.index_of(modify.column.name);
    if (!at) return sql_error(fmt::format("Column[{}] does not exists", modify.column.name));
    const ColumnDef before = schema_.columns[*at];
    TRY(ColumnDef after, changed_column(before, modify.column));
    schema_.columns.erase(schema_.columns.begin() + static_cast<std::ptrdiff_t>(*at));
    std::size_t to = *at;
    if (modify.place.after && equal_ignoring_case(*modify.place.after, before.name)) {
      return sql_error(fmt::format("Column[{}] modify position is invalid", before.name));
    }
    if (modify.place.is_first || modify.place.after) {
      TRY(to, index_for(modify.place, "does not exists"));
    }
    schema_.columns.insert(schema_.columns.begin() + static_cast<std::ptrdiff_t>(to), std::move(after));
    return {};
  }

  SqlResult<> apply(const CommentColumn& comment) {
    const auto at = schema_.index_of(comment.name);
    if (!at) return sql_error(fmt::format("Column[{}] does not exists", comment.name));
    schema_.columns[*at].comment = comment.comment;
    return {};
  }

  SqlResult<> apply(const CommentTable& comment) {
    table_.comment = comment.comment;
    return {};
  }

 private:
  // What a column is beside a value; empty: nothing.
  std::string_view role_of(const ColumnDef& column) const {
    if (contains(table_.partitioning.columns, column.id)) return "Partition";
    if (contains(table_.hash_columns, column.id)) return "Distribution";
    return column.is_key ? "Key" : "";
  }

  SqlResult<std::size_t> index_for(const ColumnPlace& place, std::string_view missing) const {
    if (place.is_first) return std::size_t{0};
    if (!place.after) return schema_.columns.size();
    const auto at = schema_.index_of(*place.after);
    if (!at) return sql_error(fmt::format("Column[{}] {}", *place.after, missing));
    return *at + 1;
  }

  SqlResult<> add_column(const ColumnSpec& spec, bool if_not_exists, ColumnPlace& place) {
    if (schema_.index_of(spec.name)) {
      if (if_not_exists) return {};
      return sql_error(fmt::format("Can not add column which already exists in base table: {}", spec.name));
    }
    if (spec.is_key) {
      return sql_error(
          fmt::format("Can not add key column {}: a table keeps the key that it was made with", spec.name));
    }
    if (!spec.aggregate.empty()) {
      return sql_error(fmt::format(
          "Can not assign aggregation method on column in Duplicate data model table: {}", spec.name));
    }
    TRY(ColumnDef column, plan_column(spec));
    const bool has_default =
        column.default_kind != DefaultKind::None && column.default_kind != DefaultKind::Null;
    if (!column.nullable && !has_default) {
      return sql_error(fmt::format("Field '{}' doesn't have a default value", spec.name));
    }
    column.initial_value = spec.initial_value;
    if (has_default && !column.initial_value) {
      return sql_error(fmt::format("the default value of column {} was not worked out", spec.name));
    }
    if (schema_.columns.size() == kColumnsMax || table_.next_column.value == UINT32_MAX) {
      return sql_error(fmt::format("Too many columns: at most {} are possible", kColumnsMax));
    }
    column.id = table_.next_column;
    table_.next_column = ColumnId{column.id.value + 1};
    TRY(const std::size_t at, index_for(place, "does not found"));
    schema_.columns.insert(schema_.columns.begin() + static_cast<std::ptrdiff_t>(at), std::move(column));
    return {};
  }

  SqlResult<ColumnDef> changed_column(const ColumnDef& before, ColumnSpec spec) const {
    spec.name = before.name;
    if (!spec.aggregate.empty()) return sql_error("Can not change aggregation type");
    const bool keeps_default = spec.default_kind == DefaultKind::None;
    if (keeps_default) {  // to be judged with the new type
      spec.default_kind = before.default_kind;
      spec.default_value = before.default_value;
      spec.default_precision = before.default_precision;
    }
    if (spec.default_kind == DefaultKind::Null && !spec.nullable.value_or(true)) {
      return sql_error("Can not change from nullable to non-nullable");
    }
    TRY(ColumnDef after, plan_column(spec));
    after.id = before.id;
    after.is_key = before.is_key;
    after.initial_value = before.initial_value;
    if (after.comment.empty()) after.comment = before.comment;
    const std::string_view role = role_of(before);
    if (!role.empty() &&
        (after.type != before.type || spec.nullable.value_or(before.nullable) != before.nullable)) {
      std::string kind = lower_case(role);
      return sql_error(fmt::format("Can not modify {} column[{}]", kind, before.name));
    }
    if (!role.empty()) after.nullable = before.nullable;
    if (spec.is_key && !before.is_key) {
      return sql_error(fmt::format(
          "Can not make column {} a key column: a table keeps the key that it was made with", before.name));
    }
    if (!can_widen(before.type, after.type)) {
      const bool is_text = before.type.kind == TypeKind::Varchar || before.type.kind == TypeKind::Char;
      if (is_text && is_string(after.type) && after.type.length < before.type.length)
        return sql_error(fmt::format("Cannot shorten string length (column {}: {} to {})", before.name,
                                     type_name(before.type), type_name(after.type)));
      return sql_error(
          fmt::format("Can not change {} to {} (column {}): only wider types can hold the rows "
                      "that are there",
                      type_name(before.type), type_name(after.type), before.name));
    }
    if (before.nullable && !after.nullable) return sql_error("Can not change from nullable to non-nullable");
    const auto is_null = [&](DefaultKind kind) {
      return kind == DefaultKind::Null || (kind == DefaultKind::None && after.nullable);
    };
    if (is_null(before.default_kind) && is_null(after.default_kind)) after.default_kind = before.default_kind;
    const bool is_same = after.default_kind == before.default_kind &&
                         after.default_value == before.default_value &&
                         after.default_precision == before.default_precision;
    if (!is_same) return sql_error("Can not change default value");
    return after;
  }

  // Where else a column's name stands: an index goes with its column.
  void forget_name(const std::string& name, const std::string* to) {
    for (auto& [key, value] : table_.properties) {
      if (key == kBloomFilterProperty) value = replace_in_list(value, name, to);
    }
    if (indexes_.size() != table_.index_clauses.size()) {
      for (const std::string& clause : table_.index_clauses) indexes_.push_back(take_apart(clause));
    }
    for (std::size_t i = 0; i < indexes_.size();) {
      auto& columns = indexes_[i].columns;
      const auto is_it = [&](const std::string& column) { return equal_ignoring_case(column, name); };
      const auto found = std::ranges::find_if(columns, is_it);
      if (found != columns.end() && to == nullptr) {
        indexes_.erase(indexes_.begin() + static_cast<std::ptrdiff_t>(i));
        table_.index_clauses.erase(table_.index_clauses.begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
      if (found != columns.end()) {
        std::ranges::replace_if(columns, is_it, *to);
        table_.index_clauses[i] = indexes_[i].text();
      }
      ++i;
    }
  }

  Table table_;
  TableSchema schema_;
  std::vector<IndexClause> indexes_;  // table_.index_clauses taken apart, once it is needed
};

}  // namespace

SqlResult<Table> plan_alter(const Table& table, const AlterTableStatement& statement) {
  Alteration alteration(table);
  for (const AlterClause& clause : statement.clauses) {
    TRY_VOID(std::visit([&](const auto& which) { return alteration.apply(which); }, clause));
  }
  return std::move(alteration).finish();
}

}  // namespace penstock::txn
