#include "net/load/csv_headers.hpp"

#include <fmt/format.h>

#include <charconv>

#include "txn/decode/separator.hpp"

namespace penstock::net {
namespace {

bool is_true(const Request& request, std::string_view name) {
  return equals_ignoring_case(request.first_value(name), "true");
}

std::expected<char, std::string> single_character(const Request& request, std::string_view name) {
  const std::string_view value = request.first_value(name);
  if (value.empty()) return '\0';
  if (value.size() != 1) {
    return std::unexpected(fmt::format("{} must be single-char, actually is {}", name, value.substr(0, 64)));
  }
  return value[0];
}

}  // namespace

void CsvHeaders::apply_to(txn::CsvOptions& options) const {
  options.column_separator = column_separator;
  options.line_delimiter = line_delimiter;
  options.enclose = enclose;
  options.escape = escape;
  options.trim_double_quotes = trim_double_quotes;
  options.empty_field_as_null = empty_field_as_null;
  options.skip_lines = skip_lines;
}

bool is_csv_format(std::string_view format) {
  return format.empty() || equals_ignoring_case(format, "csv") ||
         equals_ignoring_case(format, "csv_with_names") ||
         equals_ignoring_case(format, "csv_with_names_and_types");
}

std::expected<CsvHeaders, std::string> parse_csv_headers(const Request& request, std::string_view format) {
  CsvHeaders out;
  if (const auto text = request.first_value("column_separator"); !text.empty()) {
    auto parsed = txn::parse_column_separator(text);
    if (!parsed) return std::unexpected(parsed.error());
    out.column_separator = std::move(*parsed);
  }
  if (const auto text = request.first_value("line_delimiter"); !text.empty()) {
    auto parsed = txn::parse_line_delimiter(text);
    if (!parsed) return std::unexpected(parsed.error());
    out.line_delimiter = std::move(*parsed);
  }
  const auto enclose = single_character(request, "enclose");
  if (!enclose) return std::unexpected(enclose.error());
  const auto escape = single_character(request, "escape");
  if (!escape) return std::unexpected(escape.error());
  out.enclose = *enclose;
  out.escape = *escape;
  out.trim_double_quotes = is_true(request, "trim_double_quotes");
  out.empty_field_as_null = is_true(request, "empty_field_as_null");
  if (const auto text = request.first_value("skip_lines"); !text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.skip_lines);
    if (error != std::errc() || end != text.data() + text.size()) {
      return std::unexpected(fmt::format("Invalid 'skip_lines': {}", text.substr(0, 64)));
    }
  }
  if (equals_ignoring_case(format, "csv_with_names")) out.skip_lines = 1;
  if (equals_ignoring_case(format, "csv_with_names_and_types")) out.skip_lines = 2;
  return out;
}

}  // namespace penstock::net
