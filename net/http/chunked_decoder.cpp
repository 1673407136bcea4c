#include "net/http/chunked_decoder.hpp"

#include <algorithm>

namespace penstock::net {
namespace {

bool is_text(unsigned char c) { return (c >= 0x20 && c != 0x7f) || c == '\t'; }

}  // namespace

ChunkedDecoder::Step ChunkedDecoder::step(core::Bytes bytes) {
  Step result;
  while (result.skipped < bytes.size()) {
    if (state_ == State::Data) {
      const std::uint64_t here = std::min<std::uint64_t>(left_, bytes.size() - result.skipped);
      result.payload = static_cast<std::size_t>(here);
      left_ -= here;
      if (left_ == 0) state_ = State::DataCr;
      return result;
    }
    if (state_ == State::Ended || state_ == State::Bad) return result;
    state_ = take(static_cast<unsigned char>(bytes[result.skipped]));
    ++result.skipped;
  }
  return result;
}

ChunkedDecoder::State ChunkedDecoder::take_size_digit(unsigned char c) {
  std::uint64_t digit = 0;
  if (c >= '0' && c <= '9') {
    digit = static_cast<std::uint64_t>(c - '0');
  } else if (c >= 'a' && c <= 'f') {
    digit = static_cast<std::uint64_t>(c - 'a' + 10);
  } else if (c >= 'A' && c <= 'F') {
    digit = static_cast<std::uint64_t>(c - 'A' + 10);
  } else {
    return State::Bad;
  }
  if (left_ > (kChunkMax >> 4)) return State::Bad;
  left_ = left_ * 16 + digit;
  return State::Size;
}

ChunkedDecoder::State ChunkedDecoder::take(unsigned char c) {
  switch (state_) {
    case State::SizeFirst:
      left_ = 0;
      line_bytes_ = 1;
      return take_size_digit(c);
    case State::Size:
    case State::Blank:
    case State::Extension:
      if (++line_bytes_ > kSizeLineMax) return State::Bad;
      if (c == '\r') return state_ == State::Blank ? State::Bad : State::SizeLf;
      if (state_ == State::Extension) return is_text(c) ? State::Extension : State::Bad;
      if (c == ';') return State::Extension;
      if (c == ' ' || c == '\t') return State::Blank;
      return state_ == State::Size ? take_size_digit(c) : State::Bad;
    case State::SizeLf:
      if (c != '\n') return State::Bad;
      return left_ == 0 ? State::TrailerStart : State::Data;
    case State::DataCr:
      return c == '\r' ? State::DataLf : State::Bad;
    case State::DataLf:
      return c == '\n' ? State::SizeFirst : State::Bad;
    case State::TrailerStart:
      if (c == '\r') return State::EndLf;
      [[fallthrough]];
    case State::Trailer:
      if (++trailer_bytes_ > kTrailersMax) return State::Bad;
      if (c == '\r') return State::TrailerLf;
      return is_text(c) ? State::Trailer : State::Bad;
    case State::TrailerLf:
      return c == '\n' ? State::TrailerStart : State::Bad;
    case State::EndLf:
      return c == '\n' ? State::Ended : State::Bad;
    case State::Data:
    case State::Ended:
    case State::Bad:
      break;
  }
  return State::Bad;
}

}  // namespace penstock::net
