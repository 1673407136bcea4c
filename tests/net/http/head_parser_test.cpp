#include "net/http/head_parser.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace penstock::net {
namespace {

using namespace std::string_literals;

struct Parsed {
  HeadParser::State state = HeadParser::State::NeedMore;
  std::size_t consumed = 0;
  int status = 0;
  Request request;
};

Parsed parse(const std::vector<std::string_view>& pieces, const HeadLimits& limits = {}) {
  HeadParser parser(limits);
  Parsed out;
  for (const std::string_view piece : pieces) {
    std::size_t consumed = 0;
    out.state = parser.feed(core::as_bytes(piece), consumed);
    EXPECT_LE(consumed, piece.size());
    out.consumed += consumed;
    if (out.state != HeadParser::State::NeedMore) break;
    EXPECT_EQ(consumed, piece.size());
  }
  out.status = out.state == HeadParser::State::Bad ? parser.error().status : 0;
  if (out.state == HeadParser::State::Done) out.request = parser.take();
  return out;
}

std::vector<std::string_view> bytes_of(std::string_view text) {
  std::vector<std::string_view> pieces;
  for (std::size_t i = 0; i < text.size(); ++i) pieces.push_back(text.substr(i, 1));
  return pieces;
}

// Everything a handler can see.
std::string describe(const Parsed& parsed) {
  if (parsed.state == HeadParser::State::NeedMore) return "more";
  if (parsed.state == HeadParser::State::Bad) return "bad " + std::to_string(parsed.status);
  const Request& r = parsed.request;
  std::string text = std::string(method_name(r.method())) + (r.is_http_1_0() ? " 1.0 " : " 1.1 ");
  text += std::string(r.path()) + " ? " + std::string(r.query()) + " | ";
  for (std::size_t i = 0; i < r.header_count(); ++i) {
    text += std::string(r.header_at(i).name) + "=" + std::string(r.header_at(i).value) + ";";
  }
  static constexpr const char* kLengths[] = {"none", "length", "chunked", "both"};
  text += std::string(" ") + kLengths[static_cast<int>(r.body_length())] + " " +
          std::to_string(r.content_length());
  return text + " consumed " + std::to_string(parsed.consumed);
}

const std::string kLoad =
    "PUT /api/d%20b/t/_stream_load?a=1&b HTTP/1.1\r\n"
    "Host: 127.0.0.1:8040\r\n"
    "Authorization: Basic cm9vdDo=\r\n"
    "label:x\r\n"
    "column_separator: \\t \t\r\n"
    "empty:\r\n"
    "EXPECT: 100-continue\r\n"
    "expect: 100-continue\r\n"
    "Name: M\xc3\xbcller\r\n"
    "Transfer-Encoding: chunked\r\n"
    "\r\n";

TEST(HeadParser, reads_a_load_head_the_same_split_at_every_byte) {
  const std::string text = kLoad + "5\r\nhello";
  const Parsed whole = parse({text});
  ASSERT_EQ(whole.state, HeadParser::State::Done);
  EXPECT_EQ(whole.consumed, kLoad.size());
  EXPECT_EQ(
      describe(whole),
      "PUT 1.1 /api/d%20b/t/_stream_load ? a=1&b | Host=127.0.0.1:8040;Authorization=Basic cm9vdDo=;label=x;"
      "column_separator=\\t;empty=;EXPECT=100-continue;expect=100-continue;Name=M\xc3\xbcller;"
      "Transfer-Encoding=chunked; chunked 0 consumed " +
          std::to_string(kLoad.size()));
  EXPECT_EQ(whole.request.header("LABEL"), "x");
  EXPECT_EQ(whole.request.header("empty"), "");
  EXPECT_EQ(whole.request.header("absent"), std::nullopt);
  EXPECT_EQ(whole.request.headers("expect").size(), 2u);
  EXPECT_TRUE(whole.request.expects_continue());
  EXPECT_EQ(whole.request.query_value("a"), "1");
  EXPECT_EQ(whole.request.query_value("b"), "");
  EXPECT_EQ(whole.request.query_value("c"), std::nullopt);
  EXPECT_EQ(describe(parse(bytes_of(text))), describe(whole));
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const std::string_view view = text;
    ASSERT_EQ(describe(parse({view.substr(0, i), view.substr(i)})), describe(whole)) << i;
  }
}

TEST(HeadParser, reads_pipelined_heads_one_after_the_other) {
  const std::string text =
      "\r\nGET /a HTTP/1.1\r\n\r\n\r\n\r\nGET /b HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, text.size()}) {
    const HeadLimits limits;
    HeadParser parser(limits);
    std::vector<std::string> paths;
    for (std::size_t at = 0; at < text.size();) {
      std::size_t consumed = 0;
      const auto state = parser.feed(core::as_bytes(std::string_view(text).substr(at, piece)), consumed);
      ASSERT_NE(state, HeadParser::State::Bad);
      at += consumed;
      if (state == HeadParser::State::Done) paths.emplace_back(parser.take().path());
    }
    EXPECT_EQ(paths, (std::vector<std::string>{"/a", "/b"}));
    EXPECT_FALSE(parser.has_begun());
  }
}

struct Case {
  std::string what;
  std::string head;
  std::string expected;  // the start of describe()
};

TEST(HeadParser, judges_each_of_these_heads) {
  const std::string get = "GET / HTTP/1.1\r\n";
  const std::string put = "PUT / HTTP/1.1\r\n";
  const std::vector<Case> cases = {
      {"no headers", get + "\r\n", "GET 1.1 / ?"},
      {"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "GET 1.0 / ?"},
      {"HTTP/0.9", "GET /\r\n\r\n", "bad"},
      {"HTTP/2.0", "GET / HTTP/2.0\r\n\r\n", "bad"},
      {"HTTP/1.2", "GET / HTTP/1.2\r\n\r\n", "bad"},
      {"HTTP/9.9", "GET / HTTP/9.9\r\n\r\n", "bad"},
      {"the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "bad 400"},
      {"another protocol", "GET / ICE/1.0\r\n\r\n", "bad 400"},
      {"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01"s, "bad 400"},
      {"garbage", "hello there\r\n\r\n", "bad 400"},
      {"a lower-case method", "get / HTTP/1.1\r\n\r\n", "bad 400"},
      {"an unusual method", "PROPFIND / HTTP/1.1\r\n\r\n", "OTHER 1.1 / ?"},
      {"no target", "GET HTTP/1.1\r\n\r\n", "bad 400"},
      {"a target without a slash", "GET a HTTP/1.1\r\n\r\n", "bad 400"},
      {"an absolute target", "GET http://h:1/p?q HTTP/1.1\r\n\r\n", "GET 1.1 /p ? q |"},
      {"an absolute target without a path", "GET http://h HTTP/1.1\r\n\r\n", "GET 1.1  ?  |"},
      {"a fragment", "GET /p?q#f HTTP/1.1\r\n\r\n", "GET 1.1 /p ? q |"},
      {"a fragment without a query", "GET /p#f?q HTTP/1.1\r\n\r\n", "GET 1.1 /p ?  |"},
      {"OPTIONS *", "OPTIONS * HTTP/1.1\r\n\r\n", "OPTIONS 1.1 * ?"},
      {"a bad escape", "GET /%zz HTTP/1.1\r\n\r\n", "bad 400"},
      {"half an escape", "GET /a%4 HTTP/1.1\r\n\r\n", "bad 400"},
      {"a bad escape in the query", "GET /?a=% HTTP/1.1\r\n\r\n", "bad 400"},
      {"a tab in the target", "GET /a\tb HTTP/1.1\r\n\r\n", "bad 400"},
      {"two blanks in the request line", "GET  / HTTP/1.1\r\n\r\n", "bad 400"},
      {"a blank behind the version", "GET / HTTP/1.1 \r\n\r\n", "bad 400"},
      {"a blank before a colon", put + "Content-Length : 5\r\n\r\n", "bad 400"},
      {"a tab before a colon", put + "Content-Length\t: 5\r\n\r\n", "bad 400"},
      {"a blank in a name", get + "a b: c\r\n\r\n", "bad 400"},
      {"a header without a colon", get + "abc\r\n\r\n", "bad 400"},
      {"a header without a name", get + ": c\r\n\r\n", "bad 400"},
      {"a bracket in a name", get + "a(b: c\r\n\r\n", "bad 400"},
      {"a folded header", get + "a: b\r\n c\r\n\r\n", "bad 400"},
      {"a folded first header", get + " a: b\r\n\r\n", "bad 400"},
      {"NUL in a value", get + "a: b\0c\r\n\r\n"s, "bad 400"},
      {"NUL in a name", get + "a\0: c\r\n\r\n"s, "bad 400"},
      {"a control byte", get + "a: b\x01\r\n\r\n", "bad 400"},
      {"DEL", get + "a: b\x7f\r\n\r\n", "bad 400"},
      {"a tab in a value", get + "a: b\tc\r\n\r\n", "GET 1.1 / ?  | a=b\tc;"},
      {"a bare carriage return", get + "a: b\rc: d\r\n\r\n", "bad 400"},
      {"a bare line feed", get + "a: b\nc: d\r\n\r\n", "bad 400"},
      {"line feeds only", "GET / HTTP/1.1\na: b\n\n", "bad 400"},
      {"a line feed in front", "\nGET / HTTP/1.1\r\n\r\n", "bad 400"},
      {"an end of line feeds", get + "a: b\r\n\n", "bad 400"},
      {"two carriage returns", get + "a: b\r\r\n\r\n", "bad 400"},
      {"a length", put + "Content-Length: 5\r\n\r\n", "PUT 1.1 / ?  | Content-Length=5; length 5"},
      {"a length of 0", put + "Content-Length: 0\r\n\r\n", "PUT 1.1 / ?  | Content-Length=0; length 0"},
      {"a length with zeros", put + "Content-Length: 0005\r\n\r\n",
       "PUT 1.1 / ?  | Content-Length=0005; length 5"},
      {"a signed length", put + "Content-Length: +5\r\n\r\n", "bad 400"},
      {"a negative length", put + "Content-Length: -5\r\n\r\n", "bad 400"},
      {"a hex length", put + "Content-Length: 0x5\r\n\r\n", "bad 400"},
      {"an empty length", put + "Content-Length:\r\n\r\n", "bad 400"},
      {"a length of words", put + "Content-Length: five\r\n\r\n", "bad 400"},
      {"a length in halves", put + "Content-Length: 5 5\r\n\r\n", "bad 400"},
      {"a list of lengths", put + "Content-Length: 5, 5\r\n\r\n", "bad 400"},
      {"an endless length", put + "Content-Length: 99999999999999999999\r\n\r\n", "bad 400"},
      {"a length of 2^64 + 5", put + "Content-Length: 18446744073709551621\r\n\r\n", "bad 400"},
      {"two lengths", put + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "bad 400"},
      {"chunked", put + "Transfer-Encoding: Chunked\r\n\r\n",
       "PUT 1.1 / ?  | Transfer-Encoding=Chunked; chunked 0"},
      {"chunked by 1.0", "PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
       "PUT 1.0 / ?  | Transfer-Encoding=chunked; chunked 0"},
      {"chunked twice", put + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "bad 400"},
      {"chunked, chunked", put + "Transfer-Encoding: chunked, chunked\r\n\r\n", "bad 400"},
      {"gzip, chunked", put + "Transfer-Encoding: gzip, chunked\r\n\r\n", "bad 400"},
      {"chunked, gzip", put + "Transfer-Encoding: chunked, gzip\r\n\r\n", "bad 400"},
      {"identity", put + "Transfer-Encoding: identity\r\n\r\n", "bad 400"},
      {"xchunked", put + "Transfer-Encoding: xchunked\r\n\r\n", "bad 400"},
      {"an empty encoding", put + "Transfer-Encoding:\r\n\r\n", "bad 400"},
      {"a quoted encoding", put + "Transfer-Encoding: \"chunked\"\r\n\r\n", "bad 400"},
      {"length, then chunked", put + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
       "PUT 1.1 / ?  | Content-Length=5;Transfer-Encoding=chunked; both 5"},
      {"chunked, then length", put + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
       "PUT 1.1 / ?  | Transfer-Encoding=chunked;Content-Length=5; both 5"},
      {"length and an unknown encoding", put + "Content-Length: 5\r\nTransfer-Encoding: foo\r\n\r\n",
       "bad 400"},
      {"neither", put + "Host: a\r\n\r\n", "PUT 1.1 / ?  | Host=a; none 0"},
      {"CONNECT", "CONNECT a:1 HTTP/1.1\r\n\r\n", "OTHER 1.1 "},
      {"an upgrade", get + "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "GET 1.1 / ?"},
  };
  for (const Case& each : cases) {
    const Parsed whole = parse({each.head});
    EXPECT_TRUE(describe(whole).starts_with(each.expected)) << each.what << ": " << describe(whole);
    EXPECT_EQ(describe(parse(bytes_of(each.head))), describe(whole)) << each.what;
  }
}

TEST(HeadParser, bounds_the_head_its_target_and_its_headers) {
  const std::string megabyte(1'000'000, 'a');
  EXPECT_EQ(describe(parse({"GET / HTTP/1.1\r\na: " + megabyte})), "bad 431");
  EXPECT_EQ(describe(parse({"GET / HTTP/1.1\r\n" + megabyte})), "bad 431");
  EXPECT_EQ(describe(parse({"GET /" + megabyte})), "bad 414");
  EXPECT_EQ(parse({megabyte}).state, HeadParser::State::Bad);
  std::string blank_lines;
  for (int i = 0; i < 40000; ++i) blank_lines += "\r\n";
  EXPECT_EQ(describe(parse({blank_lines})), "bad 431");

  std::string many = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 128; ++i) many += "a:b\r\n";
  EXPECT_TRUE(describe(parse({many + "\r\n"})).starts_with("GET"));
  EXPECT_EQ(describe(parse({many + "a:b\r\n\r\n"})), "bad 431");

  const std::string exact = "GET /" + std::string(8191, 'p') + " HTTP/1.1\r\n\r\n";
  EXPECT_TRUE(describe(parse({exact})).starts_with("GET"));
  EXPECT_EQ(describe(parse({"GET /" + std::string(8192, 'p') + " HTTP/1.1\r\n\r\n"})), "bad 414");

  const std::string get = "GET / HTTP/1.1\r\na: ";
  const std::size_t room = 64 * 1024 - get.size() - 4;
  EXPECT_TRUE(describe(parse({get + std::string(room, 'a') + "\r\n\r\n"})).starts_with("GET"));
  EXPECT_EQ(describe(parse({get + std::string(room + 1, 'a') + "\r\n\r\n"})), "bad 431");
}

TEST(HeadParser, knows_who_keeps_the_connection) {
  const auto keeps = [](std::string head) { return parse({head}).request.wants_keep_alive(); };
  EXPECT_TRUE(keeps("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nConnection: Keep-Alive, CLOSE\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.1\r\nConnection: closed\r\n\r\n"));
  EXPECT_FALSE(keeps("PUT / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"));
}

TEST(HeadParser, knows_who_waits_for_100) {
  const auto waits = [](std::string lines) {
    return parse({"PUT / HTTP/1." + lines + "\r\n\r\n"}).request.expects_continue();
  };
  EXPECT_TRUE(waits("1\r\nExpect: 100-Continue\r\nContent-Length: 5"));
  EXPECT_TRUE(waits("1\r\nexpect:100-continue\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked"));
  EXPECT_FALSE(waits("1\r\nExpect: 100-continue\r\nContent-Length: 0"));
  EXPECT_FALSE(waits("1\r\nExpect: 100-continue"));
  EXPECT_FALSE(waits("0\r\nExpect: 100-continue\r\nContent-Length: 5"));
  EXPECT_FALSE(waits("1\r\nExpect: later\r\nContent-Length: 5"));
  EXPECT_FALSE(waits("1\r\nExpect: 100-continue\r\nContent-Length: 5\r\nTransfer-Encoding: chunked"));
}

TEST(HeadParser, is_the_same_for_mutated_heads_however_split) {
  std::mt19937 dice(5);
  const std::string alphabet = "\r\n\t :%?#/,;aZ05\0\x01\x7f\xff"s;
  for (int round = 0; round < 20000; ++round) {
    std::string head = kLoad;
    for (unsigned n = 1 + dice() % 3; n > 0; --n) {
      const std::size_t at = dice() % head.size();
      switch (dice() % 4) {
        case 0:
          head[at] = alphabet[dice() % alphabet.size()];
          break;
        case 1:
          head.insert(at, 1, alphabet[dice() % alphabet.size()]);
          break;
        case 2:
          head.insert(at, head.substr(dice() % head.size(), dice() % 40));
          break;
        default:
          head.erase(at, 1 + dice() % 3);
          break;
      }
      if (head.empty()) head = "\r";
    }
    const Parsed whole = parse({head});
    ASSERT_EQ(describe(parse(bytes_of(head))), describe(whole)) << head;
    const std::size_t cut = dice() % head.size();
    ASSERT_EQ(describe(parse({std::string_view(head).substr(0, cut), std::string_view(head).substr(cut)})),
              describe(whole))
        << head;
  }
}

TEST(HeadParser, survives_random_bytes) {
  std::mt19937 dice(7);
  for (int round = 0; round < 3000; ++round) {
    std::string noise = round % 2 == 0 ? "" : "PUT / HTTP/1.1\r\n";
    for (unsigned n = dice() % 200; n > 0; --n) noise.push_back(static_cast<char>(dice()));
    if (noise.empty()) continue;
    const Parsed whole = parse({noise});
    ASSERT_EQ(describe(parse(bytes_of(noise))), describe(whole));
  }
}

}  // namespace
}  // namespace penstock::net
