#include "net/http/chunked_decoder.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace penstock::net {
namespace {

using namespace std::string_literals;

enum class Verdict { More, Ended, Bad };

struct Decoded {
  std::string payload;
  Verdict verdict = Verdict::More;
  std::size_t consumed = 0;
  bool operator==(const Decoded&) const = default;
};
void PrintTo(const Decoded& d, std::ostream* out) {
  *out << '"' << d.payload << "\" verdict " << static_cast<int>(d.verdict) << " consumed " << d.consumed;
}

// Hands `piece` to the decoder until it wants more.
void feed(ChunkedDecoder& decoder, std::string_view piece, Decoded& out) {
  while (!piece.empty()) {
    const ChunkedDecoder::Step step = decoder.step(core::as_bytes(piece));
    out.payload += piece.substr(step.skipped, step.payload);
    out.consumed += step.skipped + step.payload;
    piece.remove_prefix(step.skipped + step.payload);
    if (decoder.is_bad() || decoder.is_ended()) break;
  }
  out.verdict = decoder.is_bad() ? Verdict::Bad : decoder.is_ended() ? Verdict::Ended : Verdict::More;
}

Decoded decode(std::initializer_list<std::string_view> pieces) {
  ChunkedDecoder decoder;
  Decoded out;
  for (const std::string_view piece : pieces) {
    feed(decoder, piece, out);
    if (out.verdict != Verdict::More) break;
  }
  return out;
}

Decoded decode_by_byte(std::string_view text) {
  ChunkedDecoder decoder;
  Decoded out;
  for (std::size_t i = 0; i < text.size() && out.verdict == Verdict::More; ++i)
    feed(decoder, text.substr(i, 1), out);
  return out;
}

TEST(ChunkedDecoder, yields_the_same_payload_split_at_every_byte) {
  const std::string body =
      "5\r\nhello\r\n1;name=\"a b\"\r\n \r\n006 ;x\r\nwor\r\nl\r\n0\r\nX-Sum: 1\r\nY:2\r\n\r\nGET /next";
  const Decoded whole = decode({body});
  EXPECT_EQ(whole.payload, "hello wor\r\nl");
  EXPECT_EQ(whole.verdict, Verdict::Ended);
  EXPECT_EQ(body.substr(whole.consumed), "GET /next");
  EXPECT_EQ(decode_by_byte(body), whole);
  for (std::size_t i = 0; i <= body.size(); ++i) {
    for (std::size_t j = i; j <= body.size(); ++j) {
      const std::string_view text = body;
      ASSERT_EQ(decode({text.substr(0, i), text.substr(i, j - i), text.substr(j)}), whole) << i << ' ' << j;
    }
  }
}

TEST(ChunkedDecoder, refuses_what_two_readers_could_understand_differently) {
  const std::string long_extension(ChunkedDecoder::kSizeLineMax, 'x');
  const std::string trailers(ChunkedDecoder::kTrailersMax + 1, 't');
  for (const std::string& body : {std::string("\r\nhello"),
                                  std::string("5\nhello\r\n"),
                                  std::string("5\r\nhello0\r\n\r\n"),
                                  std::string("5\r\nhello\n0\r\n\r\n"),
                                  std::string("-5\r\nhello"),
                                  std::string("+5\r\nhello"),
                                  std::string("0x5\r\nhello"),
                                  std::string(" 5\r\nhello"),
                                  std::string("5 \r\nhello"),
                                  std::string("g\r\n"),
                                  std::string("5 5\r\nhello"),
                                  std::string(";x\r\n"),
                                  std::string("5;a\nb\r\nhello"),
                                  std::string("5;\x01\r\nhello"),
                                  std::string("5\r\rhello"),
                                  std::string("5\r\nhello\r\r"),
                                  std::string("4000000000000000\r\n"),
                                  std::string("ffffffffffffffff\r\n"),
                                  std::string("10000000000000000\r\n"),
                                  std::string("100000000000000000000000005\r\n"),
                                  "5;" + long_extension + "\r\nhello",
                                  std::string(ChunkedDecoder::kSizeLineMax + 1, '0') + "5\r\nhello",
                                  "0\r\n" + trailers + "\r\n\r\n",
                                  std::string("0\r\nX: 1\n\r\n"),
                                  std::string("0\r\n\rX"),
                                  std::string("0\r\nX: \x01\r\n\r\n"),
                                  std::string("5\r\nhello\r\n\r\n"),
                                  "5\0\r\nhello"s}) {
    const Decoded whole = decode({body});
    EXPECT_EQ(whole.verdict, Verdict::Bad) << body.substr(0, 40);
    EXPECT_EQ(decode_by_byte(body), whole) << body.substr(0, 40);
  }
}

TEST(ChunkedDecoder, counts_trailers_together) {
  std::string body = "0\r\n";
  for (int i = 0; i < 1100; ++i) body += "a: bcde\r\n";
  EXPECT_EQ(decode({body}).verdict, Verdict::Bad);
  EXPECT_EQ(decode({"0\r\n" + std::string(8000, 'a') + "\r\n\r\n"}).verdict, Verdict::Ended);
}

TEST(ChunkedDecoder, takes_the_largest_size_it_allows) {
  EXPECT_EQ(decode({"3fffffffffffffff\r\nab"}), (Decoded{"ab", Verdict::More, 20}));
}

TEST(ChunkedDecoder, reads_a_million_tiny_chunks) {
  std::string body;
  for (int i = 0; i < 1'000'000; ++i) body += "1\r\nx\r\n";
  body += "0\r\n\r\n";
  const Decoded whole = decode({body});
  EXPECT_EQ(whole.payload.size(), 1'000'000u);
  EXPECT_EQ(whole.verdict, Verdict::Ended);
}

TEST(ChunkedDecoder, gives_one_verdict_on_mutated_bodies_however_split) {
  std::mt19937 dice(3);
  const std::string good = "5;a=b\r\nhello\r\n3\r\n\r\n1\r\n0\r\nT: v\r\n\r\n";
  const std::string alphabet = "\r\n0159afAF;: xX\t\0\x7f\xff"s;
  for (int round = 0; round < 20000; ++round) {
    std::string body = good;
    for (unsigned n = 1 + dice() % 3; n > 0; --n) {
      const std::size_t at = dice() % body.size();
      switch (dice() % 3) {
        case 0:
          body[at] = alphabet[dice() % alphabet.size()];
          break;
        case 1:
          body.insert(at, 1, alphabet[dice() % alphabet.size()]);
          break;
        default:
          body.erase(at, 1);
          break;
      }
    }
    const Decoded whole = decode({body});
    ASSERT_EQ(decode_by_byte(body), whole) << body;
    const std::size_t cut = dice() % body.size();
    ASSERT_EQ(decode({std::string_view(body).substr(0, cut), std::string_view(body).substr(cut)}), whole)
        << body;
  }
}

}  // namespace
}  // namespace penstock::net
