// JSON in and out, for replies and small bodies. simdjson is behind this header.
//
// Journey:  net/load and net/query format replies with it; net/query reads `{"stmt": "..."}` with it.
// Shard:    any; pure functions.
// Promise:  append_json_string always gives valid JSON: control bytes are escaped, what is not UTF-8 becomes U+FFFD.
// Failure:  json_string_field: a message that says what is wrong with the body.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace penstock::net {

void append_json_string(std::string& out, std::string_view text);
std::string json_string(std::string_view text);

// The value of one string field of the object that `body` is.
std::expected<std::string, std::string> json_string_field(std::string_view body, std::string_view field);

// A true or false of the object that `body` is; false where it is not there, as in Doris also from 0 and 1.
std::expected<bool, std::string> json_flag_field(std::string_view body, std::string_view field);

}  // namespace penstock::net
