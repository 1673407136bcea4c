#include "txn/decode/inflate_codec.hpp"

#include <bzlib.h>
#include <isa-l/igzip_lib.h>
#include <lz4frame.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <limits>

#include "core/base/check.hpp"
#include "txn/decode/gzip_header.hpp"

namespace penstock::txn {
namespace {

class DeflateCodec final : public Codec {
 public:
  explicit DeflateCodec(GzipFormat format) : format_(format) {}

  // Headers are read here: the library forgets half of one that comes in two pieces.
  void begin_member() override {
    isal_inflate_init(&state_);
    state_.crc_flag = format_ == GzipFormat::Gzip   ? ISAL_GZIP_NO_HDR_VER
                      : format_ == GzipFormat::Zlib ? ISAL_ZLIB_NO_HDR_VER
                                                    : ISAL_DEFLATE;
    gzip_header_ = {};
    zlib_header_bytes_ = 0;
  }

  Step step(core::Bytes input, Room room) override {
    const Step head = take_header(input);
    const bool took_all = head.consumed != 0 && head.consumed == input.size();
    if (took_all || !head.error.empty()) return head;
    Step step = inflate(input.subspan(head.consumed), room);
    step.consumed += head.consumed;
    return step;
  }

  std::size_t reserved_bytes() const override { return sizeof *this; }

 private:
  Step take_header(core::Bytes input) {
    if (format_ == GzipFormat::Gzip && !gzip_header_.is_done()) {
      const GzipHeader::Step taken = gzip_header_.take(input);
      return {.consumed = taken.consumed, .error = taken.error};
    }
    Step step;
    while (format_ == GzipFormat::Zlib && zlib_header_bytes_ < 2 && step.consumed < input.size()) {
      const auto byte = std::to_integer<unsigned>(input[step.consumed++]);
      // What the two say together was looked at when the format was guessed.
      if (zlib_header_bytes_++ == 1 && (byte & 0x20) != 0) step.error = "it needs a dictionary";
    }
    return step;
  }

  Step inflate(core::Bytes input, Room room) {
    // The library only reads what next_in points to; its type says otherwise.
    state_.next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(input.data()));
    state_.avail_in = static_cast<std::uint32_t>(input.size());
    state_.next_out = reinterpret_cast<std::uint8_t*>(room.at);
    state_.avail_out = static_cast<std::uint32_t>(room.size);
    const int result = isal_inflate(&state_);
    Step step;
    step.consumed = input.size() - state_.avail_in;
    step.written = room.size - state_.avail_out;
    step.member_ended = state_.block_state == ISAL_BLOCK_FINISH;
    // It reads a little ahead: gzip's trailer takes that up, but without one it is what should not be there.
    if (step.member_ended && format_ != GzipFormat::Gzip && state_.read_in_length >= 8) {
      step.error = "something follows its end";
    }
    if (result < 0) step.error = words(result);
    if (result == ISAL_NEED_DICT) step.error = "it needs a dictionary";
    return step;
  }

  static std::string_view words(int result) {
    switch (result) {
      case ISAL_INCORRECT_CHECKSUM:
        return "its checksum does not match";
      case ISAL_INVALID_WRAPPER:
        return "it does not begin like one";
      case ISAL_UNSUPPORTED_METHOD:
        return "its method is unknown";
      default:
        return "it holds an invalid block";
    }
  }

  GzipFormat format_;
  GzipHeader gzip_header_;
  unsigned zlib_header_bytes_ = 0;
  inflate_state state_;
};

class Lz4Codec final : public Codec {
 public:
  Lz4Codec() { CHECK(LZ4F_isError(LZ4F_createDecompressionContext(&context_, LZ4F_VERSION)) == 0); }
  ~Lz4Codec() override { LZ4F_freeDecompressionContext(context_); }

  void begin_member() override { LZ4F_resetDecompressionContext(context_); }

  Step step(core::Bytes input, Room room) override {
    std::size_t consumed = input.size();
    std::size_t written = room.size;
    const std::size_t hint = LZ4F_decompress(context_, room.at, &written, input.data(), &consumed, nullptr);
    if (LZ4F_isError(hint) != 0) return {.error = LZ4F_getErrorName(hint)};
    note_block_size();
    return {consumed, written, hint == 0, {}};
  }

  // The library does not say what it took: a block as it comes, and one as it goes with the window before it.
  std::size_t reserved_bytes() const override {
    return block_bytes_ == 0 ? 0 : 2 * block_bytes_ + 128 * core::kKiB;
  }

 private:
  // Once the header has come; before that the question is an error and changes nothing.
  void note_block_size() {
    LZ4F_frameInfo_t info{};
    std::size_t none = 0;
    if (LZ4F_isError(LZ4F_getFrameInfo(context_, &info, nullptr, &none)) != 0) return;
    const std::size_t bytes = info.blockSizeID == LZ4F_max4MB     ? 4 * core::kMiB
                              : info.blockSizeID == LZ4F_max1MB   ? core::kMiB
                              : info.blockSizeID == LZ4F_max256KB ? 256 * core::kKiB
                                                                  : 64 * core::kKiB;
    block_bytes_ = std::max(block_bytes_, bytes);
  }

  LZ4F_dctx* context_ = nullptr;
  std::size_t block_bytes_ = 0;
};

class ZstdCodec final : public Codec {
 public:
  ZstdCodec() : context_(ZSTD_createDCtx()) {
    CHECK(context_ != nullptr);
    ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, static_cast<int>(Inflater::kZstdWindowLogMax));
  }
  ~ZstdCodec() override { ZSTD_freeDCtx(context_); }

  void begin_member() override {
    ZSTD_DCtx_reset(context_, ZSTD_reset_session_only);
    header_size_ = 0;
    written_ = 0;
  }

  Step step(core::Bytes input, Room room) override {
    if (!begins_like_one(input)) return {.error = "it does not begin like one"};
    // A frame that is there in one piece would go another way through the library, which judges broken ones
    // differently: so its first byte goes alone.
    if (header_size_ == 0) input = input.first(std::min<std::size_t>(input.size(), 1));
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    ZSTD_outBuffer out{room.at, room.size, 0};
    const std::size_t hint = ZSTD_decompressStream(context_, &out, &in);
    if (ZSTD_isError(hint) != 0) return {.error = ZSTD_getErrorName(hint)};
    const std::size_t more = std::min(in.pos, header_.size() - header_size_);
    std::copy_n(input.begin(), more, header_.begin() + static_cast<std::ptrdiff_t>(header_size_));
    header_size_ += more;
    written_ += out.pos;
    if (hint == 0 && !holds_what_it_says()) return {.error = "it holds less than it says"};
    return {in.pos, out.pos, hint == 0, {}};
  }

  std::size_t reserved_bytes() const override { return ZSTD_sizeof_DCtx(context_); }

 private:
  static constexpr std::array<unsigned, 4> kMagic{0x28, 0xb5, 0x2f, 0xfd};
  static constexpr std::array<unsigned, 4> kSkipped{0x50, 0x2a, 0x4d, 0x18};  // its first ends in any digit

  // The library may know formats from before the first release too. Those have other bounds of memory, and say
  // different things when they are cut differently.
  bool begins_like_one(core::Bytes input) {
    for (std::size_t i = 0; i < input.size() && header_size_ + i < kMagic.size(); ++i) {
      const auto byte = std::to_integer<unsigned>(input[i]);
      const std::size_t place = header_size_ + i;
      if (place == 0) is_skipped_ = (byte & 0xf0) == kSkipped[0];
      const unsigned wanted = is_skipped_ ? kSkipped[place] : kMagic[place];
      if ((place == 0 && is_skipped_ ? byte & 0xf0 : byte) != wanted) return false;
    }
    return true;
  }

  // Where a frame ends with an empty block, the library looks at its length only if it has the frame in one piece.
  bool holds_what_it_says() const {
    if (is_skipped_) return true;
    const unsigned long long said = ZSTD_getFrameContentSize(header_.data(), header_size_);
    return said == ZSTD_CONTENTSIZE_UNKNOWN || said == ZSTD_CONTENTSIZE_ERROR || said == written_;
  }

  std::array<std::byte, 18> header_;  // of the frame: it is never longer
  std::size_t header_size_ = 0;
  std::uint64_t written_ = 0;
  bool is_skipped_ = false;
  ZSTD_DCtx* context_;
};

class Bzip2Codec final : public Codec {
 public:
  ~Bzip2Codec() override { end(); }

  void begin_member() override {
    end();
    stream_ = {};
    CHECK(BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK);
    is_open_ = true;
  }

  Step step(core::Bytes input, Room room) override {
    stream_.next_in = reinterpret_cast<char*>(const_cast<std::byte*>(input.data()));
    stream_.avail_in = static_cast<unsigned>(input.size());
    stream_.next_out = reinterpret_cast<char*>(room.at);
    stream_.avail_out = static_cast<unsigned>(room.size);
    const int result = BZ2_bzDecompress(&stream_);
    Step step{input.size() - stream_.avail_in, room.size - stream_.avail_out, result == BZ_STREAM_END, {}};
    if (result == BZ_DATA_ERROR_MAGIC) step.error = "it does not begin like one";
    if (result == BZ_DATA_ERROR) step.error = "its checksum does not match, or a block is invalid";
    if (result == BZ_MEM_ERROR) step.error = "no memory";
    if (result == BZ_PARAM_ERROR) step.error = "invalid";
    return step;
  }

  std::size_t reserved_bytes() const override { return 3700 * core::kKiB; }  // its manual: for 900 kB blocks

 private:
  void end() {
    if (is_open_) BZ2_bzDecompressEnd(&stream_);
    is_open_ = false;
  }

  bz_stream stream_{};
  bool is_open_ = false;
};

}  // namespace

std::unique_ptr<Codec> make_deflate_codec(GzipFormat format) {
  return std::make_unique<DeflateCodec>(format);
}
std::unique_ptr<Codec> make_lz4_codec() { return std::make_unique<Lz4Codec>(); }
std::unique_ptr<Codec> make_zstd_codec() { return std::make_unique<ZstdCodec>(); }
std::unique_ptr<Codec> make_bzip2_codec() { return std::make_unique<Bzip2Codec>(); }

}  // namespace penstock::txn
