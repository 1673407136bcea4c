// What a byte of log TSV costs to become columns, its scan included (csv_scan_bench.cpp has it alone): 12 columns
// (log_rows.hpp), fed in pieces of 64 KiB. `new_per_pass`: allocations of a pass over 16 MiB. Texts are copied once, into
// their column: 0.6 of the bytes.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>

#include "bench/micro/allocation_count.hpp"
#include "bench/micro/log_rows.hpp"
#include "bench/micro/shape_rows.hpp"
#include "txn/decode/csv_decoder.hpp"

namespace penstock::txn {
namespace {

using bench::log_schema;
using bench::log_text;

void decode_log_rows(benchmark::State& state) {
  const std::string& text = log_text();
  const auto schema = log_schema();
  DecodeScratch scratch;
  CsvOptions options;
  options.simd = std::min(static_cast<SimdLevel>(state.range(0)), best_simd_level());
  BlockBuilder builder(schema);
  std::uint64_t rows = 0;
  std::size_t during = 0;
  for (auto _ : state) {
    CsvDecoder decoder(options, schema, *map_columns(*schema, {}), scratch);
    const std::size_t before = bench::allocations();
    for (std::size_t at = 0; at < text.size();) {
      const std::string_view piece = std::string_view(text).substr(at, 64 * core::kKiB);
      const FeedResult result = decoder.feed(core::as_bytes(piece), builder);
      at += result.consumed;
      if (result.state == FeedResult::State::BlockFull) builder.clear();
    }
    during += bench::allocations() - before;
    builder.clear();
    rows += decoder.loaded_rows();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
  state.SetItemsProcessed(static_cast<std::int64_t>(rows));
  state.counters["new_per_pass"] = static_cast<double>(during) / static_cast<double>(state.iterations());
}
BENCHMARK(decode_log_rows)->DenseRange(0, 3)->ArgName("simd");

// The same rows as CSV with every string enclosed: at most 1.5 times the time of a plain byte.
const std::string& quoted_text() {
  static const std::string text = [] {
    std::string out;
    std::size_t field = 0;
    out += '"';
    for (const char c : log_text()) {
      if (c == '\n') {
        out += "\"\n\"";
        field = 0;
      } else if (c == '\t') {
        const bool was_text = field == 0 || field >= 6;
        if (was_text) out += '"';
        out += ',';
        if (++field >= 6) out += '"';
      } else {
        out += c;
      }
    }
    out.pop_back();
    return out;
  }();
  return text;
}

void decode_quoted_rows(benchmark::State& state) {
  const std::string& text = quoted_text();
  const auto schema = log_schema();
  DecodeScratch scratch;
  CsvOptions options;
  options.simd = std::min(static_cast<SimdLevel>(state.range(0)), best_simd_level());
  options.column_separator = ",";
  options.enclose = '"';
  options.escape = '\\';
  options.trim_double_quotes = true;
  BlockBuilder builder(schema);
  std::uint64_t rows = 0;
  std::size_t during = 0;
  for (auto _ : state) {
    CsvDecoder decoder(options, schema, *map_columns(*schema, {}), scratch);
    const std::size_t before = bench::allocations();
    for (std::size_t at = 0; at < text.size();) {
      const std::string_view piece = std::string_view(text).substr(at, 64 * core::kKiB);
      const FeedResult result = decoder.feed(core::as_bytes(piece), builder);
      at += result.consumed;
      if (result.state == FeedResult::State::BlockFull) builder.clear();
    }
    during += bench::allocations() - before;
    builder.clear();
    rows += decoder.loaded_rows();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
  state.SetItemsProcessed(static_cast<std::int64_t>(rows));
  state.counters["new_per_pass"] = static_cast<double>(during) / static_cast<double>(state.iterations());
}
BENCHMARK(decode_quoted_rows)->DenseRange(0, 3)->ArgName("simd");

// The other shapes that penstock bench sends, as CSV.
void decode_shape_rows(benchmark::State& state, tools::Shape shape) {
  const std::string text = bench::shape_text(shape, tools::RowFormat::Csv, 4 * core::kMiB);
  const auto schema = bench::shape_schema(shape);
  DecodeScratch scratch;
  BlockBuilder builder(schema);
  std::uint64_t rows = 0;
  for (auto _ : state) {
    CsvDecoder decoder({}, schema, *map_columns(*schema, {}), scratch);
    for (std::size_t at = 0; at < text.size();) {
      const std::string_view piece = std::string_view(text).substr(at, 64 * core::kKiB);
      const FeedResult result = decoder.feed(core::as_bytes(piece), builder);
      at += result.consumed;
      if (result.state == FeedResult::State::BlockFull) builder.clear();
    }
    builder.clear();
    rows += decoder.loaded_rows();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
  state.SetItemsProcessed(static_cast<std::int64_t>(rows));
}
BENCHMARK_CAPTURE(decode_shape_rows, log, tools::Shape::Log);
BENCHMARK_CAPTURE(decode_shape_rows, lineitem, tools::Shape::LineItem);
BENCHMARK_CAPTURE(decode_shape_rows, wide, tools::Shape::Wide);
BENCHMARK_CAPTURE(decode_shape_rows, metric, tools::Shape::Metric);

// One column of the log at a time, to see where decoding spends its time.
void decode_one_column(benchmark::State& state) {
  const std::string& text = log_text();
  const auto schema = log_schema();
  DecodeScratch scratch;
  const SimdLevel level = std::min(static_cast<SimdLevel>(state.range(0)), best_simd_level());
  const auto column = static_cast<std::uint32_t>(state.range(1));
  scratch.batch.prepare(12);
  scan_rows(best_simd_level(), {text.data(), 32 * core::kKiB}, scratch.batch);
  ColumnBuilder builder(schema->columns[column].type);
  const CellRules rules;
  for (auto _ : state) {
    builder.clear();
    for (int i = 0; i < 30; ++i)
      decode_column(scratch.batch, {column, column, schema->columns[column], rules, level}, builder,
                    scratch.bad);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * scratch.batch.count * 30));
}
BENCHMARK(decode_one_column)
    ->ArgsProduct({{2, 3}, benchmark::CreateDenseRange(0, 11, 1)})
    ->ArgNames({"simd", "column"});

}  // namespace
}  // namespace penstock::txn
