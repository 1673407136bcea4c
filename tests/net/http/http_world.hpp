// HttpWorld: a Server in a simulated machine, with a handler whose behaviour the path names, and clients made
// of text.
//
// Journey:  the tests of net/http.   Shard: all of a simulated process.   Promise: one seed, one run.
// Failure: CHECK.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <string>
#include <vector>

#include "net/http/router.hpp"
#include "net/http/server.hpp"
#include "tests/sim/sim_world.hpp"

namespace penstock::net {

inline constexpr std::string_view kAddress = "127.0.0.1:8040";

struct MovedNote final : HandoverState {
  std::string text;
};

// What the handlers of a world saw.
struct Seen {
  int requests = 0;
  int running = 0;
  core::Result<> last_body = {};
  std::uint64_t streamed = 0;
  bool stream_failed = false;
  bool was_draining = false;
};

class TestHandler final : public Handler {
 public:
  explicit TestHandler(Seen& seen) : seen_(seen) {}
  core::Task<void> handle(Exchange& exchange) override {
    ++seen_.requests;
    ++seen_.running;
    co_await behave(exchange);
    --seen_.running;
  }

 private:
  core::Task<void> behave(Exchange& exchange) {
    const std::string path(exchange.request().path());
    if (path == "/echo") {
      core::Result<std::string> body = co_await exchange.read_body(1 << 20);
      seen_.last_body = body ? core::Result<>() : std::unexpected(body.error());
      if (body) (void)co_await exchange.reply(Response::text(std::move(*body)));
    } else if (path == "/count") {  // a body piece by piece, with waits in between
      (void)co_await exchange.send_continue();
      std::uint64_t sum = 0;
      for (;;) {
        core::Result<BodyPiece> piece = co_await exchange.body().next();
        seen_.last_body = piece ? core::Result<>() : std::unexpected(piece.error());
        if (!piece) co_return;
        if (piece->is_end()) break;
        for (const std::byte b : piece->bytes) sum = sum * 31 + static_cast<unsigned char>(b);
        co_await exchange.shard().yield();
      }
      (void)co_await exchange.reply(
          Response::text(std::to_string(exchange.body().bytes_read()) + " " + std::to_string(sum)));
    } else if (path == "/early") {  // a final reply, body unread
      (void)co_await exchange.reply(Response::json("{\"Status\":\"Fail\"}"));
    } else if (path == "/part") {  // some of the body, then a final reply
      (void)co_await exchange.send_continue();
      (void)co_await exchange.body().next();
      (void)co_await exchange.reply(Response::json("{\"Status\":\"Fail\"}"));
    } else if (path == "/impatient") {  // gives a body 5 s, then says so
      exchange.body().set_idle_limit(std::chrono::seconds(5));
      core::Result<std::string> body = co_await exchange.read_body(1 << 20);
      (void)co_await exchange.reply(Response::text(body ? "in time" : body.error().to_string()));
    } else if (path == "/deadline") {  // gives the whole body 5 s
      exchange.body().set_deadline(exchange.shard().now().monotonic + std::chrono::seconds(5));
      core::Result<std::string> body = co_await exchange.read_body(1 << 20);
      (void)co_await exchange.reply(Response::text(body ? "in time" : body.error().to_string()));
    } else if (path == "/stream") {
      const std::uint64_t size = number_of(exchange, "n");
      bool good = (co_await exchange.begin_reply(Response::text(""))).has_value();
      const std::string line(1000, 's');
      while (good && seen_.streamed < size) {
        good = (co_await exchange.write(line)).has_value();
        seen_.streamed += line.size();
      }
      if (good) good = (co_await exchange.end_reply()).has_value();
      seen_.stream_failed = !good;
    } else if (path == "/cut") {  // a streamed reply that fails on the way
      (void)co_await exchange.begin_reply(Response::text(""));
      (void)co_await exchange.write("half");
      (void)co_await exchange.flush();
    } else if (path == "/move") {
      const std::uint64_t number = number_of(exchange, "to");
      const core::ShardId to(static_cast<std::uint32_t>(number % exchange.shard().set().count()));
      if (!exchange.was_moved() && to != exchange.shard().id()) {
        auto note = std::make_unique<MovedNote>();
        note->text = "from " + std::to_string(exchange.shard().id().value) + " ";
        exchange.move_to(to, std::move(note));
        co_return;
      }
      const std::unique_ptr<HandoverState> state = exchange.take_handover();
      core::Result<std::string> body = co_await exchange.read_body(1 << 20);
      if (!body) co_return;
      (void)co_await exchange.reply(
          Response::text((state ? static_cast<MovedNote&>(*state).text : std::string("home ")) + "at " +
                         std::to_string(exchange.shard().id().value) + " " + *body));
    } else if (path == "/wait") {  // something else than the client takes long
      (void)co_await exchange.shard().sleep_for(std::chrono::seconds(20));
      seen_.was_draining = exchange.is_draining();
      (void)co_await exchange.reply(Response::text("waited"));
    } else if (path == "/facts") {
      static constexpr const char* kLengths[] = {"none", "length", "chunked", "both"};
      (void)co_await exchange.reply(
          Response::text(kLengths[static_cast<int>(exchange.request().body_length())]));
    } else if (path == "/last") {
      exchange.close_after_reply();
      (void)co_await exchange.reply(Response::text("good bye"));
    } else if (path == "/abandon") {
      exchange.abandon();
    } else if (path != "/nothing") {
      (void)co_await exchange.reply(Response::text("hello"));
    }
  }
  static std::uint64_t number_of(const Exchange& exchange, std::string_view name) {
    const std::string text = exchange.request().query_value(name).value_or("");
    std::uint64_t number = 0;
    (void)std::from_chars(text.data(), text.data() + text.size(), number);
    return number % 100'000'000;
  }
  Seen& seen_;
};

class HttpWorld {
 public:
  explicit HttpWorld(std::uint64_t seed = 1, std::uint32_t shards = 1, HttpOptions options = {},
                     std::uint32_t split_percent = 25)
      : world({.seed = seed, .kernel = {.split_percent = split_percent}}) {
    core::ShardSet& set = world.start_process(shards);
    server = std::make_unique<Server>(set, options);
    for (std::uint32_t i = 0; i < shards; ++i) {
      handlers.push_back(std::make_unique<TestHandler>(seen));
      world.start(i, start_shard(server.get(), handlers.back().get()));
    }
    world.start(0, listen(server.get()));
    CHECK(run_until([&] { return world.net().is_listening(kAddress); }));
  }
  ~HttpWorld() { world.kill_process(); }

  template <class P>
  bool run_until(P&& predicate) {
    return world.run_until(predicate) == sim::RunStatus::Done;
  }
  void run_seconds(int seconds) {
    CHECK(world.run_for(std::chrono::seconds(seconds), 10'000'000) == sim::RunStatus::Done);
  }
  sim::SimClient connect() { return world.connect(kAddress); }

  // Drains and checks that nothing is left.
  void end(bool expect_in_time = true, int seconds = 30) {
    bool done = false;
    bool in_time = false;
    world.start(0,
                drain(server.get(), world.now().monotonic + std::chrono::seconds(seconds), &done, &in_time));
    ASSERT_TRUE(run_until([&] { return done; }));
    EXPECT_EQ(in_time, expect_in_time);
    EXPECT_EQ(world.run_to_end(), sim::RunStatus::Done);
    EXPECT_EQ(world.open_handles(), 0u);
    EXPECT_EQ(world.buffers_out(), 0u);
    EXPECT_EQ(server->connections(), 0u);
  }

  sim::SimWorld world;
  Seen seen;
  std::vector<std::unique_ptr<TestHandler>> handlers;
  std::unique_ptr<Server> server;

 private:
  static core::Task<void> start_shard(Server* server, Handler* handler) {
    server->start_shard(core::current_shard(), *handler);
    co_return;
  }
  static core::Task<void> listen(Server* server) {
    CHECK((co_await server->listen(std::string(kAddress))).has_value());
  }
  static core::Task<void> drain(Server* server, core::Instant deadline, bool* done, bool* in_time) {
    co_await server->begin_drain();
    *in_time = co_await server->drained(deadline);
    *done = true;
  }
};

// A client's view of what came: replies one after the other.
struct Reply {
  int status = 0;
  std::string reason;
  std::string head;  // with its empty line
  std::string body;
  bool has(std::string_view line) const {
    return head.find("\r\n" + std::string(line) + "\r\n") != std::string::npos;
  }
};

// Takes a whole reply off the front of `text`; false if it is not there yet.
inline bool take_reply(std::string& text, Reply& reply, bool to_head = false) {
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  reply = Reply();
  reply.head = text.substr(0, end + 4);
  reply.status = std::stoi(reply.head.substr(9, 3));
  reply.reason = reply.head.substr(13, reply.head.find("\r\n") - 13);
  std::size_t at = end + 4;
  if (reply.status >= 200 && !to_head) {
    if (reply.has("Transfer-Encoding: chunked")) {
      for (;;) {
        const std::size_t line = text.find("\r\n", at);
        if (line == std::string::npos) return false;
        const std::size_t size = std::stoul(text.substr(at, line - at), nullptr, 16);
        if (text.size() < line + 2 + size + 2) return false;
        reply.body += text.substr(line + 2, size);
        at = line + 2 + size + 2;
        if (size == 0) break;
      }
    } else if (const std::size_t length_at = reply.head.find("Content-Length: ");
               length_at != std::string::npos) {
      const std::size_t length = std::stoul(reply.head.substr(length_at + 16));
      if (text.size() < at + length) return false;
      reply.body = text.substr(at, length);
      at += length;
    } else {
      reply.body = text.substr(at);
      at = text.size();
    }
  }
  text.erase(0, at);
  return true;
}

// The replies in what a client has received, and nothing else must be there.
inline std::vector<Reply> replies_of(sim::SimClient& client) {
  std::string text(client.received());
  std::vector<Reply> replies;
  Reply reply;
  while (!text.empty() && take_reply(text, reply)) replies.push_back(reply);
  EXPECT_EQ(text, "");
  return replies;
}
inline std::size_t reply_count(const sim::SimClient& client) {
  std::string text(client.received());
  Reply reply;
  std::size_t count = 0;
  while (!text.empty() && take_reply(text, reply)) ++count;
  return count;
}

inline std::string chunked(std::string_view body, std::size_t piece) {
  std::string out;
  char line[32];
  for (std::size_t at = 0; at < body.size(); at += piece) {
    const std::string_view part = body.substr(at, piece);
    std::snprintf(line, sizeof line, "%zx\r\n", part.size());
    out += line;
    out += part;
    out += "\r\n";
  }
  return out + "0\r\n\r\n";
}

}  // namespace penstock::net
