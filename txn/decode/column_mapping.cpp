#include "txn/decode/column_mapping.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "txn/column/calendar.hpp"
#include "txn/decode/json_text.hpp"

namespace penstock::txn {
namespace {

using Names = std::vector<std::string>;

// The header's items: text between commas that are in no back-quotes and no parentheses.
std::vector<std::string_view> split_items(std::string_view header) {
  std::vector<std::string_view> items;
  std::size_t begin = 0;
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const char c = header[i];
    if (c == '`') quoted = !quoted;
    if (quoted) continue;
    if (c == '(') ++depth;
    if (c == ')' && depth > 0) --depth;
    if (c == ',' && depth == 0) {
      items.push_back(trim_blanks(header.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  items.push_back(trim_blanks(header.substr(begin)));
  return items;
}

bool is_expression(std::string_view item) {
  bool quoted = false;
  for (const char c : item) {
    if (c == '`') quoted = !quoted;
    if (!quoted && (c == '=' || c == '(')) return true;
  }
  return false;
}

std::expected<Names, std::string> parse_names(std::string_view header) {
  Names names;
  for (std::string_view item : split_items(header)) {
    if (item.empty()) return std::unexpected(fmt::format("columns: a name is missing in '{}'", header));
    if (is_expression(item)) {
      return std::unexpected(fmt::format("columns: expressions are not supported yet: '{}'", item));
    }
    if (item.front() == '`') {
      if (item.size() < 3 || item.back() != '`' || item.substr(1, item.size() - 2).find('`') != item.npos) {
        return std::unexpected(fmt::format("columns: back-quotes do not match in '{}'", item));
      }
      item = item.substr(1, item.size() - 2);
    }
    if (names.size() == kColumnsMax) return std::unexpected("columns: too many names");
    names.emplace_back(item);
  }
  return names;
}

FillValue current_timestamp(const ColumnDef& column, std::int64_t load_time_micros) {
  FillValue fill;
  fill.is_null = false;
  std::int64_t days = load_time_micros / kMicrosPerDay;
  if (load_time_micros % kMicrosPerDay < 0) --days;
  if (column.type.kind == TypeKind::Date) {
    const auto value = static_cast<std::int32_t>(days);
    std::memcpy(fill.fixed.bytes, &value, sizeof value);
    return fill;
  }
  std::int64_t unit = kMicrosPerSecond;
  for (unsigned i = 0; i < std::min<unsigned>({column.default_precision, column.type.scale, 6}); ++i)
    unit /= 10;
  const std::int64_t of_day = (load_time_micros - days * kMicrosPerDay) / unit * unit;
  const std::int64_t value = days * kMicrosPerDay + of_day;
  std::memcpy(fill.fixed.bytes, &value, sizeof value);
  return fill;
}

}  // namespace

std::expected<FillValue, std::string> fill_value(const ColumnDef& column, const MappingOptions& options) {
  FillValue fill;
  const bool is_now =
      column.default_kind == DefaultKind::CurrentTimestamp || column.default_kind == DefaultKind::CurrentDate;
  if (is_now && (column.type.kind == TypeKind::DateTime || column.type.kind == TypeKind::Date)) {
    return current_timestamp(column, options.load_time_micros);
  }
  if (column.default_kind == DefaultKind::Literal && column.default_value) {
    const std::string& text = *column.default_value;
    fill.is_null = false;
    if (is_nested(column.type)) {
      if ((column.type.kind == TypeKind::Array && text == "[]") ||
          (column.type.kind == TypeKind::Map && text == "{}"))
        return fill;
    } else if (column.type.kind == TypeKind::Json) {
      GrowBuffer compact;
      if (compact_json(text, compact) && compact.size() <= column.type.length) {
        fill.text = core::as_text(compact.bytes());
        return fill;
      }
    } else if (is_string(column.type)) {
      if (column.type.length == 0 || text.size() <= column.type.length) {
        fill.text = text;
        return fill;
      }
    } else if (parse_fixed(column.type, text, options.zone, fill.fixed)) {
      return fill;
    }
    return std::unexpected(fmt::format("default value '{}' does not fit column: {}", text, column.name));
  }
  if (!column.nullable)
    return std::unexpected(fmt::format("Column has no default value. column: {}", column.name));
  return fill;
}

std::expected<ColumnMapping, std::string> map_columns(const TableSchema& schema,
                                                      const MappingOptions& options) {
  ColumnMapping mapping;
  mapping.targets.resize(schema.columns.size());
  if (trim_blanks(options.columns).empty()) {
    mapping.field_count = static_cast<std::uint32_t>(schema.columns.size());
    for (std::size_t i = 0; i < schema.columns.size(); ++i) {
      mapping.targets[i].field = static_cast<std::int32_t>(i);
    }
    if (trim_blanks(options.hidden_columns).empty()) return mapping;
    const std::expected<Names, std::string> hidden = parse_names(options.hidden_columns);
    if (!hidden) return std::unexpected("hidden_" + hidden.error());
    for (const std::string& name : *hidden) {
      if (!schema.index_of(name)) ++mapping.surplus_fields;
    }
    return mapping;
  }
  const std::expected<Names, std::string> names = parse_names(options.columns);
  if (!names) return std::unexpected(names.error());
  mapping.field_count = static_cast<std::uint32_t>(names->size());
  mapping.names = *names;
  std::size_t fill_bytes = 0;
  for (std::size_t field = 0; field < names->size(); ++field) {
    const std::optional<std::size_t> column = schema.index_of((*names)[field]);
    if (!column) continue;  // a field that is only there
    if (mapping.targets[*column].field != ColumnMapping::kNoField) {
      return std::unexpected(fmt::format("columns: '{}' is named twice", (*names)[field]));
    }
    mapping.targets[*column].field = static_cast<std::int32_t>(field);
  }
  for (std::size_t i = 0; i < mapping.targets.size(); ++i) {
    if (mapping.targets[i].field != ColumnMapping::kNoField) continue;
    std::expected<FillValue, std::string> fill = fill_value(schema.columns[i], options);
    if (!fill) return std::unexpected(fill.error());
    mapping.targets[i].fill = std::move(*fill);
    fill_bytes += mapping.targets[i].fill.text.size();
    if (fill_bytes > kFillBytesMax)
      return std::unexpected("columns: defaults of the columns left out are too long");
  }
  return mapping;
}

}  // namespace penstock::txn
