// The client of T7: one process, one epoll loop, the same request over and over on connections that were made for it. The next
// one goes out when the last is answered. It costs one send and one or two receives a load, so that it is not what is measured.
//
//   small_client http|postgres REQUEST_FILE WARM_SECONDS SECONDS SOCKET...
//
// SOCKETs are numbers of open connections that it inherits. On standard output: {"loads": all of them, "measured": those answered
// in SECONDS after WARM_SECONDS, "p50_ms", "p99_ms", "max_ms" of the measured}. A reply that is no success ends it with 1.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t kReplyBytesMax = 64 << 10;
constexpr double kPatienceSeconds = 60;

double now_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "small_client: %s\n", why.c_str());
  std::exit(1);
}

// Whether the reply is all there; gives up if it says anything but success.
using IsWhole = bool (*)(std::string_view reply);

bool says_success(std::string_view body) {
  constexpr std::string_view kField = "\"Status\":";
  const std::size_t at = body.find(kField);
  if (at == std::string_view::npos) return false;
  const std::size_t value = body.find_first_not_of(' ', at + kField.size());
  return value != std::string_view::npos && body.substr(value).starts_with("\"Success\"");
}

bool is_whole_http(std::string_view reply) {
  const std::size_t end = reply.find("\r\n\r\n");
  if (end == std::string_view::npos) return false;
  constexpr std::string_view kLength = "ontent-length:";
  const std::string_view head = reply.substr(0, end);
  auto at = std::search(head.begin(), head.end(), kLength.begin(), kLength.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
  });
  if (at == head.end()) give_up("a reply without a length: " + std::string(head));
  std::string_view digits(at + kLength.size(), head.end());
  digits.remove_prefix(std::min(digits.find_first_not_of(' '), digits.size()));
  std::size_t length = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (reply.size() < end + 4 + length) return false;
  const std::string_view body = reply.substr(end + 4);
  if (reply.size() > end + 4 + length || !reply.starts_with("HTTP/1.1 200") || !says_success(body)) {
    give_up(std::string(reply.substr(0, 600)));
  }
  return true;
}

// CommandComplete of the COPY, then ReadyForQuery outside a transaction.
bool is_whole_postgres(std::string_view reply) {
  constexpr std::string_view kReady("Z\0\0\0\x05I", 6);
  if (!reply.ends_with(kReady)) return false;
  if (reply.find("COPY ") == std::string_view::npos) give_up(std::string(reply.substr(0, 600)));
  return true;
}

struct Connection {
  int socket = -1;
  std::size_t sent = 0;  // of the request
  std::string reply;
  double began = 0;
};

class Run {
 public:
  Run(IsWhole is_whole, std::string request, double warm_seconds, double seconds)
      : is_whole_(is_whole), request_(std::move(request)), warm_seconds_(warm_seconds), seconds_(seconds) {}

  void add(int socket) {
    ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
    connections_.push_back({.socket = socket});
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = &connections_.back()}};
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) != 0)
      give_up(std::string("epoll: ") + std::strerror(errno));
  }

  void drive() {
    begin_ = now_seconds() + warm_seconds_;
    open_ = connections_.size();
    for (Connection& one : connections_) begin_load(one);
    while (open_ > 0) {
      epoll_event events[64];
      const int count =
          ::epoll_wait(epoll_, events, std::size(events), static_cast<int>(kPatienceSeconds * 1000));
      if (count == 0) give_up("no reply came for a minute");
      for (int i = 0; i < count; ++i) {
        Connection& one = *static_cast<Connection*>(events[i].data.ptr);
        if ((events[i].events & EPOLLOUT) != 0) send(one);
        if ((events[i].events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) receive(one);
      }
    }
  }

  void report() {
    if (latencies_.empty()) give_up("no load was answered in the measured time");
    std::ranges::sort(latencies_);
    const auto millis = [this](double share) {
      const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(latencies_.size())));
      return latencies_[std::max<std::size_t>(rank, 1) - 1] * 1e3;
    };
    std::printf("{\"loads\": %zu, \"measured\": %zu, \"p50_ms\": %.4f, \"p99_ms\": %.4f, \"max_ms\": %.4f}\n",
                loads_, latencies_.size(), millis(0.5), millis(0.99), millis(1));
  }

 private:
  void begin_load(Connection& one) {
    one.began = now_seconds();
    one.sent = 0;
    one.reply.clear();
    send(one);
  }

  void send(Connection& one) {
    while (one.sent < request_.size()) {
      const ssize_t sent =
          ::send(one.socket, request_.data() + one.sent, request_.size() - one.sent, MSG_NOSIGNAL);
      if (sent < 0 && errno == EAGAIN) return;
      if (sent < 0) give_up(std::string("sending a load: ") + std::strerror(errno));
      one.sent += static_cast<std::size_t>(sent);
    }
  }

  void receive(Connection& one) {
    char buffer[4096];
    for (;;) {
      const ssize_t got = ::recv(one.socket, buffer, sizeof buffer, 0);
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) give_up("a connection was closed: " + one.reply);
      one.reply.append(buffer, static_cast<std::size_t>(got));
      if (one.reply.size() > kReplyBytesMax) give_up("a reply of more than 64 KiB");
      if (!is_whole_(one.reply)) continue;
      const double now = now_seconds();
      ++loads_;
      if (now >= begin_ && now <= begin_ + seconds_) latencies_.push_back(now - one.began);
      if (now > begin_ + seconds_) {
        --open_;
        return;
      }
      begin_load(one);
    }
  }

  const IsWhole is_whole_;
  const std::string request_;
  const double warm_seconds_;
  const double seconds_;
  const int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  std::deque<Connection> connections_;
  std::vector<double> latencies_;
  double begin_ = 0;
  std::size_t loads_ = 0;
  std::size_t open_ = 0;
};

}  // namespace

int main(int count, char** words) {
  if (count < 6) give_up("usage: small_client http|postgres REQUEST_FILE WARM_SECONDS SECONDS SOCKET...");
  const bool is_http = std::strcmp(words[1], "http") == 0;
  if (!is_http && std::strcmp(words[1], "postgres") != 0)
    give_up(std::string(words[1]) + ": http or postgres");
  std::ifstream file(words[2], std::ios::binary);
  std::string request{std::istreambuf_iterator<char>(file), {}};
  if (request.empty()) give_up(std::string(words[2]) + " cannot be read, or is empty");
  Run run(is_http ? is_whole_http : is_whole_postgres, std::move(request), std::atof(words[3]),
          std::atof(words[4]));
  for (int i = 5; i < count; ++i) run.add(std::atoi(words[i]));
  run.drive();
  run.report();
  return 0;
}
