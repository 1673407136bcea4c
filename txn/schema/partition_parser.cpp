// PARTITION BY, in all its forms, from tokens to a PartitioningSpec.
#include <fmt/format.h>

#include <utility>

#include "txn/schema/ddl_parser.hpp"

namespace penstock::txn {
namespace {

using Values = std::vector<PartitionValueSpec>;

std::string upper_case(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

// A literal, MAXVALUE or NULL.
SqlResult<PartitionValueSpec> parse_value(SqlCursor& cursor) {
  using Kind = PartitionValue::Kind;
  if (cursor.accept_keyword("MAXVALUE")) return PartitionValueSpec{Kind::Max, {}};
  if (cursor.accept_keyword("NULL")) return PartitionValueSpec{Kind::Null, {}};
  if (cursor.current().kind == Token::Kind::String) {
    TRY(std::string text, cursor.expect_string("a value"));
    return PartitionValueSpec{Kind::Text, std::move(text)};
  }
  std::string text = cursor.accept_symbol('-') ? "-" : "";
  const bool is_word = text.empty() && (cursor.at_keyword("TRUE") || cursor.at_keyword("FALSE"));
  if (cursor.current().kind != Token::Kind::Number && !is_word)
    return cursor.unexpected_here("a literal, MAXVALUE or NULL");
  text += cursor.current().text;
  cursor.advance();
  return PartitionValueSpec{Kind::Text, std::move(text)};
}

// (a, b)
SqlResult<Values> parse_values(SqlCursor& cursor) {
  Values values;
  TRY_VOID(cursor.expect_symbol('('));
  do {
    if (values.size() == kPartitionColumnsMax) return cursor.unexpected_here("')'");
    TRY(PartitionValueSpec value, parse_value(cursor));
    values.push_back(std::move(value));
  } while (cursor.accept_symbol(','));
  if (!cursor.accept_symbol(')')) return cursor.unexpected_here("',' or ')'");
  return values;
}

// ("a", "b") or (("a", 1), ("b", 2))
SqlResult<> parse_list(SqlCursor& cursor, std::size_t& values_left, PartitionSpec& out) {
  out.form = PartitionSpec::Form::In;
  TRY_VOID(cursor.expect_symbol('('));
  do {
    if (values_left == 0) return sql_error(fmt::format("more than {} values in lists", kPartitionValuesMax));
    --values_left;
    if (cursor.at_symbol('(')) {
      TRY(Values values, parse_values(cursor));
      out.values.push_back(std::move(values));
    } else {
      TRY(PartitionValueSpec value, parse_value(cursor));
      out.values.push_back({std::move(value)});
    }
  } while (cursor.accept_symbol(','));
  if (!cursor.accept_symbol(')')) return cursor.unexpected_here("',' or ')'");
  return {};
}

// Behind VALUES: LESS THAN MAXVALUE | LESS THAN (...) | [(...), (...)) | IN (...)
SqlResult<> parse_range_or_list(SqlCursor& cursor, std::size_t& values_left, PartitionSpec& out) {
  if (cursor.accept_keyword("LESS")) {
    TRY_VOID(cursor.expect_keyword("THAN"));
    out.form = PartitionSpec::Form::LessThan;
    if (cursor.accept_keyword("MAXVALUE")) {
      out.values.push_back({{PartitionValue::Kind::Max, {}}});
      return {};
    }
    TRY(Values end, parse_values(cursor));
    out.values.push_back(std::move(end));
    return {};
  }
  if (cursor.accept_keyword("IN")) return parse_list(cursor, values_left, out);
  if (!cursor.accept_symbol('[')) return cursor.unexpected_here("LESS THAN, IN or '['");
  out.form = PartitionSpec::Form::FixedRange;
  TRY(Values begin, parse_values(cursor));
  TRY_VOID(cursor.expect_symbol(','));
  TRY(Values end, parse_values(cursor));
  TRY_VOID(cursor.expect_symbol(')'));
  out.values = {std::move(begin), std::move(end)};
  return {};
}

// FROM (...) TO (...) INTERVAL n [unit]
SqlResult<> parse_steps(SqlCursor& cursor, PartitionSpec& out) {
  out.form = PartitionSpec::Form::Steps;
  TRY(Values begin, parse_values(cursor));
  TRY_VOID(cursor.expect_keyword("TO"));
  TRY(Values end, parse_values(cursor));
  out.values = {std::move(begin), std::move(end)};
  TRY_VOID(cursor.expect_keyword("INTERVAL"));
  TRY(out.step, cursor.expect_number("a number"));
  if (cursor.current().kind == Token::Kind::Word) {
    TRY(std::string unit, cursor.expect_name("a unit of time"));
    out.unit = upper_case(std::move(unit));
  }
  return {};
}

SqlResult<PartitionSpec> parse_partition(SqlCursor& cursor, std::size_t& values_left) {
  PartitionSpec out;
  if (cursor.accept_keyword("FROM")) {
    TRY_VOID(parse_steps(cursor, out));
  } else {
    if (!cursor.accept_keyword("PARTITION")) return cursor.unexpected_here("PARTITION, FROM or ')'");
    if (cursor.accept_keyword("IF")) {
      TRY_VOID(cursor.expect_keywords("NOT", "EXISTS"));
    }
    TRY(out.name, cursor.expect_name("a partition's name"));
    TRY_VOID(cursor.expect_keyword("VALUES"));
    TRY_VOID(parse_range_or_list(cursor, values_left, out));
  }
  if (cursor.at_symbol('(')) {  // where Doris keeps it, and in how many copies: nothing here
    TRY_VOID(cursor.expect_properties());
  }
  return out;
}

// A column, or what Doris cuts an automatic partition's column with: date_trunc(column, 'month').
SqlResult<std::string> parse_partition_column(SqlCursor& cursor, bool is_automatic) {
  TRY(std::string name, cursor.expect_name("a partition column"));
  if (!cursor.at_symbol('(')) return name;
  if (!is_automatic) {
    return sql_error(fmt::format("PARTITION BY {}(...): only AUTO PARTITION BY can use functions",
                                 std::string_view(name).substr(0, 64)));
  }
  cursor.advance();
  TRY(std::string column, cursor.expect_name("a partition column"));
  while (cursor.accept_symbol(',')) {
    if (cursor.current().kind == Token::Kind::Number) {
      cursor.advance();
    } else if (cursor.current().kind == Token::Kind::String) {
      TRY_VOID(cursor.expect_string("a unit of time"));
    } else {
      TRY_VOID(cursor.expect_name("a unit of time"));
    }
  }
  TRY_VOID(cursor.expect_symbol(')'));
  return column;
}

}  // namespace

SqlResult<PartitioningSpec> parse_partitioning(SqlCursor& cursor) {
  PartitioningSpec out;
  const std::size_t begin = cursor.current().begin;
  out.is_automatic = cursor.accept_keyword("AUTO");
  TRY_VOID(cursor.expect_keywords("PARTITION", "BY"));
  if (cursor.accept_keyword("LIST")) {
    out.kind = PartitionKind::List;
  } else {
    TRY_VOID(cursor.expect_keyword("RANGE"));
  }
  // Early releases of Doris have the function without brackets around it.
  const bool has_brackets = cursor.accept_symbol('(');
  if (!has_brackets && !out.is_automatic) return cursor.unexpected_here("'('");
  do {
    if (out.columns.size() == kPartitionColumnsMax)
      return sql_error(fmt::format("PARTITION BY: more than {} columns", kPartitionColumnsMax));
    TRY(std::string column, parse_partition_column(cursor, out.is_automatic));
    out.columns.push_back(std::move(column));
  } while (has_brackets && cursor.accept_symbol(','));
  if (has_brackets && !cursor.accept_symbol(')')) return cursor.unexpected_here("',' or ')'");
  out.clause = cursor.text_since(begin);
  if (!cursor.accept_symbol('(')) return out;
  if (cursor.accept_symbol(')')) return out;
  std::size_t values_left = kPartitionValuesMax;
  do {
    if (out.partitions.size() == kPartitionsMax)
      return sql_error(fmt::format("PARTITION BY: more than {} partitions", kPartitionsMax));
    TRY(PartitionSpec partition, parse_partition(cursor, values_left));
    out.partitions.push_back(std::move(partition));
  } while (cursor.accept_symbol(','));
  if (!cursor.accept_symbol(')')) return cursor.unexpected_here("',' or ')'");
  return out;
}

}  // namespace penstock::txn
