// Enclosed fields, byte by byte: where a row and its fields end when separators may be data.
//
// A field that begins with the enclose character runs to the next one that is neither escaped nor doubled;
// what follows up to the next separator or delimiter still belongs to the field ("g"hi is one field). The
// enclose character means nothing inside a field that did not begin with it. This is the complete form; the
// scan of row_scan.hpp gives the same rows faster where every mark is one byte.
//
// Journey:  CsvDecoder (rows longer than a window, marks of several bytes, unfinished rows) -> [walk_row].
// Shard:    any; pure functions on what they are given.
// Promise:  a walk that stopped for want of bytes goes on where it stopped when there are more: each byte is
//           looked at a bounded number of times, wherever a body is cut.
// Failure:  none; a field that is never closed ends with the body.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::txn {

struct RowMarks {
  std::string separator = "\t";
  std::string delimiter = "\n";
  char enclose = 0;  // 0: none
  char escape = 0;   // inside enclosed fields only; 0: none
};

struct RowWalk {
  enum class State : std::uint8_t { FieldStart, Plain, Enclosed };
  std::size_t at = 0;  // in the text, from the row's begin on
  State state = State::FieldStart;
  std::uint64_t fields = 0;  // ended so far
  std::size_t field = 0;     // where the last of them, or the one that has not ended, begins
  std::size_t end = 0;       // once found: of the row, without its delimiter
  std::size_t next = 0;      // behind the delimiter
};

// Where a walk writes the ends of fields: the first `room` of them.
struct FieldEnds {
  std::uint32_t* ends = nullptr;
  std::uint64_t room = 0;
};

// True when the row's end was found (with `is_last`, the text's end is one).
bool walk_row(std::string_view text, const RowMarks& marks, bool is_last, RowWalk& walk, FieldEnds out = {});

}  // namespace penstock::txn
