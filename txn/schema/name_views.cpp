#include "txn/schema/name_views.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace penstock::txn {
namespace {

using Row = std::vector<std::optional<std::string>>;

constexpr std::size_t kRowsMax = 65536;
constexpr std::size_t kBytesMax = 32 * core::kMiB;  // of all cells

struct View {
  std::string_view name;
  std::vector<std::string_view> columns;
};

const View& view_of(std::string_view name) {
  static const View kViews[] = {
      {"schemata",
       {"CATALOG_NAME", "SCHEMA_NAME", "DEFAULT_CHARACTER_SET_NAME", "DEFAULT_COLLATION_NAME", "SQL_PATH"}},
      {"tables", {"TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "TABLE_TYPE", "ENGINE", "TABLE_COMMENT"}},
      {"columns",
       {"TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "COLUMN_NAME", "ORDINAL_POSITION", "COLUMN_DEFAULT",
        "IS_NULLABLE", "DATA_TYPE", "COLUMN_TYPE", "COLUMN_KEY", "EXTRA", "COLUMN_COMMENT"}},
  };
  for (const View& view : kViews) {
    if (view.name == name) return view;
  }
  return kViews[2];  // the parser lets no other name through
}

SqlResult<std::size_t> find_column(const View& view, std::string_view name) {
  for (std::size_t i = 0; i < view.columns.size(); ++i) {
    if (equal_ignoring_case(view.columns[i], name)) return i;
  }
  return sql_error(fmt::format("Unknown column '{}' in information_schema.{}", name, view.name));
}

std::unexpected<SqlError> too_much(const View& view, std::size_t most, std::string_view what) {
  return sql_error(fmt::format("information_schema.{}: more than {} {}: name a TABLE_SCHEMA and a TABLE_NAME",
                               view.name, most, what));
}

using Conditions = std::vector<std::pair<std::size_t, std::string>>;

// The rows of a view that meet the conditions.
class Finder {
 public:
  Finder(const View& view, const Conditions& conditions) : view_(view), conditions_(conditions) {}

  SqlResult<std::vector<Row>> find(const Catalog& catalog) && {
    for (const auto& [name, database] : catalog.databases()) {
      if (view_.name == "schemata") {
        TRY_VOID(take({"internal", name, "utf8mb4", "utf8mb4_0900_bin", std::nullopt}));
        continue;
      }
      if (!may_be("TABLE_SCHEMA", name)) continue;
      for (const auto& [table_name, id] : database->tables) {
        if (may_be("TABLE_NAME", table_name)) TRY_VOID(take_table(catalog, *database, id));
      }
    }
    return std::move(rows_);
  }

 private:
  SqlResult<> take_table(const Catalog& catalog, const Database& database, TableId id) {
    const auto table = catalog.find_table(id);
    if (table == nullptr) return {};
    if (view_.name == "columns") return take_columns(database, *table);
    return take({"internal", database.name, table->name, "BASE TABLE", "Doris", table->comment});
  }

  SqlResult<> take_columns(const Database& database, const Table& table) {
    const auto& columns = table.schema->columns;
    const auto is_wanted = [&](const ColumnDef& column) { return may_be("COLUMN_NAME", column.name); };
    if (std::ranges::none_of(columns, is_wanted)) return {};
    const ColumnList described =
        list_columns(table, {.form = ShowColumnsStatement::Form::ShowFull, .name = {}, .like = {}});
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const ColumnDef& column = columns[i];
      if (!is_wanted(column)) continue;
      const std::string type = type_name(column.type);
      TRY_VOID(take({"internal", database.name, table.name, column.name, std::to_string(i + 1),
                     described.rows[i][5], column.nullable ? "YES" : "NO",
                     type.substr(0, type.find_first_of("(<")), type, column.is_key ? "DUP" : "", "",
                     column.comment}));
    }
    return {};
  }

  // Asked before rows are made.
  bool may_be(std::string_view column, const std::string& value) const {
    return std::ranges::all_of(conditions_, [&](const auto& condition) {
      return view_.columns[condition.first] != column || condition.second == value;
    });
  }

  SqlResult<> take(Row row) {
    for (const auto& [at, value] : conditions_) {
      if (row[at] != value) return {};
    }
    if (rows_.size() == kRowsMax) return too_much(view_, kRowsMax, "rows");
    for (const auto& cell : row) bytes_ += cell ? cell->size() : 0;
    if (bytes_ > kBytesMax) return too_much(view_, kBytesMax, "bytes");
    rows_.push_back(std::move(row));
    return {};
  }

  const View& view_;
  const Conditions& conditions_;
  std::vector<Row> rows_;
  std::size_t bytes_ = 0;
};

// NULL comes first. Numbers here have no zeros in front: the shorter one is the smaller one.
bool comes_before(const Row& a, const Row& b, const std::vector<std::size_t>& order, const View& view) {
  for (const std::size_t at : order) {
    if (a[at] == b[at]) continue;
    const bool are_numbers = view.columns[at] == "ORDINAL_POSITION" && a[at] && b[at];
    if (are_numbers && a[at]->size() != b[at]->size()) return a[at]->size() < b[at]->size();
    return a[at] < b[at];
  }
  return false;
}

}  // namespace

SqlResult<ColumnList> select_names(const Catalog& catalog, const SelectNamesStatement& statement) {
  const View& view = view_of(statement.view);
  ColumnList out;
  std::vector<std::size_t> shown;
  for (const std::string& name : statement.columns) {
    TRY(const std::size_t at, find_column(view, name));
    shown.push_back(at);
    out.names.push_back(name);
  }
  if (statement.columns.empty()) {
    for (std::size_t i = 0; i < view.columns.size(); ++i) shown.push_back(i);
    out.names.assign(view.columns.begin(), view.columns.end());
  }
  Conditions conditions;
  for (const auto& [name, value] : statement.conditions) {
    TRY(const std::size_t at, find_column(view, name));
    conditions.emplace_back(at, value);
  }
  std::vector<std::size_t> order;
  for (const std::string& name : statement.order_by) {
    TRY(const std::size_t at, find_column(view, name));
    order.push_back(at);
  }
  TRY(const std::vector<Row> rows, Finder(view, conditions).find(catalog));
  std::vector<std::size_t> places(rows.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::ranges::sort(places, [&](std::size_t a, std::size_t b) {
    if (comes_before(rows[a], rows[b], order, view)) return true;
    return !comes_before(rows[b], rows[a], order, view) && a < b;
  });
  if (statement.limit && places.size() > *statement.limit) places.resize(*statement.limit);
  std::size_t bytes = 0;  // a column may be shown several times
  for (const std::size_t place : places) {
    Row& to = out.rows.emplace_back();
    for (const std::size_t at : shown) {
      bytes += rows[place][at] ? rows[place][at]->size() : 0;
      if (bytes > kBytesMax) return too_much(view, kBytesMax, "bytes");
      to.push_back(rows[place][at]);
    }
  }
  return out;
}

}  // namespace penstock::txn
