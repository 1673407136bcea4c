#include "txn/decode/separator.hpp"

namespace penstock::txn {
namespace {

bool starts_with_hex_mark(std::string_view text) {
  return text.size() >= 2 && text[0] == '\\' && (text[1] == 'x' || text[1] == 'X');
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::expected<std::string, std::string> parse_hex(std::string_view text) {
  std::string digits;
  while (!text.empty()) {
    if (starts_with_hex_mark(text)) {
      text.remove_prefix(2);
    } else {
      digits += text[0];
      text.remove_prefix(1);
    }
  }
  if (digits.empty()) return std::unexpected("Hex str is empty");
  for (const char c : digits) {
    if (hex_digit(c) < 0) return std::unexpected("Hex str format error");
  }
  if (digits.size() % 2 != 0) return std::unexpected("Hex str length error");
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    bytes += static_cast<char>(hex_digit(digits[i]) * 16 + hex_digit(digits[i + 1]));
  }
  return bytes;
}

std::string resolve_escapes(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      bytes += text[i];
      continue;
    }
    switch (text[++i]) {
      case '\\':
        bytes += '\\';
        break;
      case '\'':
        bytes += '\'';
        break;
      case '"':
        bytes += '"';
        break;
      case 'r':
        bytes += '\r';
        break;
      case 't':
        bytes += '\t';
        break;
      case 'n':
        bytes += '\n';
        break;
      default:
        bytes += '\\';
        bytes += text[i];
    }
  }
  return bytes;
}

std::expected<std::string, std::string> parse(std::string_view text, std::string_view what) {
  if (text.empty()) return std::unexpected(std::string(what) + " is null or empty");
  std::expected<std::string, std::string> bytes =
      starts_with_hex_mark(text) ? parse_hex(text) : resolve_escapes(text);
  if (bytes && bytes->size() > kSeparatorBytesMax) return std::unexpected(std::string(what) + " is too long");
  return bytes;
}

}  // namespace

std::expected<std::string, std::string> parse_column_separator(std::string_view text) {
  return parse(text, "Column separator");
}

std::expected<std::string, std::string> parse_line_delimiter(std::string_view text) {
  return parse(text, "Line delimiter");
}

}  // namespace penstock::txn
