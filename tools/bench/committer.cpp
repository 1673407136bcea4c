#include "tools/bench/committer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace penstock::tools {

Committer::~Committer() {
  if (socket_ >= 0) ::close(socket_);
}

std::expected<void, std::string> Committer::open_blocking() {
  if (socket_ >= 0) ::close(socket_);
  auto made = connect_blocking(target_);
  if (!made) return std::unexpected(made.error());
  socket_ = *made;
  ::fcntl(socket_, F_SETFL, ::fcntl(socket_, F_GETFL) | O_NONBLOCK);
  return {};
}

std::expected<void, std::string> Committer::commit(Load load) {
  if (load.txn.empty()) return std::unexpected("a precommitted load was answered without a TxnId");
  loads_.push_back(std::move(load));
  return loads_.size() == 1 ? ask() : std::expected<void, std::string>();
}

std::expected<void, std::string> Committer::ask() {
  const std::string request =
      fmt::format("PUT /api/{}/{}/_stream_load_2pc HTTP/1.1\r\n{}txn_operation: commit\r\ntxn_id: {}\r\n\r\n",
                  target_.database, target_.table, target_.common_headers(), loads_.front().txn);
  // Nothing else is on its way on this connection: so little always fits.
  const ssize_t sent = ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
  if (sent == static_cast<ssize_t>(request.size())) return {};
  return std::unexpected(fmt::format("asking for a commit: {}", sent < 0 ? std::strerror(errno) : "cut off"));
}

std::expected<bool, std::string> Committer::receive(Load& committed) {
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    if (got <= 0) {
      return std::unexpected(fmt::format("the server ended a committer's connection: {}",
                                         got == 0 ? "closed" : std::strerror(errno)));
    }
    auto taken =
        parser_.feed(std::string_view(buffer, static_cast<std::size_t>(got)), [this](std::string_view piece) {
          if (reply_.size() < (64 << 10)) reply_ += piece;
        });
    if (!taken) return std::unexpected(taken.error());
    if (!parser_.is_done()) continue;
    simdjson::dom::parser parser;
    simdjson::dom::element reply;
    std::string_view verdict;
    if (loads_.empty() || parser_.status() != 200 || parser.parse(reply_).get(reply) != simdjson::SUCCESS ||
        reply["status"].get(verdict) != simdjson::SUCCESS || verdict != "Success") {
      return std::unexpected(
          fmt::format("a commit was answered with {}: {}", parser_.status(), reply_.substr(0, 500)));
    }
    parser_.next();
    reply_.clear();
    committed = std::move(loads_.front());
    loads_.pop_front();
    if (!loads_.empty()) {
      if (auto asked = ask(); !asked) return std::unexpected(asked.error());
    }
    return true;
  }
}

}  // namespace penstock::tools
