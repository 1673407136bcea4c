#include "net/http/connection.hpp"

#include "tests/net/http/http_world.hpp"

namespace penstock::net {
namespace {

using core::Errc;

std::string sum_of(std::string_view body) {
  std::uint64_t sum = 0;
  for (const char c : body) sum = sum * 31 + static_cast<unsigned char>(c);
  return std::to_string(body.size()) + " " + std::to_string(sum);
}

TEST(Connection, answers_a_request_with_reason_ok_length_and_date) {
  HttpWorld http;
  sim::SimClient client = http.connect();
  client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(http.run_until([&] { return reply_count(client) == 1; }));
  const Reply reply = replies_of(client)[0];
  EXPECT_TRUE(reply.head.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(reply.has("Content-Length: 5"));
  EXPECT_TRUE(reply.has("Content-Type: text/plain; charset=utf-8"));
  EXPECT_FALSE(reply.has("Connection: close"));
  EXPECT_NE(reply.head.find("\r\nDate: Tue, 14 Nov 2023 22:13:2"), std::string::npos) << reply.head;
  EXPECT_EQ(reply.body, "hello");
  EXPECT_FALSE(client.is_ended());
  http.end();
  EXPECT_TRUE(client.is_ended());
  EXPECT_FALSE(client.was_reset());
}

const std::string kPipelined =
    "PUT /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nfirst"
    "PUT /count HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: "
    "100-continue\r\n\r\n3\r\nabc\r\n1;x=y\r\nd\r\n0\r\nT: 1\r\n\r\n"
    "\r\nGET /hello?a HTTP/1.1\r\n\r\n"
    "POST /echo HTTP/1.1\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n"
    "PUT /facts HTTP/1.1\r\n\r\n";

void expect_pipelined_replies(sim::SimClient& client, const std::string& where) {
  const std::vector<Reply> replies = replies_of(client);
  ASSERT_EQ(replies.size(), 6u) << where;
  EXPECT_EQ(replies[0].body, "first") << where;
  EXPECT_EQ(replies[1].status, 100) << where;
  EXPECT_EQ(replies[1].head, "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(replies[2].body, sum_of("abcd")) << where;
  EXPECT_EQ(replies[3].body, "hello") << where;
  EXPECT_EQ(replies[4].body, "") << where;
  EXPECT_EQ(replies[5].body, "none") << where;
  for (const Reply& reply : replies) EXPECT_FALSE(reply.has("Connection: close")) << where;
}

TEST(Connection, answers_pipelined_requests_split_at_every_byte) {
  HttpWorld http(3, 1, {}, 0);
  for (std::size_t cut = 0; cut <= kPipelined.size(); ++cut) {
    sim::SimClient client = http.connect();
    client.send(std::string_view(kPipelined).substr(0, cut));
    ASSERT_TRUE(http.run_until([&] { return client.unread_by_server() == 0; }));
    client.send(std::string_view(kPipelined).substr(cut));
    ASSERT_TRUE(http.run_until([&] { return reply_count(client) == 6; })) << cut;
    expect_pipelined_replies(client, std::to_string(cut));
    client.reset();
  }
  http.end();
}

TEST(Connection, answers_pipelined_requests_that_come_byte_by_byte_or_in_random_pieces) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    HttpWorld http(seed, 1, {}, 80);
    sim::SimClient client = http.connect();
    if (seed % 2 == 0) {
      client.send(kPipelined);
    } else {
      for (const char c : kPipelined) {
        client.send(std::string_view(&c, 1));
        ASSERT_TRUE(http.run_until([&] { return client.unread_by_server() == 0; }));
      }
    }
    ASSERT_TRUE(http.run_until([&] { return reply_count(client) == 6; })) << seed;
    expect_pipelined_replies(client, std::to_string(seed));
    client.shutdown_write();
    ASSERT_TRUE(http.run_until([&] { return client.is_closed(); }));
    http.end();
  }
}

TEST(Connection, reads_large_bodies_and_keeps_what_follows_them) {
  std::string body;
  for (int i = 0; i < 300'000; ++i) body += static_cast<char>('a' + i % 23);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{4096}, std::size_t{65524}, body.size()}) {
    const std::string_view part =
        piece == 1 ? std::string_view(body).substr(0, 20'000) : std::string_view(body);
    HttpWorld http(piece);
    sim::SimClient client = http.connect();
    client.send("PUT /count HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(part, piece));
    client.send("PUT /count HTTP/1.1\r\nContent-Length: " + std::to_string(part.size()) + "\r\n\r\n");
    client.send(part);
    for (int i = 0; i < 200; ++i)
      client.send("GET /hello HTTP/1.1\r\nX: " + std::string(250, 'x') + "\r\n\r\n");
    ASSERT_TRUE(http.run_until([&] { return reply_count(client) == 202; })) << piece;
    const std::vector<Reply> replies = replies_of(client);
    EXPECT_EQ(replies[0].body, sum_of(part));
    EXPECT_EQ(replies[1].body, sum_of(part));
    EXPECT_EQ(replies[201].body, "hello");
    http.end();
  }
}

TEST(Connection, closes_after_its_reply_when_too_much_follows_a_body) {
  HttpOptions options;
  options.pipelined_bytes_max = 0;
  HttpWorld http(1, 1, options, 0);
  sim::SimClient client = http.connect();
  std::string text =
      "PUT /count HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(std::string(20000, 'b'), 5000);
  for (int i = 0; i < 500; ++i) text += "GET /hello HTTP/1.1\r\nX: " + std::string(250, 'x') + "\r\n\r\n";
  client.send(text);
  ASSERT_TRUE(http.run_until([&] { return reply_count(client) == 1; }));
  EXPECT_TRUE(replies_of(client)[0].has("Connection: close"));
  client.shutdown_write();
  ASSERT_TRUE(http.run_until([&] { return client.is_closed(); }));
  EXPECT_FALSE(client.was_reset());
  http.end();
}

TEST(Connection, reads_a_million_tiny_chunks) {
  HttpWorld http;
  sim::SimClient client = http.connect();
  const std::string body(1'000'000, 'x');
  client.send("PUT /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(body, 1));
  ASSERT_TRUE(http.run_until([&] { return reply_count(client) == 1; }));
  EXPECT_EQ(replies_of(client)[0].body, body);
  http.end();
}

TEST(Connection, sends_100_only_where_it_is_waited_for) {
  struct Case {
    std::string head;
    bool gets_100;
  };
  for (const Case& each :
       {Case{"PUT /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", true},
        Case{
            "PUT /echo HTTP/1.1\r\nexpect: 100-continue\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n",
            true},
        Case{"PUT /echo HTTP/1.1\r\nContent-Length: 2\r\n\r\n", false},
        Case{"PUT /echo HTTP/1.1\r\nExpect: something\r\nContent-Length: 2\r\n\r\n", false},
        Case{"PUT /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", false}}) {
    HttpWorld http;
    sim::SimClient client = http.connect();
    client.send(each.head);
    if (each.gets_100) {
      ASSERT_TRUE(http.run_until([&] { return reply_count(client) == 1; }));
      EXPECT_EQ(client.take_received(), "HTTP/1.1 100 Continue\r\n\r\n");
    } else {
      http.run_seconds(3);
      EXPECT_EQ(client.received(), "");
    }
    client.send("ab");
    ASSERT_TRUE(http.run_until([&] { return reply_count(client) == 1; }));
    EXPECT_EQ(replies_of(client)[0].body, "ab");
  }
}

TEST(Connection, answers_head_without_a_body) {
  HttpWorld http;
  sim::SimClient client = http.connect();
  client.send("HEAD /hello HTTP/1.1\r\n\r\nHEAD /stream?n=5000 HTTP/1.1\r\n\r\nGET /hello HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(http.run_until([&] { return client.received().ends_with("\r\n\r\nhello"); }));
  std::string text = client.take_received();
  Reply reply;
  ASSERT_TRUE(take_reply(text, reply, true));
  EXPECT_TRUE(reply.has("Content-Length: 5"));
  ASSERT_TRUE(take_reply(text, reply, true));
  EXPECT_TRUE(reply.has("Transfer-Encoding: chunked"));
  ASSERT_TRUE(take_reply(text, reply));
  EXPECT_EQ(reply.body, "hello");
  EXPECT_EQ(text, "");
  http.end();
}

TEST(Connection, speaks_http_1_0) {
  HttpWorld http;
  sim::SimClient kept = http.connect();
  kept.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /hello HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(http.run_until([&] { return kept.is_ended(); }));
  const std::vector<Reply> replies = replies_of(kept);
  ASSERT_EQ(replies.size(), 2u);
  EXPECT_TRUE(replies[0].has("Connection: keep-alive"));
  EXPECT_TRUE(replies[1].has("Connection: close"));

  sim::SimClient streamed = http.connect();
  streamed.send("GET /stream?n=70000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  ASSERT_TRUE(http.run_until([&] { return streamed.is_ended(); }));
  const Reply reply = replies_of(streamed)[0];
  EXPECT_TRUE(reply.has("Connection: close"));
  EXPECT_FALSE(reply.has("Transfer-Encoding: chunked"));
  EXPECT_EQ(reply.body, std::string(70000, 's'));
  http.end();
}

TEST(Connection, streams_a_reply_in_chunks_and_goes_on) {
  HttpWorld http;
  sim::SimClient client = http.connect();
  client.send("GET /stream?n=1000000 HTTP/1.1\r\n\r\nGET /hello HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(http.run_until([&] { return reply_count(client) == 2; }));
  const std::vector<Reply> replies = replies_of(client);
  EXPECT_EQ(replies[0].body, std::string(1'000'000, 's'));
  EXPECT_EQ(replies[1].body, "hello");
  sim::SimClient empty = http.connect();
  empty.send("GET /stream HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(http.run_until([&] { return reply_count(empty) == 1; }));
  EXPECT_EQ(replies_of(empty)[0].body, "");
  http.end();
}

TEST(Connection, cuts_off_a_streamed_reply_that_did_not_end) {
  HttpWorld http;
  sim::SimClient client = http.connect();
  client.send("GET /cut HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(http.run_until([&] { return client.is_closed(); }));
  EXPECT_TRUE(client.received().ends_with("\r\n\r\n4\r\nhalf\r\n"));
  http.end();
}

TEST(Connection, a_slow_reader_holds_back_the_stream_and_is_closed_in_time) {
  HttpWorld http(1, 1, {}, 0);
  sim::SimClient client = http.connect();
  client.set_window(100'000);
  client.send("GET /stream?n=50000000 HTTP/1.1\r\n\r\n");
  http.run_seconds(40);
  EXPECT_LE(http.seen.streamed, 300'000u);
  EXPECT_EQ(http.seen.running, 1);
  (void)client.take_received();
  http.run_seconds(40);  // the clock began again with what it took
  EXPECT_EQ(http.seen.running, 1);
  http.run_seconds(30);
  EXPECT_EQ(http.seen.running, 0);
  EXPECT_TRUE(http.seen.stream_failed);
  EXPECT_TRUE(client.is_closed());
  http.end();
}

TEST(Connection, an_early_reply_says_close_and_the_rest_of_the_body_is_discarded) {
  for (const std::string& framing :
       {std::string("Content-Length: 3000000"), std::string("Transfer-Encoding: chunked")}) {
    for (const std::string& path : {std::string("/early"), std::string("/part")}) {
      HttpWorld http;
      sim::SimClient client = http.connect();
      client.send("PUT " + path + " HTTP/1.1\r\n" + framing + "\r\n\r\n");
      const std::string body(3'000'000, 'x');
      const std::string text = framing.starts_with("C") ? body : chunked(body, 4096);
      client.send(std::string_view(text).substr(0, 10'000));
      ASSERT_TRUE(http.run_until([&] { return reply_count(client) == 1; }));
      EXPECT_TRUE(replies_of(client)[0].has("Connection: close"));
      EXPECT_FALSE(client.is_closed());
      client.send(std::string_view(text).substr(10'000));
      ASSERT_TRUE(http.run_until([&] { return client.is_closed(); }));
      EXPECT_EQ(client.unread_by_server(), 0u);
      EXPECT_FALSE(client.was_reset());
      EXPECT_EQ(http.world.buffers_out(), 0u);
      EXPECT_EQ(http.seen.requests, 1);
      http.end();
    }
  }
}

TEST(Connection, discards_no_longer_than_its_time) {
  HttpWorld http;
  sim::SimClient client = http.connect();
  client.send("PUT /early HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  ASSERT_TRUE(http.run_until([&] { return reply_count(client) == 1; }));
  for (int i = 0; i < 28; ++i) {
    http.run_seconds(1);
    client.send("5\r\nhello\r\n");
    EXPECT_FALSE(client.is_closed()) << i;
  }
  http.run_seconds(5);
  EXPECT_TRUE(client.is_closed());
  http.end();
}

TEST(Connection, discards_no_more_than_its_bytes) {
  HttpOptions options;
  options.discard_bytes_max = 100'000;
  HttpWorld http(1, 1, options);
  sim::SimClient client = http.connect();
  client.send("PUT /early HTTP/1.1\r\nContent-Length: 10000000\r\n\r\n");
  client.send(std::string(1'000'000, 'x'));
  ASSERT_TRUE(http.run_until([&] { return client.is_closed(); }));
  EXPECT_TRUE(client.was_reset());
}

TEST(Connection, a_refused_expectation_gets_the_final_reply_and_no_100) {
  HttpWorld http;
  sim::SimClient client = http.connect();
  client.send("PUT /early HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
  ASSERT_TRUE(http.run_until([&] { return client.is_ended(); }));
  const std::vector<Reply> replies = replies_of(client);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].status, 200);
  EXPECT_TRUE(replies[0].has("Connection: close"));
  client.shutdown_write();
  ASSERT_TRUE(http.run_until([&] { return client.is_closed(); }));
  http.end();
}

TEST(Connection, both_lengths_are_the_handlers_to_refuse_and_never_read) {
  HttpWorld http;
  sim::SimClient client = http.connect();
  client.send(
      "PUT /facts HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /hello "
      "HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(http.run_until([&] { return client.is_ended(); }));
  const std::vector<Reply> replies = replies_of(client);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].body, "both");
  EXPECT_TRUE(replies[0].has("Connection: close"));
  EXPECT_EQ(http.seen.requests, 1);
  http.run_seconds(5);

  sim::SimClient reader = http.connect();
  reader.send("PUT /echo HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  ASSERT_TRUE(http.run_until([&] { return reader.is_closed(); }));
  EXPECT_EQ(http.seen.last_body.error().code, Errc::InvalidArgument);
  EXPECT_EQ(reader.received(), "");
}

TEST(Connection, what_follows_a_reply_that_closes_is_never_read_as_a_request) {
  HttpWorld http(1, 1, {}, 0);
  sim::SimClient client = http.connect();
  client.send("PUT /last HTTP/1.1\r\n\r\nGET /hello HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(http.run_until([&] { return client.is_ended(); }));
  ASSERT_EQ(reply_count(client), 1u);
  EXPECT_TRUE(replies_of(client)[0].has("Connection: close"));
  EXPECT_EQ(http.seen.requests, 1);
  http.end();
}

TEST(Connection, a_head_that_cannot_be_parsed_is_answered_and_closed) {
  struct Case {
    std::string text;
    int status;
  };
  for (const Case& each : {Case{"PUT / HTTP/1.1\r\nContent-Length : 5\r\n\r\nhello", 400},
                           Case{"PUT / HTTP/1.1\r\nTransfer-Encoding: zip\r\n\r\nhello", 400},
                           Case{"GET / HTTP/3.0\r\n\r\n", 400}, Case{"nonsense\r\n\r\n", 400},
                           Case{"GET / HTTP/1.1\r\nX: " + std::string(1'000'000, 'x') + "\r\n\r\n", 431},
                           Case{"GET /" + std::string(1'000'000, 'x') + " HTTP/1.1\r\n\r\n", 414}}) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      HttpWorld http(seed);
      sim::SimClient client = http.connect();
      client.send(each.text);
      ASSERT_TRUE(http.run_until([&] { return client.is_ended() && client.unread_by_server() == 0; }));
      const std::vector<Reply> replies = replies_of(client);
      ASSERT_EQ(replies.size(), 1u);
      EXPECT_TRUE(replies[0].status == each.status || replies[0].status == 505) << replies[0].head;
      EXPECT_TRUE(replies[0].has("Connection: close"));
      EXPECT_TRUE(replies[0].body.starts_with("{\"msg\":\""));
      EXPECT_FALSE(client.was_reset());
      client.shutdown_write();
      ASSERT_TRUE(http.run_until([&] { return client.is_closed(); }));
      EXPECT_EQ(http.seen.requests, 0);
      http.end();
    }
  }
}

TEST(Connection, a_body_whose_framing_breaks_is_answered_400_and_closed) {
  HttpWorld http;
  for (const char* path : {"/echo", "/count"}) {
    sim::SimClient client = http.connect();
    client.send(std::string("PUT ") + path +
                " HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\nxx");
    ASSERT_TRUE(http.run_until([&] { return client.is_ended(); }));
    const std::vector<Reply> replies = replies_of(client);
    ASSERT_EQ(replies.size(), 1u);
    EXPECT_EQ(replies[0].status, 400);
    EXPECT_TRUE(replies[0].has("Connection: close"));
    EXPECT_EQ(http.seen.last_body.error().code, Errc::InvalidArgument);
    client.shutdown_write();
    ASSERT_TRUE(http.run_until([&] { return client.is_closed(); }));
  }
  http.end();
}

TEST(Connection, a_client_that_leaves_in_mid_body_ends_the_load) {
  for (const bool hard : {false, true}) {
    for (const char* framing : {"Content-Length: 100", "Transfer-Encoding: chunked"}) {
      HttpWorld http;
      sim::SimClient client = http.connect();
      client.send(std::string("PUT /count HTTP/1.1\r\n") + framing + "\r\n\r\n14\r\nhello");
      ASSERT_TRUE(http.run_until([&] { return http.seen.running == 1 && client.unread_by_server() == 0; }));
      hard ? client.reset() : client.shutdown_write();
      ASSERT_TRUE(http.run_until([&] { return http.seen.running == 0; }));
      EXPECT_EQ(http.seen.last_body.error().code, Errc::Closed);
      ASSERT_TRUE(http.run_until([&] { return http.server->connections() == 0; }));
      EXPECT_EQ(client.received(), "");
      http.end();
    }
  }
}

TEST(Connection, a_client_that_leaves_in_a_head_or_before_one_is_no_event) {
  HttpWorld http;
  for (const char* text : {"", "GET / HT", "\r\n"}) {
    for (const bool hard : {false, true}) {
      sim::SimClient client = http.connect();
      client.send(text);
      http.run_seconds(1);
      hard ? client.reset() : client.shutdown_write();
      ASSERT_TRUE(http.run_until([&] { return http.server->connections() == 0; }));
      EXPECT_EQ(client.received(), "");
    }
  }
  EXPECT_EQ(http.seen.requests, 0);
  http.end();
}

TEST(Connection, idle_connections_and_slow_heads_are_closed_in_time) {
  HttpWorld http;
  sim::SimClient idle = http.connect();
  sim::SimClient slow = http.connect();
  sim::SimClient drip = http.connect();
  slow.send("GET / HTTP/1.1\r\n");
  for (int i = 0; i < 9; ++i) {
    http.run_seconds(1);
    drip.send(i == 0 ? "GET / HTTP/1.1\r\nX: " : "x");
    EXPECT_FALSE(slow.is_closed()) << i;
  }
  http.run_seconds(3);
  EXPECT_TRUE(slow.is_closed());
  EXPECT_FALSE(idle.is_closed());
  http.run_seconds(3);
  EXPECT_TRUE(drip.is_closed());
  http.run_seconds(58);
  EXPECT_FALSE(idle.is_closed());
  http.run_seconds(4);
  EXPECT_TRUE(idle.is_closed());
  EXPECT_EQ(idle.received(), "");
  http.end();
}

TEST(Connection, an_open_body_may_be_silent_for_three_days) {
  HttpOptions options;
  options.tick = std::chrono::seconds(600);
  HttpWorld http(1, 1, options);
  sim::SimClient client = http.connect();
  client.send("PUT /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  http.run_seconds(259'000);
  EXPECT_FALSE(client.is_closed());
  client.send(chunked("late", 4));
  ASSERT_TRUE(http.run_until([&] { return reply_count(client) == 1; }));
  EXPECT_EQ(replies_of(client)[0].body, "late");
  sim::SimClient never = http.connect();
  never.send("PUT /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  http.run_seconds(260'500);
  EXPECT_TRUE(never.is_closed());
  EXPECT_EQ(http.seen.last_body.error().code, Errc::TimedOut);
}

TEST(Connection, a_body_that_is_too_slow_for_its_handler_still_gets_a_reply) {
  HttpWorld http;
  sim::SimClient client = http.connect();
  client.send("PUT /impatient HTTP/1.1\r\nContent-Length: 10\r\n\r\nab");
  http.run_seconds(8);
  const std::vector<Reply> replies = replies_of(client);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].body, "receiving (TimedOut)");
  EXPECT_TRUE(replies[0].has("Connection: close"));
  http.run_seconds(31);
  EXPECT_TRUE(client.is_closed());
  http.end();
}

TEST(Connection, a_body_past_its_deadline_is_discarded_so_that_the_reply_can_be_read) {
  HttpWorld http;
  sim::SimClient client = http.connect();
  client.send("PUT /deadline HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 15; ++i) {
    client.send("5\r\nhello\r\n");
    http.run_seconds(1);
    EXPECT_FALSE(client.is_closed()) << i;
  }
  ASSERT_EQ(reply_count(client), 1u);
  EXPECT_EQ(replies_of(client)[0].body, "receiving (TimedOut)");
  client.send("0\r\n\r\n");
  client.shutdown_write();
  ASSERT_TRUE(http.run_until([&] { return client.is_closed(); }));
  EXPECT_FALSE(client.was_reset());
  http.end();
}

TEST(Connection, a_reply_that_is_not_read_holds_no_receive_buffer) {
  HttpWorld http(1, 1, {}, 0);
  sim::SimClient client = http.connect();
  client.set_window(10);
  client.send("PUT /part HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  http.run_seconds(1);
  client.send(chunked(std::string(60'000, 'x'), 1000));
  http.run_seconds(5);
  EXPECT_EQ(http.seen.running, 1);
  EXPECT_EQ(http.world.buffers_out(), 0u);
  client.set_window(1 << 20);
  (void)client.take_received();
  ASSERT_TRUE(http.run_until([&] { return client.is_ended(); }));
  client.shutdown_write();
  ASSERT_TRUE(http.run_until([&] { return client.is_closed(); }));
  EXPECT_FALSE(client.was_reset());
  http.end();
}

TEST(Connection, a_handler_without_a_reply_closes_the_connection) {
  HttpWorld http;
  for (const char* path : {"/nothing", "/abandon"}) {
    sim::SimClient client = http.connect();
    client.send(std::string("GET ") + path + " HTTP/1.1\r\n\r\nGET /hello HTTP/1.1\r\n\r\n");
    ASSERT_TRUE(http.run_until([&] { return client.is_closed(); }));
    EXPECT_EQ(client.received(), "");
  }
  http.end();
}

TEST(Connection, a_body_too_long_for_its_route_is_not_kept) {
  HttpWorld http;
  sim::SimClient client = http.connect();
  client.send("PUT /echo HTTP/1.1\r\nContent-Length: 2000000\r\n\r\n");
  client.send(std::string(2'000'000, 'x'));
  ASSERT_TRUE(http.run_until([&] { return client.is_closed(); }));
  EXPECT_EQ(http.seen.last_body.error().code, Errc::TooLarge);
}

TEST(Connection, survives_random_clients) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    HttpWorld http(seed, 2, {}, 60);
    sim::SimRandom dice(seed, 9);
    std::vector<sim::SimClient> clients;
    for (int i = 0; i < 12; ++i) {
      clients.push_back(http.connect());
      std::string text = kPipelined + "PUT /move?to=1 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc" + kPipelined;
      for (std::uint64_t n = dice.below(4); n > 0; --n) {
        const std::size_t at = static_cast<std::size_t>(dice.below(text.size()));
        if (dice.below(2) == 0)
          text.erase(at, static_cast<std::size_t>(1 + dice.below(5)));
        else
          text.insert(at, 1, static_cast<char>(dice.below(256)));
      }
      clients.back().send(text);
      if (dice.below(4) == 0) clients.back().shutdown_write();
      if (dice.below(4) == 0) clients.back().set_window(50);
    }
    for (int round = 0; round < 30; ++round) {
      http.run_seconds(3);
      sim::SimClient& client = clients[static_cast<std::size_t>(dice.below(clients.size()))];
      if (dice.below(3) == 0)
        client.reset();
      else
        (void)client.take_received();
    }
    for (sim::SimClient& client : clients) client.reset();
    ASSERT_TRUE(http.run_until([&] { return http.server->connections() == 0; })) << seed;
    EXPECT_EQ(http.world.buffers_out(), 0u);
    http.end();
  }
}

}  // namespace
}  // namespace penstock::net
