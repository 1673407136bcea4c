// ScanRequest: what the query string of a scan asks for, judged against the table.
//
//   columns=a,b     names in any case, `back-quoted` where they hold a comma; none: all; count(*): how many rows
//   order_by=a,b    each with ` desc` or ` asc` behind it if wanted; NULL is the smallest value
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
#include <string>
#include <vector>

#include "net/http/message.hpp"
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
  std::uint64_t limit = UINT64_MAX;
  ScanFormat format = ScanFormat::Tsv;
};

std::expected<ScanRequest, std::string> parse_scan_request(const Request& request,
                                                           const txn::TableSchema& schema);

}  // namespace penstock::net
