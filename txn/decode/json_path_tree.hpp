// JsonPathTree: the paths of a load as one tree, so that a row is walked once for all of them.
//
// Journey:  JsonRowParser makes it of its fields -> [JsonPathTree] -> JsonRowParser::take_paths.
// Shard:    any; does not change once it is made.
// Promise:  as deep as the longest path (kJsonPathStepsMax); a node's fields have one and the same path.
// Failure:  none: nullptr where no path leads on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "txn/decode/json_path.hpp"

namespace penstock::txn {

class JsonPathTree {
 public:
  struct Node {
    std::vector<std::uint32_t> fields;                       // that are taken from here
    std::unordered_map<std::string, std::uint32_t> keys;     // of an object, to nodes
    std::unordered_map<std::int64_t, std::uint32_t> places;  // of an array, to nodes
    bool leads_on() const { return !keys.empty() || !places.empty(); }
  };

  JsonPathTree() : nodes_(1) {}
  void add(const JsonPath& path, std::uint32_t field) {
    std::uint32_t at = 0;
    for (const JsonPathStep& step : path) {
      const auto next = static_cast<std::uint32_t>(nodes_.size());
      const std::uint32_t to = step.is_key() ? nodes_[at].keys.emplace(step.key, next).first->second
                                             : nodes_[at].places.emplace(step.index, next).first->second;
      if (to == next) nodes_.emplace_back();
      at = to;
    }
    nodes_[at].fields.push_back(field);
  }
  const Node& node(std::uint32_t index) const { return nodes_[index]; }
  std::size_t size() const { return nodes_.size(); }

 private:
  std::vector<Node> nodes_;  // the first is the row itself
};

}  // namespace penstock::txn
