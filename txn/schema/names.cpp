#include "txn/schema/names.hpp"

#include <cstdint>

#include "txn/schema/table_schema.hpp"

namespace penstock::txn {
namespace {

constexpr std::uint32_t kBadCharacter = 0xFFFFFFFF;

// Takes one character off the front: its code point, or kBadCharacter for overlong, surrogate, too large or
// cut ones.
std::uint32_t take_character(std::string_view& text) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const std::uint32_t first = byte(0);
  std::size_t size = 1;
  std::uint32_t code = first;
  std::uint32_t smallest = 0;
  if (first >= 0x80) {
    if (first >= 0xC2 && first <= 0xDF) {
      size = 2, code = first & 0x1FU, smallest = 0x80;
    } else if (first >= 0xE0 && first <= 0xEF) {
      size = 3, code = first & 0x0FU, smallest = 0x800;
    } else if (first >= 0xF0 && first <= 0xF4) {
      size = 4, code = first & 0x07U, smallest = 0x10000;
    } else {
      return kBadCharacter;
    }
    if (text.size() < size) return kBadCharacter;
    for (std::size_t i = 1; i < size; ++i) {
      if ((byte(i) & 0xC0U) != 0x80U) return kBadCharacter;
      code = code << 6U | (byte(i) & 0x3FU);
    }
    if (code < smallest || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return kBadCharacter;
  }
  text.remove_prefix(size);
  return code;
}

constexpr bool is_letter(std::uint32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= 0xA0 && c != kBadCharacter);
}
constexpr bool is_digit(std::uint32_t c) { return c >= '0' && c <= '9'; }
constexpr bool is_one_of(std::uint32_t c, std::string_view set) {
  return c < 0x80 && set.find(static_cast<char>(c)) != std::string_view::npos;
}

template <class First, class Rest>
bool matches(std::string_view name, First first, Rest rest) {
  std::size_t characters = 0;
  while (!name.empty()) {
    const std::uint32_t c = take_character(name);
    if (characters == 0 ? !first(c) : !rest(c)) return false;
    if (++characters > kNameLengthMax) return false;
  }
  return characters > 0;
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    if (take_character(text) == kBadCharacter) return false;
  }
  return true;
}

bool is_database_or_table_name(std::string_view name) {
  return matches(
      name, [](std::uint32_t c) { return is_letter(c); },
      [](std::uint32_t c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; });
}

bool is_column_name(std::string_view name) {
  return matches(
      name, [](std::uint32_t c) { return is_letter(c) || is_digit(c) || is_one_of(c, "_@ /"); },
      [](std::uint32_t c) { return is_letter(c) || is_digit(c) || is_one_of(c, "._+,-/?@#$%^&*\" :"); });
}

bool is_system_database(std::string_view name) {
  return equal_ignoring_case(name, "information_schema") || equal_ignoring_case(name, "mysql") ||
         equal_ignoring_case(name, "__internal_schema");
}

}  // namespace penstock::txn
