// RowWriter: the rows of a scan as text, in the format that was asked for.
//
//   tsv   txn/column/value_format's cells between tabs; NULL is \N
//   json  an object a line, keys in the order asked for; numbers, true, false and null as such (numbers with all their
//         digits, also where they are too large for a 64-bit reader), dates and times as "2017-10-03 17:05:45",
//         NaN and Infinity as strings
//   csv   RFC 4180: commas, CRLF, quotes doubled; NULL is an empty field, an empty string is ""
//
// Journey:  ScanHandler -> [RowWriter] -> reply, or RowSorter first.
// Shard:    any.
// Promise:  whatever bytes a string holds, a line of tsv or json is one row, and json is valid UTF-8.
// Failure:  none.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/query/scan_request.hpp"
#include "txn/column/column_view.hpp"

namespace penstock::net {

class RowWriter {
 public:
  RowWriter(ScanFormat format, const txn::TableSchema& schema, std::span<const std::size_t> columns);

  std::string_view content_type() const;
  const std::string& header() const { return header_; }  // what stands before the first row
  // views[i] is the i-th column asked for; nullptr: the block has none, so the cell is NULL.
  void append_row(std::string& out, std::span<const txn::ColumnView* const> views, std::size_t row) const;
  // The same in parts, so that a long row can be sent in parts: each cell in turn, then the end.
  void append_cell(std::string& out, const txn::ColumnView* view, std::size_t column, std::size_t row) const;
  void end_row(std::string& out) const;
  // The one row of count(*).
  static std::string count_row(ScanFormat format, std::uint64_t count);
  static std::string_view content_type(ScanFormat format);

 private:
  const ScanFormat format_;
  std::vector<std::string> keys_;  // json: what stands before each cell
  std::string header_;
};

}  // namespace penstock::net
