// JsonFields: which key (or path) of a JSON row feeds which column, and what a row gets that lacks it.
//
// Made once a load, from the mapping that CSV uses as well: its names are the keys, in any order in a row; with
// jsonpaths the i-th path feeds the i-th name. Keys are compared as they are written, columns without regard to case.
//
// Journey:  net/load (headers, schema) -> map_columns -> [json_fields] -> JsonDecoder.
// Shard:    any; a value.
// Promise:  one entry per name of the mapping.
// Failure:  none: a default that does not fit its column filters the rows that need it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "txn/decode/column_mapping.hpp"
#include "txn/decode/json_path.hpp"
#include "txn/schema/table_schema.hpp"

namespace penstock::txn {

struct JsonField {
  enum class Missing : std::uint8_t { Null, Text, Reject };
  static constexpr std::int32_t kNoColumn = -1;

  std::string name;
  std::int32_t column = kNoColumn;  // of the schema
  bool keeps_words = false;         // it feeds a JSON column: true is true, and not 1
  bool has_path = false;            // with jsonpaths: one is there for this name
  JsonPath path;                    // empty: the whole row
  Missing missing = Missing::Null;
  std::string missing_text;  // Missing::Text; followed by bytes that may be read and mean nothing
  std::size_t missing_size = 0;
};

std::vector<JsonField> json_fields(const TableSchema& schema, const ColumnMapping& mapping,
                                   const MappingOptions& options, const std::vector<JsonPath>& paths);

}  // namespace penstock::txn
