// CellList: the cells of one field of a batch, as they are meant and not as they are written.
//
// A plain CSV cell is its text between two separators, and column_decode reads it there. With enclosing,
// trimming or empty_field_as_null, what a cell says is worked out first, here: quotes trimmed, escapes
// resolved (only then text is copied), NULL told apart from the text \N.
//
// Journey:  RowBatch -> [clean_cells] -> decode_column.
// Shard:    one a shard, inside DecodeScratch.
// Promise:  32 bytes from each cell's begin, and 32 behind its end, can be read. Nothing is allocated per cell.
// Failure:  none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "txn/column/grow_buffer.hpp"
#include "txn/decode/row_batch.hpp"

namespace penstock::txn {

struct Cell {
  const char* begin;
  std::size_t size;
};

// Of a cell between two marks. Whoever finds rows sees to it that none ends before it begins; were one to, it is empty.
inline std::size_t cell_size(std::uint32_t begin, std::uint32_t end) { return end > begin ? end - begin : 0; }

// What must be done with cells before they are read.
struct CellCleaning {
  char trim = 0;     // one such character is taken off at both ends if it is at both; 0: none
  char enclose = 0;  // doubled inside a field that begins with it, it stands for itself; 0: none
  char escape = 0;   // inside such a field, the character behind it is meant; 0: none
  bool trimmed_can_be_null = false;  // \N between trimmed characters is NULL too
  bool empty_is_null = false;

  bool is_needed() const { return trim != 0 || enclose != 0 || empty_is_null; }
};

// \N. Both are always looked at: what is cheap is better than what is hard to foresee.
inline bool is_null_mark(const Cell& cell) {
  return (cell.size == 2) & (cell.begin[0] == '\\') & (cell.begin[1] == 'N');
}

class CellList {
 public:
  // A cell without a value has this begin, whatever its text.
  static const Cell& null_cell();

  const Cell* data() const { return cells_.data(); }
  void set(std::size_t row, Cell cell) { cells_[row] = cell; }
  // Room for text of cells; what was there before is forgotten.
  char* text_room(std::size_t bytes) {
    text_.clear();
    return reinterpret_cast<char*>(text_.extend(bytes));
  }
  void release_long_text() {
    constexpr std::size_t kKept = 256 * 1024;
    if (text_.capacity() > kKept) text_.release();
  }

 private:
  std::array<Cell, RowBatch::kRowsMax + RowBatch::kBlock> cells_;
  GrowBuffer text_;
};

// All cells of a batch's field. `has_escapes` false: no cell has an escape or a doubled enclose character.
void clean_cells(const RowBatch& batch, std::uint32_t field, const CellCleaning& cleaning, bool has_escapes,
                 CellList& out);
// One of them; its text lies in the batch or in `room_of`.
Cell clean_cell(const RowBatch& batch, std::size_t row, std::uint32_t field, const CellCleaning& cleaning,
                CellList& room_of);

}  // namespace penstock::txn
