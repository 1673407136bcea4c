// SimNet: listeners by name and byte pipes between simulated processes and the test, which plays every
// client.
//
// The test holds SimClients. What a client sends can be received at once, in pieces as the kernel's dice
// split it; what the server sends lies in the client until take_received(), and a client that is slow to take
// stalls the server once its window is full. When a process dies its listeners go and its connections are
// reset.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/bytes.hpp"

namespace penstock::sim {

// Both ends of one connection.
struct SimConnection {
  std::string to_server;  // from server_at on: not received yet
  std::size_t server_at = 0;
  std::string to_client;          // not taken yet
  std::size_t window = SIZE_MAX;  // bytes of to_client before a send waits
  bool client_ended = false;      // the client's side was ended in order
  bool server_ended = false;      // the server's side was: shutdown or close
  bool server_closed = false;
  bool reset = false;  // by either side

  std::size_t readable() const { return to_server.size() - server_at; }
};
using SimConnectionRef = std::shared_ptr<SimConnection>;

struct SimListener {
  std::string address;
  std::deque<SimConnectionRef> backlog;
  bool closed = false;
};
using SimListenerRef = std::shared_ptr<SimListener>;

// The test's end. Copies are the same connection.
class SimClient {
 public:
  SimClient() = default;
  explicit SimClient(SimConnectionRef connection) : connection_(std::move(connection)) {}

  bool is_connected() const { return connection_ != nullptr; }  // false: nobody listened there
  void send(std::string_view bytes);
  void send(core::Bytes bytes) { send(core::as_text(bytes)); }
  void shutdown_write();
  void reset();
  void set_window(std::size_t bytes) { connection_->window = bytes; }
  std::string_view received() const { return connection_->to_client; }  // not taken yet
  std::string take_received() { return std::exchange(connection_->to_client, {}); }
  bool is_ended() const {
    return connection_->server_ended || connection_->reset;
  }  // no more bytes will come
  bool was_reset() const { return connection_->reset; }
  bool is_closed() const { return connection_->server_closed || connection_->reset; }
  std::size_t unread_by_server() const { return connection_->readable(); }

 private:
  SimConnectionRef connection_;
};

class SimNet {
 public:
  // Not connected where nobody listens on exactly this "host:port".
  SimClient connect(std::string_view address);
  bool is_listening(std::string_view address) const;
  std::vector<std::string> addresses() const;

  // For SimKernel.
  SimListenerRef listen(std::string_view address);  // null: taken. Port 0 becomes a free one.
  void close(SimListener& listener);                // resets what waits in its backlog
  static void close(SimConnection& connection, bool hard);

 private:
  std::map<std::string, SimListenerRef, std::less<>> listeners_;
  std::uint32_t next_port_ = 40000;
};

}  // namespace penstock::sim
