// ColumnBuilder: one column of a block while it is being filled.
//
// Rows are added one by one (append_*) or by a decoder that extends the column by a whole batch and fills the
// new slots itself (extend_values, extend_offsets + text_bytes). The validity bitmap is made when the first
// NULL comes. truncate() takes rows back: that is how a batch with a bad row in it is undone.
//
// Journey:  column_decode -> [ColumnBuilder] -> encode_block.
// Shard:    the shard of its load.
// Promise:  bytes() and view() depend on the rows that are in it only, not on how they came.
// Failure:  none of its own; BlockLimits keep it small.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "txn/column/column_view.hpp"
#include "txn/column/grow_buffer.hpp"
#include "txn/schema/types.hpp"

namespace penstock::txn {

class ColumnBuilder {
 public:
  explicit ColumnBuilder(const Type& type);

  const Type& type() const { return type_; }
  std::size_t rows() const { return rows_; }
  std::size_t null_count() const { return null_count_; }
  ColumnView view() const;
  std::size_t bytes() const;           // used by the rows that are in it, a bitmap counted in any case
  std::size_t reserved_bytes() const;  // asked from the allocator

  template <class T>
  void append_value(T value) {
    *extend_values<T>(1) = value;
  }
  void append_text(std::string_view text);
  void append_null();
  void append_nulls(std::size_t count);
  void append_all(const ColumnView& rows);
  // Nested types: rows are put into the children first. end_nested() makes one more row of all that is there since
  // the last (a Struct: of one more row of each child); drop_unfinished() takes that back.
  std::span<ColumnBuilder> children() { return children_; }
  void end_nested();
  // A Struct whose children got `count` rows each.
  void extend_struct(std::size_t count) { add_rows(count); }
  void drop_unfinished() { truncate_children(rows_); }

  void truncate(std::size_t rows);
  void clear() { truncate(0); }
  void release_memory();

  // For decoders: `count` more rows, all present, their values (or end offsets) still to be written by the
  // caller.
  template <class T>
  T* extend_values(std::size_t count) {
    add_rows(count);
    return reinterpret_cast<T*>(values_.extend(count * sizeof(T)));
  }
  std::uint32_t* extend_offsets(std::size_t count);
  GrowBuffer& text_bytes() { return text_; }
  void mark_null(std::size_t row);  // its value must be 0, its text empty

 private:
  void add_rows(std::size_t count) {
    if (null_count_ != 0) [[unlikely]]
      set_present(rows_, count);
    rows_ += count;
  }
  void truncate_children(std::size_t rows);
  std::uint32_t child_rows() const;
  void set_present(std::size_t from, std::size_t count);
  bool is_present(std::size_t row) const {
    return (std::to_integer<unsigned>(validity_.data()[row >> 3]) >> (row & 7) & 1) != 0;
  }

  Type type_;
  std::uint32_t width_;
  std::size_t rows_ = 0;
  std::size_t null_count_ = 0;
  GrowBuffer validity_;  // means something while null_count_ != 0
  GrowBuffer values_;    // fixed-width values, or the offsets of strings
  GrowBuffer text_;
  std::vector<ColumnBuilder> children_;
};

}  // namespace penstock::txn
