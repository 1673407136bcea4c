#include "tools/bench/reply_parser.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tools/bench/bench_target.hpp"

namespace penstock::tools {
namespace {

struct Parsed {
  int status = 0;
  std::string body;
  std::size_t taken = 0;
  std::string error;
};

Parsed parse(const std::string& text, std::size_t piece) {
  ReplyParser parser;
  Parsed parsed;
  while (parsed.taken < text.size() && !parser.is_done()) {
    const auto taken = parser.feed(std::string_view(text).substr(parsed.taken, piece),
                                   [&](std::string_view body) { parsed.body += body; });
    if (!taken) {
      parsed.error = taken.error();
      return parsed;
    }
    parsed.taken += *taken;
  }
  parsed.status = parser.status();
  if (!parser.is_done()) parsed.error = "not done";
  return parsed;
}

TEST(reply_parser, replies_come_out_the_same_in_whatever_pieces_they_come) {
  const std::string with_length = "HTTP/1.1 200 OK\r\nContent-Type: x\r\ncontent-length: 5\r\n\r\nhello";
  const std::string chunked =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n1a;x=y\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nTrailer: 1\r\n\r\n";
  const std::string empty = "HTTP/1.1 307 x\r\nLocation: http://b/\r\nContent-Length: 0\r\n\r\n";
  for (std::size_t piece = 1; piece < 40; ++piece) {
    const Parsed one = parse(with_length + "HTTP/1.1 2", piece);
    EXPECT_EQ(one.error, "");
    EXPECT_EQ(one.status, 200);
    EXPECT_EQ(one.body, "hello");
    EXPECT_EQ(one.taken, with_length.size());
    const Parsed other = parse(chunked, piece);
    EXPECT_EQ(other.error, "");
    EXPECT_EQ(other.status, 400);
    EXPECT_EQ(other.body, "abcabcdefghijklmnopqrstuvwxyz");
    EXPECT_EQ(other.taken, chunked.size());
    EXPECT_EQ(parse(empty, piece).status, 307);
  }
}

TEST(reply_parser, what_is_no_http_is_said) {
  EXPECT_NE(parse("SSH-2.0-x\r\n", 100).error, "");
  EXPECT_NE(parse("HTTP/1.1 abc\r\n", 100).error, "");
  EXPECT_NE(parse("HTTP/1.1 200 OK\r\nno header\r\n", 100).error, "");
  EXPECT_NE(parse("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", 100).error, "");
  EXPECT_NE(parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 100).error, "");
  EXPECT_NE(parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", 100).error, "");
  EXPECT_TRUE(parse("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x'), 1000).error.contains("64 KiB"));
}

TEST(bench_target, urls_and_tables_are_read_and_bad_ones_refused) {
  BenchTarget target;
  EXPECT_TRUE(set_url(target, "http://10.0.0.1:8041/x"));
  EXPECT_EQ(target.address(), "10.0.0.1:8041");
  EXPECT_TRUE(set_url(target, "[::1]:80"));
  EXPECT_EQ(target.host, "::1");
  EXPECT_EQ(target.address(), "[::1]:80");
  for (const char* bad :
       {"", "http://", "host", "host:", ":80", "host:0", "host:x", "host:99999", "https://h:1"}) {
    EXPECT_FALSE(set_url(target, bad)) << bad;
  }
  EXPECT_TRUE(set_table(target, "db.t"));
  EXPECT_EQ(target.database + "/" + target.table, "db/t");
  for (const char* bad : {"", "t", ".t", "db.", "db.t x", "db/t.x"})
    EXPECT_FALSE(set_table(target, bad)) << bad;
  target.user = "ann";
  target.password = "b:c";
  EXPECT_TRUE(target.common_headers().contains("Basic YW5uOmI6Yw==")) << target.common_headers();
}

}  // namespace
}  // namespace penstock::tools
