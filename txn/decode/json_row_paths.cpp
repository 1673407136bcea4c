// Rows of which paths lead to the values: what JsonRowParser does with jsonpaths and json_root.
#include <string>

#include "txn/decode/json_row.hpp"
#include "txn/decode/json_text.hpp"

namespace penstock::txn {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::size_t kTakenBytesMax = 512 * core::kMiB;  // of a row by all of its paths, at most

}  // namespace

JsonRowParser::Outcome JsonRowParser::take_paths(ondemand::document& document, bool has_root,
                                                 const RowContext& context) {
  ondemand::object object;
  std::string_view object_text = context.text;
  const auto enter = [&]() -> simdjson::error_code {
    if (const auto error = document.get_object().get(object)) return error;
    if (!has_root) return simdjson::SUCCESS;
    ondemand::value root;
    if (const auto error = navigate(object, *options_.root, context.scratch, context.text, root))
      return error;
    object_text = text_from(root, context.text);
    return root.get_object().get(object);
  };
  if (const auto error = enter()) {
    if (error == simdjson::NO_SUCH_FIELD) return reject("JSON Root not found.");
    if (error == simdjson::INCORRECT_TYPE) return reject("Expect json object value");
    return broken(error);
  }
  if (one_pass_) return take_keys(object, context);
  const JsonPathTree::Node& row = paths_.node(0);
  walked_ = 0;
  for (const std::uint32_t i : row.fields) {
    const std::uint32_t before = row.fields.front();
    if (i != before) {
      set(i, context.scratch.cells[before * context.stride + context.row], context);
    } else if (const Outcome taken = take_nested(object_text, i, context); taken != Outcome::Row) {
      return taken;
    }
    note_taken(i);
    if (cell_bytes_ > options_.cell_bytes_max) return reject("the values of the row are too long");
  }
  return take_object(object, row, row.fields.empty() ? 0 : 1, context);
}

void JsonRowParser::note_taken(std::size_t field) {
  seen_[field] = stamp_;
  ++matched_;
  ++matched_fed_;
}

// The value that a node's path leads to. `taken_above`: how often it lies in values that were taken as a whole.
JsonRowParser::Outcome JsonRowParser::take_inside(ondemand::value value, const JsonPathTree::Node& node,
                                                  std::size_t taken_above, const RowContext& context) {
  const char first = value.raw_json_token().front();
  const bool has_inside = first == '{' || first == '[';
  if (has_inside) taken_above += !node.fields.empty();
  if (has_inside && taken_above > 1 && taken_above > kTakenBytesMax / context.text.size()) {
    return reject("too many jsonpaths lie in one another for a row that is so long");
  }
  for (const std::uint32_t i : node.fields) {
    const std::uint32_t before = node.fields.front();
    if (i != before && (has_inside || first == '"')) {  // the same text again
      set(i, context.scratch.cells[before * context.stride + context.row], context);
    } else if (const Outcome taken = take_value(value, i, context); taken != Outcome::Row) {
      return taken;
    }
    note_taken(i);
    if (cell_bytes_ > options_.cell_bytes_max) return reject("the values of the row are too long");
  }
  if (first == '{' && !node.keys.empty()) {
    ondemand::object object;
    if (const auto error = value.get_object().get(object)) return broken(error);
    return take_object(object, node, taken_above, context);
  }
  if (first == '[' && !node.places.empty()) {
    ondemand::array array;
    if (const auto error = value.get_array().get(array)) return broken(error);
    return take_array(array, node, taken_above, context);
  }
  return Outcome::Row;
}

// Of several keys of one name the first counts.
JsonRowParser::Outcome JsonRowParser::take_object(ondemand::object object, const JsonPathTree::Node& node,
                                                  std::size_t taken_above, const RowContext& context) {
  std::size_t left = node.keys.size();
  if (left == 0) return Outcome::Row;
  std::string name;
  for (auto item : object) {
    ondemand::field field;
    if (const auto error = std::move(item).get(field)) return broken(error);
    ++walked_;
    bool has_escapes = false;
    const std::string_view key = written_key(field.key().raw(), context.text, has_escapes);
    name.assign(key);
    if (has_escapes) {
      const std::size_t size = resolve_json_string(key, name.data());
      if (size == std::string_view::npos) return broken(simdjson::STRING_ERROR);
      name.resize(size);
    }
    const auto found = node.keys.find(name);
    if (found == node.keys.end() || node_seen_[found->second] == stamp_) continue;
    node_seen_[found->second] = stamp_;
    const Outcome taken = take_inside(field.value(), paths_.node(found->second), taken_above, context);
    if (taken != Outcome::Row || --left == 0) return taken;
  }
  return Outcome::Row;
}

JsonRowParser::Outcome JsonRowParser::take_array(ondemand::array array, const JsonPathTree::Node& node,
                                                 std::size_t taken_above, const RowContext& context) {
  std::size_t left = node.places.size();
  std::int64_t place = 0;
  for (auto item : array) {
    ondemand::value value;
    if (const auto error = std::move(item).get(value)) return broken(error);
    ++walked_;
    const auto found = node.places.find(place++);
    if (found == node.places.end()) continue;
    const Outcome taken = take_inside(value, paths_.node(found->second), taken_above, context);
    if (taken != Outcome::Row || --left == 0) return taken;
  }
  return Outcome::Row;
}

// Where a path leads from an object. NO_SUCH_FIELD: nowhere.
simdjson::error_code JsonRowParser::navigate(ondemand::object object, const JsonPath& path,
                                             JsonScratch& scratch, std::string_view text,
                                             ondemand::value& out) {
  bool is_first = true;
  for (const JsonPathStep& step : path) {
    bool found = false;
    if (step.is_key()) {
      if (!is_first && out.get_object().get(object) != simdjson::SUCCESS) return simdjson::NO_SUCH_FIELD;
      for (auto item : object) {
        ondemand::field field;
        if (const auto error = std::move(item).get(field)) return error;
        bool has_escapes = false;
        std::string_view key = written_key(field.key().raw(), text, has_escapes);
        if (has_escapes) {
          char* said = scratch.arena.room(key.size());
          const std::size_t size = resolve_json_string(key, said);
          if (size == std::string_view::npos) return simdjson::STRING_ERROR;
          key = {said, size};
        }
        if (key != step.key) continue;
        out = field.value();
        found = true;
        break;
      }
    } else {
      ondemand::array array;
      if (is_first || out.get_array().get(array) != simdjson::SUCCESS) return simdjson::NO_SUCH_FIELD;
      std::int64_t left = step.index;
      for (auto item : array) {
        ondemand::value value;
        if (const auto error = std::move(item).get(value)) return error;
        if (left-- != 0) continue;
        out = value;
        found = true;
        break;
      }
    }
    if (!found) return simdjson::NO_SUCH_FIELD;
    is_first = false;
  }
  return is_first ? simdjson::NO_SUCH_FIELD : simdjson::SUCCESS;
}

std::string_view JsonRowParser::find_root(std::string_view document_text, JsonScratch& scratch) {
  ondemand::document document;
  ondemand::object object;
  ondemand::value root;
  if (!start(document_text, scratch, document)) return {};
  if (document.get_object().get(object) != simdjson::SUCCESS ||
      navigate(object, *options_.root, scratch, document_text, root) != simdjson::SUCCESS) {
    reject("JSON Root not found.");
    return {};
  }
  const std::string_view rest = text_from(root, document_text);
  return rest.substr(0, compact_json(rest, nullptr).size);
}

}  // namespace penstock::txn
