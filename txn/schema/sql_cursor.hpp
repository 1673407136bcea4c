// The parser's hands: look at a token, take it if it is the one, say what was expected if it is not.
//
// Journey:  ddl_parser, create_table_parser -> [SqlCursor] -> SqlLexer.
// Shard:    any; a value that views the statement.
// Promise:  accept_* take a token or leave everything as it was; expect_* take it or give an error that names
//           it, its position and what was expected there.
// Failure:  SqlError; a token the lexer could not read fits nowhere, so its message is what comes out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "txn/schema/sql_lexer.hpp"
#include "txn/schema/statement.hpp"

namespace penstock::txn {

template <class T = void>
using SqlResult = std::expected<T, SqlError>;

// Messages name what was written; whatever was written, they stay within a kilobyte or so.
std::unexpected<SqlError> sql_error(std::string message);

class SqlCursor {
 public:
  explicit SqlCursor(std::string_view text);

  const Token& current() const { return current_; }
  const Token& ahead() const { return ahead_; }
  bool at_keyword(std::string_view keyword) const { return is_keyword(current_, keyword); }
  bool at_symbol(char symbol) const;
  bool at_end() const { return current_.kind == Token::Kind::End; }
  void advance();

  bool accept_keyword(std::string_view keyword);
  bool accept_symbol(char symbol);
  SqlResult<> expect_keyword(std::string_view keyword);
  SqlResult<> expect_keywords(std::string_view first, std::string_view second);
  SqlResult<> expect_symbol(char symbol);
  SqlResult<> expect_end();  // after any number of `;`

  SqlResult<std::string> expect_name(std::string_view what);  // a word or a `name`
  SqlResult<std::string> expect_string(std::string_view what);
  SqlResult<std::uint32_t> expect_number(std::string_view what);  // whole; too large ones become the largest
  SqlResult<std::string> expect_database();
  SqlResult<TableName> expect_table();
  SqlResult<std::vector<std::string>> expect_name_list(std::string_view what);  // (a, b)
  SqlResult<Properties> expect_properties();                                    // ("k" = "v", ...)

  // Takes everything from an open bracket to the one that closes it; brackets may nest 64 deep.
  SqlResult<> skip_brackets(char open, char close);
  // What was written from `begin` up to the last token taken.
  std::string_view text_since(std::size_t begin) const { return text_.substr(begin, last_end_ - begin); }

  // "unexpected 'FOO' at position 37 near 'FOO (a': expected KEY"
  std::unexpected<SqlError> unexpected_here(std::string_view expected) const;

  static bool is_keyword(const Token& token, std::string_view keyword);

 private:
  SqlResult<std::vector<std::string>> name_parts(std::string_view what);

  std::string_view text_;
  SqlLexer lexer_;
  Token current_;
  Token ahead_;
  std::size_t last_end_ = 0;
};

}  // namespace penstock::txn
