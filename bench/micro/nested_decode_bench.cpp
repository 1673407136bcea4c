// What a byte of nested values costs: an array of numbers, a map, and an array of structs a row, about 110 bytes.
#include <benchmark/benchmark.h>

#include <random>
#include <string>

#include "bench/micro/allocation_count.hpp"
#include "txn/column/block_format.hpp"
#include "txn/decode/csv_decoder.hpp"

namespace penstock::txn {
namespace {

std::shared_ptr<const TableSchema> nested_schema() {
  auto schema = std::make_shared<TableSchema>();
  schema->id = SchemaId(1);
  const Type point = Type::structure({"x", "tag"}, {Type::of(TypeKind::Int), Type::varchar(16)});
  for (const Type& type : {Type::array(Type::of(TypeKind::BigInt)),
                           Type::map(Type::string(), Type::of(TypeKind::Int)), Type::array(point)}) {
    const auto id = static_cast<std::uint32_t>(schema->columns.size() + 1);
    schema->columns.push_back(ColumnDef{.id = ColumnId(id), .name = "c" + std::to_string(id), .type = type});
  }
  return schema;
}

const std::string& nested_text() {
  static const std::string text = [] {
    std::mt19937 random(42);
    const auto number = [&] { return std::to_string(random() % 100'000); };
    std::string out;
    while (out.size() < 8 * core::kMiB) {
      out += "[" + number() + ", " + number() + ", null, " + number() + "]\t{\"first\":" + number() +
             ", \"second\":" + number() + "}\t[{\"x\":" + number() +
             ", \"tag\":\"a b\"}, {\"x\":" + number() + ", \"tag\":\"c\"}]\n";
    }
    return out;
  }();
  return text;
}

void decode_nested_rows(benchmark::State& state) {
  const std::string& text = nested_text();
  const auto schema = nested_schema();
  DecodeScratch scratch;
  BlockBuilder builder(schema);
  std::uint64_t rows = 0;
  std::size_t during = 0;
  for (auto _ : state) {
    CsvDecoder decoder({}, schema, *map_columns(*schema, {}), scratch);
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
BENCHMARK(decode_nested_rows);

void encode_nested_block(benchmark::State& state) {
  const auto schema = nested_schema();
  DecodeScratch scratch;
  CsvDecoder decoder({}, schema, *map_columns(*schema, {}), scratch);
  BlockBuilder builder(schema);
  decoder.feed(core::as_bytes(nested_text()), builder);
  std::vector<std::byte> out;
  for (auto _ : state) {
    out.clear();
    encode_block(builder, {}, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * builder.input_bytes()));
  state.counters["out_per_in"] = static_cast<double>(out.size()) / static_cast<double>(builder.input_bytes());
}
BENCHMARK(encode_nested_block);

}  // namespace
}  // namespace penstock::txn
