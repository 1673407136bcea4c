// Percent-decoding and query strings: what a request's target says.
//
// Journey:  HeadParser and Router take a target apart with it.
// Shard:    any; pure functions.
// Promise:  each component is decoded once, after it was cut at its separators, so `%2F` never makes a new
//           segment.
// Failure:  a `%` without two hex digits: false, and a head that carries one is refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace penstock::net {

bool has_valid_escapes(std::string_view text);
// False for a bad escape. With `plus_is_space` as HTML forms write queries.
bool percent_decode(std::string_view text, bool plus_is_space, std::string& out);
// The first value of `name` in `a=1&b=2`; a name without `=` has the value "".
std::optional<std::string> find_query_value(std::string_view query, std::string_view name);

}  // namespace penstock::net
