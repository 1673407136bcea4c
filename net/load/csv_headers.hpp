// The headers of a Stream Load that only say how its CSV is written.
//
// Journey:  parse_load_request -> [parse_csv_headers] -> CsvOptions.
// Shard:    any; a value.
// Promise:  an absent header leaves plain CSV as it is; csv_with_names and csv_with_names_and_types skip one and two
//           lines, whatever skip_lines says, and never map columns by what stands there: as Doris does.
// Failure:  the text of a Fail reply, in Doris's words.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "net/http/message.hpp"
#include "txn/decode/csv_decoder.hpp"

namespace penstock::net {

struct CsvHeaders {
  std::string column_separator = "\t";
  std::string line_delimiter = "\n";
  char enclose = 0;
  char escape = 0;
  bool trim_double_quotes = false;
  bool empty_field_as_null = false;
  std::uint32_t skip_lines = 0;

  void apply_to(txn::CsvOptions& options) const;
};

// Whether `format` names a kind of CSV; an empty one does.
bool is_csv_format(std::string_view format);

std::expected<CsvHeaders, std::string> parse_csv_headers(const Request& request, std::string_view format);

}  // namespace penstock::net
