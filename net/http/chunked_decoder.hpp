// ChunkedDecoder: skips the framing of a chunked body where it lies; the payload is never copied.
//
// Journey:  BodyReader asks it where in the received bytes the next payload is.
// Shard:    any; a value of a few words.
// Promise:  the same payload and the same verdict however the bytes were split. Sizes, extensions and
//           trailers are bounded, extensions and trailers are dropped; nothing is allocated.
// Failure:  is_bad() for framing that cannot be parsed, for good.
#pragma once

#include <cstdint>

#include "core/base/bytes.hpp"

namespace penstock::net {

class ChunkedDecoder {
 public:
  static constexpr std::uint32_t kSizeLineMax = 1024;  // size and extensions of one chunk
  static constexpr std::uint32_t kTrailersMax = 8192;
  static constexpr std::uint64_t kChunkMax = (1ull << 62) - 1;

  struct Step {
    std::size_t skipped = 0;  // framing in front
    std::size_t payload = 0;  // bytes of the body behind it
  };
  // Goes to the next payload in `bytes` (which follow what the steps before took). Neither counted: all of
  // the rest, for what lies behind a step is handed in again. payload == 0: more bytes are needed, or
  // is_ended(), or is_bad().
  Step step(core::Bytes bytes);

  bool is_ended() const { return state_ == State::Ended; }
  bool is_bad() const { return state_ == State::Bad; }

 private:
  enum class State : std::uint8_t {
    SizeFirst,  // at least one digit
    Size,
    Blank,  // between the size and its `;`
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    EndLf,
    Ended,
    Bad,
  };
  State take(unsigned char c);
  State take_size_digit(unsigned char c);

  State state_ = State::SizeFirst;
  std::uint64_t left_ =
      0;  // payload of the chunk that is still to come; while its size is read, the size so far
  std::uint32_t line_bytes_ = 0;
  std::uint32_t trailer_bytes_ = 0;
};

}  // namespace penstock::net
