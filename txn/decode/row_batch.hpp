// RowBatch: where the fields of a few hundred rows lie in a text, and which rows turned out bad.
//
// Rows are found first and decoded afterwards, column by column, so that the type of a column is looked at
// once a batch and not once a cell. Both halves fit in the first-level cache together with their text.
//
// Journey:  row_scan fills it -> column_decode reads it -> CsvDecoder takes the bad rows out.
// Shard:    one a shard, inside DecodeScratch: decoding never suspends, so all loads of a shard use the same.
// Promise:  64 bytes behind every row can be read.
// Failure:  none.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace penstock::txn {

struct RowBatch {
  static constexpr std::size_t kRowsMax = 512;
  static constexpr std::size_t kFieldsMin = 4096;  // room for fields of a batch, at least
  static constexpr std::size_t kBlock = 64;        // what is scanned in one step: it may go this far over

  struct Row {
    std::uint32_t begin;  // in text
    std::uint32_t next;   // behind the row's delimiter
    std::uint32_t first;  // its first entry in ends
  };

  const char* text = nullptr;
  std::size_t count = 0;
  std::uint32_t field_count = 0;
  std::uint32_t separator_bytes = 1;
  // A row's ends follow those of the row before, separators have one byte, and no row is broken.
  bool is_even = false;
  bool has_escapes = false;                 // some cell's text is not what it means (clean_cells)
  std::array<Row, kRowsMax + kBlock> rows;  // one step of the scan may go over kRowsMax
  std::vector<std::uint32_t>
      ends;  // per row field_count ends of fields; entries between rows belong to nobody

  void prepare(std::uint32_t fields) {
    field_count = fields;
    const std::size_t room = (fields > kFieldsMin ? fields : kFieldsMin) + 2 * kBlock;
    if (ends.size() < room) ends.resize(room);
  }
  std::uint32_t row_end(std::size_t row) const { return ends[rows[row].first + field_count - 1]; }

  // Rows that are no text. Nobody needs to read them: their fields become empty, where their separators have room.
  bool has_broken = false;
  std::array<std::uint64_t, kRowsMax / 64 + 1> broken{};
  bool is_broken(std::size_t row) const { return (broken[row / 64] >> row % 64 & 1) != 0; }
  void mark_broken(std::size_t row) {
    has_broken = true;
    is_even = false;
    broken[row / 64] |= std::uint64_t{1} << row % 64;
    for (std::uint32_t i = 0; i < field_count; ++i) {
      ends[rows[row].first + i] = rows[row].begin + i * separator_bytes;
    }
  }
  void forget_broken() {
    if (has_broken) broken.fill(0);
    has_broken = false;
  }
};

enum class BadCell : std::uint8_t { Null, Incorrect, TooLong, NotUtf8 };

// The first bad cell of each bad row of a batch.
struct BadRows {
  struct Cell {
    std::uint32_t column;
    BadCell why;
  };
  std::size_t count = 0;
  std::array<std::uint64_t, RowBatch::kRowsMax / 64 + 1> bits{};
  std::array<Cell, RowBatch::kRowsMax + RowBatch::kBlock> cells;
  std::array<std::uint32_t, RowBatch::kRowsMax + RowBatch::kBlock> unfolded;
  std::size_t all_unfolded = 0;
  bool counts_unfolded = false;

  // What lists unfold to beside their text, of a row over all of its columns and of all rows. Batches that could come
  // near the second bound are not made, or are made again with fewer rows: it only keeps memory small until then.
  static constexpr std::size_t kRowUnfoldedMax = std::size_t{48} * 1024 * 1024;
  static constexpr std::size_t kUnfoldedMax = 2 * kRowUnfoldedMax;
  std::size_t left_to_unfold(std::size_t row) {
    if (!counts_unfolded) {
      unfolded.fill(0);
      all_unfolded = 0;
      counts_unfolded = true;
    }
    return std::min(kRowUnfoldedMax - unfolded[row], kUnfoldedMax - all_unfolded);
  }
  void unfold(std::size_t row, std::size_t bytes) {  // at most what is left
    unfolded[row] += static_cast<std::uint32_t>(bytes);
    all_unfolded += bytes;
  }

  bool has(std::size_t row) const { return (bits[row / 64] >> row % 64 & 1) != 0; }
  void add(std::size_t row, std::uint32_t column, BadCell why) {
    if (has(row)) return;
    bits[row / 64] |= std::uint64_t{1} << row % 64;
    cells[row] = {column, why};
    ++count;
  }
  void clear() {
    count = 0;
    counts_unfolded = false;
    bits.fill(0);
  }
};

}  // namespace penstock::txn
