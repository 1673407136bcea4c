// Columns of one full block into its bytes for the journal, and back, for each shape of `penstock bench`. Rates are of the
// bytes of text that the rows came from. `out_per_in`: bytes written per byte of text; `ns_per_value`; `new_per_block`.
#include <benchmark/benchmark.h>

#include <vector>

#include "bench/micro/allocation_count.hpp"
#include "bench/micro/shape_rows.hpp"
#include "txn/column/block_format.hpp"

namespace penstock::txn {
namespace {

using tools::Shape;

void note_block(benchmark::State& state, const BlockBuilder& builder, std::size_t out,
                std::size_t allocations) {
  const double blocks = static_cast<double>(state.iterations());
  const double values = static_cast<double>(builder.rows() * builder.schema().columns.size());
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * builder.input_bytes()));
  state.counters["out_per_in"] = static_cast<double>(out) / static_cast<double>(builder.input_bytes());
  state.counters["ns_per_value"] =
      benchmark::Counter(blocks * values / 1e9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["new_per_block"] = static_cast<double>(allocations) / blocks;
}

void encode_columns(benchmark::State& state, Shape shape) {
  const BlockBuilder builder = bench::shape_block(shape);
  std::vector<std::byte> out;
  encode_block(builder, {}, out);  // its memory is a shard's, and stays
  const std::size_t before = bench::allocations();
  for (auto _ : state) {
    out.clear();
    encode_block(builder, {}, out);
    benchmark::DoNotOptimize(out.data());
  }
  note_block(state, builder, out.size(), bench::allocations() - before);
}
BENCHMARK_CAPTURE(encode_columns, log, Shape::Log);
BENCHMARK_CAPTURE(encode_columns, lineitem, Shape::LineItem);
BENCHMARK_CAPTURE(encode_columns, wide, Shape::Wide);
BENCHMARK_CAPTURE(encode_columns, metric, Shape::Metric);

void decode_columns(benchmark::State& state, Shape shape) {
  const BlockBuilder builder = bench::shape_block(shape);
  std::vector<std::byte> bytes;
  encode_block(builder, {}, bytes);
  const std::size_t before = bench::allocations();
  for (auto _ : state) {
    const auto block = decode_block(bytes);
    benchmark::DoNotOptimize(block->rows());
  }
  note_block(state, builder, bytes.size(), bench::allocations() - before);
}
BENCHMARK_CAPTURE(decode_columns, log, Shape::Log);
BENCHMARK_CAPTURE(decode_columns, lineitem, Shape::LineItem);
BENCHMARK_CAPTURE(decode_columns, wide, Shape::Wide);
BENCHMARK_CAPTURE(decode_columns, metric, Shape::Metric);

}  // namespace
}  // namespace penstock::txn
