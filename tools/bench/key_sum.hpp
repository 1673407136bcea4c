// KeySum: count, sum and xor of keys: what was sent and what a scan gives back must have the same.
#pragma once

#include <cstdint>
#include <string>

namespace penstock::tools {

using Sum128 = unsigned __int128;

struct KeySum {
  std::uint64_t count = 0;
  Sum128 sum = 0;
  std::uint64_t bits = 0;  // xor

  void add(std::uint64_t key) {
    ++count;
    sum += key;
    bits ^= key;
  }
  // The keys first .. first+keys-1.
  void add_range(std::uint64_t first, std::uint64_t keys) {
    count += keys;
    sum += static_cast<Sum128>(first) * keys + static_cast<Sum128>(keys) * (keys - (keys > 0 ? 1 : 0)) / 2;
    bits ^= xor_below(first + keys) ^ xor_below(first);
  }
  void add(const KeySum& other) {
    count += other.count;
    sum += other.sum;
    bits ^= other.bits;
  }
  // What is in *this and not in `before`, which is a part of it.
  KeySum since(const KeySum& before) const {
    return {.count = count - before.count, .sum = sum - before.sum, .bits = bits ^ before.bits};
  }
  friend bool operator==(const KeySum&, const KeySum&) = default;

 private:
  // 0 ^ 1 ^ ... ^ (end - 1)
  static std::uint64_t xor_below(std::uint64_t end) {
    switch (end & 3) {
      case 0:
        return 0;
      case 1:
        return end - 1;
      case 2:
        return 1;
      default:
        return end;
    }
  }
};

std::string to_text(Sum128 number);
std::string to_json(const KeySum& keys);  // {"count":2,"sum":5,"xor":1}

}  // namespace penstock::tools
