#include "txn/decode/json_text.hpp"

#include <array>
#include <cstring>

namespace penstock::txn {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Four hexadecimal digits; negative: they are not.
std::int32_t hex4(std::string_view text) {
  if (text.size() < 4) return -1;
  std::int32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const int digit = hex_digit(text[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

bool is_escape(char c) { return std::strchr("\"\\/bfnrt", c) != nullptr && c != 0; }

// The size of the string that begins at text[0] == '"', with both quotes; 0: it is not well formed.
std::size_t string_size(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') return i + 1;
    if (static_cast<unsigned char>(c) < 0x20) return 0;
    if (c != '\\') continue;
    if (++i == text.size()) return 0;
    if (text[i] == 'u') {
      if (hex4(text.substr(i + 1)) < 0) return 0;
      i += 4;
    } else if (!is_escape(text[i])) {
      return 0;
    }
  }
  return 0;
}

std::size_t scalar_size(std::string_view text) {
  if (text.starts_with("true") || text.starts_with("null")) return 4;
  if (text.starts_with("false")) return 5;
  if (text.front() == '"') return string_size(text);
  return json_number_size(text);
}

// One bit a level: whether it is an object.
class Levels {
 public:
  bool push(bool is_object) {
    if (depth_ == kJsonDepthMax) return false;
    std::uint64_t& word = words_[depth_ / 64];
    const std::uint64_t bit = std::uint64_t{1} << depth_ % 64;
    word = is_object ? word | bit : word & ~bit;
    ++depth_;
    return true;
  }
  void pop() { --depth_; }
  bool is_empty() const { return depth_ == 0; }
  bool is_object() const { return (words_[(depth_ - 1) / 64] >> (depth_ - 1) % 64 & 1) != 0; }

 private:
  std::size_t depth_ = 0;
  std::array<std::uint64_t, kJsonDepthMax / 64> words_;
};

class Compactor {
 public:
  Compactor(std::string_view text, char* to) : text_(text), to_(to) {}

  JsonText run() {
    const bool ok = walk();
    if (!ok) return {0, 0, is_too_deep_};
    return {at_, written_, false};
  }

 private:
  enum class Want : std::uint8_t { Value, ValueOrEnd, Key, KeyOrEnd, CommaOrEnd };

  bool walk() {
    Want want = Want::Value;
    for (;;) {
      while (at_ < text_.size() && is_json_blank(text_[at_])) ++at_;
      if (at_ == text_.size()) return false;
      const char c = text_[at_];
      if (c == '}' || c == ']') {
        const bool may_end = want == Want::CommaOrEnd || (want == Want::ValueOrEnd && c == ']') ||
                             (want == Want::KeyOrEnd && c == '}');
        if (!may_end || levels_.is_object() != (c == '}')) return false;
        take(1);
        levels_.pop();
        if (levels_.is_empty()) return true;
        want = Want::CommaOrEnd;
      } else if (want == Want::CommaOrEnd) {
        if (c != ',') return false;
        take(1);
        want = levels_.is_object() ? Want::Key : Want::Value;
      } else if (want == Want::Key || want == Want::KeyOrEnd) {
        if (!take_key()) return false;
        want = Want::Value;
      } else if (c == '{' || c == '[') {
        if (!levels_.push(c == '{')) {
          is_too_deep_ = true;
          return false;
        }
        take(1);
        want = c == '{' ? Want::KeyOrEnd : Want::ValueOrEnd;
      } else {
        const std::size_t size = scalar_size(text_.substr(at_));
        if (size == 0) return false;
        take(size);
        if (levels_.is_empty()) return true;
        want = Want::CommaOrEnd;
      }
    }
  }

  bool take_key() {
    if (text_[at_] != '"') return false;
    const std::size_t size = string_size(text_.substr(at_));
    if (size == 0) return false;
    take(size);
    while (at_ < text_.size() && is_json_blank(text_[at_])) ++at_;
    if (at_ == text_.size() || text_[at_] != ':') return false;
    take(1);
    return true;
  }

  void take(std::size_t size) {
    if (to_ != nullptr) std::memcpy(to_ + written_, text_.data() + at_, size);
    written_ += size;
    at_ += size;
  }

  std::string_view text_;
  char* to_;
  std::size_t at_ = 0;
  std::size_t written_ = 0;
  bool is_too_deep_ = false;
  Levels levels_;
};

std::size_t write_utf8(std::uint32_t code, char* to) {
  if (code < 0x80) {
    to[0] = static_cast<char>(code);
    return 1;
  }
  if (code < 0x800) {
    to[0] = static_cast<char>(0xc0 | code >> 6);
    to[1] = static_cast<char>(0x80 | (code & 0x3f));
    return 2;
  }
  if (code < 0x10000) {
    to[0] = static_cast<char>(0xe0 | code >> 12);
    to[1] = static_cast<char>(0x80 | (code >> 6 & 0x3f));
    to[2] = static_cast<char>(0x80 | (code & 0x3f));
    return 3;
  }
  to[0] = static_cast<char>(0xf0 | code >> 18);
  to[1] = static_cast<char>(0x80 | (code >> 12 & 0x3f));
  to[2] = static_cast<char>(0x80 | (code >> 6 & 0x3f));
  to[3] = static_cast<char>(0x80 | (code & 0x3f));
  return 4;
}

// A \u escape, its digits from text[0] on, with the second half of a pair. Gives how many characters it took; 0: bad.
std::size_t read_unicode(std::string_view text, std::uint32_t& code) {
  const std::int32_t first = hex4(text);
  if (first < 0) return 0;
  code = static_cast<std::uint32_t>(first);
  if (code < 0xd800 || code > 0xdfff) return 4;
  if (code > 0xdbff || text.size() < 10 || text[4] != '\\' || text[5] != 'u') return 0;
  const std::int32_t second = hex4(text.substr(6));
  if (second < 0xdc00 || second > 0xdfff) return 0;
  code = 0x10000 + ((code - 0xd800) << 10) + (static_cast<std::uint32_t>(second) - 0xdc00);
  return 10;
}

}  // namespace

JsonText compact_json(std::string_view text, char* to) { return Compactor(text, to).run(); }

bool compact_json(std::string_view text, GrowBuffer& out) {
  const std::size_t before = out.size();
  out.reserve(before + text.size());
  const JsonText value = compact_json(text, out.as<char>() + before);
  if (value.size == 0 || !trim_json_blanks(text.substr(value.size)).empty()) return false;
  out.set_size(before + value.written);
  return true;
}

bool is_json(std::string_view text) {
  const JsonText value = compact_json(text, nullptr);
  return value.size != 0 && trim_json_blanks(text.substr(value.size)).empty();
}

std::size_t json_number_size(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at - from;
  };
  if (at < text.size() && text[at] == '-') ++at;
  if (at == text.size()) return 0;
  if (text[at] == '0') {
    ++at;
  } else if (digits() == 0) {
    return 0;
  }
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits() == 0) return 0;
  }
  if (at < text.size() && (text[at] | 0x20) == 'e') {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits() == 0) return 0;
  }
  return at;
}

std::size_t resolve_json_string(std::string_view text, char* to) {
  char* const begin = to;
  std::size_t at = 0;
  while (at < text.size()) {
    const void* found = std::memchr(text.data() + at, '\\', text.size() - at);
    const std::size_t plain =
        found == nullptr ? text.size() - at
                         : static_cast<std::size_t>(static_cast<const char*>(found) - text.data()) - at;
    std::memcpy(to, text.data() + at, plain);
    to += plain;
    at += plain;
    if (found == nullptr) break;
    if (++at == text.size()) return std::string_view::npos;
    const char c = text[at++];
    if (c == 'u') {
      std::uint32_t code = 0;
      const std::size_t used = read_unicode(text.substr(at), code);
      if (used == 0) return std::string_view::npos;
      at += used;
      to += write_utf8(code, to);
      continue;
    }
    if (!is_escape(c)) return std::string_view::npos;
    switch (c) {
      case 'b':
        *to++ = '\b';
        break;
      case 'f':
        *to++ = '\f';
        break;
      case 'n':
        *to++ = '\n';
        break;
      case 'r':
        *to++ = '\r';
        break;
      case 't':
        *to++ = '\t';
        break;
      default:
        *to++ = c;
    }
  }
  return static_cast<std::size_t>(to - begin);
}

std::string_view trim_json_blanks(std::string_view text) {
  while (!text.empty() && is_json_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_json_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace penstock::txn
