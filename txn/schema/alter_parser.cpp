// ALTER TABLE: what it does to the columns.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "txn/schema/ddl_parser.hpp"

namespace penstock::txn {
namespace {

constexpr std::size_t kClausesMax = 1024;

std::unexpected<SqlError> not_yet(const TableName& table, std::string_view what) {
  return sql_error(fmt::format("ALTER TABLE {}: {} is not supported yet", table.table, what));
}

SqlResult<ColumnPlace> accept_place(SqlCursor& cursor) {
  ColumnPlace place;
  if (cursor.accept_keyword("FIRST")) {
    place.is_first = true;
  } else if (cursor.accept_keyword("AFTER")) {
    TRY(place.after, cursor.expect_name("the name of a column"));
  }
  return place;
}

// What Doris knows behind a clause and penstock has none of.
SqlResult<> refuse_rollup(SqlCursor& cursor, const TableName& table) {
  for (const char* word : {"TO", "IN", "FROM"}) {
    if (cursor.at_keyword(word)) return not_yet(table, "a column of a rollup");
  }
  if (!cursor.accept_keyword("PROPERTIES")) return {};
  TRY_VOID(cursor.expect_properties());  // of the job that Doris makes of it
  return {};
}

// After ADD [COLUMN].
// `columns`: of the statement so far.
SqlResult<AlterClause> parse_add(SqlCursor& cursor, const TableName& table, std::size_t& columns) {
  AddColumns out;
  if (cursor.at_keyword("IF") && SqlCursor::is_keyword(cursor.ahead(), "NOT")) {
    cursor.advance();
    TRY_VOID(cursor.expect_keywords("NOT", "EXISTS"));
    out.if_not_exists = true;
  }
  const auto add_one = [&]() -> SqlResult<> {
    if (columns == kColumnsMax) {
      return sql_error(fmt::format("ALTER TABLE {}: more than {} columns", table.table, kColumnsMax));
    }
    ++columns;
    TRY(ColumnSpec column, parse_column(cursor));
    out.columns.push_back(std::move(column));
    return {};
  };
  if (cursor.accept_symbol('(')) {
    do {
      TRY_VOID(add_one());
    } while (cursor.accept_symbol(','));
    if (!cursor.accept_symbol(')')) {
      return cursor.unexpected_here("NULL, NOT NULL, DEFAULT, COMMENT, ',' or ')'");
    }
  } else {
    TRY_VOID(add_one());
    TRY(out.place, accept_place(cursor));
  }
  TRY_VOID(refuse_rollup(cursor, table));
  return out;
}

SqlResult<AlterClause> parse_drop(SqlCursor& cursor, const TableName& table) {
  DropColumn out;
  if (cursor.at_keyword("IF") && SqlCursor::is_keyword(cursor.ahead(), "EXISTS")) {
    cursor.advance();
    cursor.advance();
    out.if_exists = true;
  }
  TRY(out.name, cursor.expect_name("the name of a column"));
  TRY_VOID(refuse_rollup(cursor, table));
  return out;
}

SqlResult<AlterClause> parse_modify(SqlCursor& cursor, const TableName& table) {
  if (SqlCursor::is_keyword(cursor.ahead(), "COMMENT")) {
    CommentColumn out;
    TRY(out.name, cursor.expect_name("the name of a column"));
    cursor.advance();
    TRY(out.comment, cursor.expect_string("a comment in quotes"));
    return out;
  }
  ModifyColumn out;
  TRY(out.column, parse_column(cursor));
  TRY(out.place, accept_place(cursor));
  TRY_VOID(refuse_rollup(cursor, table));
  return out;
}

SqlResult<AlterClause> parse_clause(SqlCursor& cursor, const TableName& table, std::size_t& columns) {
  if (cursor.accept_keyword("ADD")) {
    for (const char* what : {"PARTITION", "PARTITIONS", "ROLLUP", "INDEX", "TEMPORARY", "CONSTRAINT"}) {
      if (cursor.at_keyword(what)) return not_yet(table, fmt::format("ADD {}", what));
    }
    if (!cursor.accept_keyword("COLUMN")) return cursor.unexpected_here("COLUMN after ADD");
    return parse_add(cursor, table, columns);
  }
  if (cursor.accept_keyword("DROP")) {
    for (const char* what : {"PARTITION", "ROLLUP", "INDEX", "TEMPORARY", "CONSTRAINT"}) {
      if (cursor.at_keyword(what)) return not_yet(table, fmt::format("DROP {}", what));
    }
    if (!cursor.accept_keyword("COLUMN")) return cursor.unexpected_here("COLUMN after DROP");
    return parse_drop(cursor, table);
  }
  if (cursor.accept_keyword("MODIFY")) {
    if (cursor.accept_keyword("COMMENT")) {
      CommentTable out;
      TRY(out.comment, cursor.expect_string("a comment in quotes"));
      return out;
    }
    for (const char* what : {"PARTITION", "ENGINE", "DISTRIBUTION"}) {
      if (cursor.at_keyword(what)) return not_yet(table, fmt::format("MODIFY {}", what));
    }
    if (!cursor.accept_keyword("COLUMN")) return cursor.unexpected_here("COLUMN or COMMENT after MODIFY");
    return parse_modify(cursor, table);
  }
  if (cursor.accept_keyword("RENAME")) {
    if (!cursor.accept_keyword("COLUMN")) return not_yet(table, "RENAME of anything but a COLUMN");
    RenameColumn out;
    TRY(out.from, cursor.expect_name("the name of a column"));
    if (cursor.at_keyword("TO") && cursor.ahead().kind != Token::Kind::End) cursor.advance();
    TRY(out.to, cursor.expect_name("the new name"));
    return out;
  }
  for (const char* word : {"SET", "REPLACE", "ENABLE", "ORDER", "SWAP"}) {
    if (cursor.at_keyword(word)) return not_yet(table, word);
  }
  return cursor.unexpected_here("ADD, DROP, MODIFY or RENAME");
}

}  // namespace

SqlResult<Statement> parse_alter(SqlCursor& cursor) {
  for (const char* kind : {"DATABASE", "SCHEMA", "VIEW", "USER", "SYSTEM", "CATALOG", "MATERIALIZED",
                           "ROUTINE", "RESOURCE", "COLOCATE", "WORKLOAD"}) {
    if (cursor.at_keyword(kind)) return sql_error(fmt::format("ALTER {} is not supported yet", kind));
  }
  if (!cursor.accept_keyword("TABLE")) return cursor.unexpected_here("TABLE after ALTER");
  AlterTableStatement out;
  std::size_t columns = 0;
  TRY(out.name, cursor.expect_table());
  do {
    if (out.clauses.size() == kClausesMax) {
      return sql_error(fmt::format("ALTER TABLE {}: more than {} clauses", out.name.table, kClausesMax));
    }
    TRY(AlterClause clause, parse_clause(cursor, out.name, columns));
    out.clauses.push_back(std::move(clause));
  } while (cursor.accept_symbol(','));
  return out;
}

}  // namespace penstock::txn
