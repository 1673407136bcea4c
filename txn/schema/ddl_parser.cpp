#include "txn/schema/ddl_parser.hpp"

#include <fmt/format.h>

#include <utility>

#include "txn/schema/names.hpp"

namespace penstock::txn {
namespace {

SqlResult<bool> accept_if_not_exists(SqlCursor& cursor) {
  if (!cursor.accept_keyword("IF")) return false;
  TRY_VOID(cursor.expect_keywords("NOT", "EXISTS"));
  return true;
}

SqlResult<bool> accept_if_exists(SqlCursor& cursor) {
  if (!cursor.accept_keyword("IF")) return false;
  TRY_VOID(cursor.expect_keyword("EXISTS"));
  return true;
}

bool accept_database_word(SqlCursor& cursor) {
  return cursor.accept_keyword("DATABASE") || cursor.accept_keyword("SCHEMA");
}

SqlResult<Statement> parse_create_database(SqlCursor& cursor) {
  CreateDatabaseStatement out;
  TRY(out.if_not_exists, accept_if_not_exists(cursor));
  TRY(out.name, cursor.expect_database());
  if (cursor.accept_keyword("PROPERTIES")) {
    TRY(out.properties, cursor.expect_properties());
  }
  return out;
}

SqlResult<Statement> parse_create(SqlCursor& cursor) {
  if (accept_database_word(cursor)) return parse_create_database(cursor);
  for (const char* kind : {"EXTERNAL", "TEMPORARY"}) {
    if (cursor.at_keyword(kind)) return sql_error(fmt::format("CREATE {} TABLE is not supported yet", kind));
  }
  if (!cursor.accept_keyword("TABLE")) return cursor.unexpected_here("DATABASE or TABLE after CREATE");
  return parse_create_table(cursor);
}

SqlResult<Statement> parse_drop(SqlCursor& cursor) {
  if (accept_database_word(cursor)) {
    DropDatabaseStatement out;
    TRY(out.if_exists, accept_if_exists(cursor));
    TRY(out.name, cursor.expect_database());
    out.force = cursor.accept_keyword("FORCE");
    return out;
  }
  if (!cursor.accept_keyword("TABLE")) return cursor.unexpected_here("DATABASE or TABLE after DROP");
  DropTableStatement out;
  TRY(out.if_exists, accept_if_exists(cursor));
  TRY(out.name, cursor.expect_table());
  out.force = cursor.accept_keyword("FORCE");
  return out;
}

// TRUNCATE [TABLE] t [FORCE]. A list of partitions is refused: rows are not kept by partition.
SqlResult<Statement> parse_truncate(SqlCursor& cursor) {
  cursor.accept_keyword("TABLE");
  TruncateTableStatement out;
  TRY(out.name, cursor.expect_table());
  if (cursor.at_keyword("PARTITION") || cursor.at_keyword("PARTITIONS")) {
    return sql_error(fmt::format("TRUNCATE TABLE {}: PARTITION is not supported yet", out.name.table));
  }
  cursor.accept_keyword("FORCE");
  return out;
}

SqlResult<std::optional<std::string>> accept_like(SqlCursor& cursor) {
  if (!cursor.accept_keyword("LIKE")) return std::nullopt;
  TRY(std::string pattern, cursor.expect_string("a pattern in quotes"));
  return pattern;
}

// After SHOW [FULL] COLUMNS: FROM t [FROM db] [LIKE pattern].
SqlResult<Statement> parse_show_columns(SqlCursor& cursor, ShowColumnsStatement::Form form) {
  ShowColumnsStatement out;
  out.form = form;
  if (!cursor.accept_keyword("FROM") && !cursor.accept_keyword("IN")) {
    return cursor.unexpected_here("FROM and a table");
  }
  TRY(out.name, cursor.expect_table());
  if (cursor.accept_keyword("FROM") || cursor.accept_keyword("IN")) {
    TRY(out.name.database, cursor.expect_database());
  }
  TRY(out.like, accept_like(cursor));
  return out;
}

// DESC [db.]t [ALL]
SqlResult<Statement> parse_describe(SqlCursor& cursor) {
  ShowColumnsStatement out;
  out.form = ShowColumnsStatement::Form::Describe;
  cursor.accept_keyword("TABLE");
  TRY(out.name, cursor.expect_table());
  cursor.accept_keyword("ALL");  // there are no rollups to add
  return out;
}

SqlResult<Statement> parse_show(SqlCursor& cursor) {
  const bool full = cursor.accept_keyword("FULL");
  if (cursor.accept_keyword("COLUMNS") || cursor.accept_keyword("FIELDS")) {
    return parse_show_columns(cursor,
                              full ? ShowColumnsStatement::Form::ShowFull : ShowColumnsStatement::Form::Show);
  }
  if (cursor.accept_keyword("TABLES")) {
    ShowTablesStatement out;
    out.full = full;
    if (cursor.accept_keyword("FROM") || cursor.accept_keyword("IN")) {
      TRY(out.database, cursor.expect_database());
    }
    TRY(out.like, accept_like(cursor));
    return out;
  }
  if (full) return cursor.unexpected_here("COLUMNS or TABLES after SHOW FULL");
  if (cursor.accept_keyword("DATABASES") || cursor.accept_keyword("SCHEMAS")) {
    ShowDatabasesStatement out;
    TRY(out.like, accept_like(cursor));
    return out;
  }
  if (cursor.accept_keyword("CREATE")) {
    TRY_VOID(cursor.expect_keyword("TABLE"));
    ShowCreateTableStatement out;
    TRY(out.name, cursor.expect_table());
    return out;
  }
  return cursor.unexpected_here("DATABASES, TABLES, COLUMNS or CREATE TABLE after SHOW");
}

}  // namespace

SqlResult<Statement> parse_statement(std::string_view text) {
  if (text.size() > kStatementBytesMax) {
    return sql_error(
        fmt::format("the statement has {} bytes: at most {} are taken", text.size(), kStatementBytesMax));
  }
  if (!is_valid_utf8(text)) return sql_error("the statement is not valid UTF-8");
  SqlCursor cursor(text);
  while (cursor.accept_symbol(';')) {
  }
  if (cursor.at_end()) return sql_error("the statement is empty");

  using Parser = SqlResult<Statement> (*)(SqlCursor&);
  Parser parser = nullptr;
  if (cursor.accept_keyword("CREATE")) {
    parser = parse_create;
  } else if (cursor.accept_keyword("DROP")) {
    parser = parse_drop;
  } else if (cursor.accept_keyword("TRUNCATE")) {
    parser = parse_truncate;
  } else if (cursor.accept_keyword("DESC") || cursor.accept_keyword("DESCRIBE")) {
    parser = parse_describe;
  } else if (cursor.accept_keyword("SHOW")) {
    parser = parse_show;
  } else if (cursor.accept_keyword("ALTER")) {
    parser = parse_alter;
  } else if (cursor.accept_keyword("SELECT")) {
    parser = parse_select;
  } else {
    for (const char* word : {"INSERT", "UPDATE", "DELETE", "USE", "SET", "EXPLAIN", "ADMIN", "GRANT",
                             "REVOKE", "RECOVER", "REFRESH", "WITH"}) {
      if (cursor.at_keyword(word)) return sql_error(fmt::format("{} is not supported yet", word));
    }
    return cursor.unexpected_here("CREATE, DROP, TRUNCATE, ALTER, SHOW, DESC or SELECT");
  }
  TRY(Statement statement, parser(cursor));
  TRY_VOID(cursor.expect_end());
  return statement;
}

}  // namespace penstock::txn
