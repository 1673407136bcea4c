// Statement text to tokens, one at a time.
//
// Words, `names`, 'strings' and "strings" (backslash and doubled-quote escapes), numbers and one-character
// symbols. Blanks and comments (--, # and /* */) fall away. Nothing is kept but the token in hand, so memory
// follows the longest token and not the statement.
//
// Journey:  SqlCursor -> [SqlLexer] -> Token.
// Shard:    any; a value that views the statement, which must outlive it.
// Promise:  every call of next() moves forward or gives End; a token's text is valid UTF-8 if the statement
//           is.
// Failure:  a token of kind Bad, whose text is the message; after it the lexer gives End.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::txn {

struct Token {
  enum class Kind : std::uint8_t { End, Word, QuotedName, String, Number, Symbol, Bad };
  Kind kind = Kind::End;
  std::string text;       // without quotes and escapes
  std::size_t begin = 0;  // where it stands in the statement, quotes included
  std::size_t end = 0;
};

class SqlLexer {
 public:
  explicit SqlLexer(std::string_view text) : text_(text) {}
  Token next();

 private:
  bool skip_blanks(Token& bad);
  Token quoted(char quote, Token::Kind kind);
  Token word_or_number();
  Token bad(std::size_t begin, std::string message);
  char at(std::size_t index) const { return index < text_.size() ? text_[index] : '\0'; }

  std::string_view text_;
  std::size_t at_ = 0;
};

// 'FOO (a, b': the next few bytes at an offset, for messages: whole characters, control characters as
// blanks.
std::string text_near(std::string_view text, std::size_t offset);

}  // namespace penstock::txn
