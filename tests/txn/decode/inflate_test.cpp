// Compressed bodies: split, joined, cut off, damaged, and much smaller than what they say.
#include "txn/decode/inflate.hpp"

#include <bzlib.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <isa-l/igzip_lib.h>
#include <lz4frame.h>
#include <zstd.h>

#include <random>
#include <string>
#include <vector>

namespace penstock::txn {
namespace {

using ::testing::HasSubstr;

std::string pack_isal(std::string_view text, int flag) {
  std::string out(text.size() + text.size() / 8 + 4096, '\0');
  std::vector<std::uint8_t> level_buffer(ISAL_DEF_LVL1_DEFAULT);
  isal_zstream stream;
  isal_deflate_init(&stream);
  stream.gzip_flag = static_cast<std::uint16_t>(flag);
  stream.level = 1;
  stream.level_buf = level_buffer.data();
  stream.level_buf_size = static_cast<std::uint32_t>(level_buffer.size());
  stream.end_of_stream = 1;
  stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<std::uint32_t>(text.size());
  stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
  stream.avail_out = static_cast<std::uint32_t>(out.size());
  EXPECT_EQ(isal_deflate(&stream), COMP_OK);
  EXPECT_EQ(stream.internal_state.state, ZSTATE_END);
  out.resize(stream.total_out);
  return out;
}

std::string pack(Compression compression, std::string_view text) {
  switch (compression) {
    case Compression::Gzip:
    case Compression::GzipIfMarked:
      return pack_isal(text, IGZIP_GZIP);
    case Compression::Deflate:
      return pack_isal(text, IGZIP_ZLIB);
    case Compression::Lz4Frame: {
      LZ4F_preferences_t preferences{};
      preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
      std::string out(LZ4F_compressFrameBound(text.size(), &preferences), '\0');
      out.resize(LZ4F_compressFrame(out.data(), out.size(), text.data(), text.size(), &preferences));
      return out;
    }
    case Compression::Zstd: {
      ZSTD_CCtx* context = ZSTD_createCCtx();
      ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
      std::string out(ZSTD_compressBound(text.size()), '\0');
      out.resize(ZSTD_compress2(context, out.data(), out.size(), text.data(), text.size()));
      ZSTD_freeCCtx(context);
      return out;
    }
    case Compression::Bzip2: {
      std::string out(text.size() * 2 + 1000, '\0');
      auto size = static_cast<unsigned>(out.size());
      EXPECT_EQ(BZ2_bzBuffToBuffCompress(out.data(), &size, const_cast<char*>(text.data()),
                                         static_cast<unsigned>(text.size()), 1, 0, 0),
                BZ_OK);
      out.resize(size);
      return out;
    }
    case Compression::None:
      break;
  }
  return std::string(text);
}

struct Unpacked {
  std::string text;
  std::string error;
};

// Each piece lies in memory of its own.
Unpacked unpack(Compression compression, const std::vector<std::string_view>& pieces) {
  Inflater inflater(compression);
  Unpacked result;
  const auto drain = [&] {
    for (;;) {
      const auto out = inflater.next();
      if (!out) {
        result.error = out.error();
        return false;
      }
      if (out->empty()) return true;
      result.text += core::as_text(*out);
    }
  };
  for (const std::string_view piece : pieces) {
    const std::vector<char> copy(piece.begin(), piece.end());
    inflater.give(core::as_bytes(std::string_view(copy.data(), copy.size())));
    if (!drain()) return result;
  }
  const auto rest = inflater.finish();
  if (!rest) {
    result.error = rest.error();
    return result;
  }
  result.text += core::as_text(*rest);
  drain();
  EXPECT_EQ(inflater.bytes_out(), result.text.size());
  return result;
}

Unpacked unpack_cut(Compression compression, std::string_view body, std::size_t cut) {
  return unpack(compression, {body.substr(0, cut), body.substr(cut)});
}

constexpr Compression kAll[] = {Compression::Gzip, Compression::Deflate,      Compression::Lz4Frame,
                                Compression::Zstd, Compression::GzipIfMarked, Compression::Bzip2};

std::string sample(std::size_t size) {
  std::mt19937 random(5);
  std::string out;
  while (out.size() < size) {
    out += "row " + std::to_string(random() % 100000) + "\t" + std::string(random() % 9, 'y') + "\n";
  }
  out.resize(size);
  return out;
}

TEST(Inflater, each_compression_cut_at_every_byte) {
  const std::string text = sample(700);
  for (const Compression compression : kAll) {
    const std::string body = pack(compression, text);
    for (std::size_t cut = 0; cut <= body.size(); ++cut) {
      const Unpacked out = unpack_cut(compression, body, cut);
      ASSERT_EQ(out.error, "") << compression_name(compression) << " " << cut;
      ASSERT_EQ(out.text, text) << compression_name(compression) << " " << cut;
    }
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < body.size(); ++i) bytes.push_back(std::string_view(body).substr(i, 1));
    EXPECT_EQ(unpack(compression, bytes).text, text);
  }
}

TEST(Inflater, deflate_without_a_header) {
  const std::string text = sample(700);
  const std::string body = pack_isal(text, IGZIP_DEFLATE);
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    ASSERT_EQ(unpack_cut(Compression::Deflate, body, cut).text, text) << cut;
    const std::string followed = body + "tail";
    ASSERT_NE(unpack_cut(Compression::Deflate, followed, cut).error, "") << cut;
  }
}

TEST(Inflater, members_may_follow_each_other) {
  const std::string text = sample(300);
  for (const Compression compression : kAll) {
    const std::string body = pack(compression, text) + pack(compression, "") + pack(compression, "end");
    if (compression == Compression::Deflate) {  // nothing writes these one behind the other
      EXPECT_THAT(unpack(compression, {body}).error, HasSubstr("something follows its end"));
      continue;
    }
    for (std::size_t cut = 0; cut <= body.size(); ++cut) {
      const Unpacked out = unpack_cut(compression, body, cut);
      ASSERT_EQ(out.error, "") << compression_name(compression) << " " << cut;
      ASSERT_EQ(out.text, text + "end") << compression_name(compression) << " " << cut;
    }
  }
}

TEST(Inflater, much_text_in_uneven_pieces) {
  const std::string text = sample(3'000'000);
  std::mt19937 random(3);
  for (const Compression compression : kAll) {
    const std::string body = pack(compression, text);
    std::vector<std::string_view> pieces;
    for (std::size_t at = 0; at < body.size();) {
      pieces.push_back(std::string_view(body).substr(at, 1 + random() % 40'000));
      at += pieces.back().size();
    }
    const Unpacked out = unpack(compression, pieces);
    EXPECT_EQ(out.error, "");
    EXPECT_TRUE(out.text == text) << compression_name(compression);
  }
}

TEST(Inflater, no_bytes_are_an_empty_body) {
  for (const Compression compression : kAll) {
    EXPECT_EQ(unpack(compression, {}).error, "");
    const std::string body = pack(compression, "");
    EXPECT_EQ(unpack(compression, {body}).error, "");
    EXPECT_EQ(unpack(compression, {body}).text, "");
  }
}

TEST(Inflater, cut_off_anywhere_is_an_error) {
  const std::string text = sample(500);
  for (const Compression compression : kAll) {
    const std::string body = pack(compression, text);
    for (std::size_t size = compression == Compression::GzipIfMarked ? 2 : 1; size < body.size(); ++size) {
      const Unpacked out = unpack(compression, {std::string_view(body).substr(0, size)});
      ASSERT_NE(out.error, "") << compression_name(compression) << " " << size;
      ASSERT_TRUE(text.starts_with(out.text));
    }
  }
}

TEST(Inflater, a_flipped_bit_is_an_error_or_changes_nothing) {
  const std::string text = sample(400);
  for (const Compression compression : kAll) {
    const std::string body = pack(compression, text);
    for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
      std::string damaged = body;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
      const Unpacked out = unpack(compression, {damaged});
      if (compression == Compression::GzipIfMarked && bit < 16) continue;  // then it is plain
      // A frame may come to say that it holds less, or has no checksum; it is then shorter, never other text.
      if (out.error.empty()) {
        ASSERT_EQ(out.text, text) << compression_name(compression) << " " << bit;
      }
    }
  }
}

TEST(Inflater, random_bytes_do_no_harm) {
  std::mt19937 random(17);
  for (int round = 0; round < 1500; ++round) {
    const Compression compression = kAll[static_cast<std::size_t>(round) % std::size(kAll)];
    std::string body = pack(compression, sample(200)).substr(0, random() % 12);
    for (std::size_t left = random() % 300; left > 0; --left) body += static_cast<char>(random());
    unpack(compression, {body});
  }
}

TEST(Inflater, what_follows_is_an_error) {
  for (const Compression compression : kAll) {
    const std::string body = pack(compression, "text");
    EXPECT_NE(unpack(compression, {body, "garbage behind it"}).error, "");
    EXPECT_NE(unpack(compression, {body + "garbage behind it"}).error, "");
  }
  EXPECT_THAT(unpack(Compression::Gzip, {"1\t2\n"}).error, HasSubstr("the body is"));
}

TEST(Inflater, zeros_behind_gzip_are_nothing_as_they_are_to_gzip) {
  const std::string body = pack(Compression::Gzip, "text");
  const std::string zeros(100, '\0');
  EXPECT_EQ(unpack(Compression::Gzip, {body + zeros}).error, "");
  EXPECT_EQ(unpack(Compression::Gzip, {body + zeros, zeros}).text, "text");
  EXPECT_EQ(unpack(Compression::GzipIfMarked, {body, zeros}).text, "text");
  EXPECT_THAT(unpack(Compression::Gzip, {body + zeros + "x"}).error, HasSubstr("follows the zeros"));
  EXPECT_THAT(unpack(Compression::Gzip, {body + zeros, body}).error, HasSubstr("follows the zeros"));
  EXPECT_NE(unpack(Compression::Gzip, {zeros}).error, "");
}

TEST(Inflater, a_mark_decides_where_only_the_encoding_was_named) {
  EXPECT_EQ(unpack(Compression::GzipIfMarked, {"1\t2\n"}).text, "1\t2\n");
  EXPECT_EQ(unpack(Compression::GzipIfMarked, {"1", "\t2\n"}).text, "1\t2\n");
  EXPECT_EQ(unpack(Compression::GzipIfMarked, {"1"}).text, "1");
  EXPECT_EQ(unpack(Compression::GzipIfMarked, {"\x1f"}).text, "\x1f");
}

TEST(Inflater, a_bomb_costs_no_memory) {
  const std::string letters(1 << 20, 'a');
  for (const Compression compression :
       {Compression::Gzip, Compression::Zstd, Compression::Lz4Frame, Compression::Bzip2}) {
    const std::string body = pack(compression, letters);
    std::string many;
    for (int i = 0; i < 20; ++i) many += body;
    Inflater inflater(compression);
    inflater.give(core::as_bytes(many));
    std::size_t bytes = 0;
    for (;;) {
      const auto out = inflater.next();
      ASSERT_TRUE(out.has_value());
      if (out->empty()) break;
      EXPECT_LE(out->size(), Inflater::kOutputBytes);
      bytes += out->size();
    }
    EXPECT_EQ(bytes, letters.size() * 20);
    EXPECT_TRUE(inflater.finish().has_value());
  }
}

TEST(Inflater, a_slow_stream_is_decoded_as_it_arrives) {
  const std::string text = sample(1'000'000);
  for (const Compression compression : {Compression::Gzip, Compression::Zstd, Compression::Lz4Frame}) {
    const std::string body = pack(compression, text);
    Inflater inflater(compression);
    inflater.give(core::as_bytes(std::string_view(body).substr(0, body.size() * 3 / 4)));
    std::size_t bytes = 0;
    for (;;) {
      const auto out = inflater.next();
      ASSERT_TRUE(out.has_value());
      if (out->empty()) break;
      bytes += out->size();
    }
    EXPECT_GT(bytes, text.size() / 3) << compression_name(compression);
  }
}

TEST(Compression, spellings) {
  for (const std::string_view text : {"gz", "GZ", "gzip", "Gzip"}) {
    EXPECT_EQ(parse_compression(text), Compression::Gzip);
  }
  for (const std::string_view text : {"lz4", "LZ4", "LZ4_FRAME"}) {
    EXPECT_EQ(parse_compression(text), Compression::Lz4Frame);
  }
  EXPECT_EQ(parse_compression("zstd"), Compression::Zstd);
  EXPECT_EQ(parse_compression("bz2"), Compression::Bzip2);
  EXPECT_EQ(parse_compression("deflate"), Compression::Deflate);
  for (const std::string_view text : {"lzo", "LZOP", "lz4_block", "snappy_block", "x"}) {
    EXPECT_THAT(parse_compression(text).error(), HasSubstr(std::string(text)));
  }
}

}  // namespace
}  // namespace penstock::txn
