#include "txn/schema/name_views.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

namespace penstock::txn {
namespace {

using Row = std::vector<std::optional<std::string>>;

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

using Sink = std::function<void(Row)>;

void add_columns(const Database& database, const Table& table, const Sink& sink) {
  const ColumnList described =
      list_columns(table, {.form = ShowColumnsStatement::Form::ShowFull, .name = {}, .like = {}});
  for (std::size_t i = 0; i < table.schema->columns.size(); ++i) {
    const ColumnDef& column = table.schema->columns[i];
    const std::string type = type_name(column.type);
    sink({"internal", database.name, table.name, column.name, std::to_string(i + 1), described.rows[i][5],
          column.nullable ? "YES" : "NO", type.substr(0, type.find_first_of("(<")), type,
          column.is_key ? "DUP" : "", "", column.comment});
  }
}

void add_rows(const Catalog& catalog, const View& view, const Sink& sink) {
  for (const auto& [name, database] : catalog.databases()) {
    if (view.name == "schemata") {
      sink({"internal", name, "utf8mb4", "utf8mb4_0900_bin", std::nullopt});
      continue;
    }
    for (const auto& [table_name, id] : database->tables) {
      const auto table = catalog.find_table(id);
      if (table == nullptr) continue;
      if (view.name == "columns") {
        add_columns(*database, *table, sink);
      } else {
        sink({"internal", name, table_name, "BASE TABLE", "Doris", table->comment});
      }
    }
  }
}

SqlResult<std::size_t> find_column(const View& view, std::string_view name) {
  for (std::size_t i = 0; i < view.columns.size(); ++i) {
    if (equal_ignoring_case(view.columns[i], name)) return i;
  }
  return sql_error(fmt::format("Unknown column '{}' in information_schema.{}", name, view.name));
}

// Numbers here have no zeros in front: the shorter one is the smaller one.
bool comes_before(const Row& a, const Row& b, const std::vector<std::size_t>& order, const View& view) {
  for (const std::size_t at : order) {
    if (a[at] == b[at]) continue;
    const std::string x = a[at].value_or("");
    const std::string y = b[at].value_or("");
    if (view.columns[at] == "ORDINAL_POSITION" && x.size() != y.size()) return x.size() < y.size();
    return x < y;
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
  std::vector<std::pair<std::size_t, std::string>> conditions;
  for (const auto& [name, value] : statement.conditions) {
    TRY(const std::size_t at, find_column(view, name));
    conditions.emplace_back(at, value);
  }
  std::vector<std::size_t> order;
  for (const std::string& name : statement.order_by) {
    TRY(const std::size_t at, find_column(view, name));
    order.push_back(at);
  }
  std::vector<Row> rows;
  add_rows(catalog, view, [&](Row row) {
    for (const auto& [at, value] : conditions) {
      if (row[at] != value) return;
    }
    rows.push_back(std::move(row));
  });
  std::vector<std::size_t> places(rows.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::ranges::sort(places, [&](std::size_t a, std::size_t b) {
    if (comes_before(rows[a], rows[b], order, view)) return true;
    return !comes_before(rows[b], rows[a], order, view) && a < b;
  });
  if (statement.limit && places.size() > *statement.limit) places.resize(*statement.limit);
  for (const std::size_t place : places) {
    Row& to = out.rows.emplace_back();
    for (const std::size_t at : shown) to.push_back(rows[place][at]);
  }
  return out;
}

}  // namespace penstock::txn
