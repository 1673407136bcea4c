// What a byte of JSON costs: one object a line (or in one array), in several shapes (json_shapes.hpp), fed in pieces of
// 64 KiB. Beside it two yardsticks of simdjson alone on the same text: `simdjson_alone`, each value's text looked at and
// no more; `simdjson_typed`, what its user gets from it: each value by its key and as what its column is, numbers
// summed, strings unescaped, nothing kept. `new_per_row` must stay at 0.
#include <benchmark/benchmark.h>
#include <simdjson.h>

#include <string>
#include <utility>
#include <vector>

#include "bench/micro/allocation_count.hpp"
#include "bench/micro/json_shapes.hpp"
#include "txn/decode/json_decoder.hpp"

namespace penstock::txn {
namespace {

namespace ondemand = simdjson::ondemand;
using bench::json_lines;
using bench::JsonLines;
using bench::JsonShape;

void decode(benchmark::State& state, const JsonLines& body, bool is_array, bool takes_fast) {
  const std::string& text = is_array ? body.array : body.lines;
  DecodeScratch scratch;
  BlockBuilder builder(body.schema);
  JsonOptions options;
  options.by_line = !is_array;
  options.strip_outer_array = is_array;
  options.takes_fast = takes_fast;
  std::uint64_t rows = 0;
  std::size_t during = 0;
  for (auto _ : state) {
    JsonDecoder decoder(options, body.schema, *map_columns(*body.schema, {}), {}, scratch);
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

void decode_json_rows(benchmark::State& state, JsonShape shape) {
  decode(state, json_lines(shape), false, true);
}
BENCHMARK_CAPTURE(decode_json_rows, log, JsonShape::Log);
BENCHMARK_CAPTURE(decode_json_rows, spaced, JsonShape::Spaced);
BENCHMARK_CAPTURE(decode_json_rows, metric, JsonShape::Metric);
BENCHMARK_CAPTURE(decode_json_rows, wide, JsonShape::Wide);

void decode_json_array(benchmark::State& state, JsonShape shape) {
  decode(state, json_lines(shape), true, true);
}
BENCHMARK_CAPTURE(decode_json_array, log, JsonShape::Log);

// Each row as if it looked like no other.
void decode_json_slowly(benchmark::State& state, JsonShape shape) {
  decode(state, json_lines(shape), false, false);
}
BENCHMARK_CAPTURE(decode_json_slowly, log, JsonShape::Log);

// Calls take(document) for each line; false: it was none.
template <class Take>
bool each_line(ondemand::parser& parser, const std::string& text, const Take& take) {
  const std::size_t room = text.size() - simdjson::SIMDJSON_PADDING;  // the last lines have none behind them
  for (std::size_t at = 0; at < room;) {
    const std::size_t end = text.find('\n', at);
    if (end >= room) break;
    ondemand::document document;
    if (parser.iterate(simdjson::padded_string_view(text.data() + at, end - at, text.size() - at))
                .get(document) != simdjson::SUCCESS ||
        !take(document)) {
      return false;
    }
    at = end + 1;
  }
  return true;
}

void simdjson_alone(benchmark::State& state, JsonShape shape) {
  const std::string& text = json_lines(shape).lines;
  ondemand::parser parser;
  std::size_t looked_at = 0;
  const auto take = [&](ondemand::document& document) {
    ondemand::object object;
    if (document.get_object().get(object) != simdjson::SUCCESS) return false;
    for (auto item : object) {
      ondemand::field field;
      if (std::move(item).get(field) != simdjson::SUCCESS) return false;
      looked_at += field.value().raw_json_token().size();
    }
    return true;
  };
  for (auto _ : state) {
    if (!each_line(parser, text, take)) state.SkipWithError("no JSON");
  }
  benchmark::DoNotOptimize(looked_at);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK_CAPTURE(simdjson_alone, log, JsonShape::Log);

// What a user of simdjson sums up of a row.
struct Sums {
  enum class Kind : std::uint8_t { Integer, Real, Text };
  struct Column {
    std::string name;
    Kind kind;
  };
  explicit Sums(const TableSchema& schema) {
    for (const ColumnDef& column : schema.columns) {
      const TypeKind kind = column.type.kind;
      const bool is_real = kind == TypeKind::Decimal || kind == TypeKind::Double;
      const bool is_text =
          kind == TypeKind::Varchar || kind == TypeKind::String || kind == TypeKind::DateTime;
      columns.push_back({column.name, is_real ? Kind::Real : is_text ? Kind::Text : Kind::Integer});
    }
  }

  // Keys in the order of the rows, which is simdjson's fastest way to ask for them.
  template <class Document>
  bool take(Document& document) {
    ondemand::object object;
    if (document.get_object().get(object) != simdjson::SUCCESS) return false;
    for (const Column& column : columns) {
      ondemand::value value;
      if (object.find_field(std::string_view(column.name)).get(value) != simdjson::SUCCESS) return false;
      simdjson::error_code error = simdjson::SUCCESS;
      if (column.kind == Kind::Integer) {
        std::int64_t number = 0;
        error = value.get_int64().get(number);
        integers += number;
      } else if (column.kind == Kind::Real) {
        double number = 0;
        error = value.get_double().get(number);
        reals += number;
      } else {
        std::string_view text;
        error = value.get_string().get(text);
        bytes += text.size();
      }
      if (error != simdjson::SUCCESS) return false;
    }
    return true;
  }

  std::vector<Column> columns;
  std::int64_t integers = 0;
  double reals = 0;
  std::size_t bytes = 0;
};

void simdjson_typed(benchmark::State& state, JsonShape shape, bool is_many) {
  const JsonLines& body = json_lines(shape);
  Sums sums(*body.schema);
  ondemand::parser parser;
  std::string padded = body.lines;
  padded.append(simdjson::SIMDJSON_PADDING, ' ');
  for (auto _ : state) {
    bool ok = true;
    if (is_many) {
      ondemand::document_stream stream;
      ok = parser.iterate_many(padded.data(), body.lines.size(), ondemand::DEFAULT_BATCH_SIZE).get(stream) ==
           simdjson::SUCCESS;
      for (auto item = stream.begin(); ok && item != stream.end(); ++item) {
        ondemand::document_reference document;
        ok = (*item).get(document) == simdjson::SUCCESS && sums.take(document);
      }
    } else {
      ok = each_line(parser, padded, [&](ondemand::document& document) { return sums.take(document); });
    }
    if (!ok) state.SkipWithError("no JSON");
  }
  benchmark::DoNotOptimize(sums.integers);
  benchmark::DoNotOptimize(sums.reals);
  benchmark::DoNotOptimize(sums.bytes);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * body.lines.size()));
}
BENCHMARK_CAPTURE(simdjson_typed, log, JsonShape::Log, false);
BENCHMARK_CAPTURE(simdjson_typed, log_many, JsonShape::Log, true);
BENCHMARK_CAPTURE(simdjson_typed, spaced, JsonShape::Spaced, false);
BENCHMARK_CAPTURE(simdjson_typed, spaced_many, JsonShape::Spaced, true);
BENCHMARK_CAPTURE(simdjson_typed, metric, JsonShape::Metric, false);
BENCHMARK_CAPTURE(simdjson_typed, metric_many, JsonShape::Metric, true);
BENCHMARK_CAPTURE(simdjson_typed, wide, JsonShape::Wide, false);
BENCHMARK_CAPTURE(simdjson_typed, wide_many, JsonShape::Wide, true);

void find_elements(benchmark::State& state) {
  const std::string& text = json_lines(JsonShape::Log).array;
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
