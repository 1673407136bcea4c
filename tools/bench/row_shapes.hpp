// Row shapes: what rows a benchmark sends. Each shape is a table and a way to make rows for it, from a seed alone.
//
//   log       12 columns, 155 B a row as TSV: what a web server would log
//   lineitem  TPC-H's lineitem: 16 columns and their ranges; l_orderkey is a row number here, so that it is unique
//   wide      64 columns as in ClickBench's hits: many small numbers, mostly 0, some texts, addresses and times
//   metric    5 columns, 38 B a row: key, time, series, host, value
//
// The first column of each is the key: a whole number of kKeyDigits digits that counts rows. It always has the same
// width, so that a row made once can be sent again under another key.
//
// Journey:  RowRing -> [append_row]; the command `bench schema` -> [create_table].
// Shard:    none; plain functions.
// Promise:  the same shape, format, seed and row give the same bytes, on any machine.
// Failure:  none.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tools/bench/random.hpp"

namespace penstock::tools {

enum class Shape : std::uint8_t { Log, LineItem, Wide, Metric };
enum class RowFormat : std::uint8_t { Csv, Json };  // TSV; an object a line

struct ShapeColumn {
  std::string_view name;
  std::string_view type;
};

inline constexpr std::size_t kKeyDigits = 10;
inline constexpr std::uint64_t kFirstKey = 1'000'000'000;
inline constexpr std::uint64_t kEndKey = 10'000'000'000;

std::optional<Shape> parse_shape(std::string_view name);
std::string_view shape_name(Shape shape);
std::span<const ShapeColumn> shape_columns(Shape shape);
inline std::string_view key_column(Shape shape) { return shape_columns(shape)[0].name; }

// CREATE TABLE ..., in one line for each column.
std::string create_table(Shape shape, std::string_view table, unsigned buckets);
// [{"name":"k","type":"BIGINT NOT NULL"}, ...]
std::string columns_json(Shape shape);

// One row with its line end. `number` (0, 1, ...) decides times; everything else comes from `chance`.
void append_row(std::string& out, Shape shape, RowFormat format, std::uint64_t key, std::uint64_t number,
                Random& chance);
// Where in a row its key begins.
std::size_t key_offset(Shape shape, RowFormat format);

}  // namespace penstock::tools
