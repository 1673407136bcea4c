#include "txn/decode/quoted_row.hpp"

#include <algorithm>
#include <cstring>

namespace penstock::txn {
namespace {

enum class Match : std::uint8_t { No, Partly, Whole };

// Partly: the text ends before the mark does.
Match match_mark(std::string_view text, std::size_t at, std::string_view mark) {
  const std::size_t size = std::min(mark.size(), text.size() - at);
  if (std::memcmp(text.data() + at, mark.data(), size) != 0) return Match::No;
  return size == mark.size() ? Match::Whole : Match::Partly;
}

enum class Step : std::uint8_t { FieldEnd, RowEnd, NeedMore };

// From walk.at, outside of enclosed text, to the next mark. A delimiter wins over a separator that runs into
// it: rows are found before fields.
Step find_mark(std::string_view text, const RowMarks& marks, bool is_last, RowWalk& walk) {
  const char separator = marks.separator[0];
  const char delimiter = marks.delimiter[0];
  const char* data = text.data();
  for (std::size_t i = walk.at; i < text.size(); ++i) {
    if (data[i] != separator && data[i] != delimiter) [[likely]]
      continue;
    walk.at = i;
    const Match row = match_mark(text, i, marks.delimiter);
    if (row == Match::Whole) return Step::RowEnd;
    if (row == Match::Partly && !is_last) return Step::NeedMore;
    const Match field = match_mark(text, i, marks.separator);
    if (field == Match::No) continue;
    for (std::size_t j = i + 1; j < text.size() && j < i + marks.separator.size(); ++j) {
      const Match inside = match_mark(text, j, marks.delimiter);
      if (inside == Match::Whole) {
        walk.at = j;
        return Step::RowEnd;
      }
      if (inside == Match::Partly && !is_last) return Step::NeedMore;
    }
    if (field == Match::Whole) return Step::FieldEnd;
    if (!is_last) return Step::NeedMore;
  }
  walk.at = text.size();
  return Step::NeedMore;
}

// From walk.at, inside of enclosed text, to behind the character that closes it; false if it is not there.
bool find_close(std::string_view text, const RowMarks& marks, bool is_last, RowWalk& walk) {
  for (std::size_t i = walk.at; i < text.size(); ++i) {
    const char c = text[i];
    if (c != marks.enclose && (c != marks.escape || marks.escape == 0)) continue;
    if (i + 1 == text.size() && !is_last) {
      walk.at = i;
      return false;
    }
    const bool doubled = c == marks.enclose && i + 1 < text.size() && text[i + 1] == marks.enclose;
    if (c == marks.enclose && !doubled) {
      walk.at = i + 1;
      return true;
    }
    ++i;
  }
  walk.at = text.size();
  return false;
}

}  // namespace

bool walk_row(std::string_view text, const RowMarks& marks, bool is_last, RowWalk& walk, FieldEnds out) {
  const auto end_field = [&](std::size_t end) {
    if (walk.fields < out.room) out.ends[walk.fields] = static_cast<std::uint32_t>(end);
    ++walk.fields;
  };
  for (;;) {
    if (walk.state == RowWalk::State::FieldStart) {
      walk.field = walk.at;
      if (walk.at == text.size() && !is_last) return false;
      const bool opens = marks.enclose != 0 && walk.at < text.size() && text[walk.at] == marks.enclose;
      walk.state = opens ? RowWalk::State::Enclosed : RowWalk::State::Plain;
      walk.at += opens;
    }
    if (walk.state == RowWalk::State::Enclosed) {
      if (find_close(text, marks, is_last, walk)) {
        walk.state = RowWalk::State::Plain;
      } else if (!is_last) {
        return false;
      } else {
        walk.state = RowWalk::State::Plain;  // never closed
      }
    }
    switch (find_mark(text, marks, is_last, walk)) {
      case Step::FieldEnd:
        end_field(walk.at);
        walk.at += marks.separator.size();
        walk.state = RowWalk::State::FieldStart;
        break;
      case Step::RowEnd:
        walk.end = walk.at;
        walk.next = walk.at + marks.delimiter.size();
        end_field(walk.end);
        return true;
      case Step::NeedMore:
        if (!is_last) return false;
        walk.end = walk.next = text.size();
        end_field(walk.end);
        return true;
    }
  }
}

}  // namespace penstock::txn
