#include "txn/decode/json_path.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "txn/decode/json_scan.hpp"
#include "txn/decode/json_text.hpp"
#include "txn/schema/table_schema.hpp"

namespace penstock::txn {
namespace {

constexpr std::int64_t kIndexMax = 1'000'000'000;

// One step from text[0] on, which is behind the dot; gives how many characters it took.
std::optional<std::size_t> parse_key(std::string_view text, JsonPath& path) {
  JsonPathStep step;
  std::size_t size = 0;
  if (!text.empty() && text.front() == '"') {
    const std::size_t end = text.find('"', 1);
    if (end == std::string_view::npos) return std::nullopt;
    step.key = text.substr(1, end - 1);
    size = end + 1;
  } else {
    size = std::min(text.find_first_of(".["), text.size());
    step.key = text.substr(0, size);
  }
  if (step.key.empty()) return std::nullopt;
  path.push_back(std::move(step));
  return size;
}

std::optional<std::size_t> parse_index(std::string_view text, JsonPath& path) {
  const std::size_t end = text.find(']');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view inside = text.substr(1, end - 1);
  if (inside == "*") return end + 1 == text.size() ? std::optional(end + 1) : std::nullopt;
  JsonPathStep step;
  const auto [stop, error] = std::from_chars(inside.data(), inside.data() + inside.size(), step.index);
  if (error != std::errc() || stop != inside.data() + inside.size() || step.index < 0 ||
      step.index > kIndexMax) {
    return std::nullopt;
  }
  path.push_back(std::move(step));
  return end + 1;
}

std::optional<JsonPath> parse(std::string_view text) {
  text = trim_json_blanks(text);
  if (text.empty() || text.front() != '$') return std::nullopt;
  text.remove_prefix(1);
  if (text == ".") return JsonPath{};
  JsonPath path;
  while (!text.empty()) {
    std::optional<std::size_t> used;
    if (path.size() == kJsonPathStepsMax) return std::nullopt;
    if (text.front() == '.') {
      text.remove_prefix(1);
      used = parse_key(text, path);
    } else if (text.front() == '[') {
      used = parse_index(text, path);
    }
    if (!used) return std::nullopt;
    text.remove_prefix(*used);
  }
  return path;
}

}  // namespace

std::expected<JsonPath, std::string> parse_json_path(std::string_view text) {
  if (std::optional<JsonPath> path = parse(text)) return std::move(*path);
  return std::unexpected(fmt::format("Invalid json path: {}", text));
}

std::expected<std::vector<JsonPath>, std::string> parse_json_paths(std::string_view text) {
  const auto invalid = [&] { return std::unexpected(fmt::format("Invalid json path: {}", text)); };
  if (!is_json(text)) return invalid();
  std::vector<JsonPath> paths;
  JsonElements elements;
  for (std::string_view rest = text;;) {
    const JsonElements::Step step = elements.next(rest);
    if (step.kind == JsonElements::Step::Kind::Done) return paths;
    if (step.kind != JsonElements::Step::Kind::Element) return invalid();
    const std::string_view item = rest.substr(step.begin, step.end - step.begin);
    if (item.size() < 2 || item.front() != '"' || paths.size() == kColumnsMax) return invalid();
    std::string said(item.size(), '\0');
    const std::size_t size = resolve_json_string(item.substr(1, item.size() - 2), said.data());
    if (size == std::string_view::npos) return invalid();
    said.resize(size);
    std::optional<JsonPath> path = parse(said);
    if (!path) return std::unexpected(fmt::format("Invalid json path: {}", said));
    paths.push_back(std::move(*path));
    rest.remove_prefix(step.end);
  }
}

}  // namespace penstock::txn
