// Any bytes as a compressed body: bounded, and the same whatever the pieces.
#include "txn/decode/inflate.hpp"

#include <bzlib.h>
#include <lz4frame.h>
#include <zstd.h>

#include <isa-l/igzip_lib.h>

#include "tests/fuzz/fuzz_target.hpp"

namespace penstock::fuzz {
namespace {

constexpr std::size_t kOutputMax = 1 << 20;

std::string outcome(txn::Compression compression, std::string_view body, std::size_t piece_size) {
  txn::Inflater inflater(compression);
  std::string out;
  const auto drain = [&](std::expected<core::Bytes, std::string> bytes) {
    while (bytes && !bytes->empty() && out.size() < kOutputMax) {
      out += core::as_text(*bytes);
      bytes = inflater.next();
    }
    return bytes ? std::string() : "failed";
  };
  while (!body.empty() && out.size() < kOutputMax) {
    const std::string piece(body.substr(0, piece_size));
    body.remove_prefix(piece.size());
    inflater.give(core::as_bytes(piece));
    if (const std::string failed = drain(inflater.next()); !failed.empty()) return out + failed;
  }
  if (out.size() >= kOutputMax) return "large";
  return out + drain(inflater.finish());
}

std::string gzip(std::string_view text) {
  std::string out(text.size() + 200, '\0');
  isal_zstream stream;
  isal_deflate_stateless_init(&stream);
  stream.gzip_flag = IGZIP_GZIP;
  stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<std::uint32_t>(text.size());
  stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
  stream.avail_out = static_cast<std::uint32_t>(out.size());
  if (isal_deflate_stateless(&stream) != COMP_OK) fail("gzip", "");
  out.resize(stream.total_out);
  return out;
}

}  // namespace

std::vector<std::string> seeds() {
  const std::string text = "one row\nanother row another row another row\n";
  std::string zstd(ZSTD_compressBound(text.size()), '\0');
  zstd.resize(ZSTD_compress(zstd.data(), zstd.size(), text.data(), text.size(), 1));
  std::string lz4(LZ4F_compressFrameBound(text.size(), nullptr), '\0');
  lz4.resize(LZ4F_compressFrame(lz4.data(), lz4.size(), text.data(), text.size(), nullptr));
  std::string bz2(text.size() + 700, '\0');
  auto bz2_size = static_cast<unsigned>(bz2.size());
  BZ2_bzBuffToBuffCompress(bz2.data(), &bz2_size, const_cast<char*>(text.data()),
                           static_cast<unsigned>(text.size()), 1, 0, 0);
  bz2.resize(bz2_size);
  const std::string gz = gzip(text);
  const std::string raw = gz.substr(10, gz.size() - 18);
  const std::string named =
      std::string("\x1f\x8b\x08\x1c\0\0\0\0\0\x03\x02\0exname\0comment\0", 27) + gz.substr(10);
  // A checksum in the header that is not that of the header.
  const std::string checked("\x1f\x8b\x08\x13\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\0\0\0", 22);
  return {std::string(1, '\0') + gz,
          std::string(1, '\0') + named + named,
          std::string(1, '\0') + checked,
          "\x05" + named,
          std::string(1, '\0') + gz + gz,
          "\x01" + raw,
          "\x01\x78\x9c" + raw,
          "\x02" + lz4,
          "\x02" + lz4 + lz4,
          "\x03" + zstd,
          std::string("\x03\x28\xb5\x2f\xfd\x20\0\x15\0\0\0\0", 12),
          std::string("\x03\x28\xb5\x2f\xfd\x20\x2c\x01\0\0", 10),
          "\x03\x26\xb5\x2f\xfd\x02\xfd\x02\x57",
          std::string("\x03\x5f\x2a\x4d\x18\x03\0\0\0abc", 12) + zstd,
          "\x03" + zstd + zstd,
          "\x04" + bz2,
          "\x05" + gz,
          "\x05plain text",
          std::string(1, '\0')};
}

void run_one(std::string_view input) {
  using txn::Compression;
  static constexpr Compression kAll[] = {Compression::Gzip, Compression::Deflate, Compression::Lz4Frame,
                                         Compression::Zstd, Compression::Bzip2,   Compression::GzipIfMarked};
  Choices choose(input);
  const Compression compression = kAll[choose.below(6)];
  const std::string whole = outcome(compression, input, input.size() + 1);
  const std::string bytes = outcome(compression, input, 1);
  if (whole != bytes && !whole.ends_with("failed"))
    fail("pieces change what a body says", whole + "\n---\n" + bytes);
  if (whole.ends_with("failed") && !bytes.ends_with("failed") && bytes != "large") {
    fail("pieces change whether a body can be read", whole + "\n---\n" + bytes);
  }
}

}  // namespace penstock::fuzz
