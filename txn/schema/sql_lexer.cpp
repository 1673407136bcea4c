#include "txn/schema/sql_lexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::txn {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}
constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

constexpr char unescape(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case 'b':
      return '\b';
    case '0':
      return '\0';
    case 'Z':
      return '\x1a';
    default:
      return c;
  }
}

}  // namespace

std::string text_near(std::string_view text, std::size_t offset) {
  constexpr std::size_t kMost = 24;
  if (offset >= text.size()) return "the end";
  std::size_t end = std::min(text.size(), offset + kMost);
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
  std::string out = "'";
  for (const char c : text.substr(offset, end - offset)) {
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  }
  return out + "'";
}

Token SqlLexer::bad(std::size_t begin, std::string message) {
  message += fmt::format(" at position {} near {}", begin + 1, text_near(text_, begin));
  at_ = text_.size();
  return {Token::Kind::Bad, std::move(message), begin, text_.size()};
}

bool SqlLexer::skip_blanks(Token& bad_token) {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (is_blank(c)) {
      ++at_;
    } else if (c == '#' || (c == '-' && at(at_ + 1) == '-')) {
      const std::size_t line_end = text_.find('\n', at_);
      at_ = line_end == std::string_view::npos ? text_.size() : line_end + 1;
    } else if (c == '/' && at(at_ + 1) == '*') {
      const std::size_t close = text_.find("*/", at_ + 2);
      if (close == std::string_view::npos) {
        bad_token = bad(at_, "a comment that does not end");
        return false;
      }
      at_ = close + 2;
    } else {
      break;
    }
  }
  return true;
}

Token SqlLexer::next() {
  Token bad_token;
  if (!skip_blanks(bad_token)) return bad_token;
  if (at_ >= text_.size()) return {Token::Kind::End, "", text_.size(), text_.size()};
  const char c = text_[at_];
  if (c == '`') return quoted(c, Token::Kind::QuotedName);
  if (c == '\'' || c == '"') return quoted(c, Token::Kind::String);
  if (is_word_byte(c)) return word_or_number();
  if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) {
    return bad(at_, fmt::format("unexpected control character {:#04x}", static_cast<unsigned char>(c)));
  }
  ++at_;
  return {Token::Kind::Symbol, std::string(1, c), at_ - 1, at_};
}

Token SqlLexer::quoted(char quote, Token::Kind kind) {
  const std::size_t begin = at_++;
  std::string out;
  while (at_ < text_.size()) {
    const char c = text_[at_++];
    if (c == quote) {
      if (at(at_) != quote) return {kind, std::move(out), begin, at_};
      out += quote;
      ++at_;
    } else if (c == '\\' && kind == Token::Kind::String && at_ < text_.size()) {
      const char escaped = text_[at_++];
      if (escaped == '%' || escaped == '_') out += '\\';  // LIKE patterns keep theirs
      out += unescape(escaped);
    } else {
      out += c;
    }
  }
  return bad(begin, kind == Token::Kind::String ? "a string that does not end" : "a name that does not end");
}

// 12, 1.5 and 1e-3 are numbers; a name may begin with digits (2024_orders).
Token SqlLexer::word_or_number() {
  const std::size_t begin = at_;
  const auto token = [&](Token::Kind kind) {
    return Token{kind, std::string(text_.substr(begin, at_ - begin)), begin, at_};
  };
  std::size_t digits_end = begin;
  while (is_digit(at(digits_end))) ++digits_end;
  std::size_t end = digits_end;
  if (digits_end > begin && at(end) == '.' && is_digit(at(end + 1))) {
    ++end;
    while (is_digit(at(end))) ++end;
  }
  if (digits_end > begin && (at(end) == 'e' || at(end) == 'E')) {
    std::size_t exponent = end + 1;
    if (at(exponent) == '+' || at(exponent) == '-') ++exponent;
    if (is_digit(at(exponent))) {
      while (is_digit(at(exponent))) ++exponent;
      end = exponent;
    }
  }
  if (digits_end > begin && (end == text_.size() || !is_word_byte(text_[end]))) {
    at_ = end;
    return token(Token::Kind::Number);
  }
  while (at_ < text_.size() && is_word_byte(text_[at_])) ++at_;
  return token(Token::Kind::Word);
}

}  // namespace penstock::txn
