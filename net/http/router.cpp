#include "net/http/router.hpp"

#include <algorithm>

#include "net/http/target.hpp"

namespace penstock::net {
namespace {

constexpr std::size_t kSegmentsMax = 32;
constexpr std::string_view kDefaultCluster = "default_cluster:";

// False for a path no pattern can match. `/a/b` and `/a/b/` have two segments, `/` has none.
bool split_path(std::string_view path, std::vector<std::string>& segments) {
  if (path.empty() || path.front() != '/') return false;
  path.remove_prefix(1);
  if (!path.empty() && path.back() == '/') path.remove_suffix(1);
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    std::string segment;
    if (segments.size() == kSegmentsMax || !percent_decode(path.substr(0, end), false, segment)) return false;
    if (segment.empty()) return false;
    segments.push_back(std::move(segment));
    if (end + 1 == path.size()) return false;  // a second slash at the end
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return true;
}

}  // namespace

void Router::add(Method method, std::string_view pattern, Handler& handler) {
  std::vector<std::string> parts;
  CHECK(split_path(pattern, parts));
  Route route{method, {}, &handler};
  for (std::string& part : parts) {
    const bool is_parameter = part.size() > 2 && part.front() == '{' && part.back() == '}';
    route.segments.push_back(
        {is_parameter ? part.substr(1, part.size() - 2) : std::move(part), is_parameter});
  }
  routes_.push_back(std::move(route));
}

bool Router::matches(const Route& route, const std::vector<std::string>& path) {
  if (route.segments.size() != path.size()) return false;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (!route.segments[i].is_parameter && route.segments[i].text != path[i]) return false;
  }
  return true;
}

bool Router::is_more_specific(const Route& a, const Route& b) {
  for (std::size_t i = 0; i < a.segments.size(); ++i) {
    if (a.segments[i].is_parameter != b.segments[i].is_parameter) return b.segments[i].is_parameter;
  }
  return false;
}

core::Task<void> Router::handle(Exchange& exchange) {
  std::vector<std::string> path;
  const Route* best = nullptr;
  std::vector<Method> allowed;
  if (split_path(exchange.request().path(), path)) {
    const Method asked = exchange.request().method();
    const Method wanted = asked == Method::Head ? Method::Get : asked;
    for (const Route& route : routes_) {
      if (!matches(route, path)) continue;
      if (std::ranges::find(allowed, route.method) == allowed.end()) allowed.push_back(route.method);
      if (route.method != wanted && route.method != asked) continue;
      if (best == nullptr || is_more_specific(route, *best)) best = &route;
    }
  }
  if (best != nullptr) {
    for (std::size_t i = 0; i < path.size(); ++i) {
      if (!best->segments[i].is_parameter) continue;
      if (best->segments[i].text == "db" && path[i].starts_with(kDefaultCluster)) {
        path[i].erase(0, kDefaultCluster.size());
      }
      exchange.parameters_.emplace_back(best->segments[i].text, std::move(path[i]));
    }
    path = {};  // the handler may run for hours
    co_await best->handler->handle(exchange);
    co_return;
  }
  if (allowed.empty()) {
    (void)co_await exchange.reply(
        Response::json(R"({"msg":"Not Found","code":404,"data":null,"count":0})", 404));
    co_return;
  }
  Response response = Response::json(R"({"msg":"Method Not Allowed","code":405,"data":null,"count":0})", 405);
  std::string allow;
  for (const Method method : allowed) {
    if (!allow.empty()) allow += ", ";
    allow += method_name(method);
    if (method == Method::Get) allow += ", HEAD";
  }
  response.headers.emplace_back("Allow", std::move(allow));
  (void)co_await exchange.reply(std::move(response));
}

}  // namespace penstock::net
