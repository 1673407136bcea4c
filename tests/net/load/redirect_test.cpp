#include "net/load/redirect_handler.hpp"

#include "tests/net/doors/doors_world.hpp"

namespace penstock::net {
namespace {

void make_table(DoorsWorld& doors) {
  doors.must("CREATE DATABASE db");
  doors.must("CREATE TABLE t (k INT, v INT) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 2");
}

std::string location_of(const Reply& reply) {
  const std::size_t at = reply.head.find("Location: ");
  return at == std::string::npos ? "" : reply.head.substr(at + 10, reply.head.find("\r\n", at) - at - 10);
}

std::string put(const std::string& path, const std::string& more,
                const std::string& host = "Host: a.example:8030\r\n") {
  return "PUT " + path + " HTTP/1.1\r\n" + host + DoorsWorld::kAuth + more + "\r\n";
}

TEST(Redirect, sends_loads_without_body_bytes_to_the_main_listener) {
  DoorsWorld doors;
  struct Case {
    std::string request;
    std::string location;
  };
  const std::string expect = "Expect: 100-continue\r\n";
  for (const Case& c : {
           Case{put("/api/db/t/_stream_load", expect + "Content-Length: 0\r\n"),
                "http://root:@a.example:8040/api/db/t/_stream_load?"},
           Case{put("/api/db/t/_stream_load", expect + "Content-Length: 9\r\n"),
                "http://root:@a.example:8040/api/db/t/_stream_load?"},
           Case{put("/api/db/t/_stream_load", expect + "Transfer-Encoding: chunked\r\n"),
                "http://root:@a.example:8040/api/db/t/_stream_load?"},
           Case{put("/api/db/t/_stream_load/", "Content-Length: 0\r\n"),
                "http://root:@a.example:8040/api/db/t/_stream_load/?"},
           Case{put("/api/db/%E8%A1%A8/_stream_load?x=1&y=%0A", "Content-Length: 0\r\n"),
                "http://root:@a.example:8040/api/db/%E8%A1%A8/_stream_load?x=1&y=%0A"},
           Case{put("/api/db/_stream_load_2pc", ""), "http://root:@a.example:8040/api/db/_stream_load_2pc?"},
           Case{put("/api/db/t/_stream_load_2pc", ""),
                "http://root:@a.example:8040/api/db/t/_stream_load_2pc?"},
           Case{put("/api/db/t/_stream_load", "Content-Length: 0\r\n", ""),
                "http://root:@127.0.0.1:8040/api/db/t/_stream_load?"},
           Case{put("/api/db/t/_stream_load", "Content-Length: 0\r\n", "Host: a/../b\r\n"),
                "http://root:@127.0.0.1:8040/api/db/t/_stream_load?"},
       }) {
    const core::Instant from = doors.world.now().monotonic;
    const Reply reply = doors.ask(c.request, DoorsWorld::kFront);
    EXPECT_EQ(reply.status, 307) << c.request << reply.body;
    EXPECT_EQ(location_of(reply), c.location);
    EXPECT_TRUE(reply.has("Connection: close"));
    EXPECT_TRUE(reply.has("Content-Type: text/html;charset=utf-8"));
    EXPECT_EQ(reply.body, "");
    EXPECT_LT(core::to_millis(doors.world.now().monotonic - from), 100);
    EXPECT_EQ(reply.head.find("100 Continue"), std::string::npos);
  }
}

TEST(Redirect, escapes_what_a_password_may_hold) {
  DoorsWorld doors;
  // us er:p@:/?#
  const Reply reply = doors.ask(
      "PUT /api/db/t/_stream_load HTTP/1.1\r\nHost: a\r\nAuthorization: Basic "
      "dXMgZXI6cEA6Lz8j\r\nContent-Length: 0\r\n\r\n",
      DoorsWorld::kFront);
  EXPECT_EQ(location_of(reply), "http://us%20er:p%40%3A%2F%3F%23@a:8040/api/db/t/_stream_load?");
}

TEST(Redirect, takes_a_load_whose_body_has_begun_or_would_not_wait) {
  DoorsWorld doors({.shards = 3, .split_percent = 0});
  make_table(doors);
  const std::string body = "1\t2\n3\t4\n";
  int taken = 0;
  for (int i = 0; i < 6; ++i) {
    // Head and body leave together, Expect or not.
    const std::string expect = i % 2 == 0 ? "Expect: 100-continue\r\n" : "";
    const Reply reply =
        doors.ask(put("/api/db/t/_stream_load", expect + "Content-Length: 8\r\n") + body, DoorsWorld::kFront);
    EXPECT_EQ(reply.status, 200) << reply.head;
    EXPECT_EQ(field_of(reply.body, "Status"), "Success") << reply.body;
    ++taken;
  }
  EXPECT_EQ(doors.scan("t", "?columns=count(*)"), std::to_string(taken * 2) + "\n");
  // No Expect, and no byte yet: the client goes on without waiting for anything.
  sim::SimClient client = doors.world.connect(DoorsWorld::kFront);
  client.send(put("/api/db/t/_stream_load", "Content-Length: 8\r\n"));
  ASSERT_EQ(doors.world.run_for(std::chrono::seconds(2)), sim::RunStatus::Done);
  EXPECT_EQ(client.received(), "");
  client.send(body);
  ASSERT_TRUE(doors.run_until([&] { return reply_count(client) == 1; }));
  EXPECT_EQ(field_of(replies_of(client)[0].body, "Status"), "Success");
}

TEST(Redirect, discards_a_body_that_was_under_way_so_that_the_client_can_read_the_307) {
  DoorsWorld doors;
  sim::SimClient client = doors.world.connect(DoorsWorld::kFront);
  client.send(put("/api/db/t/_stream_load", "Expect: 100-continue\r\nContent-Length: 100000\r\n"));
  ASSERT_TRUE(doors.run_until([&] { return reply_count(client) == 1; }));
  client.send(std::string(100000, 'x'));
  client.shutdown_write();
  ASSERT_TRUE(doors.run_until([&] { return client.is_closed(); }));
  EXPECT_FALSE(client.was_reset());
  EXPECT_EQ(replies_of(client)[0].status, 307);
}

TEST(Redirect, everything_else_is_answered_as_the_main_listener_does) {
  DoorsWorld doors;
  make_table(doors);
  (void)doors.load("t", "1\t2\n");
  EXPECT_EQ(doors
                .ask("GET /api/db/t/_scan HTTP/1.1\r\nHost: a\r\n" + std::string(DoorsWorld::kAuth) + "\r\n",
                     DoorsWorld::kFront)
                .body,
            "1\t2\n");
  EXPECT_EQ(doors.ask("GET /api/db/t/_stream_load HTTP/1.1\r\nHost: a\r\n\r\n", DoorsWorld::kFront).status,
            405);
  EXPECT_EQ(doors
                .ask("PUT /api/db/_stream_load HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
                     DoorsWorld::kFront)
                .status,
            404);
  // No credentials to send along: the load's own refusal.
  const Reply refused = doors.ask(
      "PUT /api/db/t/_stream_load HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", DoorsWorld::kFront);
  EXPECT_EQ(refused.status, 200);
  EXPECT_NE(refused.body.find("NOT_AUTHORIZED"), std::string::npos);
}

}  // namespace
}  // namespace penstock::net
