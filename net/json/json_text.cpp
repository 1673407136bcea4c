#include "net/json/json_text.hpp"

#include <fmt/format.h>
#include <simdjson.h>

namespace penstock::net {
namespace {

// Bytes of the UTF-8 character at the front of `text`; 0 if there is none that is valid.
std::size_t character_bytes(std::string_view text) {
  const auto byte = static_cast<unsigned char>(text[0]);
  const std::size_t size = byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 0;
  if (size == 0 || size > text.size()) return 0;
  return simdjson::validate_utf8(text.data(), size) ? size : 0;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  const bool is_valid = simdjson::validate_utf8(text.data(), text.size());
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x80 && !is_valid) {
      const std::size_t size = character_bytes(text.substr(i));
      out += size == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(i, size);
      i += size == 0 ? 1 : size;
      continue;
    }
    switch (byte) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (byte < 0x20 || byte == 0x7f) {
          out += fmt::format("\\u{:04x}", byte);
        } else {
          out += static_cast<char>(byte);
        }
    }
    ++i;
  }
  out += '"';
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::expected<std::string, std::string> json_string_field(std::string_view body, std::string_view field) {
  const simdjson::padded_string padded(body);
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  if (const auto error = parser.iterate(padded).get(document)) {
    return std::unexpected(fmt::format("the body is not JSON: {}", simdjson::error_message(error)));
  }
  simdjson::ondemand::object object;
  if (const auto error = document.get_object().get(object)) {
    return std::unexpected(fmt::format("the body is not a JSON object: {}", simdjson::error_message(error)));
  }
  std::string_view value;
  if (const auto error = object.find_field_unordered(field).get_string().get(value)) {
    return std::unexpected(
        fmt::format("the body has no string \"{}\": {}", field, simdjson::error_message(error)));
  }
  return std::string(value);
}

std::expected<bool, std::string> json_flag_field(std::string_view body, std::string_view field) {
  const simdjson::padded_string padded(body);
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  if (const auto error = parser.iterate(padded).get(document)) {
    return std::unexpected(fmt::format("the body is not JSON: {}", simdjson::error_message(error)));
  }
  if (const auto error = document.get_object().get(object)) {
    return std::unexpected(fmt::format("the body is not a JSON object: {}", simdjson::error_message(error)));
  }
  simdjson::ondemand::value value;
  const auto missing = object.find_field_unordered(field).get(value);
  if (missing == simdjson::NO_SUCH_FIELD) return false;
  if (missing)
    return std::unexpected(fmt::format("the body is not JSON: {}", simdjson::error_message(missing)));
  bool flag = false;
  if (!value.get_bool().get(flag)) return flag;
  std::int64_t number = 0;
  if (!value.get_int64().get(number)) return number != 0;
  return std::unexpected(fmt::format("\"{}\" of the body is neither true nor false", field));
}

}  // namespace penstock::net
