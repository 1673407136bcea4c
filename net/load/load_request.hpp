// LoadRequest: what a Stream Load's head asks for, checked before any byte of its body is taken.
//
// Journey:  LoadHandler -> [parse_load_request] -> Store::begin, CsvOptions, JsonOptions.
// Shard:    any; a value.
// Promise:  every header penstock knows is checked, those that only tune Doris included; unknown ones are ignored, an empty value counts as absent, the first
//           of several counts (protocol reference 1.5).
// Failure:  the code and text of a Fail reply, in Doris's words where Doris has some.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "net/http/message.hpp"
#include "net/load/csv_headers.hpp"
#include "net/load/json_request.hpp"
#include "txn/decode/inflate.hpp"
#include "txn/store/load.hpp"

namespace penstock::net {

enum class MergeType : std::uint8_t { Append, Delete, Merge };

struct LoadRequest {
  std::string database;
  std::string table;
  std::string label;
  std::string columns;
  std::string where;
  std::optional<JsonRequest> json;  // format: json; otherwise CSV
  txn::Compression compression = txn::Compression::None;
  std::string hidden_columns;
  CsvHeaders csv;
  double max_filter_ratio = 0;
  bool strict_mode = false;
  core::TimeZone zone;
  bool two_phase = false;
  bool group_commit = false;  // answered as one; to the store it is a plain load without label
  std::string comment;
  std::vector<std::string> partitions;  // the load may fill these only; none: all
  MergeType merge_type = MergeType::Append;
  bool is_negative = false;     // takes back what an earlier load has added up
  bool is_partial = false;      // some columns of rows that are there
  std::string sequence_column;  // function_column.sequence_col
  core::Duration timeout = std::chrono::seconds(259200);
};

std::expected<LoadRequest, txn::LoadError> parse_load_request(const Request& request,
                                                              std::string_view database,
                                                              std::string_view table);

// Whether the head makes it a group commit: it asks for one, has no label, and nothing in it makes it a load of its own.
bool is_group_commit(const Request& request);

}  // namespace penstock::net
