// The cells of one column of a batch, row by row, wherever they lie: what the loops of column_decode go over.
//
// Journey:  RowBatch, CellList -> [Cells, EnclosedCells, MadeCells] -> column_decode.
// Shard:    any; views of a batch.
// Promise:  is_null() cells may_be_null(), which looks at their size only. kReadable bytes from each cell's begin, and 32 behind its end,
//           can be read.
// Failure:  none.
#pragma once

#include <cstddef>
#include <cstdint>

#include "txn/decode/cell_list.hpp"
#include "txn/decode/row_batch.hpp"

namespace penstock::txn {

// Cells of one field, as they are written. Whether it is the first field is known when the loop is compiled.
template <bool kFirst>
class Cells {
 public:
  static constexpr std::size_t kReadable = GrowBuffer::kSlack;  // that many lie behind a batch's text

  Cells(const RowBatch& batch, std::uint32_t field)
      : text_(batch.text),
        rows_(batch.rows.data()),
        ends_(batch.ends.data() + field),
        separator_bytes_(batch.separator_bytes) {}

  bool may_be_null(const Cell& cell) const { return cell.size == 2; }
  bool is_null(const Cell& cell) const { return is_null_mark(cell); }
  Cell operator[](std::size_t row) const {
    const std::uint32_t* end = ends_ + rows_[row].first;
    const std::uint32_t begin = kFirst ? rows_[row].begin : end[-1] + separator_bytes_;
    return {text_ + begin, cell_size(begin, *end)};
  }

 private:
  const char* text_;
  const RowBatch::Row* rows_;
  const std::uint32_t* ends_;
  std::uint32_t separator_bytes_;
};

// The same where rows lie one behind the other without a gap, and are not taken for broken: not the first field.
class EvenCells {
 public:
  static constexpr std::size_t kReadable = GrowBuffer::kSlack;

  EvenCells(const RowBatch& batch, std::uint32_t field)
      : text_(batch.text + 1), ends_(batch.ends.data() + field - 1), stride_(batch.field_count) {}

  bool may_be_null(const Cell& cell) const { return cell.size == 2; }
  bool is_null(const Cell& cell) const { return is_null_mark(cell); }
  Cell operator[](std::size_t row) const {
    const std::uint32_t* end = ends_ + row * stride_;
    return {text_ + end[0], end[1] - end[0] - 1};
  }

 private:
  const char* text_;  // behind a separator at 0
  const std::uint32_t* ends_;
  std::size_t stride_;
};

// Cells that may be enclosed, where nothing is escaped: the quotes come off on the way.
template <bool kFirst>
class EnclosedCells {
 public:
  static constexpr std::size_t kReadable = GrowBuffer::kSlack;

  EnclosedCells(const RowBatch& batch, std::uint32_t field, const CellCleaning& cleaning)
      : cells_(batch, field),
        trim_(cleaning.trim),
        trims_(cleaning.trim != 0),
        empty_is_null_(cleaning.empty_is_null) {}

  bool may_be_null(const Cell& cell) const { return cell.size == 2 || (empty_is_null_ && cell.size == 0); }
  bool is_null(const Cell& cell) const { return is_null_mark(cell) | (empty_is_null_ & (cell.size == 0)); }
  Cell operator[](std::size_t row) const {
    Cell cell = cells_[row];
    // Reading one byte before an empty first cell is avoided by asking for the size first.
    const bool trims = trims_ && cell.size >= 2 && *cell.begin == trim_ && cell.begin[cell.size - 1] == trim_;
    cell.begin += trims;
    cell.size -= 2 * static_cast<std::size_t>(trims);
    return cell;
  }

 private:
  Cells<kFirst> cells_;
  char trim_;
  bool trims_;
  bool empty_is_null_;
};

// Cells that were worked out before, one behind the other.
class MadeCells {
 public:
  static constexpr std::size_t kReadable = 32;

  explicit MadeCells(const Cell* cells) : cells_(cells), null_text_(CellList::null_cell().begin) {}

  bool may_be_null(const Cell& cell) const { return cell.size == 2; }
  bool is_null(const Cell& cell) const { return cell.begin == null_text_; }
  Cell operator[](std::size_t row) const { return cells_[row]; }

 private:
  const Cell* cells_;
  const char* null_text_;
};

}  // namespace penstock::txn
