// AcceptQueue: one listener's accepted connections that no Accept op has taken yet, and the Accept ops that
// wait for one.
//
// Journey:  UringKernel's multishot accept -> [AcceptQueue] -> Accept ops, one connection each.
// Shard:    one Kernel's.
// Promise:  first come first served on both sides; at most kPausedAt connections wait, then the accept is
// paused. Failure:  none; connections that nobody takes are closed by end().
#pragma once

#include <unistd.h>

#include <deque>

#include "core/kernel/op_list.hpp"

namespace penstock::core {

struct AcceptQueue {
  static constexpr std::size_t kPausedAt = 256;

  int listener = -1;  // -1: closed, waits only for the end of its multishot accept
  OpList waiting;
  std::deque<int> connections;
  bool armed = false;          // a multishot accept is under way
  bool cancel_wanted = false;  // it is to end
  bool cancel_sent = false;
  Instant retry_at;  // not to be armed again before this: no descriptors were left

  bool is_closed() const { return listener < 0; }
  void end() {
    listener = -1;
    cancel_wanted = armed;
    for (const int connection : connections) ::close(connection);
    connections.clear();
  }
};

}  // namespace penstock::core
