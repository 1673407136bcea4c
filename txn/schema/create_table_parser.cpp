// CREATE TABLE: columns, indexes, key, partition, distribution, properties.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "txn/schema/ddl_parser.hpp"

namespace penstock::txn {
namespace {

constexpr std::array<std::string_view, 9> kAggregates = {
    "SUM",     "MIN", "MAX", "REPLACE", "REPLACE_IF_NOT_NULL", "HLL_UNION", "BITMAP_UNION", "QUANTILE_UNION",
    "GENERIC",
};

std::string upper_case(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

std::unexpected<SqlError> not_yet(const ColumnSpec& column, std::string_view what) {
  return sql_error(fmt::format("{} of column {} is not supported yet", what, column.name));
}

SqlResult<TypeSpec> parse_type(SqlCursor& cursor, std::size_t depth = 1);

// Between < and >: types, or name:type of a STRUCT; NULL, NOT NULL and COMMENT may follow and say nothing here.
SqlResult<> parse_types_inside(SqlCursor& cursor, std::size_t depth, TypeSpec& out) {
  TRY_VOID(cursor.expect_symbol('<'));
  if (depth > kNestedDepthMax) {
    return sql_error(fmt::format("types may be nested in each other at most {} times", kNestedDepthMax));
  }
  do {
    if (out.inside.size() == kNestedNodesMax) return cursor.unexpected_here("'>'");
    if (out.word == "STRUCT") {
      TRY(std::string name, cursor.expect_name("the name of a field"));
      out.names.push_back(std::move(name));
      cursor.accept_symbol(':');
    }
    TRY(TypeSpec type, parse_type(cursor, depth + 1));
    out.inside.push_back(std::move(type));
    if (cursor.accept_keyword("NOT")) {
      TRY_VOID(cursor.expect_keyword("NULL"));
    } else {
      cursor.accept_keyword("NULL");
    }
    if (cursor.accept_keyword("COMMENT")) {
      TRY_VOID(cursor.expect_string("a comment in quotes"));
    }
  } while (cursor.accept_symbol(','));
  return cursor.expect_symbol('>');
}

// INT, DECIMAL(10, 2), VARCHAR(*), ARRAY<INT>, STRUCT<a:INT COMMENT 'x'>
SqlResult<TypeSpec> parse_type(SqlCursor& cursor, std::size_t depth) {
  constexpr std::size_t kArgumentsMax = 8;
  TypeSpec type;
  const std::size_t begin = cursor.current().begin;
  if (cursor.current().kind != Token::Kind::Word) return cursor.unexpected_here("a type");
  TRY(type.word, cursor.expect_name("a type"));
  type.word = upper_case(std::move(type.word));
  if (cursor.at_symbol('<')) {
    type.nested = true;
    if (type.word == "ARRAY" || type.word == "MAP" || type.word == "STRUCT") {
      TRY_VOID(parse_types_inside(cursor, depth, type));
    } else {
      TRY_VOID(cursor.skip_brackets('<', '>'));
    }
  } else if (cursor.accept_symbol('(')) {
    if (cursor.accept_symbol('*')) {
      type.wildcard = true;
    } else {
      do {
        if (type.arguments.size() == kArgumentsMax) return cursor.unexpected_here("')'");
        TRY(const std::uint32_t argument, cursor.expect_number("a number"));
        type.arguments.push_back(argument);
      } while (cursor.accept_symbol(','));
    }
    TRY_VOID(cursor.expect_symbol(')'));
  }
  type.text = cursor.text_since(begin);
  return type;
}

SqlResult<> parse_default(SqlCursor& cursor, ColumnSpec& column) {
  if (cursor.accept_keyword("NULL")) {
    column.default_kind = DefaultKind::Null;
    return {};
  }
  if (cursor.accept_keyword("CURRENT_TIMESTAMP")) {
    column.default_kind = DefaultKind::CurrentTimestamp;
    if (cursor.accept_symbol('(') && !cursor.accept_symbol(')')) {
      TRY(column.default_precision, cursor.expect_number("the number of fraction digits"));
      TRY_VOID(cursor.expect_symbol(')'));
    }
    if (cursor.at_keyword("ON")) return not_yet(column, "ON UPDATE CURRENT_TIMESTAMP");
    return {};
  }
  if (cursor.accept_keyword("CURRENT_DATE")) {
    column.default_kind = DefaultKind::CurrentDate;
    if (!cursor.accept_symbol('(')) return {};
    return cursor.expect_symbol(')');
  }
  column.default_kind = DefaultKind::Literal;
  if (cursor.current().kind == Token::Kind::String) {
    TRY(column.default_value, cursor.expect_string("a default value"));
    return {};
  }
  if (cursor.at_keyword("TRUE") || cursor.at_keyword("FALSE")) {
    TRY(column.default_value, cursor.expect_name("a default value"));
    return {};
  }
  std::string text = cursor.accept_symbol('-') ? "-" : "";
  if (cursor.current().kind == Token::Kind::Number) {
    column.default_value = text + cursor.current().text;
    cursor.advance();
    return {};
  }
  if (text.empty() && cursor.current().kind == Token::Kind::Word) {
    return not_yet(column, fmt::format("DEFAULT {}", upper_case(cursor.current().text).substr(0, 64)));
  }
  return cursor.unexpected_here("a literal, NULL, CURRENT_TIMESTAMP or CURRENT_DATE after DEFAULT");
}

// What follows a column's type, in any order, each at most once.
SqlResult<> parse_column_words(SqlCursor& cursor, ColumnSpec& column) {
  bool has_comment = false;
  const auto is_aggregate = [&](std::string_view word) { return cursor.at_keyword(word); };
  for (;;) {
    if (!column.is_key && cursor.accept_keyword("KEY")) {
      column.is_key = true;
    } else if (!column.nullable && cursor.accept_keyword("NULL")) {
      column.nullable = true;
    } else if (!column.nullable && cursor.accept_keyword("NOT")) {
      TRY_VOID(cursor.expect_keyword("NULL"));
      column.nullable = false;
    } else if (column.default_kind == DefaultKind::None && cursor.accept_keyword("DEFAULT")) {
      TRY_VOID(parse_default(cursor, column));
    } else if (!has_comment && cursor.accept_keyword("COMMENT")) {
      has_comment = true;
      TRY(column.comment, cursor.expect_string("a comment in quotes"));
    } else if (column.aggregate.empty() && std::ranges::any_of(kAggregates, is_aggregate)) {
      column.aggregate = upper_case(cursor.current().text);
      cursor.advance();
    } else if (cursor.at_keyword("AUTO_INCREMENT")) {
      return not_yet(column, "AUTO_INCREMENT");
    } else if (cursor.at_keyword("GENERATED") || cursor.at_keyword("AS")) {
      return not_yet(column, "GENERATED ALWAYS AS");
    } else {
      return {};
    }
  }
}

bool at_index(const SqlCursor& cursor) {
  if (!cursor.at_keyword("INDEX")) return false;
  return cursor.ahead().kind == Token::Kind::Word || cursor.ahead().kind == Token::Kind::QuotedName;
}

// INDEX [IF NOT EXISTS] name (columns) [USING kind] [PROPERTIES (...)] [COMMENT '...']
SqlResult<IndexSpec> parse_index(SqlCursor& cursor) {
  IndexSpec index;
  const std::size_t begin = cursor.current().begin;
  TRY_VOID(cursor.expect_keyword("INDEX"));
  if (cursor.accept_keyword("IF")) {
    TRY_VOID(cursor.expect_keywords("NOT", "EXISTS"));
  }
  TRY(index.name, cursor.expect_name("an index name"));
  TRY(index.columns, cursor.expect_name_list("a column name"));
  if (cursor.accept_keyword("USING")) {
    TRY_VOID(cursor.expect_name("the kind of the index"));
  }
  if (cursor.accept_keyword("PROPERTIES")) {
    TRY_VOID(cursor.expect_properties());
  }
  if (cursor.accept_keyword("COMMENT")) {
    TRY_VOID(cursor.expect_string("a comment in quotes"));
  }
  index.text = cursor.text_since(begin);
  return index;
}

SqlResult<> parse_columns(SqlCursor& cursor, CreateTableStatement& out) {
  if (!cursor.accept_symbol('(')) return cursor.unexpected_here("'(' and the columns");
  do {
    if (out.columns.size() + out.indexes.size() == kColumnsMax) {
      return sql_error(fmt::format("CREATE TABLE {}: more than {} columns", out.name.table, kColumnsMax));
    }
    if (at_index(cursor)) {
      TRY(IndexSpec index, parse_index(cursor));
      out.indexes.push_back(std::move(index));
      continue;
    }
    TRY(ColumnSpec column, parse_column(cursor));
    out.columns.push_back(std::move(column));
  } while (cursor.accept_symbol(','));
  if (!cursor.accept_symbol(')')) {
    return cursor.unexpected_here("NULL, NOT NULL, KEY, DEFAULT, COMMENT, ',' or ')'");
  }
  return {};
}

SqlResult<bool> accept_key(SqlCursor& cursor, CreateTableStatement& out) {
  if (cursor.accept_keyword("DUPLICATE")) {
    out.key_model = KeyModel::Duplicate;
  } else if (cursor.accept_keyword("UNIQUE")) {
    out.key_model = KeyModel::Unique;
  } else if (cursor.accept_keyword("AGGREGATE")) {
    out.key_model = KeyModel::Aggregate;
  } else {
    return false;
  }
  TRY_VOID(cursor.expect_keyword("KEY"));
  TRY(out.key_columns, cursor.expect_name_list("a key column"));
  return true;
}

// After DISTRIBUTED: BY HASH(columns) | BY RANDOM, then [BUCKETS n | BUCKETS AUTO].
SqlResult<DistributionSpec> parse_distribution(SqlCursor& cursor) {
  DistributionSpec out;
  TRY_VOID(cursor.expect_keyword("BY"));
  if (cursor.accept_keyword("HASH")) {
    out.kind = Distribution::Hash;
    TRY(out.columns, cursor.expect_name_list("a column name"));
  } else if (!cursor.accept_keyword("RANDOM")) {
    return cursor.unexpected_here("HASH or RANDOM");
  }
  if (cursor.accept_keyword("BUCKETS") && !cursor.accept_keyword("AUTO")) {
    TRY(out.buckets, cursor.expect_number("a number of buckets or AUTO"));
  }
  return out;
}

// Clauses that Doris has and penstock does not take.
SqlResult<> refuse_unsupported(const SqlCursor& cursor, const CreateTableStatement& out) {
  for (const char* word : {"CLUSTER", "ROLLUP", "AS", "BROKER", "SELECT"}) {
    if (cursor.at_keyword(word)) {
      return sql_error(fmt::format("CREATE TABLE {}: {} is not supported yet", out.name.table, word));
    }
  }
  return {};
}

// One clause after the columns; false when there is none here.
SqlResult<bool> accept_clause(SqlCursor& cursor, CreateTableStatement& out, bool& has_comment,
                              bool& has_properties) {
  if (!out.key_model) {
    TRY(const bool is_key, accept_key(cursor, out));
    if (is_key) return true;
  }
  if (cursor.accept_keyword("ENGINE")) {
    TRY_VOID(cursor.expect_symbol('='));
    TRY(const std::string engine, cursor.expect_name("OLAP"));
    if (equal_ignoring_case(engine, "OLAP")) return true;
    return sql_error(fmt::format("CREATE TABLE {}: ENGINE={} is not supported: use OLAP", out.name.table,
                                 engine.substr(0, 64)));
  }
  if (!has_comment && cursor.accept_keyword("COMMENT")) {
    has_comment = true;
    TRY(out.comment, cursor.expect_string("a comment in quotes"));
    return true;
  }
  if (!out.partitioning && (cursor.at_keyword("PARTITION") || cursor.at_keyword("AUTO"))) {
    TRY(out.partitioning, parse_partitioning(cursor));
    return true;
  }
  if (!out.distribution && cursor.accept_keyword("DISTRIBUTED")) {
    TRY(out.distribution, parse_distribution(cursor));
    return true;
  }
  if (!has_properties && cursor.accept_keyword("PROPERTIES")) {
    has_properties = true;
    TRY(out.properties, cursor.expect_properties());
    return true;
  }
  return false;
}

}  // namespace

SqlResult<ColumnSpec> parse_column(SqlCursor& cursor) {
  ColumnSpec column;
  TRY(column.name, cursor.expect_name("a column name"));
  TRY(column.type, parse_type(cursor));
  TRY_VOID(parse_column_words(cursor, column));
  return column;
}

SqlResult<Statement> parse_create_table(SqlCursor& cursor) {
  CreateTableStatement out;
  if (cursor.accept_keyword("IF")) {
    TRY_VOID(cursor.expect_keywords("NOT", "EXISTS"));
    out.if_not_exists = true;
  }
  TRY(out.name, cursor.expect_table());
  if (cursor.accept_keyword("LIKE")) {
    CreateTableLikeStatement like{out.if_not_exists, std::move(out.name), {}};
    TRY(like.like, cursor.expect_table());
    if (cursor.at_keyword("WITH")) {
      return sql_error(
          fmt::format("CREATE TABLE {}: LIKE ... WITH ROLLUP is not supported yet", like.name.table));
    }
    return like;
  }
  TRY_VOID(refuse_unsupported(cursor, out));
  TRY_VOID(parse_columns(cursor, out));
  bool has_comment = false;
  bool has_properties = false;
  for (;;) {
    TRY(const bool has_clause, accept_clause(cursor, out, has_comment, has_properties));
    if (!has_clause) break;
  }
  TRY_VOID(refuse_unsupported(cursor, out));
  if (!cursor.at_end() && !cursor.at_symbol(';')) {
    return cursor.unexpected_here(
        "ENGINE, DUPLICATE KEY, COMMENT, PARTITION BY, DISTRIBUTED BY, PROPERTIES or the end of the "
        "statement");
  }
  return out;
}

}  // namespace penstock::txn
