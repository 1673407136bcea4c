#include "net/http/message.hpp"

#include <algorithm>

#include "net/http/target.hpp"

namespace penstock::net {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

const char* method_name(Method method) {
  switch (method) {
    case Method::Get:
      return "GET";
    case Method::Head:
      return "HEAD";
    case Method::Post:
      return "POST";
    case Method::Put:
      return "PUT";
    case Method::Delete:
      return "DELETE";
    case Method::Options:
      return "OPTIONS";
    case Method::Patch:
      return "PATCH";
    case Method::Other:
      break;
  }
  return "OTHER";
}

std::string_view Request::query() const {
  const std::string_view behind = target().substr(path_at_ + path_size_);
  return behind.empty() ? behind : behind.substr(1);
}

std::optional<std::string> Request::query_value(std::string_view name) const {
  return find_query_value(query(), name);
}

Request::Header Request::header_at(std::size_t index) const {
  const Field& field = fields_[index];
  const std::string_view text = text_;
  return {text.substr(field.name_at, field.name_size), text.substr(field.value_at, field.value_size)};
}

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const Header each = header_at(i);
    if (equals_ignoring_case(each.name, name)) return each.value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Request::headers(std::string_view name) const {
  std::vector<std::string_view> values;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const Header each = header_at(i);
    if (equals_ignoring_case(each.name, name)) values.push_back(each.value);
  }
  return values;
}

std::string_view Request::first_value(std::string_view name) const {
  for (const std::string_view value : headers(name)) {
    if (!value.empty()) return value;
  }
  return {};
}

bool Request::header_has_token(std::string_view name, std::string_view token) const {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    Header each = header_at(i);
    if (!equals_ignoring_case(each.name, name)) continue;
    while (!each.value.empty()) {
      const std::size_t end = std::min(each.value.find(','), each.value.size());
      if (equals_ignoring_case(trim(each.value.substr(0, end)), token)) return true;
      each.value.remove_prefix(std::min(end + 1, each.value.size()));
    }
  }
  return false;
}

bool Request::expects_continue() const {
  const bool has_body =
      body_length_ == BodyLength::Chunked || (body_length_ == BodyLength::Length && content_length_ > 0);
  return !is_http_1_0_ && has_body && header_has_token("expect", "100-continue");
}

bool Request::wants_keep_alive() const {
  if (header_has_token("connection", "close")) return false;
  if (is_http_1_0_ && body_length_ == BodyLength::Chunked)
    return false;  // 1.0 does not know chunks: trust no further
  return !is_http_1_0_ || header_has_token("connection", "keep-alive");
}

const char* reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      break;
  }
  return status < 400 ? "Other" : "Error";
}

}  // namespace penstock::net
