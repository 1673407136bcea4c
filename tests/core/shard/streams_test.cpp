// Streams and files over a real Kernel: who waits for a buffer gets one, and a cancelled wait ends.
#include "core/io/stream.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "core/kernel/socket_calls.hpp"
#include "tests/core/shard/uring_shards.hpp"

namespace penstock::core {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kBytesEach = 300'000;
constexpr int kIdle = 20;
constexpr int kBusy = 8;

int connect_to(int listener) {
  sockaddr_storage where{};
  socklen_t size = sizeof where;
  EXPECT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&where), &size), 0);
  const int fd = ::socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&where), size), 0);
  return fd;
}

// Reads to the end, holding every buffer for a while.
Task<void> read_all(Shard* shard, Stream* stream, std::size_t* total, Errc* error) {
  for (;;) {
    Result<Buffer> piece = co_await stream->recv(BufferRing::Body);
    if (!piece) {
      *error = piece.error().code;
      break;
    }
    if (piece->is_empty()) break;
    *total += piece->bytes().size();
    for (int i = 0; i < 3; ++i) co_await shard->yield();
  }
  co_await stream->close();
}

struct Reader {
  std::unique_ptr<Stream> stream;
  std::size_t total = 0;
  Errc error = Errc::InvalidArgument;  // none
};

Task<void> main_few_buffers(Shard* shard) {
  Kernel& kernel = shard->kernel();
  auto listener = co_await Listener::open(kernel, "127.0.0.1:0");
  EXPECT_TRUE(listener);
  std::vector<int> clients;
  std::vector<Reader> readers(kIdle + kBusy);
  TaskScope scope;
  for (Reader& reader : readers) {  // the idle ones first: they must not use up the turns of the others
    clients.push_back(connect_to(listener->handle()));
    reader.stream =
        std::make_unique<Stream>(kernel, shard->recv_turns(), (co_await listener->accept()).value());
    scope.spawn(read_all(shard, reader.stream.get(), &reader.total, &reader.error));
  }
  std::vector<std::thread> senders;
  for (int i = kIdle; i < kIdle + kBusy; ++i) {
    senders.emplace_back([client = clients[static_cast<std::size_t>(i)]] {
      const std::string bytes(kBytesEach, 'x');
      std::size_t sent = 0;
      while (sent < bytes.size()) {
        const ssize_t some = ::send(client, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        ASSERT_GT(some, 0);
        sent += static_cast<std::size_t>(some);
      }
      ::shutdown(client, SHUT_WR);
    });
  }
  const auto busy_are_done = [&readers] {
    for (int i = kIdle; i < kIdle + kBusy; ++i) {
      if (readers[static_cast<std::size_t>(i)].stream->is_open()) return false;
    }
    return true;
  };
  for (int i = 0; i < 5000 && !busy_are_done(); ++i) co_await shard->sleep_for(milliseconds(2));
  EXPECT_TRUE(busy_are_done());
  for (Reader& reader : readers) reader.stream->cancel();
  co_await scope.join();
  for (std::size_t i = 0; i < readers.size(); ++i) {
    EXPECT_EQ(readers[i].total, i < kIdle ? 0 : kBytesEach) << i;
    EXPECT_EQ(readers[i].error, i < kIdle ? Errc::Cancelled : Errc::InvalidArgument) << i;
  }
  for (std::thread& sender : senders) sender.join();
  for (const int client : clients) ::close(client);
  co_await listener->close();
}

TEST(Streams, many_connections_share_two_buffers_and_idle_ones_take_no_turn) {
  run_shards(1, [](Shard& shard) { return main_few_buffers(&shard); });
}

Task<void> main_cancelled_waiter(Shard* shard) {
  Kernel& kernel = shard->kernel();
  auto listener = co_await Listener::open(kernel, "127.0.0.1:0");
  const int holder_client = connect_to(listener->handle());
  Stream holder(kernel, shard->recv_turns(), (co_await listener->accept()).value());
  std::vector<Buffer> held;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(::send(holder_client, "h", 1, 0), 1);
    held.push_back((co_await holder.recv(BufferRing::Body)).value());
  }
  const int client = connect_to(listener->handle());
  Reader waiter;
  waiter.stream =
      std::make_unique<Stream>(kernel, shard->recv_turns(), (co_await listener->accept()).value());
  TaskScope scope;
  EXPECT_EQ(::send(client, "w", 1, 0), 1);
  scope.spawn(read_all(shard, waiter.stream.get(), &waiter.total, &waiter.error));
  co_await shard->sleep_for(milliseconds(20));  // it has found the ring empty
  waiter.stream->cancel();
  co_await scope.join();
  EXPECT_EQ(waiter.error, Errc::Cancelled);
  EXPECT_EQ(waiter.total, 0u);
  held.clear();
  co_await holder.close();
  co_await listener->close();
  ::close(holder_client);
  ::close(client);
}

TEST(Streams, a_wait_for_a_buffer_can_be_cancelled) {
  run_shards(1, [](Shard& shard) { return main_cancelled_waiter(&shard); });
}

TEST(RecvTurns, a_buffer_that_comes_back_before_the_wait_is_not_missed) {
  RecvTurns turns;
  const std::uint64_t before = turns.moment(BufferRing::Body);
  EXPECT_FALSE(turns.wait(BufferRing::Body, before).await_ready());
  turns.buffer_returned(BufferRing::Body);
  EXPECT_TRUE(turns.wait(BufferRing::Body, before).await_ready());
  EXPECT_FALSE(turns.wait(BufferRing::Head, turns.moment(BufferRing::Head)).await_ready());
  const std::uint64_t later = turns.moment(BufferRing::Body);
  turns.wake_all();  // a cancellation
  EXPECT_TRUE(turns.wait(BufferRing::Body, later).await_ready());
}

}  // namespace
}  // namespace penstock::core
