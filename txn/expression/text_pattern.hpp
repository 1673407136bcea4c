// Searches in texts, as LIKE and other functions need them.
//
// In LIKE, % stands for any text, _ for any one character, \ takes the meaning of the mark behind it away.
//
// Journey:  kernels of texts -> [find_text, matches_like].
// Shard:    any; pure.
// Promise:  no recursion. A search takes a number of steps that text and pattern together bound, but for runs of LIKE
//           that have a _ in them: what those take is told.
// Failure:  matches_like: `spend` said that there was too much work: false. A \ at the end stands for itself.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

namespace penstock::txn {

inline bool is_inside_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// Where `what` is in the text, from `from` on. std::string_view::find looks at each place anew, which is quicker for
// short ones and without a bound for long ones.
inline constexpr std::size_t kShortSearch = 16;
inline std::size_t find_text(std::string_view text, std::string_view what, std::size_t from) {
  if (what.size() < kShortSearch || from > text.size()) return text.find(what, from);
  const void* const found = memmem(text.data() + from, text.size() - from, what.data(), what.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

// What stands between two % of a pattern.
class LikeRun {
 public:
  explicit LikeRun(std::string_view pattern) : pattern_(pattern) {}

  // The first place from `from` on at which it matches; `end` is behind it. npos: there is none.
  template <class Spend>
  std::size_t find(std::string_view text, std::size_t from, std::size_t& end, Spend& spend) const {
    if (pattern_.find_first_of("\\_") == std::string_view::npos)
      return find_literal(pattern_, text, from, end);
    if (pattern_.find('_') == std::string_view::npos) return find_literal(said(), text, from, end);
    for (;;) {
      std::size_t steps = 1;
      const bool matches = match(text, from, end, steps);
      if (!spend(kStepCost * steps)) return std::string_view::npos;
      if (matches) return from;
      if (from == text.size()) return std::string_view::npos;
      from = next_character(text, from);
    }
  }

  // Whether it matches at `from`.
  bool match(std::string_view text, std::size_t from, std::size_t& end, std::size_t& steps) const {
    std::size_t at = from;
    for (std::size_t i = 0; i < pattern_.size(); ++steps) {
      if (at == text.size()) return false;
      if (pattern_[i] == '_') {
        at = next_character(text, at);
        ++i;
        continue;
      }
      if (pattern_[i] == '\\' && i + 1 < pattern_.size()) ++i;
      if (pattern_[i++] != text[at++]) return false;
    }
    end = at;
    return true;
  }

  // Where it would have to begin to end with the text. npos: the text has too few characters.
  std::size_t begin_at_end(std::string_view text) const {
    std::size_t characters = 0;
    for (std::size_t i = 0; i < pattern_.size(); ++i) {
      if (pattern_[i] == '\\' && i + 1 < pattern_.size()) ++i;
      if (!is_inside_character(pattern_[i])) ++characters;
    }
    std::size_t at = text.size();
    for (; characters > 0; --characters) {
      if (at == 0) return std::string_view::npos;
      --at;
      while (at > 0 && is_inside_character(text[at])) --at;
    }
    return at;
  }

 private:
  static constexpr std::size_t kStepCost = 4;  // of a byte that is merely copied or compared

  static std::size_t next_character(std::string_view text, std::size_t from) {
    ++from;
    while (from < text.size() && is_inside_character(text[from])) ++from;
    return from;
  }
  static std::size_t find_literal(std::string_view literal, std::string_view text, std::size_t from,
                                  std::size_t& end) {
    const std::size_t at = find_text(text, literal, from);
    if (at != std::string_view::npos) end = at + literal.size();
    return at;
  }
  std::string said() const {
    std::string out;
    for (std::size_t i = 0; i < pattern_.size(); ++i) {
      if (pattern_[i] == '\\' && i + 1 < pattern_.size()) ++i;
      out += pattern_[i];
    }
    return out;
  }

  std::string_view pattern_;
};

// spend(steps): false when it is enough.
template <class Spend>
bool matches_like(std::string_view text, std::string_view pattern, Spend spend) {
  if (!spend(text.size() + pattern.size())) return false;
  std::size_t at = 0;  // what is before it, is matched
  bool is_first = true;
  for (std::size_t i = 0;;) {
    std::size_t run_end = i;
    while (run_end < pattern.size() && pattern[run_end] != '%') {
      run_end += pattern[run_end] == '\\' && run_end + 1 < pattern.size() ? 2 : 1;
    }
    const bool is_last = run_end == pattern.size();
    const LikeRun run(pattern.substr(i, run_end - i));
    std::size_t end = at;
    std::size_t steps = 0;
    if (is_first) {
      if (!run.match(text, 0, end, steps)) return false;
      if (is_last) return end == text.size();
    } else if (is_last) {
      const std::size_t begin = run.begin_at_end(text);
      return begin != std::string_view::npos && begin >= at && run.match(text, begin, end, steps) &&
             end == text.size();
    } else if (run.find(text, at, end, spend) == std::string_view::npos) {
      return false;
    }
    at = end;
    i = run_end + 1;
    is_first = false;
  }
}

}  // namespace penstock::txn
