#include "net/http/router.hpp"

#include "tests/net/http/http_world.hpp"

namespace penstock::net {
namespace {

class Named final : public Handler {
 public:
  explicit Named(std::string name) : name_(std::move(name)) {}
  core::Task<void> handle(Exchange& exchange) override {
    (void)co_await exchange.reply(Response::text(name_ + " db=" + std::string(exchange.parameter("db")) +
                                                 " table=" + std::string(exchange.parameter("table"))));
  }

 private:
  std::string name_;
};

core::Task<void> start(Server* server, Handler* handler) {
  server->start_shard(core::current_shard(), *handler);
  CHECK((co_await server->listen(std::string(kAddress))).has_value());
}

class RouterTest : public testing::Test {
 protected:
  RouterTest() : server_(world_.start_process(1), HttpOptions()) {
    router_.add(Method::Put, "/api/{db}/{table}/_stream_load", load_);
    router_.add(Method::Post, "/api/{db}/{table}/_stream_load", load_);
    router_.add(Method::Get, "/api/{db}/{table}/_scan", scan_);
    router_.add(Method::Get, "/api/{db}/{table}/_stream_load", look_);
    router_.add(Method::Put, "/api/query/{db}", query_);
    router_.add(Method::Put, "/api/{db}/_stream_load_2pc", two_phase_);
    router_.add(Method::Put, "/api/{db}/special", general_);
    router_.add(Method::Put, "/api/query/special", special_);
    router_.add(Method::Get, "/", root_);
    world_.start(0, start(&server_, &router_));
    CHECK(world_.run_until([&] { return world_.net().is_listening(kAddress); }) == sim::RunStatus::Done);
  }
  ~RouterTest() override { world_.kill_process(); }

  Reply ask(const std::string& request_line, bool head = false) {
    sim::SimClient client = world_.connect(kAddress);
    client.send(request_line + " HTTP/1.1\r\n\r\n");
    Reply reply;
    std::string text;
    CHECK(world_.run_until([&] {
      text = client.received();
      return take_reply(text, reply, head);
    }) == sim::RunStatus::Done);
    EXPECT_EQ(text, "");
    client.reset();
    return reply;
  }

  sim::SimWorld world_;
  Named load_{"load"}, scan_{"scan"}, look_{"look"}, query_{"query"}, two_phase_{"2pc"}, general_{"general"},
      special_{"special"}, root_{"root"};
  Router router_;
  Server server_;
};

TEST_F(RouterTest, finds_routes_and_decodes_parameters) {
  EXPECT_EQ(ask("PUT /api/db/t/_stream_load").body, "load db=db table=t");
  EXPECT_EQ(ask("POST /api/db/t/_stream_load/").body, "load db=db table=t");
  EXPECT_EQ(ask("PUT /api/default_cluster:db/t/_stream_load?x=y").body, "load db=db table=t");
  EXPECT_EQ(ask("PUT /api/default_cluster%3Adb/a%2Fb%20c/_stream_load").body, "load db=db table=a/b c");
  EXPECT_EQ(ask("PUT /api/db/%5fstream_load_2pc").body, "2pc db=db table=");
  EXPECT_EQ(ask("GET http://host:1/api/db/t/_scan").body, "scan db=db table=t");
  EXPECT_EQ(ask("GET /").body, "root db= table=");
  EXPECT_EQ(ask("GET http://host").status, 404);
}

TEST_F(RouterTest, a_literal_beats_a_parameter) {
  EXPECT_EQ(ask("PUT /api/query/special").body, "special db= table=");
  EXPECT_EQ(ask("PUT /api/other/special").body, "general db=other table=");
  EXPECT_EQ(ask("PUT /api/query/other").body, "query db=other table=");
}

TEST_F(RouterTest, unknown_paths_are_404_and_other_methods_405) {
  for (const char* line : {"PUT /api/db/_stream_load", "GET /nothing", "PUT /api//t/_stream_load",
                           "PUT /api/db/t/_stream_load//", "PUT //api/db/t/_stream_load", "OPTIONS *",
                           "PUT /api/db/t/_Stream_load", "PUT /api/db/t/_stream_load/x"}) {
    const Reply reply = ask(line);
    EXPECT_EQ(reply.status, 404) << line;
    EXPECT_EQ(reply.body, R"({"msg":"Not Found","code":404,"data":null,"count":0})");
  }
  const Reply reply = ask("DELETE /api/db/t/_stream_load");
  EXPECT_EQ(reply.status, 405);
  EXPECT_TRUE(reply.has("Allow: PUT, POST, GET, HEAD"));
}

TEST_F(RouterTest, head_goes_where_get_goes) {
  const Reply reply = ask("HEAD /api/db/t/_scan", true);
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.has("Content-Length: 18")) << reply.head;
  EXPECT_EQ(ask("HEAD /nothing", true).status, 404);
}

TEST_F(RouterTest, deep_paths_are_bounded) {
  std::string path;
  for (int i = 0; i < 1000; ++i) path += "/a";
  EXPECT_EQ(ask("GET " + path).status, 404);
}

}  // namespace
}  // namespace penstock::net
