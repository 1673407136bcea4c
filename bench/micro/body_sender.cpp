#include "bench/micro/body_sender.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string>

#include "core/base/check.hpp"
#include "core/base/units.hpp"

namespace penstock::bench {
namespace {

std::string framed(std::string_view text, std::size_t chunk_bytes) {
  std::string out;
  while (!text.empty()) {
    const std::string_view chunk = text.substr(0, chunk_bytes);
    char size[24];
    std::snprintf(size, sizeof size, "%zx\r\n", chunk.size());
    out += size;
    out += chunk;
    out += "\r\n";
    text.remove_prefix(chunk.size());
  }
  return out;
}

// Two ends of a TCP connection over loopback.
void connect_ends(int& sending, int& receiving) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  CHECK_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  CHECK_EQ(::listen(listener, 1), 0);
  CHECK_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  sending = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK_EQ(::connect(sending, reinterpret_cast<sockaddr*>(&address), size), 0);
  receiving = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  CHECK_GE(receiving, 0);
  const int on = 1;
  CHECK_EQ(::setsockopt(receiving, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
  ::close(listener);
}

}  // namespace

QueuedBody::QueuedBody(std::size_t chunk_bytes) : chunk_bytes_(chunk_bytes) {
  connect_ends(sending_end_, receiving_end_);
  frame_ = framed(std::string(chunk_bytes, 'x'), chunk_bytes);
  head_bytes_ = frame_.size() - chunk_bytes - 2;
}

QueuedBody::~QueuedBody() { ::close(sending_end_); }

void QueuedBody::begin_turn() {
  for (const std::uint64_t enough = bytes_goal_ + core::kMiB; bytes_goal_ < enough;) {
    const std::size_t at = bytes_goal_ % frame_.size();
    const std::size_t size = std::min<std::size_t>(frame_.size() - at, enough - bytes_goal_);
    const ssize_t sent = ::send(sending_end_, frame_.data() + at, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent <= 0) break;
    bytes_goal_ += static_cast<std::uint64_t>(sent);
  }
  const std::size_t at = bytes_goal_ % frame_.size();
  payload_goal_ =
      bytes_goal_ / frame_.size() * chunk_bytes_ + std::min(chunk_bytes_, at - std::min(at, head_bytes_));
}

class BodySender::Body final : public BodySource {
 public:
  Body() {
    connect_ends(sending_end_, receiving_end_);
    (void)::fcntl(sending_end_, F_SETFL, O_NONBLOCK);
  }
  ~Body() override { ::close(sending_end_); }
  void begin_turn() override {
    bytes_goal_ += 4 * core::kMiB;
    payload_goal_ = bytes_goal_;  // there is always more
  }
  int sending_end() const { return sending_end_; }
  off_t at = 0;
};

BodySender::BodySender(std::string_view text, std::size_t chunk_bytes, std::size_t bodies) {
  std::signal(SIGPIPE, SIG_IGN);  // sendfile has no flag for it
  for (std::size_t i = 0; i < bodies; ++i) bodies_.push_back(std::make_unique<Body>());
  const std::string bytes = framed(text, chunk_bytes);
  framed_bytes_ = bytes.size();
  memory_ = ::memfd_create("body", MFD_CLOEXEC);
  CHECK_EQ(::write(memory_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  thread_ = std::thread([this] { send(); });
}

BodySource& BodySender::body(std::size_t index) { return *bodies_[index]; }

void BodySender::send() {
  std::vector<pollfd> ends;
  for (const auto& each : bodies_) ends.push_back({each->sending_end(), POLLOUT, 0});
  for (std::size_t open = ends.size(); open > 0;) {
    if (::poll(ends.data(), ends.size(), -1) <= 0) continue;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (ends[i].fd < 0 || ends[i].revents == 0) continue;
      off_t& at = bodies_[i]->at;
      const ssize_t sent = ::sendfile(ends[i].fd, memory_, &at, framed_bytes_ - static_cast<std::size_t>(at));
      if (at == static_cast<off_t>(framed_bytes_)) at = 0;
      if (sent <= 0 && errno != EAGAIN) {
        ends[i].fd = -1;
        --open;
      }
    }
  }
}

BodySender::~BodySender() {
  thread_.join();
  ::close(memory_);
}

}  // namespace penstock::bench
