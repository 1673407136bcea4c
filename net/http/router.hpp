// Router: which handler answers which method and path.
//
// Patterns are literal segments and parameters: `/api/{db}/{table}/_stream_load`. A literal beats a parameter
// at the first segment where two patterns differ. One slash at the end of a path is accepted. HEAD goes to
// GET's handler.
//
// Journey:  Connection -> [Router] -> LoadHandler, ScanHandler, ...
// Shard:    one per shard, filled before the first connection.
// Promise:  parameters are percent-decoded one by one; `default_cluster:` in front of {db} is cut off.
// Failure:  404, or 405 with Allow where the path has routes of other methods, with a short JSON body.
#pragma once

#include "net/http/exchange.hpp"

namespace penstock::net {

class Router final : public Handler {
 public:
  // The handler must outlive the router.
  void add(Method method, std::string_view pattern, Handler& handler);
  core::Task<void> handle(Exchange& exchange) override;

 private:
  struct Segment {
    std::string text;  // a literal, or a parameter's name
    bool is_parameter = false;
  };
  struct Route {
    Method method;
    std::vector<Segment> segments;
    Handler* handler;
  };
  static bool matches(const Route& route, const std::vector<std::string>& path);
  static bool is_more_specific(const Route& a, const Route& b);

  std::vector<Route> routes_;
};

}  // namespace penstock::net
