#include "tests/sim/sim_net.hpp"

#include "core/base/check.hpp"

namespace penstock::sim {

void SimClient::send(std::string_view bytes) {
  CHECK(!connection_->client_ended);
  if (connection_->reset || connection_->server_closed)
    return;  // lost on the way, as a real peer would find out later
  std::string& pipe = connection_->to_server;
  if (connection_->server_at == pipe.size()) {
    pipe.clear();
    connection_->server_at = 0;
  }
  pipe.append(bytes);
}

void SimClient::shutdown_write() { connection_->client_ended = true; }

void SimClient::reset() { SimNet::close(*connection_, true); }

SimClient SimNet::connect(std::string_view address) {
  const auto at = listeners_.find(address);
  if (at == listeners_.end()) return {};
  auto connection = std::make_shared<SimConnection>();
  at->second->backlog.push_back(connection);
  return SimClient(std::move(connection));
}

bool SimNet::is_listening(std::string_view address) const {
  return listeners_.find(address) != listeners_.end();
}

std::vector<std::string> SimNet::addresses() const {
  std::vector<std::string> all;
  for (const auto& [address, listener] : listeners_) all.push_back(address);
  return all;
}

SimListenerRef SimNet::listen(std::string_view address) {
  std::string name(address);
  if (name.ends_with(":0")) name = name.substr(0, name.size() - 1) + std::to_string(next_port_++);
  if (listeners_.contains(name)) return nullptr;
  auto listener = std::make_shared<SimListener>();
  listener->address = name;
  listeners_.emplace(std::move(name), listener);
  return listener;
}

void SimNet::close(SimListener& listener) {
  if (listener.closed) return;
  listener.closed = true;
  for (const SimConnectionRef& waiting : listener.backlog) close(*waiting, true);
  listener.backlog.clear();
  const auto at = listeners_.find(listener.address);
  if (at != listeners_.end()) listeners_.erase(at);
}

void SimNet::close(SimConnection& connection, bool hard) {
  if (hard) {
    connection.reset = true;
    connection.to_server.clear();
    connection.server_at = 0;
  } else {
    connection.server_ended = true;
  }
}

}  // namespace penstock::sim
