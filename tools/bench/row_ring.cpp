#include "tools/bench/row_ring.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/base/check.hpp"

namespace penstock::tools {
namespace {

constexpr std::uint64_t kRingBytesMax = 2ULL << 30;  // offsets are 32 bits
constexpr std::size_t kLowDigits = 4;
constexpr std::uint64_t kLowEnd = 10'000;

using FourDigits = std::array<char, kLowDigits>;

constexpr std::array<FourDigits, kLowEnd> kFourDigits = [] {
  std::array<FourDigits, kLowEnd> all{};
  for (std::uint64_t i = 0; i < kLowEnd; ++i) {
    all[i] = {static_cast<char>('0' + i / 1000), static_cast<char>('0' + i / 100 % 10),
              static_cast<char>('0' + i / 10 % 10), static_cast<char>('0' + i % 10)};
  }
  return all;
}();

}  // namespace

RowRing::RowRing(Shape shape, RowFormat format, std::uint64_t seed, std::uint64_t bytes)
    : key_offset_(key_offset(shape, format)) {
  const std::uint64_t wanted = std::clamp<std::uint64_t>(bytes, 1, kRingBytesMax);
  Random chance(seed);
  text_.reserve(wanted + 4096);
  starts_.push_back(0);
  while (text_.size() < wanted) {
    append_row(text_, shape, format, kFirstKey, rows(), chance);
    row_bytes_max_ = std::max<std::uint64_t>(row_bytes_max_, text_.size() - starts_.back());
    starts_.push_back(static_cast<std::uint32_t>(text_.size()));
  }
}

std::uint64_t RowRing::rows_within(std::uint64_t at, std::uint64_t room, std::uint64_t rows_max) const {
  const std::uint64_t first = at % rows();
  const std::uint64_t end = first + std::min(rows_max, rows() - first);
  if (room >= bytes() || starts_[end] - starts_[first] <= room) return end - first;
  const auto behind =
      std::upper_bound(starts_.begin() + static_cast<std::ptrdiff_t>(first) + 1,
                       starts_.begin() + static_cast<std::ptrdiff_t>(end) + 1, starts_[first] + room);
  return static_cast<std::uint64_t>(behind - starts_.begin()) - 1 - first;
}

std::uint64_t RowRing::bytes_of(std::uint64_t at, std::uint64_t rows_wanted) const {
  const std::uint64_t first = at % rows();
  return starts_[first + rows_wanted] - starts_[first];
}

std::uint64_t RowRing::copy(char* to, std::uint64_t at, std::uint64_t rows_wanted,
                            std::uint64_t first_key) const {
  const std::uint64_t first = at % rows();
  CHECK(first + rows_wanted <= rows());
  const std::uint32_t begin = starts_[first];
  const std::uint64_t size = starts_[first + rows_wanted] - begin;
  std::memcpy(to, text_.data() + begin, size);
  std::array<char, kKeyDigits - kLowDigits> high;
  std::uint64_t low = kLowEnd;
  std::uint64_t key = first_key;
  for (std::uint64_t row = first; row < first + rows_wanted; ++row, ++key, ++low) {
    if (low == kLowEnd) {
      std::uint64_t rest = key / kLowEnd;
      low = key % kLowEnd;
      for (std::size_t i = high.size(); i-- > 0; rest /= 10) high[i] = static_cast<char>('0' + rest % 10);
    }
    char* const place = to + (starts_[row] - begin) + key_offset_;
    std::memcpy(place, high.data(), high.size());
    std::memcpy(place + high.size(), kFourDigits[low].data(), kLowDigits);
  }
  return size;
}

}  // namespace penstock::tools
