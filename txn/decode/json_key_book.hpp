// JsonKeyBook: the keys of a load as they are written in its rows, and which of them followed which.
//
// Rows of one writer name their keys in the same order, or in one of a few. So behind each key stand the two that came
// behind it last, and the next key is found by comparing bytes with what is expected: a key and its colon at once.
// Keys that feed nothing are learned as well, a few of them, so that rows with such keys cost no more.
//
// Journey:  JsonRowParser fills it -> [JsonKeyBook] <- take_fast_row, key by key.
// Shard:    one; a load's.
// Promise:  nothing is allocated once it is filled; at most kStrangersMax keys are learned.
// Failure:  find() gives nullptr: what stands there is no key, or one with an escape.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace penstock::txn {

class JsonKeyBook {
 public:
  static constexpr std::size_t kShown = 32;  // bytes of a key that are compared at once
  static constexpr std::size_t kStrangersMax = 32;
  static constexpr std::uint32_t kNoField = ~std::uint32_t{0};

  struct Meaning {
    std::uint32_t field = kNoField;
    bool is_fed = false;       // the field feeds a column
    bool keeps_words = false;  // true is true, and not 1
    bool nullable = false;
  };
  struct alignas(64) Key {
    char shown[kShown] = {};         // its begin, as it is written: quotes, colon
    std::uint32_t mask = 0;          // a bit for each byte that is shown
    std::uint32_t size = 0;          // with quotes and colon
    std::uint32_t next[2] = {0, 0};  // what followed it last, and before that
    Meaning meaning;
    std::uint64_t counts = 0;  // 1 if it is a field, and 1 << 32 if that feeds a column
  };

  explicit JsonKeyBook(std::size_t names_max) { keys_.reserve(names_max + kStrangersMax); }
  JsonKeyBook(const JsonKeyBook&) = delete;  // names_ views what is here
  JsonKeyBook& operator=(const JsonKeyBook&) = delete;
  // At most names_max. Of two keys of one name the first counts. A name that no row can have as it is, without escapes, is left out.
  void add(std::string_view name, const Meaning& meaning);

  bool is_empty() const { return keys_.empty(); }
  Key& begin() { return begin_; }
  Key* keys() { return keys_.data(); }
  // Whether the key is one that is longer than what is shown of it, and the rest of it is not at `at`.
  bool differs_behind(const Key& key, const char* at, const char* end) const;

  // The key at `at`, which is not the expected one, or not written like it; `at` is then behind its colon. 64 bytes
  // behind `end` can be read. `has_high`: a byte of it is not ASCII.
  Key* find(const char*& at, const char* end, Key& before, bool& has_high);

 private:
  void write(Key& key, std::string_view name);
  bool stands_at(const Key& key, const char* at, const char* end, std::size_t size) const;
  Key* look_up(std::string_view name, Key& before);

  static_assert(sizeof(Key) == 64);
  Key begin_;                        // what comes first in a row follows it
  std::vector<Key> keys_;            // those that were added, then strangers
  Key nobody_;                       // a stranger that there was no room for; nothing is expected to be it
  std::deque<std::string> written_;  // as keys_, those that were added
  std::unordered_map<std::string_view, std::uint32_t> names_;  // into written_
};

}  // namespace penstock::txn
