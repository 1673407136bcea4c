#include "bench/micro/body_sender.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
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

OnCore::OnCore(int which) {
  CPU_ZERO(&before_);
  (void)::sched_getaffinity(0, sizeof before_, &before_);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int core = 0; core < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++core) {
    if (CPU_ISSET(core, &before_) && which-- == 0) CPU_SET(core, &one);
  }
  if (CPU_COUNT(&one) != 0) (void)::sched_setaffinity(0, sizeof one, &one);
}

OnCore::~OnCore() { (void)::sched_setaffinity(0, sizeof before_, &before_); }

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

BodySender::BodySender(std::string_view text, std::size_t chunk_bytes, const OnCore& receiver)
    : cores_(receiver.others()) {
  std::signal(SIGPIPE, SIG_IGN);  // sendfile has no flag for it
  connect_ends(sending_end_, receiving_end_);
  const std::string bytes = framed(text, chunk_bytes);
  framed_bytes_ = bytes.size();
  memory_ = ::memfd_create("body", MFD_CLOEXEC);
  CHECK_EQ(::write(memory_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  thread_ = std::thread([this] {
    (void)::sched_setaffinity(0, sizeof cores_, &cores_);
    const OnCore second(1);
    for (;;) {
      for (off_t at = 0; at < static_cast<off_t>(framed_bytes_);) {
        if (::sendfile(sending_end_, memory_, &at, framed_bytes_ - static_cast<std::size_t>(at)) <= 0) return;
      }
    }
  });
}

void BodySender::begin_turn() {
  bytes_goal_ += 4 * core::kMiB;
  payload_goal_ = bytes_goal_;  // there is always more
}

BodySender::~BodySender() {
  thread_.join();
  ::close(sending_end_);
  ::close(memory_);
}

}  // namespace penstock::bench
