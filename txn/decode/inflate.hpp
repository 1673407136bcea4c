// Inflater: a compressed body, in pieces cut anywhere, into pieces of what it says.
//
// Members (gzip members, zstd and LZ4 frames, bzip2 streams; not deflate) may follow each other; nothing else may. What
// arrives is decoded at once, so that a slow stream does not wait for its end. Memory is a window and one buffer,
// however much comes out: a bomb costs time only, and whoever drives it can pause between two outputs.
//
// Journey:  net/load: BodyReader -> [Inflater] -> Load::append.
// Shard:    one; never suspends.
// Promise:  an output is readable with GrowBuffer::kSlack bytes behind it until the next call. No bytes at all are an
//           empty body, whatever the compression. Nothing is allocated before the first byte comes.
// Failure:  the text for the reply: corrupt, truncated, followed by something, or wanting too large a window.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/units.hpp"
#include "txn/column/grow_buffer.hpp"

namespace penstock::txn {

enum class Compression : std::uint8_t {
  None,
  Gzip,
  Deflate,  // with or without zlib's header
  Lz4Frame,
  Zstd,
  Bzip2,
  GzipIfMarked,  // gzip if the body begins like it, otherwise as it is
};

// A compress_type. Failure: its name cannot be decoded here.
std::expected<Compression, std::string> parse_compression(std::string_view text);
std::string_view compression_name(Compression compression);

class Codec;

class Inflater {
 public:
  static constexpr std::size_t kOutputBytes = 64 * core::kKiB;
  static constexpr unsigned kZstdWindowLogMax = 24;

  explicit Inflater(Compression compression);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // The next piece of the body. It must stay readable until next() has answered with nothing.
  void give(core::Bytes piece) { input_ = piece; }
  // Output. Empty: give more, or finish.
  std::expected<core::Bytes, std::string> next();
  // The body has ended, and next() has answered with nothing.
  std::expected<core::Bytes, std::string> finish();

  std::uint64_t bytes_out() const { return bytes_out_; }
  std::size_t reserved_bytes() const;  // windows and buffers, as they are now

 private:
  std::expected<core::Bytes, std::string> fail(std::string text);
  bool choose(bool is_last);
  bool take_padding(core::Bytes& input);
  std::expected<core::Bytes, std::string> run(core::Bytes& input);

  Compression compression_;
  std::unique_ptr<Codec> codec_;
  core::Bytes input_;
  std::byte head_[2 + 64]{};  // the first bytes, while it must be guessed what they begin
  std::size_t head_size_ = 0;
  core::Bytes head_left_;
  bool is_plain_ = false;
  bool in_member_ = false;
  bool in_padding_ = false;  // behind the last member there were zeros
  bool has_more_ = false;    // the last output was full: there may be more without input
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
  std::string failure_;
  GrowBuffer output_;
};

}  // namespace penstock::txn
