#include "txn/decode/cell_list.hpp"

#include <cstring>

namespace penstock::txn {
namespace {

bool has_escape(std::string_view text, const CellCleaning& cleaning) {
  if (cleaning.escape != 0 && std::memchr(text.data(), cleaning.escape, text.size()) != nullptr) return true;
  const char doubled[2] = {cleaning.enclose, cleaning.enclose};
  return text.find({doubled, 2}) != std::string_view::npos;
}

// Writes what the text of an enclosed field means; gives its size.
std::size_t resolve_escapes(std::string_view text, const CellCleaning& cleaning, char* to) {
  char* const begin = to;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool has_next = i + 1 < text.size();
    const bool escapes = cleaning.escape != 0 && text[i] == cleaning.escape;
    const bool doubled = text[i] == cleaning.enclose && has_next && text[i + 1] == cleaning.enclose;
    if ((escapes && has_next) || doubled) ++i;
    *to++ = text[i];
  }
  return static_cast<std::size_t>(to - begin);
}

Cell written_cell(const RowBatch& batch, std::size_t row, std::uint32_t field) {
  const std::uint32_t* end = batch.ends.data() + batch.rows[row].first + field;
  const std::uint32_t begin = field == 0 ? batch.rows[row].begin : end[-1] + batch.separator_bytes;
  return {batch.text + begin, cell_size(begin, *end)};
}

// No room: there is no escape to resolve.
inline Cell clean(Cell cell, const CellCleaning& cleaning, char*& room) {
  const bool is_enclosed = cleaning.enclose != 0 && cell.size != 0 && *cell.begin == cleaning.enclose;
  const bool trims = cleaning.trim != 0 && cell.size >= 2 && *cell.begin == cleaning.trim &&
                     cell.begin[cell.size - 1] == cleaning.trim;
  if (trims) {
    ++cell.begin;
    cell.size -= 2;
  }
  if ((is_null_mark(cell) && (!trims || cleaning.trimmed_can_be_null)) ||
      (cell.size == 0 && cleaning.empty_is_null)) {
    return CellList::null_cell();
  }
  if (room == nullptr || !is_enclosed) return cell;
  // Quotes that stay around the field are no part of a doubled quote, whatever is between them.
  const bool first = !trims;
  const bool last = first && cell.size >= 2 && cell.begin[cell.size - 1] == cleaning.enclose;
  const std::string_view inner(cell.begin + first, cell.size - first - last);
  if (!has_escape(inner, cleaning)) return cell;
  char* const begin = room;
  if (first) *room++ = cleaning.enclose;
  room += resolve_escapes(inner, cleaning, room);
  if (last) *room++ = cleaning.enclose;
  return {begin, static_cast<std::size_t>(room - begin)};
}

}  // namespace

const Cell& CellList::null_cell() {
  static constexpr char kText[GrowBuffer::kSlack] = "\\N";
  static constexpr Cell kCell{kText, 2};
  return kCell;
}

void clean_cells(const RowBatch& batch, std::uint32_t field, const CellCleaning& cleaning, bool has_escapes,
                 CellList& out) {
  if (batch.count == 0) return;
  // Cells do not overlap and do not grow, so that all of them fit where their rows fit.
  char* room = has_escapes ? out.text_room(batch.rows[batch.count - 1].next - batch.rows[0].begin) : nullptr;
  for (std::size_t row = 0; row < batch.count; ++row) {
    out.set(row, clean(written_cell(batch, row, field), cleaning, room));
  }
}

Cell clean_cell(const RowBatch& batch, std::size_t row, std::uint32_t field, const CellCleaning& cleaning,
                CellList& room_of) {
  const Cell cell = written_cell(batch, row, field);
  char* room = room_of.text_room(cell.size);
  return clean(cell, cleaning, room);
}

}  // namespace penstock::txn
