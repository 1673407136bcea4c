// JsonRequest: what a load's head says about a JSON body.
//
// Journey:  parse_load_request -> [parse_json_request] -> JsonOptions.
// Shard:    any; a value.
// Promise:  read_json_by_line holds where neither it nor strip_outer_array was sent; an empty value counts as absent.
// Failure:  the message of a Fail reply, in Doris's words.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "net/http/message.hpp"
#include "txn/decode/json_decoder.hpp"
#include "txn/store/limits.hpp"

namespace penstock::net {

struct JsonRequest {
  bool by_line = true;
  bool strip_outer_array = false;
  std::string jsonpaths;  // as it was sent
  std::vector<txn::JsonPath> paths;
  std::optional<txn::JsonPath> root;
};

std::expected<JsonRequest, std::string> parse_json_request(const Request& request);

txn::JsonOptions json_options(const JsonRequest& request, const txn::StoreLimits& limits);

}  // namespace penstock::net
