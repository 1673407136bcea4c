#include "txn/expression/row_copy.hpp"

#include <cstring>

namespace penstock::txn {
namespace {

std::byte* extend_fixed(ColumnBuilder& to, std::size_t width, std::size_t count) {
  switch (width) {
    case 1:
      return to.extend_values<std::byte>(count);
    case 2:
      return reinterpret_cast<std::byte*>(to.extend_values<std::uint16_t>(count));
    case 4:
      return reinterpret_cast<std::byte*>(to.extend_values<std::uint32_t>(count));
    case 8:
      return reinterpret_cast<std::byte*>(to.extend_values<std::uint64_t>(count));
    default:
      CHECK_EQ(width, std::size_t{16});
      return reinterpret_cast<std::byte*>(to.extend_values<Int128>(count));
  }
}

// f(first, count) for each run of neighbours.
template <class F>
void each_run(std::span<const std::uint32_t> rows, F f) {
  for (std::size_t i = 0; i < rows.size();) {
    std::size_t end = i + 1;
    while (end < rows.size() && rows[end] == rows[i] + (end - i)) ++end;
    f(std::size_t{rows[i]}, end - i);
    i = end;
  }
}

void mark_nulls(const ColumnView& from, std::size_t begin, std::size_t count, std::size_t at,
                ColumnBuilder& to) {
  if (from.null_count == 0) return;
  for (std::size_t i = 0; i < count; ++i) {
    if (from.is_null(begin + i)) to.mark_null(at + i);
  }
}

// `count` neighbours from `begin` on, of any type; as deep as the type, which kNestedDepthMax bounds.
void append_run(const ColumnView& from, std::size_t begin, std::size_t count, ColumnBuilder& to) {
  if (count == 0) return;
  const std::size_t at = to.rows();
  if (from.type.kind == TypeKind::Struct) {
    for (std::size_t i = 0; i < from.children.size(); ++i)
      append_run(from.children[i], begin, count, to.children()[i]);
    to.extend_struct(count);
  } else if (has_offsets(from.type)) {
    const std::uint32_t* offsets = from.offsets + begin;
    const auto shift = static_cast<std::uint32_t>(to.children()[0].rows()) - offsets[0];
    for (std::size_t i = 0; i < from.children.size(); ++i)
      append_run(from.children[i], offsets[0], offsets[count] - offsets[0], to.children()[i]);
    std::uint32_t* end = to.extend_offsets(count);
    for (std::size_t i = 1; i <= count; ++i) *end++ = offsets[i] + shift;
  } else if (is_string(from.type)) {
    const std::uint32_t* offsets = from.offsets + begin;
    const auto shift = static_cast<std::uint32_t>(to.text_bytes().size()) - offsets[0];
    to.text_bytes().append(from.text + offsets[0], offsets[count] - offsets[0]);
    CHECK_LE(to.text_bytes().size(), UINT32_MAX);
    std::uint32_t* end = to.extend_offsets(count);
    for (std::size_t i = 1; i <= count; ++i) *end++ = offsets[i] + shift;
  } else {
    const std::size_t width = fixed_width(from.type);
    std::memcpy(extend_fixed(to, width, count), from.values + begin * width, count * width);
  }
  mark_nulls(from, begin, count, at, to);
}

}  // namespace

void append_rows(const ColumnView& from, std::size_t begin, std::span<const std::uint32_t> rows,
                 ColumnBuilder& to) {
  if (rows.empty()) return;
  if (is_nested(from.type)) {
    return each_run(
        rows, [&](std::size_t first, std::size_t count) { append_run(from, begin + first, count, to); });
  }
  const std::size_t base = to.rows();
  if (is_string(from.type)) {
    std::uint32_t* end = to.extend_offsets(rows.size());
    GrowBuffer& text = to.text_bytes();
    each_run(rows, [&](std::size_t first, std::size_t count) {
      const std::uint32_t* offsets = from.offsets + begin + first;
      const auto shift = static_cast<std::uint32_t>(text.size()) - offsets[0];
      text.append(from.text + offsets[0], offsets[count] - offsets[0]);
      CHECK_LE(text.size(), UINT32_MAX);
      for (std::size_t i = 1; i <= count; ++i) *end++ = offsets[i] + shift;
    });
  } else {
    const std::size_t width = fixed_width(from.type);
    std::byte* out = extend_fixed(to, width, rows.size());
    each_run(rows, [&](std::size_t first, std::size_t count) {
      std::memcpy(out, from.values + (begin + first) * width, count * width);
      out += count * width;
    });
  }
  if (from.null_count == 0) return;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (from.is_null(begin + rows[i])) to.mark_null(base + i);
  }
}

}  // namespace penstock::txn
