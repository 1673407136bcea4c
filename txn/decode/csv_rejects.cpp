// What a CSV load says about the rows it filters, in Doris's words.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "txn/decode/cell_reason.hpp"
#include "txn/decode/csv_decoder.hpp"

namespace penstock::txn {
namespace {

std::string enclosing_text(const RowMarks& marks) {
  std::string out;
  if (marks.enclose != 0) out += fmt::format(" enclose:[{}]", marks.enclose);
  if (marks.escape != 0) out += fmt::format(" escape:[{}]", marks.escape);
  return out;
}

// The fields of a row as they were written, `a, b, `, as far as they are shown.
std::string values_text(std::string_view row, const RowMarks& marks, std::size_t bytes_max) {
  std::string out;
  std::array<std::uint32_t, 512> ends;
  std::size_t count = 0;
  if (marks.enclose != 0) {
    RowWalk walk;
    walk_row(row, marks, true, walk, {ends.data(), ends.size()});
    count = static_cast<std::size_t>(std::min<std::uint64_t>(walk.fields, ends.size()));
  } else {
    for (std::size_t at = 0; count < ends.size(); at = ends[count++] + marks.separator.size()) {
      const std::size_t found = find_delimiter(row, marks.separator, at);
      ends[count] = static_cast<std::uint32_t>(std::min(found, row.size()));
      if (found == std::string_view::npos) {
        ++count;
        break;
      }
    }
  }
  std::size_t begin = 0;
  for (std::size_t i = 0; i < count && out.size() < bytes_max; ++i) {
    out += row.substr(begin, std::min(ends[i] - begin, bytes_max));
    out += ", ";
    begin = ends[i] + marks.separator.size();
  }
  return out;
}

}  // namespace

void CsvDecoder::take_out_bad_rows() {
  RowBatch& batch = scratch_.batch;
  std::size_t kept = 0;
  batch.is_even = false;
  for (std::size_t row = 0; row < batch.count; ++row) {
    if (scratch_.bad.has(row)) {
      reject_bad_cell(row);
    } else {
      batch.rows[kept++] = batch.rows[row];
    }
  }
  batch.count = kept;
}

void CsvDecoder::reject_bad_cell(std::size_t row) {
  if (!rejects_.count_row()) return;
  const RowBatch& batch = scratch_.batch;
  const BadRows::Cell& cell = scratch_.bad.cells[row];
  const ColumnDef& column = schema_->columns[cell.column];
  if (cell.why == BadCell::NotUtf8) {
    return rejects_.add_reason(bad_cell_reason(cell.why, column, {}, 0), "Unable to display");
  }
  const auto field = static_cast<std::uint32_t>(mapping_.targets[cell.column].field);
  const Cell cleaned = clean_cell(batch, row, field, cleaning_, scratch_.cells);
  const std::string_view value(cleaned.begin, cleaned.size);
  rejects_.add_reason(bad_cell_reason(cell.why, column, value, rejects_.limits().text_bytes_max),
                      {batch.text + batch.rows[row].begin, batch.row_end(row) - batch.rows[row].begin});
}

void CsvDecoder::reject_row(const BadRow& bad) {
  ++total_rows_;
  if (!rejects_.count_row()) return;
  if (!bad.is_utf8) {
    return rejects_.add_reason(bad_cell_reason(BadCell::NotUtf8, schema_->columns[0], {}, 0),
                               "Unable to display");
  }
  const std::string_view row(scratch_.batch.text + bad.begin, bad.end - bad.begin);
  rejects_.add_reason(
      fmt::format("actual column number in csv file is  {}  schema column number.actual number: {}, schema "
                  "column number: {}; line delimiter: [{}], column separator: [{}],{} result values:[{}]",
                  bad.fields > mapping_.field_count ? "more than" : "less than", bad.fields,
                  mapping_.field_count, marks_.delimiter, marks_.separator, enclosing_text(marks_),
                  values_text(row, marks_, rejects_.limits().text_bytes_max)),
      row);
}

}  // namespace penstock::txn
