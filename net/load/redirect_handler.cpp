#include "net/load/redirect_handler.hpp"

#include <fmt/format.h>

#include "net/auth/basic_auth.hpp"
#include "net/http/host_port.hpp"

namespace penstock::net {
namespace {

// What has no meaning of its own in a URL stays, all else is escaped.
std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

// /api/{db}/{table}/_stream_load, and /api/{db}[/{table}]/_stream_load_2pc; one slash more at the end is accepted.
bool is_load_path(std::string_view path) {
  if (!path.starts_with("/api/")) return false;
  path.remove_prefix(5);
  if (path.ends_with('/')) path.remove_suffix(1);
  std::array<std::string_view, 3> parts;
  std::size_t count = 0;
  for (;;) {
    if (count == parts.size()) return false;
    const std::size_t end = std::min(path.find('/'), path.size());
    parts[count++] = path.substr(0, end);
    if (parts[count - 1].empty()) return false;
    if (end == path.size()) break;
    path.remove_prefix(end + 1);
  }
  if (count == 3 && parts[2] == "_stream_load") return true;
  return count >= 2 && parts[count - 1] == "_stream_load_2pc";
}

// Whether the client will send the same request again elsewhere without having lost a byte.
bool has_sent_no_body(const Exchange& exchange) {
  const Request& request = exchange.request();
  switch (request.body_length()) {
    case BodyLength::None:
      return true;
    case BodyLength::Length:
      if (request.content_length() == 0) return true;
      break;
    case BodyLength::Chunked:
      break;
    case BodyLength::Both:
      return false;
  }
  return request.expects_continue() && !exchange.has_unread_bytes();
}

}  // namespace

std::string RedirectHandler::location_for(const Exchange& exchange) const {
  const Request& request = exchange.request();
  if (request.method() != Method::Put && request.method() != Method::Post) return {};
  if (!is_load_path(request.path()) || !has_sent_no_body(exchange)) return {};
  const auto who = parse_basic_auth(request.header("authorization").value_or(""));
  const auto main = parse_host_port(main_address_);
  if (!who || !main || main->port.empty()) return {};
  const auto named = parse_host_port(request.header("host").value_or(""));
  if (!named && (main->host == "0.0.0.0" || main->host == "[::]" || main->host == "*"))
    return {};  // no address at all
  return fmt::format("http://{}:{}@{}:{}{}?{}", percent_encode(who->user), percent_encode(who->password),
                     named ? named->host : main->host, main->port, request.path(), request.query());
}

core::Task<void> RedirectHandler::handle(Exchange& exchange) {
  const std::string location = exchange.was_moved() ? std::string() : location_for(exchange);
  if (location.empty()) {
    co_await main_.handle(exchange);
    co_return;
  }
  exchange.close_after_reply();
  Response response{.status = 307, .content_type = "text/html;charset=utf-8", .body = {}};
  response.headers.emplace_back("Location", location);
  (void)co_await exchange.reply(std::move(response));
}

}  // namespace penstock::net
