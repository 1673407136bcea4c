// JsonPath: `$.a.b[2]."x.y"`, as the headers jsonpaths and json_root have it.
//
// Steps are keys and places in arrays. `[*]` as the last step means the array itself, which is what leaving it out
// means too.
//
// Journey:  net/load (headers) -> [parse_json_path, parse_json_paths] -> JsonDecoder.
// Shard:    any; values.
// Promise:  at most kJsonPathStepsMax steps a path, kColumnsMax paths.
// Failure:  the message for the reply, in Doris's words.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::txn {

inline constexpr std::size_t kJsonPathStepsMax = 64;

struct JsonPathStep {
  std::string key;          // where it is a key
  std::int64_t index = -1;  // where it is a place in an array
  bool is_key() const { return index < 0; }
};
using JsonPath = std::vector<JsonPathStep>;  // empty: the row itself

std::expected<JsonPath, std::string> parse_json_path(std::string_view text);
// A JSON array of path strings.
std::expected<std::vector<JsonPath>, std::string> parse_json_paths(std::string_view text);

}  // namespace penstock::txn
