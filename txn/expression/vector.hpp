// Vector: the values of one expression for a batch of rows, and the room where texts made on the way lie.
//
// Inside expressions there are few kinds of value. Every whole number, whatever its column's width, is an Int128, as
// are decimals (times 10^scale), days, microseconds and booleans: sums and products of 64-bit columns cannot
// overflow, and one loop serves all. Texts are views of the rows they came from, or of the batch's TextRoom.
//
// Journey:  Program::run, kernels -> [Vector] -> DerivingDecoder, RowFilter.
// Shard:    one; lives for a batch, keeps its memory for the next.
// Promise:  64 bytes behind each text can be read. A room gives out as many bytes as it may and no more.
// Failure:  TextRoom::is_over(): the batch's results mean nothing; try fewer rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/check.hpp"
#include "core/base/units.hpp"
#include "txn/column/column_view.hpp"
#include "txn/column/grow_buffer.hpp"

namespace penstock::txn {

enum class ValueKind : std::uint8_t { Null, Boolean, Integer, Decimal, Double, Date, DateTime, String };

struct ValueType {
  ValueKind kind = ValueKind::Null;
  std::uint8_t scale = 0;  // Decimal, DateTime

  friend bool operator==(const ValueType&, const ValueType&) = default;
};

inline constexpr ValueType kBooleanValue{ValueKind::Boolean};
inline constexpr ValueType kIntegerValue{ValueKind::Integer};
inline constexpr ValueType kDoubleValue{ValueKind::Double};
inline constexpr ValueType kDateValue{ValueKind::Date};
inline constexpr ValueType kTimeValue{ValueKind::DateTime, 6};
inline constexpr ValueType kStringValue{ValueKind::String};

inline constexpr std::string_view kEmptyText{
    "                                                                ",
    0};  // with something readable behind it

struct Vector {
  ValueType type;
  bool is_constant = false;         // its only value stands for every row
  std::vector<std::uint8_t> nulls;  // per row
  std::vector<Int128> numbers;      // all kinds but Double and String; 0 under a NULL
  std::vector<double> doubles;
  std::vector<std::string_view> texts;

  void prepare(ValueType of, std::size_t rows) {
    type = of;
    is_constant = false;
    nulls.assign(rows, 0);
    if (of.kind == ValueKind::String) {
      texts.assign(rows, kEmptyText);
    } else if (of.kind == ValueKind::Double) {
      doubles.assign(rows, 0);
    } else {
      numbers.assign(rows, 0);
    }
  }
  std::size_t at(std::size_t row) const { return is_constant ? 0 : row; }
  bool is_null(std::size_t row) const { return nulls[at(row)] != 0; }
  Int128 number(std::size_t row) const { return numbers[at(row)]; }
  double real(std::size_t row) const { return doubles[at(row)]; }
  std::string_view text(std::size_t row) const { return texts[at(row)]; }
  std::size_t reserved_bytes() const {
    return nulls.capacity() + numbers.capacity() * sizeof(Int128) + doubles.capacity() * sizeof(double) +
           texts.capacity() * sizeof(std::string_view);
  }
};

class TextRoom {
 public:
  static constexpr std::size_t kBytesMax = 32 * core::kMiB;

  explicit TextRoom(std::size_t bytes_max = kBytesMax) : bytes_max_(bytes_max) {}
  TextRoom(const TextRoom&) = delete;
  TextRoom& operator=(const TextRoom&) = delete;
  ~TextRoom() { forget(0); }

  // `size` bytes to be written and a tail behind them that can be read; nullptr when there was too much already.
  char* make(std::size_t size) {
    if (is_over_ || size > bytes_max_ - used_) {
      is_over_ = true;
      return nullptr;
    }
    used_ += size;
    if (size + GrowBuffer::kSlack > left_) add_chunk(size + GrowBuffer::kSlack);
    char* const room = at_;
    at_ += size;
    left_ -= size;
    return room;
  }
  std::string_view keep(std::string_view text) {
    char* room = make(text.size());
    if (room == nullptr) return kEmptyText;
    if (!text.empty()) std::memcpy(room, text.data(), text.size());
    return {room, text.size()};
  }
  bool is_over() const { return is_over_; }
  std::size_t reserved_bytes() const {
    std::size_t sum = 0;
    for (const Chunk& chunk : chunks_) sum += chunk.size;
    return sum;
  }
  void release_memory() {
    forget(0);
    used_ = 0;
    is_over_ = false;
  }
  // The next batch: its first chunk stays, unless it is large.
  void clear() {
    forget(!chunks_.empty() && chunks_[0].size <= kChunk ? 1 : 0);
    used_ = 0;
    is_over_ = false;
  }

 private:
  static constexpr std::size_t kChunk = 64 * core::kKiB;
  struct Chunk {
    char* data;
    std::size_t size;
  };
  void add_chunk(std::size_t size) {
    size = size < kChunk ? kChunk : size;
    chunks_.push_back({static_cast<char*>(std::calloc(1, size)), size});
    CHECK(chunks_.back().data != nullptr);
    at_ = chunks_.back().data;
    left_ = size;
  }
  void forget(std::size_t kept) {
    while (chunks_.size() > kept) {
      std::free(chunks_.back().data);
      chunks_.pop_back();
    }
    at_ = kept == 0 ? nullptr : chunks_[0].data;
    left_ = kept == 0 ? 0 : chunks_[0].size;
  }

  const std::size_t bytes_max_;
  std::vector<Chunk> chunks_;
  char* at_ = nullptr;
  std::size_t left_ = 0;
  std::size_t used_ = 0;
  bool is_over_ = false;
};

}  // namespace penstock::txn
