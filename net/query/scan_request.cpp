#include "net/query/scan_request.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string_view>

namespace penstock::net {
namespace {

constexpr std::size_t kOrderColumnsMax = 64;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// One item of a comma list: a name, which may stand in back-quotes, and the word behind it.
struct Item {
  std::string name;
  std::string word;
};

std::string shown(std::string_view text) { return std::string(text.substr(0, 64)); }

// Takes an item off the front of `text`, with the comma behind it.
std::expected<Item, std::string> take_item(std::string_view& text, std::string_view parameter) {
  Item item;
  while (text.starts_with(' ')) text.remove_prefix(1);
  if (text.starts_with('`')) {
    for (;;) {
      const std::size_t close = text.find('`', 1);
      if (close == std::string_view::npos) {
        return std::unexpected(
            fmt::format("{}: a back-quote that is not closed: {}", parameter, shown(text)));
      }
      item.name.append(text.substr(1, close - 1));
      text.remove_prefix(close);
      if (!text.starts_with("``")) break;
      item.name += '`';
      text.remove_prefix(1);
    }
    text.remove_prefix(1);
  }
  const std::size_t comma = std::min(text.find(','), text.size());
  std::string_view rest = trimmed(text.substr(0, comma));
  text.remove_prefix(comma);
  if (item.name.empty()) {
    // A name may hold blanks; only asc and desc are words of their own.
    const std::size_t blank = rest.rfind(' ');
    const std::string_view last = blank == std::string_view::npos ? "" : rest.substr(blank + 1);
    if (equals_ignoring_case(last, "asc") || equals_ignoring_case(last, "desc")) {
      item.word = last;
      rest = trimmed(rest.substr(0, blank));
    }
    item.name = rest;
  } else {
    item.word = rest;
  }
  return item;
}

std::expected<std::size_t, std::string> find_column(const txn::TableSchema& schema, const Item& item,
                                                    std::string_view parameter) {
  const auto index = schema.index_of(item.name);
  if (!index)
    return std::unexpected(
        fmt::format("{}: there is no column '{}' in this table", parameter, shown(item.name)));
  return *index;
}

std::expected<void, std::string> parse_columns(std::string_view text, const txn::TableSchema& schema,
                                               ScanRequest& out) {
  for (;;) {
    auto item = take_item(text, "columns");
    if (!item) return std::unexpected(item.error());
    if (!item->word.empty()) {
      return std::unexpected(
          fmt::format("columns: '{}' behind column '{}'", shown(item->word), shown(item->name)));
    }
    if (out.columns.size() == txn::kColumnsMax) {
      return std::unexpected(fmt::format("columns: more than {}", txn::kColumnsMax));
    }
    const auto index = find_column(schema, *item, "columns");
    if (!index) return std::unexpected(index.error());
    out.columns.push_back(*index);
    if (text.empty()) return {};
    text.remove_prefix(1);
  }
}

std::expected<void, std::string> parse_order(std::string_view text, const txn::TableSchema& schema,
                                             ScanRequest& out) {
  for (;;) {
    auto item = take_item(text, "order_by");
    if (!item) return std::unexpected(item.error());
    const bool descending = equals_ignoring_case(item->word, "desc");
    if (!item->word.empty() && !descending && !equals_ignoring_case(item->word, "asc")) {
      return std::unexpected(fmt::format("order_by: '{}' behind column '{}' is not asc or desc",
                                         shown(item->word), shown(item->name)));
    }
    if (out.order_by.size() == kOrderColumnsMax) {
      return std::unexpected(fmt::format("order_by: more than {} columns", kOrderColumnsMax));
    }
    const auto index = find_column(schema, *item, "order_by");
    if (!index) return std::unexpected(index.error());
    if (const txn::Type& type = schema.columns[*index].type; txn::is_nested(type)) {
      return std::unexpected(fmt::format("order_by: column '{}' is of type {}, which has no order",
                                         shown(item->name), shown(txn::type_name(type))));
    }
    out.order_by.push_back({*index, descending});
    if (text.empty()) return {};
    text.remove_prefix(1);
  }
}

std::optional<ScanFormat> format_of(std::string_view name) {
  if (name.empty() || equals_ignoring_case(name, "tsv")) return ScanFormat::Tsv;
  if (equals_ignoring_case(name, "json")) return ScanFormat::Json;
  if (equals_ignoring_case(name, "csv")) return ScanFormat::Csv;
  if (equals_ignoring_case(name, "csv_with_names")) return ScanFormat::CsvWithNames;
  return std::nullopt;
}

}  // namespace

std::expected<ScanRequest, std::string> parse_scan_request(const Request& request,
                                                           const txn::TableSchema& schema,
                                                           std::int64_t now_micros) {
  ScanRequest out;
  if (const auto where = request.query_value("where"); where && !trimmed(*where).empty()) {
    const core::TimeZone zone = core::TimeZone::of_server();
    auto filter =
        txn::RowFilter::make(*where, schema, {.now_micros = zone.micros_to_local(now_micros), .zone = zone});
    if (!filter) return std::unexpected(filter.error());
    out.where = std::move(*filter);
  }
  const std::string format = request.query_value("format").value_or("");
  const auto known = format_of(format);
  if (!known)
    return std::unexpected(
        fmt::format("format={}: one of tsv, json, csv, csv_with_names is wanted", shown(format)));
  out.format = *known;
  if (const auto limit = request.query_value("limit"); limit && !limit->empty()) {
    const auto [end, error] = std::from_chars(limit->data(), limit->data() + limit->size(), out.limit);
    if (error != std::errc() || end != limit->data() + limit->size()) {
      return std::unexpected(fmt::format("limit={}: not a number of rows", shown(*limit)));
    }
  }
  if (const std::string order = request.query_value("order_by").value_or(""); !trimmed(order).empty()) {
    if (auto parsed = parse_order(order, schema, out); !parsed) return std::unexpected(parsed.error());
  }
  const std::string columns = request.query_value("columns").value_or("");
  if (equals_ignoring_case(trimmed(columns), "count(*)")) {
    out.count_only = true;
  } else if (trimmed(columns).empty()) {
    for (std::size_t i = 0; i < schema.columns.size(); ++i) out.columns.push_back(i);
  } else if (auto parsed = parse_columns(columns, schema, out); !parsed) {
    return std::unexpected(parsed.error());
  }
  return out;
}

}  // namespace penstock::net
