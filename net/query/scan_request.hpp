// ScanRequest: what the query string of a scan asks for, judged against the table.
//
//   columns=a,b     names in any case, `back-quoted` where they hold a comma; none: all; count(*): how many rows
//   order_by=a,b    each with ` desc` or ` asc` behind it if wanted; NULL is the smallest value
//   where=          a predicate over the table's columns, as in a load's `where` (docs/protocol.md)
//   limit=N
//   format=         tsv, json (an object a line), csv (RFC 4180), csv_with_names
//
// Journey:  ScanHandler -> [parse_scan_request] -> Scan, RowWriter, RowSorter.
// Shard:    any; a pure function.
// Promise:  every column it names is one of the schema's.
// Failure:  a text that names the parameter, the value and what is possible.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "net/http/message.hpp"
#include "txn/expression/row_filter.hpp"
#include "txn/schema/table_schema.hpp"

namespace penstock::net {

enum class ScanFormat : std::uint8_t { Tsv, Json, Csv, CsvWithNames };

struct ScanRequest {
  struct Order {
    std::size_t column = 0;
    bool descending = false;
  };
  bool count_only = false;
  std::vector<std::size_t> columns;  // indexes in the table's schema
  std::vector<Order> order_by;
  std::unique_ptr<txn::RowFilter> where;  // nullptr: every row
  std::uint64_t limit = UINT64_MAX;
  ScanFormat format = ScanFormat::Tsv;
};

// `now_micros`: UTC; predicates work in the server's time zone.
std::expected<ScanRequest, std::string> parse_scan_request(const Request& request,
                                                           const txn::TableSchema& schema,
                                                           std::int64_t now_micros);

}  // namespace penstock::net
