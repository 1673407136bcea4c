#include "txn/decode/json_arena.hpp"

#include <algorithm>

namespace penstock::txn {
namespace {

constexpr std::size_t kArenaKept = 256 * core::kKiB;

// With the readable bytes that cells have around them.
constexpr char kOne[GrowBuffer::kSlack + 8] = "1";
constexpr char kZero[GrowBuffer::kSlack + 8] = "0";
constexpr char kTrue[GrowBuffer::kSlack + 8] = "true";
constexpr char kFalse[GrowBuffer::kSlack + 8] = "false";

}  // namespace

Cell json_word(bool is_true, bool keeps_words) {
  if (keeps_words) return is_true ? Cell{kTrue, 4} : Cell{kFalse, 5};
  return is_true ? Cell{kOne, 1} : Cell{kZero, 1};
}

char* JsonArena::room(std::size_t bytes) {
  bytes += GrowBuffer::kSlack;
  if (chunks_.empty() || chunks_.back().capacity() - used_ < bytes) {
    chunks_.emplace_back();
    chunks_.back().reserve(std::max(bytes, kChunkMin));
    used_ = 0;
  }
  return chunks_.back().as<char>() + used_;
}

void JsonArena::clear() {
  used_ = 0;
  while (chunks_.size() > 1) chunks_.pop_front();  // the last is the longest a batch needed, or long enough
  if (!chunks_.empty() && chunks_.front().capacity() > kArenaKept) chunks_.clear();
}

std::size_t JsonArena::reserved_bytes() const {
  std::size_t sum = 0;
  for (const GrowBuffer& chunk : chunks_) sum += chunk.capacity();
  return sum;
}

}  // namespace penstock::txn
