// Request shapes of clients that speak HTTP/1.0, or HTTP/1.1 in their own way.
#include "tests/net/doors/doors_world.hpp"

namespace penstock::net {
namespace {

void make_table(DoorsWorld& doors) {
  doors.must("CREATE DATABASE db");
  doors.must("CREATE TABLE t (k INT, v INT) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 2");
}

// doris-stream-load 2.4: a slash at the end, no Host, keep-alive, Expect that is not waited for, form content type.
TEST(OldClients, an_http_1_0_load_gets_no_100_and_no_chunks_and_keeps_its_connection) {
  DoorsWorld doors({.shards = 3});
  make_table(doors);
  sim::SimClient client = doors.world.connect(kAddress);
  const std::string request =
      "PUT /api/db/t/_stream_load/ HTTP/1.0\r\nAuthorization: Basic cm9vdDo=\r\nUser-Agent: "
      "python-requests/2.34.2\r\n"
      "Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n"
      "two_phase_commit: false\r\ncolumn_separator: ,\r\nContent-Type: application/x-www-form-urlencoded\r\n"
      "Content-Length: 8\r\n\r\n1,2\n3,4\n";
  for (std::size_t i = 1; i <= 3; ++i) {
    client.send(request);
    ASSERT_TRUE(doors.run_until([&] { return reply_count(client) == i; })) << client.received();
  }
  for (const Reply& reply : replies_of(client)) {
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.reason, "OK");
    EXPECT_EQ(field_of(reply.body, "Status"), "Success") << reply.body;
    EXPECT_TRUE(reply.has("Connection: keep-alive"));
    EXPECT_EQ(reply.head.find("chunked"), std::string::npos);
    EXPECT_NE(reply.head.find("Content-Length: "), std::string::npos);
  }
  EXPECT_FALSE(client.is_ended());
  // A scan over HTTP/1.0: no chunks, the end of the connection ends it.
  const Reply scan = doors.ask(
      "GET /api/db/t/_scan?order_by=k HTTP/1.0\r\nAuthorization: Basic cm9vdDo=\r\nConnection: "
      "keep-alive\r\n\r\n");
  EXPECT_EQ(scan.body, "1\t2\n1\t2\n1\t2\n3\t4\n3\t4\n3\t4\n");
  EXPECT_TRUE(scan.has("Connection: close"));
  EXPECT_EQ(scan.head.find("chunked"), std::string::npos);
}

TEST(OldClients, names_that_need_escapes_arrive_escaped_or_raw) {
  DoorsWorld doors;
  doors.must("CREATE DATABASE `база`", "x");
  doors.must(
      "CREATE TABLE `база`.`表-1` (`ключ` INT COMMENT 'первый', v INT) DUPLICATE KEY(`ключ`) DISTRIBUTED BY "
      "HASH(`ключ`) BUCKETS 2");
  for (const std::string& path :
       std::vector<std::string>{"/api/%D0%B1%D0%B0%D0%B7%D0%B0/%E8%A1%A8-1", "/api/база/表-1",
                                "/api/default_cluster:база/表%2d1"}) {
    const Reply reply =
        doors.ask("PUT " + path + "/_stream_load HTTP/1.1\r\nHost: a\r\n" + DoorsWorld::kAuth +
                  "columns: `v`, `ключ`\r\nContent-Length: 4\r\n\r\n1\t2\n");
    EXPECT_EQ(field_of(reply.body, "Status"), "Success") << path << reply.body;
  }
  EXPECT_EQ(
      doors
          .get("/api/%D0%B1%D0%B0%D0%B7%D0%B0/%E8%A1%A8-1/_scan?columns=%D0%BA%D0%BB%D1%8E%D1%87&format=json")
          .body,
      "{\"ключ\":2}\n{\"ключ\":2}\n{\"ключ\":2}\n");
  EXPECT_EQ(doors.get("/api/%D0%B1%D0%B0%D0%B7%D0/%E8%A1%A8-1/_scan").status,
            404);  // not UTF-8, so no such name
}

}  // namespace
}  // namespace penstock::net
