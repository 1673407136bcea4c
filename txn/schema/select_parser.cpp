// SELECT, as far as clients send it to find out which databases, tables and columns there are.
#include <fmt/format.h>

#include <utility>

#include "txn/schema/ddl_parser.hpp"

namespace penstock::txn {
namespace {

constexpr std::size_t kTermsMax = 64;  // columns, conditions, sort columns

std::unexpected<SqlError> refuse(std::string_view what) {
  return sql_error(fmt::format(
      "{} is not supported yet: of SELECT only SELECT columns FROM information_schema.schemata, tables or "
      "columns WHERE column = 'text' AND ... is",
      what));
}

// A column's name, alone or behind its view's.
SqlResult<std::string> expect_column(SqlCursor& cursor) {
  TRY(std::string name, cursor.expect_name("a column name"));
  if (cursor.at_symbol('(')) return refuse("a function in SELECT");
  if (cursor.accept_symbol('.')) {
    TRY(name, cursor.expect_name("a column name"));
  }
  return name;
}

SqlResult<> parse_conditions(SqlCursor& cursor, SelectNamesStatement& out) {
  do {
    if (out.conditions.size() == kTermsMax) return refuse(fmt::format("more than {} conditions", kTermsMax));
    TRY(std::string column, expect_column(cursor));
    if (!cursor.accept_symbol('=')) return refuse("a condition other than =");
    TRY(std::string value, cursor.expect_string("a text in quotes"));
    out.conditions.emplace_back(std::move(column), std::move(value));
  } while (cursor.accept_keyword("AND"));
  return {};
}

}  // namespace

SqlResult<Statement> parse_select(SqlCursor& cursor) {
  SelectNamesStatement out;
  if (!cursor.accept_symbol('*')) {
    do {
      if (out.columns.size() == kTermsMax) return refuse(fmt::format("more than {} columns", kTermsMax));
      const Token::Kind kind = cursor.current().kind;
      if (kind != Token::Kind::Word && kind != Token::Kind::QuotedName) return refuse("SELECT of a value");
      TRY(std::string column, expect_column(cursor));
      out.columns.push_back(std::move(column));
    } while (cursor.accept_symbol(','));
  }
  if (!cursor.accept_keyword("FROM")) return refuse("SELECT without FROM");
  TRY(TableName from, cursor.expect_table());
  if (!equal_ignoring_case(from.database, "information_schema")) return refuse("SELECT from a table");
  out.view = lower_case(from.table);
  if (out.view != "schemata" && out.view != "tables" && out.view != "columns") {
    return refuse(fmt::format("SELECT from information_schema.{}", out.view.substr(0, 64)));
  }
  if (cursor.accept_keyword("WHERE")) {
    TRY_VOID(parse_conditions(cursor, out));
  }
  if (cursor.accept_keyword("ORDER")) {
    TRY_VOID(cursor.expect_keyword("BY"));
    do {
      if (out.order_by.size() == kTermsMax) return refuse(fmt::format("more than {} columns", kTermsMax));
      TRY(std::string column, expect_column(cursor));
      out.order_by.push_back(std::move(column));
      cursor.accept_keyword("ASC");
    } while (cursor.accept_symbol(','));
  }
  if (cursor.accept_keyword("LIMIT")) {
    TRY(out.limit, cursor.expect_number("a number"));
  }
  if (!cursor.at_end() && !cursor.at_symbol(';')) return refuse("what follows in this SELECT");
  return out;
}

}  // namespace penstock::txn
