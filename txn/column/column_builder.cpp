#include "txn/column/column_builder.hpp"

#include <algorithm>

namespace penstock::txn {

ColumnBuilder::ColumnBuilder(const Type& type)
    : type_(type), width_(static_cast<std::uint32_t>(fixed_width(type))) {
  children_.reserve(type.children().size());
  for (const Type& child : type.children()) children_.emplace_back(child);
}

ColumnView ColumnBuilder::view() const {
  ColumnView view;
  view.type = type_;
  view.rows = static_cast<std::uint32_t>(rows_);
  view.null_count = static_cast<std::uint32_t>(null_count_);
  if (null_count_ != 0) view.validity = validity_.as<std::uint8_t>();
  if (width_ == 0) {
    view.offsets = values_.as<std::uint32_t>();
    view.text = text_.as<char>();
    view.children.reserve(children_.size());
    for (const ColumnBuilder& child : children_) view.children.push_back(child.view());
  } else {
    view.values = values_.data();
  }
  return view;
}

std::size_t ColumnBuilder::bytes() const {
  std::size_t sum = values_.size() + text_.size() + (rows_ + 7) / 8;
  for (const ColumnBuilder& child : children_) sum += child.bytes();
  return sum;
}

std::size_t ColumnBuilder::reserved_bytes() const {
  std::size_t sum = values_.capacity() + text_.capacity() + validity_.capacity();
  for (const ColumnBuilder& child : children_) sum += sizeof(ColumnBuilder) + child.reserved_bytes();
  return sum;
}

std::uint32_t ColumnBuilder::child_rows() const { return static_cast<std::uint32_t>(children_[0].rows()); }

void ColumnBuilder::end_nested() {
  if (has_offsets(type_)) {
    *extend_offsets(1) = child_rows();
  } else {
    add_rows(1);
  }
}

// The rows of the children that belong to the first `rows` rows.
void ColumnBuilder::truncate_children(std::size_t rows) {
  std::size_t kept = rows;
  if (has_offsets(type_)) kept = rows == 0 ? 0 : values_.as<std::uint32_t>()[rows];
  for (ColumnBuilder& child : children_) {
    if (child.rows() > kept) child.truncate(kept);
    child.drop_unfinished();
  }
}

std::uint32_t* ColumnBuilder::extend_offsets(std::size_t count) {
  if (rows_ == 0) {
    values_.clear();
    const std::uint32_t zero = 0;
    values_.append(&zero, sizeof zero);
  }
  add_rows(count);
  return reinterpret_cast<std::uint32_t*>(values_.extend(count * sizeof(std::uint32_t)));
}

void ColumnBuilder::append_text(std::string_view text) {
  std::uint32_t* end = extend_offsets(1);
  text_.append(text.data(), text.size());
  CHECK_LE(text_.size(), UINT32_MAX);
  *end = static_cast<std::uint32_t>(text_.size());
}

void ColumnBuilder::append_null() { append_nulls(1); }

void ColumnBuilder::append_nulls(std::size_t count) {
  const std::size_t from = rows_;
  if (type_.kind == TypeKind::Struct) {
    for (ColumnBuilder& child : children_) child.append_nulls(count);
    add_rows(count);
  } else if (width_ == 0) {
    const std::uint32_t end = children_.empty() ? static_cast<std::uint32_t>(text_.size()) : child_rows();
    std::fill_n(extend_offsets(count), count, end);
  } else {
    add_rows(count);
    std::memset(values_.extend(count * width_), 0, count * width_);
  }
  for (std::size_t row = from; row < from + count; ++row) mark_null(row);
}

void ColumnBuilder::append_all(const ColumnView& rows) {
  if (rows.rows == 0) return;
  const std::size_t from = rows_;
  if (type_.kind == TypeKind::Struct) {
    for (std::size_t i = 0; i < children_.size(); ++i) children_[i].append_all(rows.children[i]);
    add_rows(rows.rows);
  } else if (width_ == 0) {
    auto base = static_cast<std::uint32_t>(text_.size());
    const std::uint32_t first = rows.offsets[0];
    if (children_.empty()) {
      text_.append(rows.text + first, rows.text_bytes());
      CHECK_LE(text_.size(), UINT32_MAX);
    } else {  // nobody makes views of a part of nested rows
      base = child_rows();
      CHECK_EQ(first, 0u);
      for (std::size_t i = 0; i < children_.size(); ++i) children_[i].append_all(rows.children[i]);
    }
    std::uint32_t* ends = extend_offsets(rows.rows);
    for (std::size_t i = 0; i < rows.rows; ++i) ends[i] = rows.offsets[i + 1] - first + base;
  } else {
    add_rows(rows.rows);
    std::memcpy(values_.extend(std::size_t{rows.rows} * width_), rows.values,
                std::size_t{rows.rows} * width_);
  }
  if (rows.null_count == 0) return;
  for (std::size_t i = 0; i < rows.rows; ++i) {
    if (rows.is_null(i)) mark_null(from + i);
  }
}

void ColumnBuilder::truncate(std::size_t rows) {
  CHECK_LE(rows, rows_);
  if (rows == rows_) return;
  if (null_count_ != 0) {
    if (rows == 0) null_count_ = 0;
    for (std::size_t row = rows; row < rows_ && null_count_ != 0; ++row) null_count_ -= !is_present(row);
  }
  truncate_children(rows);
  if (type_.kind == TypeKind::Struct) {
  } else if (width_ == 0 && !children_.empty()) {
    values_.set_size(rows == 0 ? 0 : (rows + 1) * sizeof(std::uint32_t));
  } else if (width_ == 0) {
    text_.set_size(rows == 0 ? 0 : values_.as<std::uint32_t>()[rows]);
    values_.set_size(rows == 0 ? 0 : (rows + 1) * sizeof(std::uint32_t));
  } else {
    values_.set_size(rows * width_);
  }
  rows_ = rows;
}

void ColumnBuilder::release_memory() {
  clear();
  validity_.release();
  values_.release();
  text_.release();
  for (ColumnBuilder& child : children_) child.release_memory();
}

void ColumnBuilder::mark_null(std::size_t row) {
  if (null_count_ == 0) set_present(0, rows_);
  auto* bits = validity_.as<std::uint8_t>();
  const auto bit = static_cast<std::uint8_t>(1u << (row & 7));
  if ((bits[row >> 3] & bit) == 0) return;
  bits[row >> 3] = static_cast<std::uint8_t>(bits[row >> 3] & ~bit);
  ++null_count_;
}

// Bits behind the last row are kept at 0, so that equal columns have equal bitmaps.
void ColumnBuilder::set_present(std::size_t from, std::size_t count) {
  const std::size_t to = from + count;
  const std::size_t bytes = (to + 7) / 8;
  validity_.reserve(bytes);
  auto* bits = validity_.as<std::uint8_t>();
  std::size_t at = from;
  if ((at & 7) != 0) {  // the first byte has older rows in it
    bits[at >> 3] = static_cast<std::uint8_t>(bits[at >> 3] & ((1u << (at & 7)) - 1));
    for (; at < to && (at & 7) != 0; ++at)
      bits[at >> 3] = static_cast<std::uint8_t>(bits[at >> 3] | 1u << (at & 7));
  }
  if (at < to) {
    std::memset(bits + (at >> 3), 0xff, (to - at + 7) / 8);
    if ((to & 7) != 0) bits[to >> 3] = static_cast<std::uint8_t>((1u << (to & 7)) - 1);
  }
  validity_.set_size(bytes);
}

}  // namespace penstock::txn
