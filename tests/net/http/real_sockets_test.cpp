// The same server over UringKernel: shards on threads, clients on blocking sockets.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "core/kernel/uring_kernel.hpp"
#include "tests/net/http/http_world.hpp"

namespace penstock::net {
namespace {

class Client {
 public:
  explicit Client(int port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{20, 0};
    CHECK_EQ(::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    CHECK_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  Client(const Client&) = delete;
  ~Client() { ::close(fd_); }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // Status 0: the connection ended, or nothing came.
  Reply receive() {
    Reply reply;
    char piece[65536];
    while (!take_reply(text_, reply)) {
      const ssize_t got = ::recv(fd_, piece, sizeof piece, 0);
      if (got <= 0) return Reply();
      text_.append(piece, static_cast<std::size_t>(got));
    }
    return reply;
  }
  bool is_ended() {
    char byte = 0;
    return text_.empty() && ::recv(fd_, &byte, 1, 0) == 0;
  }

 private:
  int fd_;
  std::string text_;
};

// What a run of the process is told and tells.
struct Control {
  std::atomic<int> port{0};
  std::atomic<bool> stop{false};
  std::atomic<bool> in_time{false};
  Server* server = nullptr;
  std::vector<Handler*> handlers;
};

core::Task<void> shard_main(Control* control, core::Shard* shard) {
  control->server->start_shard(*shard, *control->handlers[shard->id().value]);
  if (shard->id().value != 0) co_return;
  const core::Result<int> handle = co_await control->server->listen("127.0.0.1:0");
  CHECK(handle.has_value());
  sockaddr_in address{};
  socklen_t size = sizeof address;
  CHECK_EQ(::getsockname(*handle, reinterpret_cast<sockaddr*>(&address), &size), 0);
  control->port = ntohs(address.sin_port);
  while (!control->stop) (void)co_await shard->sleep_for(std::chrono::milliseconds(5));
  control->in_time = co_await control->server->drained(shard->now().monotonic + std::chrono::seconds(10));
}

// Each shard has its own record of what its handler saw: they run on different threads.
class RealServer {
 public:
  explicit RealServer(std::uint32_t shards) : set_(shards), server_(set_, HttpOptions()), seen_(shards) {
    control_.server = &server_;
    for (std::uint32_t i = 0; i < shards; ++i) {
      handlers_.push_back(std::make_unique<TestHandler>(seen_[i]));
      control_.handlers.push_back(handlers_.back().get());
    }
    thread_ = std::thread([this] {
      error_ = set_.run_threads(
          {.pin = false,
           .with_kernel =
               [](core::Shard& shard, const std::function<void(core::Kernel&)>& run) {
                 core::UringOptions options;
                 options.buffer_returned = {[](void* turns, core::BufferRing ring) {
                                              static_cast<core::RecvTurns*>(turns)->buffer_returned(ring);
                                            },
                                            &shard.recv_turns()};
                 auto kernel = core::UringKernel::make(options);
                 if (!kernel) return kernel.error();
                 run(**kernel);
                 return std::string();
               },
           .main = [this](core::Shard& shard) { return shard_main(&control_, &shard); }});
      has_ended_ = true;
    });
    while (control_.port == 0 && !has_ended_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ~RealServer() {
    control_.stop = true;
    thread_.join();
    EXPECT_EQ(error_, "");
    EXPECT_TRUE(control_.in_time);
    EXPECT_EQ(server_.connections(), 0u);
  }
  int port() const { return control_.port; }

 private:
  core::ShardSet set_;
  Control control_;
  Server server_;
  std::vector<Seen> seen_;
  std::vector<std::unique_ptr<TestHandler>> handlers_;
  std::string error_;
  std::atomic<bool> has_ended_{false};
  std::thread thread_;
};

TEST(RealSockets, bodies_moves_streams_and_refusals_work_over_the_kernel) {
  RealServer server(2);
  ASSERT_NE(server.port(), 0);
  std::vector<std::thread> threads;
  for (int worker = 0; worker < 8; ++worker) {
    threads.emplace_back([&server, worker] {
      Client client(server.port());
      const std::string body(900'000, static_cast<char>('a' + worker));
      for (int round = 0; round < 5; ++round) {
        ASSERT_TRUE(
            client.send("PUT /echo HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"));
        ASSERT_EQ(client.receive().status, 100);
        ASSERT_TRUE(client.send(chunked(body, 4096)));
        ASSERT_EQ(client.receive().body, body);
        ASSERT_TRUE(client.send("PUT /move?to=" + std::to_string(round % 2) +
                                " HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
                                "GET /stream?n=0 HTTP/1.1\r\n\r\n"));
        EXPECT_TRUE(client.receive().body.ends_with(" at " + std::to_string(round % 2) + " hello"));
        EXPECT_EQ(client.receive().status, 200);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(RealSockets, a_client_that_sends_on_reads_the_early_reply_and_the_end) {
  RealServer server(2);
  ASSERT_NE(server.port(), 0);
  for (int round = 0; round < 10; ++round) {
    Client client(server.port());
    const std::string body(5'000'000, 'x');
    ASSERT_TRUE(
        client.send("PUT /early HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n"));
    ASSERT_TRUE(client.send(body));  // all of it, before it looks
    const Reply reply = client.receive();
    EXPECT_EQ(reply.body, "{\"Status\":\"Fail\"}");
    EXPECT_TRUE(reply.has("Connection: close"));
    EXPECT_TRUE(client.is_ended());
  }
}

TEST(RealSockets, a_megabyte_of_header_gets_431_and_the_end) {
  RealServer server(1);
  ASSERT_NE(server.port(), 0);
  Client client(server.port());
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nX: " + std::string(1'000'000, 'x') + "\r\n\r\n"));
  EXPECT_EQ(client.receive().status, 431);
  EXPECT_TRUE(client.is_ended());
}

TEST(RealSockets, an_idle_connection_does_not_hold_up_the_end) {
  std::unique_ptr<Client> idle;
  RealServer server(2);
  ASSERT_NE(server.port(), 0);
  idle = std::make_unique<Client>(server.port());
  ASSERT_TRUE(idle->send("GET /hello HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(idle->receive().body, "hello");
}

}  // namespace
}  // namespace penstock::net
