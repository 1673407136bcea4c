// LIKE: % stands for any text, _ for any one character, \ takes the meaning of the mark behind it away.
//
// Journey:  the kernel of LIKE -> [matches_like].
// Shard:    any; pure.
// Promise:  at most text times pattern steps, no recursion.
// Failure:  none; a \ at the end stands for itself.
#pragma once

#include <string_view>

namespace penstock::txn {

inline bool matches_like(std::string_view text, std::string_view pattern) {
  std::size_t at = 0;
  std::size_t in_pattern = 0;
  std::size_t after_star = std::string_view::npos;  // where the pattern goes on behind the last %
  std::size_t star_end = 0;                         // how much of the text that % has taken
  const auto next_character = [&](std::size_t from) {
    ++from;
    while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xc0) == 0x80) ++from;
    return from;
  };
  for (;;) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '%') {
      after_star = ++in_pattern;
      star_end = at;
      continue;
    }
    if (at == text.size() && in_pattern == pattern.size()) return true;
    bool matched = false;
    if (in_pattern < pattern.size() && at < text.size()) {
      const bool is_escaped = pattern[in_pattern] == '\\' && in_pattern + 1 < pattern.size();
      if (is_escaped) {
        matched = pattern[in_pattern + 1] == text[at];
        if (matched) {
          in_pattern += 2;
          ++at;
        }
      } else if (pattern[in_pattern] == '_') {
        matched = true;
        ++in_pattern;
        at = next_character(at);
      } else if (pattern[in_pattern] == text[at]) {
        matched = true;
        ++in_pattern;
        ++at;
      }
    }
    if (matched) continue;
    if (after_star == std::string_view::npos || star_end == text.size()) return false;
    star_end = next_character(star_end);
    at = star_end;
    in_pattern = after_star;
  }
}

}  // namespace penstock::txn
