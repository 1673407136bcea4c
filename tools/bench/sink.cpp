#include "tools/bench/sink.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <unordered_map>

#include "tools/bench/bench_target.hpp"
#include "tools/bench/process_facts.hpp"
#include "tools/bench/sink_connection.hpp"

namespace penstock::tools {
namespace {

constexpr std::size_t kPieceBytes = 1 << 20;

int complain(const std::string& text) {
  std::fprintf(stderr, "penstock bench sink: %s\n", text.c_str());
  return 1;
}

std::expected<int, std::string> open_listener(const std::string& address) {
  BenchTarget target;
  if (!set_url(target, address))
    return std::unexpected(fmt::format("--listen {}: write it as host:port", address));
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(target.port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);  // nobody but this machine measures by it
  if (target.host != "127.0.0.1" && target.host != "localhost") {
    ::close(listener);
    return std::unexpected(fmt::format("--listen {}: a sink listens on 127.0.0.1", address));
  }
  if (::bind(listener, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::listen(listener, 1024) != 0) {
    const int error = errno;
    ::close(listener);
    return std::unexpected(fmt::format("--listen {}: {}", address, std::strerror(error)));
  }
  return listener;
}

class Sink {
 public:
  Sink(int listener, int signals, bool copy) : listener_(listener), signals_(signals), copy_(copy) {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    watch(listener_);
    watch(signals_);
  }
  ~Sink() {
    connections_.clear();
    ::close(epoll_);
    ::close(listener_);
    ::close(signals_);
  }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  void run() {
    for (;;) {
      epoll_event events[64];
      const int count = ::epoll_wait(epoll_, events, std::size(events), -1);
      for (int i = 0; i < count; ++i) {
        const int file = events[i].data.fd;
        if (file == signals_) return;
        if (file == listener_) {
          accept_all();
          continue;
        }
        const auto found = connections_.find(file);
        if (found == connections_.end() || found->second->receive()) continue;
        note(*found->second);
        connections_.erase(found);
      }
    }
  }
  void print() {
    for (const auto& [file, connection] : connections_) note(*connection);
    const double cpu = process_cpu_seconds(0).value_or(0);
    std::fprintf(stderr, "%llu loads, %.1f MB of bodies thrown away, %.2f CPU-seconds\n",
                 static_cast<unsigned long long>(loads_), static_cast<double>(bytes_) / 1e6, cpu);
  }

 private:
  void watch(int file) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = file}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, file, &event);
  }
  void accept_all() {
    for (;;) {
      const int made = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (made < 0) return;
      const int on = 1;
      ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      connections_[made] = std::make_unique<SinkConnection>(made, scratch_, copy_);
      watch(made);
    }
  }
  void note(const SinkConnection& connection) {
    bytes_ += connection.body_bytes();
    loads_ += connection.loads();
  }

  const int listener_;
  const int signals_;
  const bool copy_;
  int epoll_ = -1;
  std::string scratch_ = std::string(kPieceBytes, '\0');
  std::unordered_map<int, std::unique_ptr<SinkConnection>> connections_;
  std::uint64_t bytes_ = 0;
  std::uint64_t loads_ = 0;
};

}  // namespace

int run_sink(const SinkWanted& wanted) {
  const auto listener = open_listener(wanted.listen);
  if (!listener) return complain(listener.error());
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  Sink sink(*listener, ::signalfd(-1, &signals, SFD_CLOEXEC), wanted.copy);
  std::fprintf(stderr, "listening address=%s\n", wanted.listen.c_str());
  sink.run();
  sink.print();
  return 0;
}

}  // namespace penstock::tools
