#include "txn/decode/inflate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "txn/decode/inflate_codec.hpp"
#include "txn/schema/table_schema.hpp"

namespace penstock::txn {
namespace {

constexpr std::array<std::pair<std::string_view, Compression>, 13> kSpellings{{
    {"gz", Compression::Gzip},
    {"gzip", Compression::Gzip},
    {"deflate", Compression::Deflate},
    {"zlib", Compression::Deflate},
    {"lz4", Compression::Lz4Frame},
    {"lz4_frame", Compression::Lz4Frame},
    {"lz4frame", Compression::Lz4Frame},
    {"zstd", Compression::Zstd},
    {"zst", Compression::Zstd},
    {"bz2", Compression::Bzip2},
    {"bzip2", Compression::Bzip2},
    {"none", Compression::None},
    {"plain", Compression::None},
}};

// Input larger than this is given to a library in parts: some count in 32 bits.
constexpr std::size_t kInputStep = 64 * core::kMiB;

}  // namespace

std::expected<Compression, std::string> parse_compression(std::string_view text) {
  for (const auto& [name, compression] : kSpellings) {
    if (equal_ignoring_case(text, name)) return compression;
  }
  return std::unexpected(
      fmt::format("compress_type {} is not supported: use gz, lz4 (frame), zstd, bz2 or deflate", text));
}

std::string_view compression_name(Compression compression) {
  switch (compression) {
    case Compression::None:
      return "plain";
    case Compression::Gzip:
    case Compression::GzipIfMarked:
      return "gz";
    case Compression::Deflate:
      return "deflate";
    case Compression::Lz4Frame:
      return "lz4 frame";
    case Compression::Zstd:
      return "zstd";
    case Compression::Bzip2:
      return "bz2";
  }
  return "unknown";
}

Inflater::Inflater(Compression compression)
    : compression_(compression), is_plain_(compression == Compression::None) {}
Inflater::~Inflater() = default;

std::size_t Inflater::reserved_bytes() const {
  return codec_ == nullptr ? 0 : codec_->reserved_bytes() + kOutputBytes;
}

std::expected<core::Bytes, std::string> Inflater::fail(std::string text) {
  failure_ = std::move(text);
  input_ = {};
  return std::unexpected(failure_);
}

// Makes the codec once it is known which; false: the first bytes are not here yet.
bool Inflater::choose(bool is_last) {
  if (codec_ != nullptr || is_plain_) return true;
  if (compression_ == Compression::Deflate || compression_ == Compression::GzipIfMarked) {
    while (head_size_ < 2 && !input_.empty()) {
      head_[head_size_++] = input_.front();
      input_ = input_.subspan(1);
    }
    if (head_size_ < 2 && !is_last) return false;
    head_left_ = {head_, head_size_};
    const auto first = std::to_integer<unsigned>(head_[0]);
    const auto second = std::to_integer<unsigned>(head_[1]);
    if (compression_ == Compression::GzipIfMarked) {
      is_plain_ = head_size_ < 2 || first != 0x1f || second != 0x8b;
      if (is_plain_) return true;
      codec_ = make_deflate_codec(GzipFormat::Gzip);
    } else {
      const bool is_zlib = (first & 0x0f) == 8 && (first << 8 | second) % 31 == 0;
      codec_ = make_deflate_codec(is_zlib ? GzipFormat::Zlib : GzipFormat::Raw);
    }
  } else if (compression_ == Compression::Gzip) {
    codec_ = make_deflate_codec(GzipFormat::Gzip);
  } else if (compression_ == Compression::Lz4Frame) {
    codec_ = make_lz4_codec();
  } else if (compression_ == Compression::Zstd) {
    codec_ = make_zstd_codec();
  } else {
    codec_ = make_bzip2_codec();
  }
  output_.reserve(kOutputBytes);
  return true;
}

std::expected<core::Bytes, std::string> Inflater::next() {
  if (!failure_.empty()) return std::unexpected(failure_);
  if (input_.empty() && head_left_.empty() && !has_more_) return core::Bytes{};
  if (!choose(false)) return core::Bytes{};
  if (is_plain_) {
    const core::Bytes out = std::exchange(head_left_.empty() ? input_ : head_left_, {});
    bytes_out_ += out.size();
    return out;
  }
  while (!head_left_.empty()) {
    auto out = run(head_left_);
    if (!out || !out->empty()) return out;
  }
  return run(input_);
}

// Zeros behind the last gzip member are nothing, as they are to gzip. False: they were, and now comes something else.
bool Inflater::take_padding(core::Bytes& input) {
  const bool is_gzip = compression_ == Compression::Gzip || compression_ == Compression::GzipIfMarked;
  if (!is_gzip || bytes_in_ == 0) return true;
  const auto rest =
      std::find_if(input.begin(), input.end(), [](std::byte byte) { return byte != std::byte{0}; });
  const auto zeros = static_cast<std::size_t>(rest - input.begin());
  input = input.subspan(zeros);
  bytes_in_ += zeros;
  in_padding_ |= zeros != 0;
  return !in_padding_ || input.empty();
}

// Until there is output, or nothing more to be had from the input.
std::expected<core::Bytes, std::string> Inflater::run(core::Bytes& input) {
  while (!input.empty() || has_more_) {
    if (!in_member_) {
      if (compression_ == Compression::Deflate && bytes_in_ != 0) {
        return fail("the body is not valid deflate: something follows its end");
      }
      if (!take_padding(input)) {
        return fail(fmt::format("the body is not valid {}: something follows the zeros behind its end",
                                compression_name(compression_)));
      }
      if (input.empty()) break;
      codec_->begin_member();
      in_member_ = true;
    }
    const core::Bytes part = input.first(std::min(input.size(), kInputStep));
    const Codec::Step step = codec_->step(part, {output_.data(), kOutputBytes});
    if (!step.error.empty()) {
      return fail(fmt::format("the body is not valid {} (near byte {}): {}", compression_name(compression_),
                              bytes_in_, step.error));
    }
    const bool stands_still = step.consumed == 0 && step.written == 0 && !step.member_ended && !has_more_;
    input = input.subspan(step.consumed);
    bytes_in_ += step.consumed;
    bytes_out_ += step.written;
    if (step.member_ended) in_member_ = false;
    has_more_ = in_member_ && step.written == kOutputBytes;
    if (step.written != 0) return core::Bytes{output_.data(), step.written};
    if (stands_still) return fail(fmt::format("the body is not valid {}", compression_name(compression_)));
  }
  return core::Bytes{};
}

std::expected<core::Bytes, std::string> Inflater::finish() {
  if (!failure_.empty()) return std::unexpected(failure_);
  if (head_size_ != 0 && codec_ == nullptr && !is_plain_) {  // a body of one byte
    choose(true);
    auto out = next();
    if (!out || !out->empty()) return out;
  }
  if (in_member_) {
    return fail(
        fmt::format("the body is cut off: its {} stream does not end", compression_name(compression_)));
  }
  return core::Bytes{};
}

}  // namespace penstock::txn
