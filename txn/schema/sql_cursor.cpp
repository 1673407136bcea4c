#include "txn/schema/sql_cursor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "core/base/result.hpp"

namespace penstock::txn {
namespace {

constexpr std::size_t kDepthMax = 64;
constexpr std::size_t kListMax = 4096;
constexpr std::string_view kClusterPrefix = "default_cluster:";

std::string without_cluster(std::string name) {
  if (name.starts_with(kClusterPrefix)) name.erase(0, kClusterPrefix.size());
  return name;
}

}  // namespace

std::unexpected<SqlError> sql_error(std::string message) {
  constexpr std::size_t kMost = 1024;
  if (message.size() > kMost) {
    std::size_t end = kMost;
    while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xC0U) == 0x80U) --end;
    message.resize(end);
    message += "...";
  }
  return std::unexpected(SqlError{std::move(message)});
}

SqlCursor::SqlCursor(std::string_view text) : text_(text), lexer_(text) {
  current_ = lexer_.next();
  ahead_ = lexer_.next();
}

bool SqlCursor::is_keyword(const Token& token, std::string_view keyword) {
  return token.kind == Token::Kind::Word && equal_ignoring_case(token.text, keyword);
}

bool SqlCursor::at_symbol(char symbol) const {
  return current_.kind == Token::Kind::Symbol && current_.text[0] == symbol;
}

void SqlCursor::advance() {
  last_end_ = current_.end;
  current_ = std::exchange(ahead_, lexer_.next());
}

bool SqlCursor::accept_keyword(std::string_view keyword) {
  if (!at_keyword(keyword)) return false;
  advance();
  return true;
}

bool SqlCursor::accept_symbol(char symbol) {
  if (!at_symbol(symbol)) return false;
  advance();
  return true;
}

SqlResult<> SqlCursor::expect_keyword(std::string_view keyword) {
  if (!accept_keyword(keyword)) return unexpected_here(keyword);
  return {};
}

SqlResult<> SqlCursor::expect_keywords(std::string_view first, std::string_view second) {
  TRY_VOID(expect_keyword(first));
  return expect_keyword(second);
}

SqlResult<> SqlCursor::expect_symbol(char symbol) {
  if (!accept_symbol(symbol)) return unexpected_here(fmt::format("'{}'", symbol));
  return {};
}

SqlResult<> SqlCursor::expect_end() {
  while (accept_symbol(';')) {
  }
  if (!at_end()) return unexpected_here("the end of the statement");
  return {};
}

SqlResult<std::string> SqlCursor::expect_name(std::string_view what) {
  const bool is_name = current_.kind == Token::Kind::Word || current_.kind == Token::Kind::QuotedName;
  if (!is_name || current_.text.empty()) return unexpected_here(what);
  std::string name = std::move(current_.text);
  advance();
  return name;
}

SqlResult<std::string> SqlCursor::expect_string(std::string_view what) {
  if (current_.kind != Token::Kind::String) return unexpected_here(what);
  std::string text = std::move(current_.text);
  advance();
  return text;
}

SqlResult<std::uint32_t> SqlCursor::expect_number(std::string_view what) {
  if (current_.kind != Token::Kind::Number) return unexpected_here(what);
  const char* const end = current_.text.data() + current_.text.size();
  std::uint32_t value = 0;
  const auto [stop, error] = std::from_chars(current_.text.data(), end, value);
  if (stop != end) return unexpected_here(what);
  if (error == std::errc::result_out_of_range) value = std::numeric_limits<std::uint32_t>::max();
  advance();
  return value;
}

// a, a.b or a.b.c; `default_cluster:` before a part and `internal` as the first of many fall away.
SqlResult<std::vector<std::string>> SqlCursor::name_parts(std::string_view what) {
  std::vector<std::string> parts;
  do {
    if (parts.size() == 3) return unexpected_here("a name of at most three parts");
    if (at_keyword("default_cluster") && ahead_.kind == Token::Kind::Symbol && ahead_.text[0] == ':') {
      advance();
      advance();
    }
    TRY(std::string part, expect_name(what));
    parts.push_back(without_cluster(std::move(part)));
  } while (accept_symbol('.'));
  return parts;
}

SqlResult<std::string> SqlCursor::expect_database() {
  TRY(auto parts, name_parts("a database name"));
  if (parts.size() == 2 && equal_ignoring_case(parts[0], "internal")) return std::move(parts[1]);
  if (parts.size() != 1)
    return sql_error(fmt::format("catalog '{}' is not known: only internal is", parts[0]));
  return std::move(parts[0]);
}

SqlResult<TableName> SqlCursor::expect_table() {
  TRY(auto parts, name_parts("a table name"));
  if (parts.size() == 1) return TableName{"", std::move(parts[0])};
  if (parts.size() == 2) return TableName{std::move(parts[0]), std::move(parts[1])};
  if (!equal_ignoring_case(parts[0], "internal")) {
    return sql_error(fmt::format("catalog '{}' is not known: only internal is", parts[0]));
  }
  return TableName{std::move(parts[1]), std::move(parts[2])};
}

SqlResult<std::vector<std::string>> SqlCursor::expect_name_list(std::string_view what) {
  TRY_VOID(expect_symbol('('));
  std::vector<std::string> names;
  do {
    if (names.size() == kListMax) return sql_error(fmt::format("more than {} names in a list", kListMax));
    TRY(std::string name, expect_name(what));
    names.push_back(std::move(name));
  } while (accept_symbol(','));
  if (!accept_symbol(')')) return unexpected_here("',' or ')'");
  return names;
}

SqlResult<Properties> SqlCursor::expect_properties() {
  TRY_VOID(expect_symbol('('));
  Properties properties;
  if (accept_symbol(')')) return properties;
  do {
    if (properties.size() == kListMax) return sql_error(fmt::format("more than {} PROPERTIES", kListMax));
    TRY(std::string key, current_.kind == Token::Kind::Word ? expect_name("a property's name")
                                                            : expect_string("a property's name in quotes"));
    TRY_VOID(expect_symbol('='));
    const bool bare = current_.kind == Token::Kind::Word || current_.kind == Token::Kind::Number;
    if (!bare && current_.kind != Token::Kind::String) return unexpected_here("a property's value in quotes");
    std::string value = std::move(current_.text);
    advance();
    const auto same = [&](const auto& property) { return property.first == key; };
    if (const auto found = std::ranges::find_if(properties, same); found != properties.end()) {
      found->second = std::move(value);  // said twice: the last one counts, as in Doris
    } else {
      properties.emplace_back(std::move(key), std::move(value));
    }
  } while (accept_symbol(','));
  if (!accept_symbol(')')) return unexpected_here("',' or ')'");
  return properties;
}

SqlResult<> SqlCursor::skip_brackets(char open, char close) {
  TRY_VOID(expect_symbol(open));
  for (std::size_t depth = 1; depth > 0; advance()) {
    if (at_end() || current_.kind == Token::Kind::Bad) return unexpected_here(fmt::format("'{}'", close));
    if (at_symbol(open) && ++depth > kDepthMax) {
      return sql_error(fmt::format("'{}' is nested more than {} deep at position {}", open, kDepthMax,
                                   current_.begin + 1));
    }
    if (at_symbol(close)) --depth;
  }
  return {};
}

std::unexpected<SqlError> SqlCursor::unexpected_here(std::string_view expected) const {
  if (current_.kind == Token::Kind::Bad) return sql_error(current_.text);
  if (at_end()) return sql_error(fmt::format("unexpected end of the statement: expected {}", expected));
  std::string_view token = text_.substr(current_.begin, current_.end - current_.begin);
  constexpr std::size_t kMost = 64;
  std::string shown = token.size() <= kMost ? fmt::format("'{}'", token) : text_near(text_, current_.begin);
  return sql_error(fmt::format("unexpected {} at position {} near {}: expected {}", shown, current_.begin + 1,
                               text_near(text_, current_.begin), expected));
}

}  // namespace penstock::txn
