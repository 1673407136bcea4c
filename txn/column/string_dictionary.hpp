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
    return text.size() <= kShort ? add_short(text, copied_words(text)) : add_long(text);
  }
  // As a column's: kShort bytes from where the text begins can be read, however short it is: it is not copied byte by byte.
  std::uint32_t add_padded(std::string_view text) {
    return text.size() <= kShort ? add_short(text, masked_words(text)) : add_long(text);
  }

  static constexpr std::size_t kShort = 16;  // a string of no more is two words

  // Public for whoever wants to see strings that look alike.
  static std::uint64_t hash_of(std::string_view text) {
    return text.size() <= kShort ? hash_short(copied_words(text), text.size()) : hash_long(text);
  }

 private:
  static constexpr std::size_t kSlotsMin = 1024;
  static constexpr std::size_t kInlineMax =
      128;  // longer strings go through the library's hash and comparison
  // The bytes of a short string; behind its end they are 0.
  struct Words {
    std::uint64_t first = 0;
    std::uint64_t second = 0;
  };
  struct Entry {
    std::uint64_t hash;
    Words words;  // of a short one
    const char* text;
    std::uint32_t length;
  };
  static constexpr std::uint64_t kSeed = 0x9e3779b97f4a7c15;
  static constexpr std::uint64_t kSeedOfEnd = 0xd6e8feb86659fd93;

  static Words copied_words(std::string_view text) {
    Words words;
    if (!text.empty()) std::memcpy(&words, text.data(), text.size());
    return words;
  }
  static Words masked_words(std::string_view text) {
    if (text.empty()) return {};  // it may lie nowhere
    constexpr std::uint64_t kAll = ~std::uint64_t{0};
    const std::size_t n = text.size();
    const Words all{load<std::uint64_t>(text.data()), load<std::uint64_t>(text.data() + 8)};
    if (n > 8) return {all.first, all.second & kAll >> (16 - n) * 8};
    return {all.first & kAll >> (8 - n) * 8, 0};
  }
  static std::uint64_t hash_short(Words words, std::size_t size) {
    return fold(words.first ^ kSeed, words.second ^ (kSeedOfEnd + size));
  }
  static std::uint64_t hash_long(std::string_view text) {
    const char* p = text.data();
    const std::size_t n = text.size();
    if (n > kInlineMax) return core::hash64(core::as_bytes(text));
    std::uint64_t seed = kSeed;
    for (std::size_t at = 0; at + 16 < n; at += 16) {
      seed = fold(load<std::uint64_t>(p + at) ^ seed, load<std::uint64_t>(p + at + 8) ^ 0xa0761d6478bd642f);
    }
    return fold(load<std::uint64_t>(p + n - 16) ^ seed, load<std::uint64_t>(p + n - 8) ^ (kSeedOfEnd + n));
  }

  std::uint32_t add_short(std::string_view text, Words words) {
    const std::uint64_t hash = hash_short(words, text.size());
    return find_or_add({hash, words, text.data(), static_cast<std::uint32_t>(text.size())},
                       [&](const Entry& entry) {
                         return ((entry.words.first ^ words.first) | (entry.words.second ^ words.second) |
                                 (entry.length ^ text.size())) == 0;
                       });
  }
  std::uint32_t add_long(std::string_view text) {
    const std::uint64_t hash = hash_long(text);
    return find_or_add({hash, {}, text.data(), static_cast<std::uint32_t>(text.size())},
                       [&](const Entry& entry) {
                         return entry.hash == hash && entry.length == text.size() &&
                                is_equal(entry.text, text.data(), text.size());
                       });
  }
  template <class IsIt>
  std::uint32_t find_or_add(const Entry& made, IsIt is_it) {
    std::size_t slot = made.hash & (slots_.size() - 1);
    for (std::uint32_t probes = 0; slots_[slot] != 0; ++probes) {
      if (is_it(entries_[slots_[slot] - 1])) return slots_[slot] - 1;
      if (probes == kProbesMax) return kNone;
      slot = (slot + 1) & (slots_.size() - 1);
    }
    entries_.push_back(made);
    text_bytes_ += made.length;
    slots_[slot] = static_cast<std::uint32_t>(entries_.size());
    if (entries_.size() * 2 > slots_.size()) rehash();
    return static_cast<std::uint32_t>(entries_.size() - 1);
  }

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
  // Of more than kShort bytes.
  static bool is_equal(const char* a, const char* b, std::size_t n) {
    if (n > kInlineMax) return std::memcmp(a, b, n) == 0;
    const auto differ = [&](std::size_t at) {
      return load<std::uint64_t>(a + at) ^ load<std::uint64_t>(b + at);
    };
    std::uint64_t difference = differ(n - 8);
    for (std::size_t at = 0; at + 8 < n; at += 8) difference |= differ(at);
    return difference == 0;
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
