// HttpOptions: every bound and every time limit of the HTTP door, in one place.
//
// Journey:  tools/penstock fills one in from the config -> Server -> connections.
// Shard:    any; read only once the server runs.
// Promise:  each default works; nothing in net/http is unbounded that is not named here.
// Failure:  none.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "core/base/units.hpp"

namespace penstock::net {

struct HeadLimits {
  std::size_t head_bytes = 64 * core::kKiB;
  std::size_t headers = 128;
  std::size_t target_bytes = 8 * core::kKiB;
};

struct HttpOptions {
  HeadLimits head;
  core::Duration idle_time_max = std::chrono::seconds(75);      // between two requests
  core::Duration head_time_max = std::chrono::seconds(10);      // from a head's first byte to its last
  core::Duration send_time_max = std::chrono::seconds(60);      // a slow reader: for each 64 KiB of a reply
  core::Duration body_idle_max = std::chrono::seconds(259200);  // an open body may be silent for so long
  core::Duration discard_time_max = std::chrono::seconds(30);   // after a reply given before the body's end
  core::Duration linger_time_max = std::chrono::seconds(2);     // after a last reply, for the client to close
  core::Duration tick = std::chrono::seconds(1);                // how often all of these are looked at
  std::uint64_t discard_bytes_max = 16ull << 30;
  std::uint32_t connections_max = 20000;  // of all shards together; one more is closed at once
  // Bytes a client sent behind a body's end wait in memory of the connection's own. Up to 16 KiB is any
  // connection's right; more comes out of this, a shard's; when it is used up the connection is closed after
  // its reply.
  std::size_t pipelined_bytes_max = 4 * core::kMiB;
  // Of a body that is read on beside whoever takes its pieces (BodyReader::read_on): of one, and of all bodies of a shard,
  // in memory of their own; and how many are read on at a time.
  std::size_t read_on_bytes_max = 16 * core::kMiB;
  std::size_t read_on_shard_bytes_max = 64 * core::kMiB;
  std::size_t read_on_turns = 4;
  core::Duration read_on_time_max = std::chrono::milliseconds(100);  // from when the connection is taken over
  core::Duration read_on_wait_max = std::chrono::seconds(5);         // for a turn, or for memory
  // More than a socket holds: whoever has sent so much since the question was there when it was asked.
  std::size_t read_on_alive_bytes = 16 * core::kMiB;
};

}  // namespace penstock::net
