#include "net/http/server.hpp"

#include "core/task/frame_pool.hpp"
#include "tests/net/http/http_world.hpp"

#if defined(__SANITIZE_ADDRESS__) || (defined(__has_feature) && __has_feature(address_sanitizer))
#include <sanitizer/allocator_interface.h>
#define HEAP_BYTES() __sanitizer_get_current_allocated_bytes()
#else
#define HEAP_BYTES() std::size_t{0}
#endif

namespace penstock::net {
namespace {

TEST(Server, deals_connections_to_all_shards_in_turn) {
  HttpWorld http(1, 3);
  std::vector<sim::SimClient> clients;
  for (int i = 0; i < 12; ++i) clients.push_back(http.connect());
  ASSERT_TRUE(http.run_until([&] {
    std::size_t sum = 0;
    for (std::uint32_t i = 0; i < 3; ++i) sum += http.server->part(core::ShardId(i)).connections();
    return sum == 12;
  }));
  for (std::uint32_t i = 0; i < 3; ++i) EXPECT_EQ(http.server->part(core::ShardId(i)).connections(), 4u);
  http.end();
}

TEST(Server, a_connection_moves_with_every_byte_and_stays) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    HttpWorld http(seed, 3, {}, seed % 2 == 0 ? 70 : 0);
    sim::SimClient client = http.connect();  // dealt to shard 0
    const std::string text =
        "PUT /move?to=2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n" + chunked("some bytes", 3) +
        "PUT /move?to=2 HTTP/1.1\r\nContent-Length: 5\r\n\r\nstays"
        "PUT /move?to=1 HTTP/1.1\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\nonward";
    const std::size_t cut = seed * 7 % text.size();
    client.send(std::string_view(text).substr(0, cut));
    ASSERT_TRUE(http.run_until([&] { return client.unread_by_server() == 0; }));
    client.send(std::string_view(text).substr(cut));
    ASSERT_TRUE(http.run_until([&] { return reply_count(client) == 4; })) << seed;
    const std::vector<Reply> replies = replies_of(client);
    EXPECT_EQ(replies[0].body, "from 0 at 2 some bytes");
    EXPECT_EQ(replies[1].body, "home at 2 stays");
    EXPECT_EQ(replies[2].status, 100);
    EXPECT_EQ(replies[3].body, "from 2 at 1 onward");
    EXPECT_EQ(http.server->part(core::ShardId(1)).connections(), 1u);
    EXPECT_EQ(http.server->connections(), 1u);
    http.end();
  }
}

TEST(Server, connections_above_the_limit_are_closed_at_once) {
  HttpOptions options;
  options.connections_max = 2;
  HttpWorld http(1, 2, options);
  sim::SimClient a = http.connect();
  sim::SimClient b = http.connect();
  ASSERT_TRUE(http.run_until([&] { return http.server->connections() == 2; }));
  sim::SimClient c = http.connect();
  ASSERT_TRUE(http.run_until([&] { return c.is_closed(); }));
  a.reset();
  ASSERT_TRUE(http.run_until([&] { return http.server->connections() == 1; }));
  sim::SimClient d = http.connect();
  d.send("GET /hello HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(http.run_until([&] { return reply_count(d) == 1; }));
  http.end();
}

core::Task<void> begin_drain(Server* server) { co_await server->begin_drain(); }

TEST(Server, draining_closes_the_idle_tells_the_running_and_refuses_the_new) {
  HttpWorld http(1, 2);
  sim::SimClient idle = http.connect();
  sim::SimClient waiting = http.connect();
  sim::SimClient loading = http.connect();
  waiting.send("GET /wait HTTP/1.1\r\n\r\nGET /hello HTTP/1.1\r\n\r\n");
  loading.send("PUT /echo HTTP/1.1\r\nContent-Length: 4\r\n\r\nab");
  ASSERT_TRUE(http.run_until([&] { return http.seen.running == 2 && http.server->connections() == 3; }));
  http.world.start(0, begin_drain(http.server.get()));
  ASSERT_TRUE(http.run_until([&] { return idle.is_closed(); }));
  http.run_seconds(5);
  EXPECT_FALSE(http.connect().is_connected());
  EXPECT_FALSE(loading.is_closed());
  loading.send("cd");
  http.run_seconds(1);
  EXPECT_EQ(replies_of(loading)[0].body, "abcd");
  EXPECT_TRUE(replies_of(loading)[0].has("Connection: close"));
  loading.shutdown_write();
  http.end();
  EXPECT_TRUE(http.seen.was_draining);
  const std::vector<Reply> replies = replies_of(waiting);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].body, "waited");
  EXPECT_TRUE(replies[0].has("Connection: close"));
}

TEST(Server, what_is_left_at_the_deadline_is_cancelled) {
  HttpWorld http(1, 2);
  sim::SimClient loading = http.connect();
  loading.send("PUT /echo HTTP/1.1\r\nContent-Length: 4\r\n\r\nab");
  sim::SimClient reading = http.connect();
  reading.set_window(1000);
  reading.send("GET /stream?n=1000000 HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(http.run_until([&] { return http.seen.running == 2; }));
  http.end(false, 3);
  EXPECT_EQ(http.seen.running, 0);
  EXPECT_EQ(http.seen.last_body.error().code, core::Errc::Cancelled);
  EXPECT_TRUE(loading.is_closed());
}

TEST(Server, dies_with_its_process_at_any_moment) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    HttpWorld http(seed, 2);
    std::vector<sim::SimClient> clients;
    for (int i = 0; i < 6; ++i) {
      clients.push_back(http.connect());
      clients.back().send(
          "PUT /move?to=1 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /stream?n=100000 HTTP/1.1\r\n\r\nGET "
          "/wait HTTP/1.1\r\n\r\n");
      if (i % 2 == 0) clients.back().set_window(3000);
    }
    (void)http.world.run_until([] { return false; }, seed * 13);
  }  // ~HttpWorld kills it: every frame is destroyed where it waits
}

// The bound of issue 3: fewer than 16 KiB for an idle connection or a silent load, kernel and load session
// included.
TEST(Server, idle_connections_and_silent_bodies_are_small) {
  constexpr std::size_t kCount = 500;
  const std::string load =
      "PUT /count HTTP/1.1\r\nHost: 127.0.0.1:8040\r\nAuthorization: Basic cm9vdDo=\r\nExpect: "
      "100-continue\r\n"
      "label: doris_label_1234567890_1234567890\r\ncolumn_separator: ,\r\nUser-Agent: "
      "Apache-HttpClient/4.5.13\r\n"
      "Transfer-Encoding: chunked\r\nAccept-Encoding: gzip,deflate\r\nConnection: Keep-Alive\r\n\r\n5\r\nab";
  for (const bool open_load : {false, true}) {
    HttpWorld http(1, 1, {}, 0);
    const core::FramePoolStats frames = core::frame_pool_stats();
    const std::size_t heap = HEAP_BYTES();
    std::vector<sim::SimClient> clients;
    for (std::size_t i = 0; i < kCount; ++i) {
      clients.push_back(http.connect());
      clients.back().send("GET /hello HTTP/1.1\r\nX: " + std::string(2000, 'x') + "\r\n\r\n");
      if (open_load) clients.back().send(load);
    }
    http.run_seconds(5);
    for (const sim::SimClient& client : clients) ASSERT_EQ(reply_count(client), open_load ? 2u : 1u);
    EXPECT_EQ(http.seen.running, open_load ? static_cast<int>(kCount) : 0);
    EXPECT_EQ(http.world.buffers_out(), 0u);
    const std::size_t frame_bytes = (core::frame_pool_stats().live_bytes - frames.live_bytes) / kCount;
    EXPECT_LT(frame_bytes, 6000u) << (open_load ? "an open load" : "an idle connection");
    RecordProperty(open_load ? "load_frame_bytes" : "idle_frame_bytes", static_cast<int>(frame_bytes));
    const std::size_t heap_now = HEAP_BYTES();
    if (heap_now != 0) {  // frames, strings, and here also the simulator's own pipes
      const std::size_t heap_bytes = (heap_now - heap) / kCount;
      EXPECT_LT(heap_bytes, 9000u);
      RecordProperty(open_load ? "load_heap_bytes" : "idle_heap_bytes", static_cast<int>(heap_bytes));
    }
  }
}

}  // namespace
}  // namespace penstock::net
