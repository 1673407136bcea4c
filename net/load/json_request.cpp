#include "net/load/json_request.hpp"

namespace penstock::net {
namespace {

bool is_true(std::string_view value) { return equals_ignoring_case(value, "true"); }

}  // namespace

// num_as_string and fuzzy_parse change nothing here: numbers keep their text anyway, and keys are expected in the order
// of the row before anyway.
std::expected<JsonRequest, std::string> parse_json_request(const Request& request) {
  JsonRequest json;
  const std::string_view by_line = request.first_value("read_json_by_line");
  const std::string_view strip = request.first_value("strip_outer_array");
  json.by_line = is_true(by_line) || (by_line.empty() && strip.empty());
  json.strip_outer_array = is_true(strip);
  if (const std::string_view text = request.first_value("jsonpaths"); !text.empty()) {
    auto paths = txn::parse_json_paths(text);
    if (!paths) return std::unexpected(paths.error());
    if (!paths->empty()) {
      json.jsonpaths = text;
      json.paths = std::move(*paths);
    }
  }
  if (const std::string_view text = request.first_value("json_root"); !text.empty()) {
    auto root = txn::parse_json_path(text);
    if (!root) return std::unexpected(root.error());
    if (!root->empty()) json.root = std::move(*root);
  }
  return json;
}

txn::JsonOptions json_options(const JsonRequest& request, const txn::StoreLimits& limits) {
  txn::JsonOptions options;
  options.by_line = request.by_line;
  options.strip_outer_array = request.strip_outer_array;
  options.jsonpaths = request.jsonpaths;
  options.paths = request.paths;
  options.has_root = request.root.has_value();
  if (request.root) options.root = *request.root;
  options.block = limits.block;
  options.row_bytes_max = limits.row_bytes_max;
  options.rejects = limits.rejects;
  return options;
}

}  // namespace penstock::net
