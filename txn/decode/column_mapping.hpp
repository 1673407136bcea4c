// ColumnMapping: which field of a CSV row goes into which column, and what the other columns get.
//
// Made once a load, from the `columns` header (or the schema's order if there is none). A column that no
// field feeds gets its default, converted here once, or NULL.
//
// Journey:  net/load (headers, schema) -> [map_columns] -> CsvDecoder.
// Shard:    any; a value.
// Promise:  targets has one entry per schema column; each field feeds at most one; every fill value fits its
// column. Failure:  the message for the reply.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time_zone.hpp"
#include "core/base/units.hpp"
#include "txn/decode/text_to_value.hpp"
#include "txn/schema/table_schema.hpp"

namespace penstock::txn {

inline constexpr std::size_t kFillBytesMax = kColumnTextMax;  // text of all defaults that a row takes

struct FillValue {
  bool is_null = true;
  FixedValue fixed;  // fixed-width columns
  std::string text;  // strings
};

struct ColumnMapping {
  static constexpr std::int32_t kNoField = -1;
  struct Target {
    std::int32_t field = kNoField;
    FillValue fill;  // where there is no field
  };
  std::vector<Target> targets;
  std::vector<std::string>
      names;  // of the fields, as `columns` spells them; empty: the columns' own, in order
  std::uint32_t field_count = 0;  // fields every row must have
  // Fields behind them that rows may have, all of a load or none, and that nobody takes: hidden columns that the
  // table does not have. Flink's connector sends one to any table.
  std::uint32_t surplus_fields = 0;
};

struct MappingOptions {
  std::string_view columns;           // the header's text; empty: there was none
  std::string_view hidden_columns;    // likewise; counts where `columns` names nothing
  std::int64_t load_time_micros = 0;  // CURRENT_TIMESTAMP and CURRENT_DATE, in the load's time zone
  core::TimeZone zone;
  // Columns that are strings here and feed JSON columns in the end: in JSON rows true is true to them, and not 1.
  std::span<const std::string> json_columns{};
};

std::expected<ColumnMapping, std::string> map_columns(const TableSchema& schema,
                                                      const MappingOptions& options);

// What a row gets that does not name the column.
std::expected<FillValue, std::string> fill_value(const ColumnDef& column, const MappingOptions& options);

}  // namespace penstock::txn
