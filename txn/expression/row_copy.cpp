#include "txn/expression/row_copy.hpp"

#include <cstring>
#include <vector>

namespace penstock::txn {
namespace {

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

// Array and Map: the chosen rows' elements, or keys and values, as chosen rows of the children.
void append_offset_rows(const ColumnView& from, std::size_t begin, std::span<const std::uint32_t> rows,
                        ColumnBuilder& to) {
  std::vector<std::uint32_t> inside;
  for (const std::uint32_t row : rows) {
    for (std::uint32_t at = from.offsets[begin + row]; at < from.offsets[begin + row + 1]; ++at)
      inside.push_back(at);
  }
  auto end = static_cast<std::uint32_t>(to.children()[0].rows());
  for (std::size_t i = 0; i < from.children.size(); ++i)
    append_rows(from.children[i], 0, inside, to.children()[i]);
  std::uint32_t* out = to.extend_offsets(rows.size());
  for (const std::uint32_t row : rows) {
    end += from.offsets[begin + row + 1] - from.offsets[begin + row];
    *out++ = end;
  }
}

}  // namespace

void append_rows(const ColumnView& from, std::size_t begin, std::span<const std::uint32_t> rows,
                 ColumnBuilder& to) {
  if (rows.empty()) return;
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
  } else if (has_offsets(from.type)) {
    append_offset_rows(from, begin, rows, to);
  } else if (is_nested(from.type)) {
    for (std::size_t i = 0; i < from.children.size(); ++i)
      append_rows(from.children[i], begin, rows, to.children()[i]);
    for (std::size_t i = 0; i < rows.size(); ++i) to.end_nested();
  } else {
    const std::size_t width = fixed_width(from.type);
    std::byte* out = nullptr;
    if (width == 1) out = to.extend_values<std::byte>(rows.size());
    if (width == 2) out = reinterpret_cast<std::byte*>(to.extend_values<std::uint16_t>(rows.size()));
    if (width == 4) out = reinterpret_cast<std::byte*>(to.extend_values<std::uint32_t>(rows.size()));
    if (width == 8) out = reinterpret_cast<std::byte*>(to.extend_values<std::uint64_t>(rows.size()));
    if (width == 16) out = reinterpret_cast<std::byte*>(to.extend_values<Int128>(rows.size()));
    CHECK(out != nullptr);
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
