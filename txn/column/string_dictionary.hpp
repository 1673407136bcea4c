// StringDictionary: numbers distinct strings in the order in which they first come.
//
// Journey:  encode_block -> [StringDictionary], one for all string columns of a block.
// Shard:    any; one user.
// Promise:  equal strings get equal numbers. The strings are referred to, not copied: they must stay where they are. A
//           string costs at most kProbesMax comparisons, whoever has chosen the strings.
// Failure:  kNone: too many strings that were added before look alike; the caller stops adding then, and when it has too
//           many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/checksum.hpp"
#include "txn/column/column_view.hpp"

namespace penstock::txn {

class StringDictionary {
 public:
  std::size_t size() const { return entries_.size(); }
  std::size_t text_bytes() const { return text_bytes_; }
  std::string_view at(std::size_t number) const { return {entries_[number].text, entries_[number].length}; }
  void clear() {
    entries_.clear();
    slots_.assign(kSlotsMin, 0);
    text_bytes_ = 0;
  }

  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr std::uint32_t kProbesMax = 128;  // half of the slots are free: honest strings need a few

  std::uint32_t add(std::string_view text) {
    const std::uint64_t hash = hash_of(text);
    std::size_t slot = hash & (slots_.size() - 1);
    for (std::uint32_t probes = 0; slots_[slot] != 0; ++probes) {
      const Entry& entry = entries_[slots_[slot] - 1];
      if (entry.hash == hash && entry.length == text.size() &&
          is_equal(entry.text, text.data(), text.size())) {
        return slots_[slot] - 1;
      }
      if (probes == kProbesMax) return kNone;
      slot = (slot + 1) & (slots_.size() - 1);
    }
    entries_.push_back({hash, text.data(), static_cast<std::uint32_t>(text.size())});
    text_bytes_ += text.size();
    slots_[slot] = static_cast<std::uint32_t>(entries_.size());
    if (entries_.size() * 2 > slots_.size()) rehash();
    return static_cast<std::uint32_t>(entries_.size() - 1);
  }

  // Public for whoever wants to see strings that look alike.
  static std::uint64_t hash_of(std::string_view text) {
    const char* p = text.data();
    const std::size_t n = text.size();
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    if (n > kInlineMax) return core::hash64(core::as_bytes(text));
    std::uint64_t seed = 0x9e3779b97f4a7c15;
    for (std::size_t at = 0; at + 16 < n; at += 16) {
      seed = fold(load<std::uint64_t>(p + at) ^ seed, load<std::uint64_t>(p + at + 8) ^ 0xa0761d6478bd642f);
    }
    if (n > 16) {
      a = load<std::uint64_t>(p + n - 16);
      b = load<std::uint64_t>(p + n - 8);
    } else if (n >= 8) {
      a = load<std::uint64_t>(p);
      b = load<std::uint64_t>(p + n - 8);
    } else if (n >= 4) {
      a = load<std::uint32_t>(p);
      b = load<std::uint32_t>(p + n - 4);
    } else if (n != 0) {
      a = static_cast<std::uint8_t>(p[0]);
      b = std::uint64_t{static_cast<std::uint8_t>(p[n >> 1])} << 8 | static_cast<std::uint8_t>(p[n - 1]);
    }
    return fold(a ^ seed, b ^ (0xd6e8feb86659fd93 + n));
  }

 private:
  static constexpr std::size_t kSlotsMin = 1024;
  static constexpr std::size_t kInlineMax =
      128;  // longer strings go through the library's hash and comparison
  struct Entry {
    std::uint64_t hash;
    const char* text;
    std::uint32_t length;
  };

  template <class T>
  static T load(const char* at) {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  // Folding a full product lets every byte of both words reach the low bits, which choose the slot.
  static std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    const UInt128 product = static_cast<UInt128>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  static bool is_equal(const char* a, const char* b, std::size_t n) {
    if (n > kInlineMax) return std::memcmp(a, b, n) == 0;
    const auto differ = [&](std::size_t at) {
      return load<std::uint64_t>(a + at) ^ load<std::uint64_t>(b + at);
    };
    if (n >= 8) {
      std::uint64_t difference = differ(n - 8);
      for (std::size_t at = 0; at + 8 < n; at += 8) difference |= differ(at);
      return difference == 0;
    }
    if (n >= 4)
      return load<std::uint32_t>(a) == load<std::uint32_t>(b) &&
             load<std::uint32_t>(a + n - 4) == load<std::uint32_t>(b + n - 4);
    for (std::size_t at = 0; at < n; ++at) {
      if (a[at] != b[at]) return false;
    }
    return true;
  }
  void rehash() {
    slots_.assign(slots_.size() * 2, 0);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      std::size_t slot = entries_[i].hash & (slots_.size() - 1);
      while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = static_cast<std::uint32_t>(i + 1);
    }
  }

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_ = std::vector<std::uint32_t>(kSlotsMin, 0);
  std::size_t text_bytes_ = 0;
};

}  // namespace penstock::txn
