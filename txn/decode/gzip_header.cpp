#include "txn/decode/gzip_header.hpp"

#include <isa-l/crc.h>

#include <algorithm>

namespace penstock::txn {
namespace {

constexpr std::uint32_t kFixedBytes = 10;
constexpr std::uint8_t kHasChecksum = 0x02;
constexpr std::uint8_t kHasExtra = 0x04;
constexpr std::uint8_t kHasName = 0x08;
constexpr std::uint8_t kHasComment = 0x10;
constexpr std::uint8_t kUnknown = 0xe0;

}  // namespace

GzipHeader::Step GzipHeader::take(core::Bytes input) {
  std::size_t at = 0;
  while (at < input.size() && part_ != Part::Done) {
    const Part part = part_;
    const std::size_t begin = at;
    std::string_view error;
    if (part == Part::Name || part == Part::Comment) {
      const auto end = std::find(input.begin() + static_cast<std::ptrdiff_t>(at), input.end(), std::byte{0});
      at = static_cast<std::size_t>(end - input.begin());
      if (end != input.end()) {
        ++at;
        go_on();
      }
    } else if (part == Part::Extra) {
      const std::size_t size = std::min<std::size_t>(number_ - at_, input.size() - at);
      at += size;
      at_ += static_cast<std::uint32_t>(size);
      if (at_ == number_) go_on();
    } else {
      error = take_byte(std::to_integer<std::uint8_t>(input[at++]));
    }
    if (!error.empty()) return {at, error};
    if (part != Part::Checksum) {
      crc_ = crc32_gzip_refl(crc_, reinterpret_cast<const unsigned char*>(input.data()) + begin, at - begin);
    }
  }
  return {at, {}};
}

std::string_view GzipHeader::take_byte(std::uint8_t byte) {
  const std::uint32_t place = at_++;
  if (part_ == Part::Fixed) {
    if ((place == 0 && byte != 0x1f) || (place == 1 && byte != 0x8b)) return "it does not begin like one";
    if (place == 2 && byte != 8) return "its method is unknown";
    if (place == 3) flags_ = byte;
    if (place == 3 && (byte & kUnknown) != 0) return "its header has flags that are unknown";
    if (at_ == kFixedBytes) go_on();
    return {};
  }
  number_ |= std::uint32_t{byte} << 8 * place;
  if (at_ < 2) return {};
  if (part_ == Part::Checksum && number_ != (crc_ & 0xffff)) return "its header's checksum does not match";
  if (part_ == Part::ExtraSize && number_ != 0) {
    part_ = Part::Extra;
    at_ = 0;
  } else {
    go_on();
  }
  return {};
}

// To the next part that there is.
void GzipHeader::go_on() {
  at_ = number_ = 0;
  switch (part_) {
    case Part::Fixed:
      part_ = Part::ExtraSize;
      if ((flags_ & kHasExtra) != 0) return;
      [[fallthrough]];
    case Part::ExtraSize:
    case Part::Extra:
      part_ = Part::Name;
      if ((flags_ & kHasName) != 0) return;
      [[fallthrough]];
    case Part::Name:
      part_ = Part::Comment;
      if ((flags_ & kHasComment) != 0) return;
      [[fallthrough]];
    case Part::Comment:
      part_ = Part::Checksum;
      if ((flags_ & kHasChecksum) != 0) return;
      [[fallthrough]];
    case Part::Checksum:
    case Part::Done:
      part_ = Part::Done;
  }
}

}  // namespace penstock::txn
