#include "txn/decode/json_compact.hpp"

#include <bitset>

namespace penstock::txn {
namespace {

bool is_json_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

class Compactor {
 public:
  Compactor(std::string_view text, char* to) : text_(text), to_(to) {}

  bool run() {
    for (;;) {
      if (!take_value_or_open()) return false;
      // Behind a value: what holds it goes on or ends.
      for (;;) {
        skip_blanks();
        if (depth_ == 0) return at_ == text_.size();
        if (at_ == text_.size()) return false;
        const bool is_object = objects_[depth_ - 1];
        const char c = text_[at_];
        if (c == (is_object ? '}' : ']')) {
          put(c);
          --depth_;
          continue;
        }
        if (c != ',') return false;
        put(c);
        if (is_object && !take_key()) return false;
        break;
      }
    }
  }
  char* end() const { return to_; }

 private:
  void put(char c) {
    *to_++ = c;
    ++at_;
  }
  void skip_blanks() {
    while (at_ < text_.size() && is_json_blank(text_[at_])) ++at_;
  }
  char current() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  // A whole scalar or empty container, or everything up to and with the first scalar inside of containers.
  bool take_value_or_open() {
    for (;;) {
      skip_blanks();
      const char c = current();
      if (c != '{' && c != '[') return take_scalar(c);
      if (depth_ == kJsonDepthMax) return false;
      put(c);
      skip_blanks();
      if (current() == (c == '{' ? '}' : ']')) {
        put(current());
        return true;
      }
      objects_[depth_++] = c == '{';
      if (c == '{' && !take_key()) return false;
    }
  }
  bool take_key() {
    skip_blanks();
    if (current() != '"' || !take_string()) return false;
    skip_blanks();
    if (current() != ':') return false;
    put(':');
    return true;
  }
  bool take_scalar(char c) {
    if (c == '"') return take_string();
    if (c == 't') return take_word("true");
    if (c == 'f') return take_word("false");
    if (c == 'n') return take_word("null");
    return take_number();
  }
  bool take_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    for (const char c : word) put(c);
    return true;
  }
  bool take_string() {
    put('"');
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (static_cast<unsigned char>(c) < 0x20) return false;
      put(c);
      if (c == '"') return true;
      if (c != '\\') continue;
      const char escaped = current();
      if (std::string_view("\"\\/bfnrtu").find(escaped) == std::string_view::npos) return false;
      put(escaped);
      for (int i = 0; escaped == 'u' && i < 4; ++i) {
        if (!is_hex(current())) return false;
        put(current());
      }
    }
    return false;
  }
  bool take_digits() {
    if (!is_digit(current())) return false;
    while (is_digit(current())) put(current());
    return true;
  }
  bool take_number() {
    if (current() == '-') put('-');
    if (current() == '0') {
      put('0');
    } else if (!take_digits()) {
      return false;
    }
    if (current() == '.') {
      put('.');
      if (!take_digits()) return false;
    }
    if (current() == 'e' || current() == 'E') {
      put(current());
      if (current() == '+' || current() == '-') put(current());
      if (!take_digits()) return false;
    }
    return true;
  }

  std::string_view text_;
  char* to_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::bitset<kJsonDepthMax> objects_;  // which open containers are objects
};

}  // namespace

bool compact_json(std::string_view text, GrowBuffer& out) {
  const std::size_t size = out.size();
  out.reserve(size + text.size());
  Compactor compactor(text, out.as<char>() + size);
  if (!compactor.run()) return false;
  out.set_size(static_cast<std::size_t>(compactor.end() - out.as<char>()));
  return true;
}

}  // namespace penstock::txn
