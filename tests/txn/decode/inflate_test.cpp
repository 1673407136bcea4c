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

TEST(Inflater, zstd_from_before_its_first_release_is_refused_however_it_comes) {
  const std::string text = sample(100);
  const std::string old = std::string("\x26\xb5\x2f\xfd\x02\xfd\x02\x57", 8);  // a whole frame, without text
  EXPECT_THAT(unpack(Compression::Zstd, {old}).error, HasSubstr("does not begin like one"));
  for (std::size_t cut = 0; cut <= old.size(); ++cut) {
    EXPECT_THAT(unpack_cut(Compression::Zstd, old, cut).error, HasSubstr("does not begin like one"));
  }
  const std::string skipped("\x5f\x2a\x4d\x18\x03\0\0\0abc", 11);
  const std::string frame = pack(Compression::Zstd, text);
  const std::string body = skipped + frame + skipped + frame;
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    const Unpacked out = unpack_cut(Compression::Zstd, body, cut);
    ASSERT_EQ(out.error, "") << cut;
    ASSERT_EQ(out.text, text + text) << cut;
    ASSERT_NE(unpack_cut(Compression::Zstd, frame + old, std::min(cut, frame.size() + 8)).error, "") << cut;
  }
}

TEST(Inflater, a_zstd_frame_that_holds_less_than_it_says_is_refused_however_it_comes) {
  const std::string body("\x28\xb5\x2f\xfd\x20\x2c\x01\0\0",
                         9);  // says 44 bytes; one block, the last, of none
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    EXPECT_NE(unpack_cut(Compression::Zstd, body, cut).error, "") << cut;
  }
  const std::string crooked("\x28\xb5\x2f\xfd\x20\0\x15\0\0\0\0",
                            11);  // a compressed block in a frame of none
  for (std::size_t cut = 0; cut <= crooked.size(); ++cut) {
    EXPECT_NE(unpack_cut(Compression::Zstd, crooked, cut).error, "") << cut;
  }
  const std::string empty("\x28\xb5\x2f\xfd\x20\0\x01\0\0", 9);
  for (std::size_t cut = 0; cut <= empty.size(); ++cut) {
    EXPECT_EQ(unpack_cut(Compression::Zstd, empty, cut).error, "") << cut;
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

struct GzipParts {
  std::string extra;
  std::string name;
  std::string comment;
  bool is_text = false;
  bool has_checksum = false;
};

// A gzip member with a header that says more than it must.
std::string gzip_member(const GzipParts& parts, std::string_view text) {
  std::string head = "\x1f\x8b\x08";
  head += static_cast<char>((parts.is_text ? 1 : 0) | (parts.has_checksum ? 2 : 0) |
                            (parts.extra.empty() ? 0 : 4) | (parts.name.empty() ? 0 : 8) |
                            (parts.comment.empty() ? 0 : 16));
  head += std::string("\x11\x22\x33\x44\x02\x03", 6);
  if (!parts.extra.empty()) {
    head += static_cast<char>(parts.extra.size() & 0xff);
    head += static_cast<char>(parts.extra.size() >> 8);
    head += parts.extra;
  }
  if (!parts.name.empty()) head += parts.name + '\0';
  if (!parts.comment.empty()) head += parts.comment + '\0';
  if (parts.has_checksum) {
    std::uint32_t crc = 0xffffffff;
    for (const char c : head) {
      crc ^= static_cast<unsigned char>(c);
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
    }
    crc = ~crc;
    head += static_cast<char>(crc & 0xff);
    head += static_cast<char>(crc >> 8 & 0xff);
  }
  return head + pack(Compression::Gzip, text).substr(10);
}

std::vector<GzipParts> gzip_headers() {
  return {
      {.name = "rows.csv"},
      {.comment = "a comment"},
      {.extra = std::string("ab\x03\0xyz", 7)},
      {.has_checksum = true},
      {.extra = std::string(300, 'e'), .name = "n", .comment = "c", .is_text = true, .has_checksum = true},
      {.name = std::string(200, '\x03'), .is_text = true, .has_checksum = true}};
}

TEST(Inflater, gzip_headers_with_names_cut_at_every_byte) {
  const std::string text = sample(300);
  for (const GzipParts& parts : gzip_headers()) {
    for (const Compression compression : {Compression::Gzip, Compression::GzipIfMarked}) {
      const std::string body = gzip_member(parts, text) + gzip_member(parts, "end");
      std::vector<std::string_view> bytes;
      for (std::size_t cut = 0; cut <= body.size(); ++cut) {
        const Unpacked out = unpack_cut(compression, body, cut);
        ASSERT_EQ(out.error, "") << cut;
        ASSERT_EQ(out.text, text + "end") << cut;
        if (cut < body.size()) bytes.push_back(std::string_view(body).substr(cut, 1));
      }
      const Unpacked out = unpack(compression, bytes);
      EXPECT_EQ(out.error, "");
      EXPECT_EQ(out.text, text + "end");
    }
  }
}

TEST(Inflater, a_gzip_member_that_is_cut_off_anywhere_says_so) {
  const std::string text = sample(300);
  for (const GzipParts& parts : gzip_headers()) {
    const std::string first = gzip_member(parts, text);
    for (const std::string& before : {std::string(), first}) {
      const std::string body = before + first;
      for (std::size_t size = before.size() + 1; size < body.size(); ++size) {
        const std::string_view part = std::string_view(body).substr(0, size);
        ASSERT_THAT(unpack(Compression::Gzip, {part}).error, HasSubstr("cut off")) << size;
        std::vector<std::string_view> bytes;
        for (std::size_t i = 0; i < size; ++i) bytes.push_back(part.substr(i, 1));
        ASSERT_THAT(unpack(Compression::Gzip, bytes).error, HasSubstr("cut off")) << size;
      }
    }
  }
}

TEST(Inflater, damaged_gzip_headers_fail_however_they_come) {
  const std::string body = gzip_member(gzip_headers().back(), "text");
  const std::size_t head = 10 + 201 + 2;
  for (std::size_t bit = 0; bit < head * 8; ++bit) {
    if (bit >= 24 && bit < 32) continue;  // the flags: another header, not a damaged one
    std::string damaged = body;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < damaged.size(); ++i) bytes.push_back(std::string_view(damaged).substr(i, 1));
    ASSERT_NE(unpack(Compression::Gzip, {damaged}).error, "") << bit;
    ASSERT_NE(unpack(Compression::Gzip, bytes).error, "") << bit;
  }
  for (const char flags : {'\x20', '\x40', '\x80'}) {
    std::string reserved = pack(Compression::Gzip, "text");
    reserved[3] = flags;
    EXPECT_THAT(unpack(Compression::Gzip, {reserved}).error, HasSubstr("the body is not valid gz")) << flags;
  }
}

TEST(Inflater, a_zlib_header_that_wants_a_dictionary_fails_however_it_comes) {
  const std::string raw = pack_isal("text", IGZIP_DEFLATE);
  const std::string body = std::string("\x78\xbb") + std::string("\x03\x00\x00\x00", 4) + raw + "abcd";
  std::vector<std::string_view> bytes;
  for (std::size_t i = 0; i < body.size(); ++i) bytes.push_back(std::string_view(body).substr(i, 1));
  EXPECT_THAT(unpack(Compression::Deflate, {body}).error, HasSubstr("it needs a dictionary"));
  EXPECT_THAT(unpack(Compression::Deflate, bytes).error, HasSubstr("it needs a dictionary"));
}

}  // namespace
}  // namespace penstock::txn
