// DoorsWorld: the production store behind the production doors in a simulated machine, and clients made of text.
//
// Journey:  the tests of net/load and net/query.   Shard: all of a simulated process.   Promise: one seed, one run.
// Failure: CHECK.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/doors/doors.hpp"
#include "net/http/server.hpp"
#include "tests/net/http/http_world.hpp"

namespace penstock::net {

struct DoorsOptions {
  std::uint64_t seed = 1;
  std::uint32_t shards = 2;
  std::uint32_t split_percent = 25;
  core::Duration disk_time_max = std::chrono::microseconds(100);
  core::Duration sync_time_max = std::chrono::microseconds(300);
  txn::StoreLimits limits = {};
  ErrorLogs::Limits error_logs = {};
  std::size_t sort_memory_max = ScanHandler::kSortMemoryDefault;
  std::vector<UserEntry> users = {};
  HttpOptions http = {};
};

class DoorsWorld {
 public:
  static constexpr std::string_view kFront = "127.0.0.1:8030";
  static constexpr const char* kAuth = "Authorization: Basic cm9vdDo=\r\n";  // root without a password

  explicit DoorsWorld(DoorsOptions options = {})
      : world({.seed = options.seed,
               .kernel = {.split_percent = options.split_percent,
                          .disk_nanos_max = options.disk_time_max.count(),
                          .sync_nanos_max = options.sync_time_max.count()}}) {
    core::ShardSet& set = world.start_process(options.shards);
    txn::Store::Options store_options{
        .data_dir = "/data", .limits = options.limits, .arenas = {}, .end_process = {}};
    store_options.end_process = [](const std::string& why) { FAIL() << why; };
    for (std::uint32_t i = 0; i < options.shards; ++i) {
      arenas_.push_back(
          std::make_unique<core::PageArena>(options.limits.write_buffers, options.limits.write_buffer_bytes));
      store_options.arenas.push_back(arenas_.back().get());
    }
    store = std::make_unique<txn::Store>(set, std::move(store_options));
    error_logs = std::make_unique<ErrorLogs>(set, options.error_logs, std::string(kAddress));
    server = std::make_unique<Server>(set, options.http);
    front = std::make_unique<Server>(set, options.http);
    run(open_store(store.get()));
    for (std::uint32_t i = 0; i < options.shards; ++i) {
      doors_.push_back(std::make_unique<Doors>(*store, *error_logs,
                                               Doors::Options{.address = std::string(kAddress),
                                                              .version = "test",
                                                              .sort_memory_max = options.sort_memory_max,
                                                              .users = options.users,
                                                              .key = {}}));
      world.start(i, start_shard(server.get(), &doors_.back()->main()));
      world.start(i, start_shard(front.get(), &doors_.back()->redirecting()));
    }
    world.start(0, listen(server.get(), kAddress));
    world.start(0, listen(front.get(), kFront));
    CHECK(run_until([&] { return world.net().is_listening(kAddress) && world.net().is_listening(kFront); }));
  }
  ~DoorsWorld() { world.kill_process(); }

  template <class P>
  bool run_until(P&& predicate) {
    return world.run_until(predicate, 20'000'000) == sim::RunStatus::Done;
  }
  void run(core::Task<void> task) {
    bool done = false;
    world.start(0, run_task(std::move(task), &done));
    CHECK(run_until([&] { return done; }));
  }

  // One request on a connection of its own; the last reply that came.
  Reply ask(const std::string& request, std::string_view address = kAddress) {
    sim::SimClient client = world.connect(address);
    client.send(request);
    const bool is_head = request.starts_with("HEAD ");
    Reply reply;
    const auto has_final = [&] {
      std::string text(client.received());
      while (take_reply(text, reply, is_head)) {
        // Without a length it is whole when the connection ends.
        const bool has_length = is_head || reply.has("Transfer-Encoding: chunked") ||
                                reply.head.find("Content-Length: ") != std::string::npos;
        if (reply.status >= 200 && (has_length || client.is_ended())) return true;
      }
      return client.is_ended();
    };
    if (!run_until(has_final)) ADD_FAILURE() << "no reply to " << request;
    client.shutdown_write();
    return reply;
  }
  Reply get(const std::string& target) {
    return ask("GET " + target + " HTTP/1.1\r\nHost: penstock.example:8040\r\n" + kAuth +
               "Connection: close\r\n\r\n");
  }
  Reply load(const std::string& table, const std::string& body, const std::string& headers = "") {
    return ask("PUT /api/db/" + table + "/_stream_load HTTP/1.1\r\nHost: penstock.example:8040\r\n" + kAuth +
               "Expect: 100-continue\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + body);
  }
  // The reply's body to a statement.
  std::string sql(const std::string& text, const std::string& database = "db") {
    std::string body = R"({"stmt": ")";
    for (const char c : text) {
      if (c == '"' || c == '\\') body += '\\';
      if (c == '\n') {
        body += "\\n";
      } else {
        body += c;
      }
    }
    body += "\"}";
    return ask("POST /api/query/default_cluster/" + database + " HTTP/1.1\r\nHost: penstock.example\r\n" +
               kAuth + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body)
        .body;
  }
  void must(const std::string& text, const std::string& database = "db") {
    const std::string reply = sql(text, database);
    EXPECT_NE(reply.find(R"("code":0)"), std::string::npos) << text << ": " << reply;
  }
  std::string scan(const std::string& table, const std::string& query = "") {
    const Reply reply = get("/api/db/" + table + "/_scan" + query);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.body;
  }

  sim::SimWorld world;
  std::unique_ptr<txn::Store> store;
  std::unique_ptr<ErrorLogs> error_logs;
  std::unique_ptr<Server> server;
  std::unique_ptr<Server> front;

 private:
  static core::Task<void> run_task(core::Task<void> task, bool* done) {
    co_await std::move(task);
    *done = true;
  }
  static core::Task<void> open_store(txn::Store* store) {
    const auto opened = co_await store->open();
    CHECK(opened.has_value());
  }
  static core::Task<void> start_shard(Server* server, Handler* handler) {
    server->start_shard(core::current_shard(), *handler);
    co_return;
  }
  static core::Task<void> listen(Server* server, std::string_view address) {
    CHECK((co_await server->listen(std::string(address))).has_value());
  }

  std::vector<std::unique_ptr<core::PageArena>> arenas_;
  std::vector<std::unique_ptr<Doors>> doors_;
};

// The value of a text or number field of a reply, as it stands there.
inline std::string field_of(const std::string& json, const std::string& name) {
  const std::size_t at = json.find("\"" + name + "\": ");
  if (at == std::string::npos) return "";
  std::size_t from = at + name.size() + 4;
  const bool is_text = json[from] == '"';
  if (is_text) ++from;
  const std::size_t end = is_text ? json.find("\"", from) : json.find_first_of(",\n}", from);
  return json.substr(from, end - from);
}

}  // namespace penstock::net
