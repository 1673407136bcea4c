#include "txn/decode/initial_value.hpp"

#include <cstring>

#include "core/base/result.hpp"
#include "txn/column/value_format.hpp"
#include "txn/decode/column_decode.hpp"
#include "txn/schema/table_planner.hpp"

namespace penstock::txn {
namespace {

template <class T>
T fixed(const FillValue& value) {
  T out;
  std::memcpy(&out, value.fixed.bytes, sizeof out);
  return out;
}

// The value itself and not how it was written: a default may be now, name a zone, or have more digits than fit; and a
// wider type must read the same value out of it later.
std::string text_of(const ColumnDef& column, const FillValue& value) {
  std::string text;
  if (is_nested(column.type)) return column.default_value.value_or("");
  if (is_string(column.type)) return value.text;
  switch (column.type.kind) {
    case TypeKind::DateTime:
      append_sql_date_time(text, fixed<std::int64_t>(value), column.type.scale);
      return text;
    case TypeKind::Float:
      append_double(text, fixed<float>(value));
      return text;
    default: {
      ColumnBuilder builder(column.type);
      fill_column(value, 1, builder);
      append_cell(text, builder.view(), 0);
      return text;
    }
  }
}

SqlResult<> set_initial_value(ColumnSpec& spec, const MappingOptions& when) {
  spec.initial_value.reset();
  const auto column = plan_column(spec);
  if (!column) return {};  // the planner says so, behind what it has to say before
  if (column->default_kind == DefaultKind::None || column->default_kind == DefaultKind::Null) return {};
  const auto value = fill_value(*column, when);
  if (!value) return sql_error(value.error());
  std::string text = text_of(*column, *value);
  if (text.size() > kColumnTextMax) return sql_error("the default value of a column is too long");
  spec.initial_value = std::move(text);
  return {};
}

}  // namespace

SqlResult<> set_initial_values(Statement& statement, std::int64_t now_micros, const core::TimeZone& zone) {
  auto* const alter = std::get_if<AlterTableStatement>(&statement);
  if (alter == nullptr) return {};
  const MappingOptions when{.load_time_micros = zone.micros_to_local(now_micros), .zone = zone};
  for (AlterClause& clause : alter->clauses) {
    auto* const add = std::get_if<AddColumns>(&clause);
    if (add == nullptr) continue;
    for (ColumnSpec& column : add->columns) TRY_VOID(set_initial_value(column, when));
  }
  return {};
}

std::expected<FillValue, std::string> parse_initial_value(const ColumnDef& column) {
  if (!column.initial_value) return FillValue{};
  ColumnDef as_default = column;
  as_default.default_kind = DefaultKind::Literal;
  as_default.default_value = column.initial_value;
  return fill_value(as_default, {});
}

}  // namespace penstock::txn
