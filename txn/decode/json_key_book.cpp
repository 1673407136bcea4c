#include "txn/decode/json_key_book.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "txn/decode/json_text.hpp"

namespace penstock::txn {
namespace {

bool is_plain(char c) { return c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20; }

const char* skip_blanks(const char* at, const char* end) {
  while (at < end && is_json_blank(*at)) ++at;
  return at;
}

}  // namespace

void JsonKeyBook::write(Key& key, std::string_view name) {
  key.size = static_cast<std::uint32_t>(name.size() + 3);
  const std::size_t shown = std::min<std::size_t>(key.size, kShown);
  key.mask = shown == kShown ? ~std::uint32_t{0} : (std::uint32_t{1} << shown) - 1;
  key.shown[0] = '"';
  std::memcpy(key.shown + 1, name.data(), std::min(name.size(), kShown - 1));
  if (name.size() + 1 < kShown) key.shown[name.size() + 1] = '"';
  if (name.size() + 2 < kShown) key.shown[name.size() + 2] = ':';
}

void JsonKeyBook::add(std::string_view name, const Meaning& meaning) {
  if (!std::all_of(name.begin(), name.end(), is_plain) ||
      !simdjson::validate_utf8(name.data(), name.size())) {
    return;  // no row that is JSON has it like this
  }
  if (names_.contains(name)) return;
  const std::string& text = written_.emplace_back("\"" + std::string(name) + "\":");
  const auto index = static_cast<std::uint32_t>(keys_.size());
  names_.emplace(std::string_view(text).substr(1, name.size()), index);
  Key key;
  write(key, name);
  key.meaning = meaning;
  key.counts = 1 + (std::uint64_t{meaning.is_fed} << 32);
  if (index != 0) keys_.back().next[0] = keys_.back().next[1] = index;
  keys_.push_back(key);
}

bool JsonKeyBook::stands_at(const Key& key, const char* at, const char* end, std::size_t size) const {
  if (static_cast<std::size_t>(end - at) < size) return false;
  if (std::memcmp(key.shown, at, std::min(size, kShown)) != 0) return false;
  if (size <= kShown) return true;
  const std::string& text = written_[static_cast<std::size_t>(&key - keys_.data())];
  return std::memcmp(text.data() + kShown, at + kShown, size - kShown) == 0;
}

bool JsonKeyBook::differs_behind(const Key& key, const char* at, const char* end) const {
  return key.size > kShown && !stands_at(key, at, end, key.size);
}

JsonKeyBook::Key* JsonKeyBook::find(const char*& at, const char* end, Key& before, bool& has_high) {
  if (at >= end || *at != '"') return nullptr;
  Key* key = nullptr;
  const char* behind = at;  // its second quote
  if (Key& first = keys_[before.next[0]]; stands_at(first, at, end, first.size - 1)) {
    key = &first;  // with a blank before the colon
    behind += first.size - 1;
  } else if (Key& second = keys_[before.next[1]]; stands_at(second, at, end, second.size - 1)) {
    std::swap(before.next[0], before.next[1]);
    key = &second;
    behind += second.size - 1;
  } else {
    const char* const name = at + 1;
    unsigned char high = 0;
    for (behind = name; behind < end && is_plain(*behind); ++behind)
      high |= static_cast<unsigned char>(*behind);
    if (behind >= end || *behind != '"') return nullptr;
    has_high |= high >= 0x80;
    key = look_up({name, static_cast<std::size_t>(behind - name)}, before);
    ++behind;
  }
  behind = skip_blanks(behind, end);
  if (behind >= end || *behind != ':') return nullptr;
  at = behind + 1;
  return key;
}

JsonKeyBook::Key* JsonKeyBook::look_up(std::string_view name, Key& before) {
  std::size_t index = keys_.size();
  if (const auto found = names_.find(name); found != names_.end()) {
    index = found->second;
  } else if (name.size() + 3 <= kShown) {
    Key stranger;
    write(stranger, name);
    for (index = written_.size(); index < keys_.size(); ++index) {
      const Key& other = keys_[index];
      if (other.size == stranger.size && std::memcmp(other.shown, stranger.shown, kShown) == 0) break;
    }
    const bool is_ascii = std::none_of(name.begin(), name.end(), [](char c) { return (c & 0x80) != 0; });
    if (index == keys_.size() && index - written_.size() < kStrangersMax && is_ascii)
      keys_.push_back(stranger);
  }
  if (index >= keys_.size()) return &nobody_;
  before.next[1] = before.next[0];
  before.next[0] = static_cast<std::uint32_t>(index);
  return &keys_[index];
}

}  // namespace penstock::txn
