// One column of a batch of rows: text into typed values.
//
// A loop per type with a fast path for what nearly all cells look like (short digits, 2017-10-03 17:05:45);
// everything else (blanks, NULL, odd spellings, failures) goes through one slow function per cell.
//
// Journey:  CsvDecoder -> [decode_column, fill_column] -> ColumnBuilder.
// Shard:    any; pure functions on what they are given.
// Promise:  the column gets exactly batch.count rows; a row in `bad` must be taken out again by the caller.
// Failure:  cells that a row cannot be kept with are added to `bad`.
#pragma once

#include <cstdint>
#include <memory>

#include "core/base/time_zone.hpp"
#include "txn/column/column_builder.hpp"
#include "txn/decode/cell_list.hpp"
#include "txn/decode/column_mapping.hpp"
#include "txn/decode/row_batch.hpp"
#include "txn/decode/simd_level.hpp"
#include "txn/schema/table_schema.hpp"

namespace penstock::txn {

struct CellRules {
  bool strict = false;            // a cell that cannot be converted filters its row
  core::TimeZone zone;            // of the load: what texts with a zone of their own are turned into
  bool has_json_escapes = false;  // in double quotes inside of nested values
};

struct JsonScratch;

// What decoding needs beside its load's own state: one a shard.
struct DecodeScratch {
  RowBatch batch;
  BadRows bad;
  CellList cells;
  std::shared_ptr<JsonScratch> json;  // made by the first JSON load
};

struct ColumnSource {
  std::uint32_t column;  // its index in the schema
  std::uint32_t field;
  const ColumnDef& definition;
  const CellRules& rules;
  SimdLevel simd = SimdLevel::Scalar;
};

void decode_column(const RowBatch& batch, const ColumnSource& source, ColumnBuilder& out, BadRows& bad);
// The same from the cells of the scratch's batch as they are meant.
void decode_cleaned_column(DecodeScratch& scratch, const CellCleaning& cleaning, const ColumnSource& source,
                           ColumnBuilder& out);
// The same from `count` cells that were made elsewhere (source.field means nothing then).
void decode_cells(const Cell* cells, std::size_t count, const ColumnSource& source, ColumnBuilder& out,
                  BadRows& bad);

// `count` rows of a column that no field feeds.
void fill_column(const FillValue& value, std::size_t count, ColumnBuilder& out);

}  // namespace penstock::txn
