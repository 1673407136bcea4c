// What a load with expressions is made of: what its decoder fills, and what is worked out from that.
//
// `columns: a, tmp, c = f(tmp)` splits in two. The decoder fills the rows of a source schema: columns that are taken
// as they come have their own type there; fields that expressions use are strings, as Doris reads them. Everything
// else is a Derivation, which DerivingDecoder applies. A load without expressions has none, and nothing changes.
//
// Journey:  net/load (headers, schema) -> [shape_load] -> map_columns, the decoder -> DerivingDecoder.
// Shard:    any; a value.
// Promise:  source columns have different names, and each field feeds at most one of them.
// Failure:  the message for the reply, in Doris's words where it has some.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "txn/expression/program.hpp"
#include "txn/expression/row_filter.hpp"
#include "txn/schema/table_schema.hpp"

namespace penstock::txn {

struct Derivation {
  struct Target {
    bool is_result = false;  // computed, or a column of the source as it is
    bool is_plain = false;   // computed from its own field alone: converted like any cell
    std::size_t source = 0;  // a column of the source schema
    Program::NodeId node = 0;
  };
  std::shared_ptr<const TableSchema> target;
  std::shared_ptr<const TableSchema> source;
  std::vector<Target> targets;  // per column of the target
  std::unique_ptr<Program> program;
  std::unique_ptr<RowFilter> filter;  // nullptr: every row is kept
};

struct LoadShape {
  std::shared_ptr<const TableSchema> schema;  // what the decoder fills
  std::string columns;                        // the names of its fields, for map_columns
  std::vector<std::string> json_columns;      // MappingOptions::json_columns
  std::unique_ptr<Derivation> derivation;     // nullptr: there are no expressions
};

struct LoadShapeOptions {
  std::string_view columns;  // the headers' text
  std::string_view where;
  ExpressionOptions expressions;
};

std::expected<LoadShape, std::string> shape_load(std::shared_ptr<const TableSchema> schema,
                                                 const LoadShapeOptions& options);

}  // namespace penstock::txn
