// Making a listening socket.
//
// Journey:  UringKernel (Listen) -> [listen_on] -> Linux.
// Shard:    any; plain functions.
// Promise:  accepted connections inherit TCP_NODELAY and SO_KEEPALIVE with its times from the listener, so they
// cost no call of their own. Failure:  -errno; -EINVAL for an address that cannot be read. Names are not looked up: that
// would wait.
#pragma once

#include <cstdint>
#include <string>

namespace penstock::core {

// When a peer that says nothing is asked for a sign of life, how often again, and how many silences end the connection: a
// lost host's open load holds a label.
struct KeepAlive {
  std::uint32_t idle_seconds = 60;
  std::uint32_t interval_seconds = 15;
  std::uint32_t probes = 4;
};

// "1.2.3.4:80", "[::1]:80", "localhost:80" (127.0.0.1), ":80" and "*:80" (every IPv4 address); port 0 takes a
// free one.
int listen_on(const char* address, KeepAlive keep_alive = {});
// "1.2.3.4:80" or "[::1]:80": where a socket is bound; empty if it is not.
std::string local_address(int socket);

}  // namespace penstock::core
