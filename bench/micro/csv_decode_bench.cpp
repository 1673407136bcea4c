// What a byte of log TSV costs between the socket and the journal: finding delimiters, decoding into columns,
// encoding the block. 12 columns (1 datetime, 4 integers, 1 decimal, 6 strings), about 155 bytes a row, fed
// in 64 KiB pieces.
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "bench/micro/allocation_count.hpp"
#include "txn/column/block_format.hpp"
#include "txn/decode/csv_decoder.hpp"

namespace penstock::txn {
namespace {

std::shared_ptr<const TableSchema> log_schema() {
  auto schema = std::make_shared<TableSchema>();
  schema->id = SchemaId(1);
  const Type types[] = {Type::date_time(0),      Type::of(TypeKind::BigInt),
                        Type::of(TypeKind::Int), Type::of(TypeKind::SmallInt),
                        Type::of(TypeKind::Int), Type::decimal(12, 3),
                        Type::varchar(64),       Type::varchar(16),
                        Type::varchar(256),      Type::varchar(64),
                        Type::varchar(256),      Type::string()};
  for (const Type& type : types) {
    const auto id = static_cast<std::uint32_t>(schema->columns.size() + 1);
    schema->columns.push_back(ColumnDef{.id = ColumnId(id), .name = "c" + std::to_string(id), .type = type});
  }
  return schema;
}

const std::string& log_text() {
  static const std::string text = [] {
    std::mt19937_64 random(42);
    const auto pick = [&](std::initializer_list<const char*> words) {
      return words.begin()[random() % words.size()];
    };
    std::string out;
    for (int i = 0; out.size() < 16 * core::kMiB; ++i) {
      char head[160];
      const int second = i / 40;
      std::snprintf(head, sizeof head, "2024-03-%02d %02d:%02d:%02d\t%llu\t%u\t%s\t%u\t%u.%03u\t",
                    1 + second / 86400 % 28, second / 3600 % 24, second / 60 % 60, second % 60,
                    static_cast<unsigned long long>(1'000'000'000ull + random() % 9'000'000'000ull),
                    static_cast<unsigned>(random() % 100'000),
                    pick({"200", "200", "200", "304", "404", "500"}),
                    static_cast<unsigned>(random() % 2'000'000), static_cast<unsigned>(random() % 900),
                    static_cast<unsigned>(random() % 1000));
      out += head;
      out += "host-" + std::to_string(random() % 200) + ".example.net\t";
      out += pick({"GET", "GET", "GET", "POST", "PUT"});
      out += "\t/api/v1/" + std::string(pick({"users", "orders", "items", "carts"})) + "/" +
             std::to_string(random() % 1'000'000) + "\t";
      out += std::to_string(10 + random() % 200) + "." + std::to_string(random() % 256) + "." +
             std::to_string(random() % 256) + "." + std::to_string(random() % 256) + "\t";
      out += pick({"Mozilla/5.0 (X11; Linux x86_64)", "curl/7.88.1", "okhttp/4.9.3", "Mozilla/5.0 (iPhone)"});
      out += "\t";
      for (int k = 0; k < 2; ++k) {
        char word[20];
        std::snprintf(word, sizeof word, "%016llx", static_cast<unsigned long long>(random()));
        out += word;
      }
      out += "\n";
    }
    return out;
  }();
  return text;
}

void delimiter_scan(benchmark::State& state) {
  const std::string& text = log_text();
  DecodeScratch scratch;
  std::size_t rows = 0;
  for (auto _ : state) {
    for (std::size_t at = 0; at + 64 < text.size();) {
      scratch.batch.prepare(12);
      const auto size =
          static_cast<std::uint32_t>(std::min<std::size_t>(text.size() - 64 - at, 32 * core::kKiB));
      const ScanResult result =
          scan_rows(static_cast<SimdLevel>(state.range(0)), {text.data() + at, size}, scratch.batch);
      rows += scratch.batch.count;
      if (result.next == 0) break;
      at += result.next;
    }
  }
  benchmark::DoNotOptimize(rows);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(delimiter_scan)->Arg(0)->Arg(1)->Arg(2)->ArgName("simd");

void decode_log_rows(benchmark::State& state) {
  const std::string& text = log_text();
  const auto schema = log_schema();
  DecodeScratch scratch;
  CsvOptions options;
  options.simd = static_cast<SimdLevel>(state.range(0));
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
BENCHMARK(decode_log_rows)->Arg(0)->Arg(1)->Arg(2)->ArgName("simd");

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
  options.simd = static_cast<SimdLevel>(state.range(0));
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
BENCHMARK(decode_quoted_rows)->Arg(0)->Arg(1)->Arg(2)->ArgName("simd");

// One column of the log at a time, to see where decoding spends its time.
void decode_one_column(benchmark::State& state) {
  const std::string& text = log_text();
  const auto schema = log_schema();
  DecodeScratch scratch;
  const auto column = static_cast<std::uint32_t>(state.range(0));
  scratch.batch.prepare(12);
  scan_rows(best_simd_level(), {text.data(), 32 * core::kKiB}, scratch.batch);
  ColumnBuilder builder(schema->columns[column].type);
  const CellRules rules;
  for (auto _ : state) {
    builder.clear();
    for (int i = 0; i < 30; ++i)
      decode_column(scratch.batch, {column, column, schema->columns[column], rules}, builder, scratch.bad);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * scratch.batch.count * 30));
}
BENCHMARK(decode_one_column)->DenseRange(0, 11);

BlockBuilder full_block() {
  const auto schema = log_schema();
  DecodeScratch scratch;
  CsvDecoder decoder({}, schema, *map_columns(*schema, {}), scratch);
  BlockBuilder builder(schema);
  decoder.feed(core::as_bytes(log_text()), builder);
  return builder;
}

void encode_log_block(benchmark::State& state) {
  const BlockBuilder builder = full_block();
  std::vector<std::byte> out;
  for (auto _ : state) {
    out.clear();
    encode_block(builder, {}, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * builder.input_bytes()));
  state.counters["out_per_in"] = static_cast<double>(out.size()) / static_cast<double>(builder.input_bytes());
}
BENCHMARK(encode_log_block);

void decode_log_block(benchmark::State& state) {
  const BlockBuilder builder = full_block();
  std::vector<std::byte> bytes;
  encode_block(builder, {}, bytes);
  for (auto _ : state) {
    const auto block = decode_block(bytes);
    benchmark::DoNotOptimize(block->rows());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * builder.input_bytes()));
}
BENCHMARK(decode_log_block);

}  // namespace
}  // namespace penstock::txn
