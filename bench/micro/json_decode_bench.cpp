// What a byte of log JSON costs: one object a line (or in one array), 12 keys, about 310 bytes, fed in pieces of 64
// KiB. Beside it, what simdjson alone costs: each line parsed, each value's text looked at. `new_per_row` must stay at
// 0.
#include <benchmark/benchmark.h>
#include <simdjson.h>

#include <cstdio>
#include <memory>
#include <random>
#include <string>

#include "bench/micro/allocation_count.hpp"
#include "txn/decode/json_decoder.hpp"

namespace penstock::txn {
namespace {

std::shared_ptr<const TableSchema> json_log_schema() {
  auto schema = std::make_shared<TableSchema>();
  schema->id = SchemaId(1);
  const std::pair<const char*, Type> columns[] = {
      {"time", Type::date_time(0)},       {"request", Type::of(TypeKind::BigInt)},
      {"user", Type::of(TypeKind::Int)},  {"status", Type::of(TypeKind::SmallInt)},
      {"bytes", Type::of(TypeKind::Int)}, {"seconds", Type::decimal(12, 3)},
      {"host", Type::varchar(64)},        {"method", Type::varchar(16)},
      {"path", Type::varchar(256)},       {"address", Type::varchar(64)},
      {"agent", Type::varchar(256)},      {"trace", Type::string()}};
  std::uint32_t id = 0;
  for (const auto& [name, type] : columns) {
    schema->columns.push_back(ColumnDef{.id = ColumnId(++id), .name = name, .type = type});
  }
  return schema;
}

std::string make_lines() {
  std::mt19937_64 random(1);
  const auto number = [&](std::uint64_t below) { return static_cast<unsigned>(random() % below); };
  const char* const methods[] = {"GET", "GET", "POST", "PUT"};
  const char* const agents[] = {"Mozilla/5.0 (X11; Linux x86_64)", "curl/7.88.1", "okhttp/4.9.3"};
  std::string out;
  for (unsigned second = 0; out.size() < 16 * core::kMiB; ++second) {
    char row[700];
    const unsigned at = second / 40;
    std::snprintf(
        row, sizeof row,
        "{\"time\":\"2024-03-01 %02u:%02u:%02u\",\"request\":%llu,\"user\":%u,\"status\":%u,\"bytes\":%u,"
        "\"seconds\":%u.%03u,\"host\":\"host-%u.example.net\",\"method\":\"%s\",\"path\":\"/api/v1/items/"
        "%u\","
        "\"address\":\"%u.%u.%u.%u\",\"agent\":\"%s\",\"trace\":\"%016llx%016llx\"}\n",
        at / 3600 % 24, at / 60 % 60, at % 60,
        static_cast<unsigned long long>(1'000'000'000ull + random() % 9'000'000'000ull), number(100'000),
        200 + number(5), number(2'000'000), number(900), number(1000), number(200), methods[number(4)],
        number(1'000'000), number(256), number(256), number(256), number(256), agents[number(3)],
        static_cast<unsigned long long>(random()), static_cast<unsigned long long>(random()));
    out += row;
  }
  return out;
}

const std::string& json_log(bool is_array) {
  static const std::string lines = make_lines();
  static const std::string array = [] {
    std::string out = "[" + lines;
    for (char& c : out) c = c == '\n' ? ',' : c;
    out.back() = ']';
    return out;
  }();
  return is_array ? array : lines;
}

void decode_json_rows(benchmark::State& state) {
  const bool is_array = state.range(0) != 0;
  const std::string& text = json_log(is_array);
  const auto schema = json_log_schema();
  DecodeScratch scratch;
  BlockBuilder builder(schema);
  JsonOptions options;
  options.by_line = !is_array;
  options.strip_outer_array = is_array;
  std::uint64_t rows = 0;
  std::size_t during = 0;
  for (auto _ : state) {
    JsonDecoder decoder(options, schema, *map_columns(*schema, {}), {}, scratch);
    const std::size_t before = bench::allocations();
    for (std::size_t at = 0; at < text.size();) {
      const FeedResult fed =
          decoder.feed(core::as_bytes(std::string_view(text).substr(at, 64 * core::kKiB)), builder);
      at += fed.consumed;
      if (fed.state == FeedResult::State::BlockFull) builder.clear();
    }
    decoder.finish(builder);
    during += bench::allocations() - before;
    builder.clear();
    rows += decoder.loaded_rows();
    if (decoder.filtered_rows() != 0) state.SkipWithError("rows were filtered");
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
  state.SetItemsProcessed(static_cast<std::int64_t>(rows));
  state.counters["new_per_row"] = static_cast<double>(during) / static_cast<double>(rows);
}
BENCHMARK(decode_json_rows)->Arg(0)->Arg(1)->ArgName("array");

void simdjson_alone(benchmark::State& state) {
  const std::string& text = json_log(false);
  simdjson::ondemand::parser parser;
  std::size_t looked_at = 0;
  for (auto _ : state) {
    for (std::size_t at = 0; at + 1024 < text.size();) {
      const std::size_t end = text.find('\n', at);
      simdjson::ondemand::document document;
      simdjson::ondemand::object object;
      if (parser.iterate(simdjson::padded_string_view(text.data() + at, end - at, end - at + 64))
                  .get(document) != simdjson::SUCCESS ||
          document.get_object().get(object) != simdjson::SUCCESS) {
        state.SkipWithError("no JSON");
        return;
      }
      for (auto item : object) {
        simdjson::ondemand::field field;
        if (std::move(item).get(field) != simdjson::SUCCESS) return;
        looked_at += field.value().raw_json_token().size();
      }
      at = end + 1;
    }
  }
  benchmark::DoNotOptimize(looked_at);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(simdjson_alone);

void find_elements(benchmark::State& state) {
  const std::string& text = json_log(true);
  std::size_t found = 0;
  for (auto _ : state) {
    JsonElements elements;
    for (std::string_view rest = text; !rest.empty();) {
      const JsonElements::Step step = elements.next(rest);
      if (step.kind != JsonElements::Step::Kind::Element) break;
      ++found;
      rest.remove_prefix(step.end);
    }
  }
  benchmark::DoNotOptimize(found);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(find_elements);

}  // namespace
}  // namespace penstock::txn
