// Bytes of a connection: a head and what follows it, taken as a chunked body. Whole, in two and byte by byte they must give
// the same head, the same verdict and the same payload.
#include <fmt/format.h>

#include <vector>

#include "net/http/chunked_decoder.hpp"
#include "net/http/head_parser.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace penstock::fuzz {
namespace {

using net::ChunkedDecoder;
using net::HeadParser;

constexpr net::HeadLimits kLimits{.head_bytes = 2048, .headers = 16, .target_bytes = 256};

std::string describe(const net::Request& request) {
  std::string out =
      fmt::format("{} {} {} {} {}", net::method_name(request.method()), request.path(), request.query(),
                  static_cast<int>(request.body_length()), request.content_length());
  for (std::size_t i = 0; i < request.header_count(); ++i) {
    out += fmt::format("|{}={}", request.header_at(i).name, request.header_at(i).value);
  }
  return out;
}

// What became of a connection's bytes, fed in these pieces.
std::string parse(const std::vector<std::string_view>& pieces) {
  HeadParser head(kLimits);
  ChunkedDecoder chunks;
  std::string out;
  std::string payload;
  bool in_body = false;
  for (std::string_view piece : pieces) {
    while (!piece.empty()) {
      if (!in_body) {
        std::size_t consumed = 0;
        const HeadParser::State state = head.feed(core::as_bytes(piece), consumed);
        if (consumed > piece.size()) fail("a head took more than there is", piece);
        if (state == HeadParser::State::Bad) {
          // Of two faults of one head (a bad byte, and one header too many before it) the first to be met depends on the cut.
          return out + "bad head";
        }
        if (state == HeadParser::State::NeedMore && consumed != piece.size()) fail("bytes were left", piece);
        piece.remove_prefix(consumed);
        if (state == HeadParser::State::NeedMore) break;
        out += describe(head.take()) + "\n";
        in_body = true;
        chunks = ChunkedDecoder();
        continue;
      }
      const ChunkedDecoder::Step step = chunks.step(core::as_bytes(piece));
      if (step.skipped + step.payload > piece.size()) fail("a chunk took more than there is", piece);
      payload += piece.substr(step.skipped, step.payload);
      piece.remove_prefix(step.skipped + step.payload);
      if (chunks.is_bad()) return out + payload + "\nbad chunk";
      if (!chunks.is_ended() && step.skipped + step.payload == 0) fail("a step without progress", piece);
      if (chunks.is_ended()) {
        out += payload + "\nended\n";
        payload.clear();
        in_body = false;  // the next request behind it
      }
    }
  }
  return out + payload + (in_body ? "\nin a body" : "\nin a head");
}

}  // namespace

std::vector<std::string> seeds() {
  return {
      "PUT /api/d%20b/t/_stream_load?a=1&b HTTP/1.1\r\nHost: 127.0.0.1:8040\r\nTransfer-Encoding: "
      "chunked\r\n\r\n"
      "5;x=\"y\"\r\nhello\r\n00a\r\n0123456789\r\n0\r\nTrailer: z\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n",
      "\r\n\r\nPOST http://h:1/api/query/x/y HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\nExpect: "
      "100-continue\r\n"
      "Authorization: Basic cm9vdDo=\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
      "HEAD /a//b/%2e%2E?%00 HTTP/1.1\r\nX: \t v \r\nx:\r\n\r\nffffffffffffffff\r\n",
  };
}

void run_one(std::string_view input) {
  Choices choices(input);
  const std::size_t at = input.empty() ? 0 : choices.below(256) * input.size() / 256;
  const std::string whole = parse({input});
  const std::string halves = parse({input.substr(0, at), input.substr(at)});
  std::vector<std::string_view> bytes;
  for (std::size_t i = 0; i < input.size(); ++i) bytes.push_back(input.substr(i, 1));
  const std::string by_byte = parse(bytes);
  if (whole != halves) fail("whole and in two differ", whole + "\n--\n" + halves);
  if (whole != by_byte) fail("whole and byte by byte differ", whole + "\n--\n" + by_byte);
}

}  // namespace penstock::fuzz
