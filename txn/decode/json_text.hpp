// JSON as text: is it well formed, and how is it written without blanks.
//
// Values keep the order of their keys, their duplicates and the spelling of their numbers and strings: only blanks
// between tokens go. Nothing recurses; a value may be kJsonDepthMax deep.
//
// Journey:  JsonDecoder (objects and arrays for one column, documents that are arrays of rows), casts to JSON
//           columns -> [compact_json, resolve_json_string].
// Shard:    any; pure functions.
// Promise:  reads only the text it is given and writes at most as many bytes as it read. UTF-8 is not looked at.
// Failure:  JsonText::size 0: the text does not begin with a JSON value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "txn/column/grow_buffer.hpp"

namespace penstock::txn {

inline constexpr std::size_t kJsonDepthMax = 512;

struct JsonText {
  std::size_t size = 0;     // of the value as it was written, from the text's begin; 0: there is none
  std::size_t written = 0;  // without blanks
  bool is_too_deep = false;
};

// The value that `text` begins with, after blanks. `to` has room for text.size() bytes, or is nullptr: only checked.
JsonText compact_json(std::string_view text, char* to);
// Appends the one value that the text is. False: it is something else, and `out` is as it was.
bool compact_json(std::string_view text, GrowBuffer& out);
// Whether the text is one value and nothing else but blanks.
bool is_json(std::string_view text);

// How many characters at the begin of text are a JSON number; 0: none.
std::size_t json_number_size(std::string_view text);

// What the inside of a JSON string says. `to` has room for text.size() bytes; npos: an escape that is none, or half a
// surrogate pair. (Text without a backslash says what it is.)
std::size_t resolve_json_string(std::string_view text, char* to);

constexpr bool is_json_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
std::string_view trim_json_blanks(std::string_view text);

}  // namespace penstock::txn
