// RowRing: distinct rows made once, sent again and again under new keys.
//
// Making a row costs more than sending it, so a generator that made each row anew would measure itself. A ring holds `bytes`
// of distinct rows (64 MiB: more than any window or dictionary block that a store compresses by); behind its last row comes
// its first again, with another key. All else repeats, also times.
//
// Journey:  `bench rows`, `bench run` -> [RowRing] -> append_row.
// Shard:    none; read by as many threads as like to.
// Promise:  the rows of a place are the same whatever the ring's size, as long as it reaches there.
// Failure:  none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/bench/row_shapes.hpp"

namespace penstock::tools {

inline constexpr std::uint64_t kRingBytes = 64ULL << 20;

class RowRing {
 public:
  RowRing(Shape shape, RowFormat format, std::uint64_t seed, std::uint64_t bytes);

  std::uint64_t rows() const { return starts_.size() - 1; }
  std::uint64_t bytes() const { return text_.size(); }
  double row_bytes() const { return static_cast<double>(bytes()) / static_cast<double>(rows()); }
  std::uint64_t row_bytes_max() const { return row_bytes_max_; }

  // How many rows from place `at` on (counted over the ring's end) fit into `room` bytes, at most `rows_max`, and without
  // going over the ring's end: the caller asks again for what lies behind it.
  std::uint64_t rows_within(std::uint64_t at, std::uint64_t room, std::uint64_t rows_max) const;
  std::uint64_t bytes_of(std::uint64_t at, std::uint64_t rows) const;
  // Writes those rows with the keys first_key, first_key+1, ...; returns how many bytes that are.
  std::uint64_t copy(char* to, std::uint64_t at, std::uint64_t rows, std::uint64_t first_key) const;

 private:
  std::string text_;
  std::vector<std::uint32_t> starts_;  // and the end
  std::uint64_t row_bytes_max_ = 0;
  const std::size_t key_offset_;
};

}  // namespace penstock::tools
