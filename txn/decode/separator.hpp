// The texts of `column_separator` and `line_delimiter` as the bytes they stand for.
//
// Either hexadecimal, marked by a leading \x (`\x01`, `\x01\x02`, `\x0102`), or text in which \\ \' \" \r \t
// \n are escapes and any other backslash stays.
//
// Journey:  net/load (headers) -> [parse_separator] -> CsvOptions.
// Shard:    any; pure functions.
// Promise:  a separator that comes out has 1 to kSeparatorBytesMax bytes.
// Failure:  the message for the reply, in Doris's words.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace penstock::txn {

inline constexpr std::size_t kSeparatorBytesMax = 255;

std::expected<std::string, std::string> parse_column_separator(std::string_view text);
std::expected<std::string, std::string> parse_line_delimiter(std::string_view text);

}  // namespace penstock::txn
