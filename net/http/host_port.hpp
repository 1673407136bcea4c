// "host:port" as it stands in a Host header or in the config, taken apart and judged.
//
// Journey:  Request's Host header -> [parse_host_port] -> URLs that replies carry (ErrorURL, a redirect's Location).
// Shard:    any; a pure function.
// Promise:  what comes back holds letters, digits, '.', '-', '_' (or an IPv6 address in its brackets) and a port of
//           digits, so that it can stand in a URL and a header as it is.
// Failure:  nothing, for any other text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace penstock::net {

struct HostPort {
  std::string host;  // an IPv6 address keeps its brackets
  std::string port;  // empty: none was given
  std::string to_text() const { return port.empty() ? host : host + ":" + port; }
};

std::optional<HostPort> parse_host_port(std::string_view text);

}  // namespace penstock::net
