#include "tools/toml_guard.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::tools {
namespace {

// Where the text in quotes that begins at `at` ends: behind its last quote, or at the end of all.
std::size_t end_of_quoted(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const std::string_view three = text.substr(at, 3);
  const bool is_long = three.size() == 3 && three[1] == quote && three[2] == quote;
  for (at += is_long ? 3 : 1; at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\') {
      ++at;
    } else if (!is_long && (text[at] == quote || text[at] == '\n')) {
      return at + 1;
    } else if (is_long && text.substr(at, 3) == three) {
      at += 3;
      while (at < text.size() && text[at] == quote) ++at;  // up to two more belong to it
      return at;
    }
  }
  return text.size();
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '"' || c == '\'';
}

}  // namespace

std::expected<void, std::string> check_toml_text(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark
  const auto fail = [text](std::size_t at, std::string_view what) {
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    return std::unexpected(fmt::format("line {}: {}", line, what));
  };
  std::size_t depth = 0;  // of brackets of a value
  bool begins_line = true;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const bool is_header = c == '[' && depth == 0 && begins_line;
    begins_line = c == '\n' || (begins_line && is_blank(c));
    if (c == '#') {
      at = std::min(text.find('\n', at), text.size());
    } else if (c == '"' || c == '\'') {
      at = end_of_quoted(text, at);
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      return fail(at, "letters other than ASCII stand in quotes only");
    } else if (is_header) {
      at += text.substr(at, 2) == "[[" ? 2 : 1;
      while (at < text.size() && is_blank(text[at])) ++at;
      if (at < text.size() && !begins_name(text[at])) return fail(at, "a table needs a name: [name]");
      while (at < text.size() && text[at] != ']' && text[at] != '\n' && text[at] != '#') {
        const bool is_quoted = text[at] == '"' || text[at] == '\'';
        if (static_cast<unsigned char>(text[at]) >= 0x80) break;  // found by the next turn
        at = is_quoted ? end_of_quoted(text, at) : at + 1;
      }
      while (at < text.size() && text[at] == ']') ++at;
    } else {
      if (c == '[' || c == '{') ++depth;
      if ((c == ']' || c == '}') && depth > 0) --depth;
      ++at;
    }
  }
  return {};
}

}  // namespace penstock::tools
