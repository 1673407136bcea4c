// The whole way of a load, in the store itself on a real disk with one shard. `stream`: a chunked body of log rows out of a
// socket is received, decoded, encoded and journalled, and in the end durable and visible; rates are of the shard's CPU
// time, the kernel's part in it included, so that they stand beside those of the layers. `scan`: the same rows read back,
// all columns or one.
// `enters_per_mib`: io_uring_enter calls.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "bench/micro/allocation_count.hpp"
#include "bench/micro/bench_folder.hpp"
#include "bench/micro/body_sender.hpp"
#include "bench/micro/json_shapes.hpp"
#include "bench/micro/log_rows.hpp"
#include "bench/micro/real_shard.hpp"
#include "net/http/body_reader.hpp"
#include "net/http/head_parser.hpp"
#include "txn/decode/csv_decoder.hpp"
#include "txn/decode/json_decoder.hpp"
#include "txn/schema/ddl_parser.hpp"
#include "txn/store/store.hpp"

namespace penstock::bench {
namespace {

using core::Task;

constexpr std::size_t kTurnBytes = 4 * core::kMiB;

constexpr const char* kCreateLog =
    "CREATE TABLE db.t (time DATETIME, request BIGINT, user INT, status SMALLINT, bytes INT, seconds "
    "DECIMAL(12,3), "
    "host VARCHAR(64), method VARCHAR(16), path VARCHAR(256), address VARCHAR(64), agent VARCHAR(256), trace "
    "STRING) "
    "DUPLICATE KEY(time) DISTRIBUTED BY RANDOM BUCKETS 1";

struct Place {
  BenchFolder folder;
  RealShard here;
  std::unique_ptr<txn::Store> store;
};

Task<void> execute(Place* place, std::string text) {
  auto statement = txn::parse_statement(text);
  CHECK(statement.has_value());
  const auto done = co_await place->store->execute(std::move(*statement), "db");
  CHECK(done.has_value());
}

Task<void> open(Place* place) {
  txn::Store::Options options{
      .data_dir = place->folder.path().string(), .limits = {}, .arenas = {}, .end_process = {}};
  options.arenas.push_back(&place->here.arena());
  options.end_process = [](const std::string& why) {
    core::check_failed(__FILE__, __LINE__, "poisoned", why);
  };
  place->store = std::make_unique<txn::Store>(place->here.set(), std::move(options));
  const auto opened = co_await place->store->open();
  CHECK(opened.has_value());
  co_await execute(place, "CREATE DATABASE db");
  co_await execute(place, kCreateLog);
}

std::unique_ptr<txn::BodyDecoder> make_decoder(Place* place, const txn::Table& table, bool is_json) {
  auto mapping = txn::map_columns(*table.schema, {});
  CHECK(mapping.has_value());
  txn::DecodeScratch& scratch = place->store->here().scratch();
  if (!is_json)
    return std::make_unique<txn::CsvDecoder>(txn::CsvOptions{}, table.schema, std::move(*mapping), scratch);
  txn::JsonOptions options;
  options.by_line = true;
  return std::make_unique<txn::JsonDecoder>(options, table.schema, std::move(*mapping), txn::MappingOptions{},
                                            scratch);
}

struct OneLoad {
  txn::BeganLoad began;
  std::unique_ptr<txn::Load> load;
};

Task<void> begin(Place* place, OneLoad* one, bool is_json) {
  txn::BeginResult result =
      co_await place->store->begin({.database = "db", .table = "t", .label = "", .two_phase = false});
  CHECK(result.status == txn::BeginResult::Status::Began);
  one->began = std::move(result.load);
  auto decoder = make_decoder(place, *one->began.table, is_json);
  one->load = std::make_unique<txn::Load>(place->store->here(), one->began, std::move(decoder), 1.0);
}

// One load for all turns; where it ends, its last row may be cut.
Task<void> stream_turns(Place* place, BodySource* source, net::BodyReader* body, bool is_json,
                        benchmark::State* state) {
  OneLoad one;
  co_await begin(place, &one, is_json);
  const std::uint64_t enters = place->here.enters();
  const std::uint64_t allocated = allocations();
  for (auto _ : *state) {
    source->begin_turn();
    for (const std::uint64_t end = body->bytes_read() + kTurnBytes; body->bytes_read() < end;) {
      const auto piece = co_await body->next();
      CHECK(piece.has_value() && !piece->is_end());
      const auto appended = co_await one.load->append(piece->bytes);
      CHECK(appended.has_value());
    }
  }
  const auto finished = co_await one.load->finish();
  CHECK(finished.has_value());
  const double mib = static_cast<double>(body->bytes_read()) / core::kMiB;
  if (one.load->counts().filtered_rows > 1) state->SkipWithError("rows were filtered");
  state->SetBytesProcessed(static_cast<std::int64_t>(body->bytes_read()));
  state->SetItemsProcessed(static_cast<std::int64_t>(one.load->counts().loaded_rows));
  state->counters["enters_per_mib"] = static_cast<double>(place->here.enters() - enters) / mib;
  state->counters["new_per_mib"] = static_cast<double>(allocations() - allocated) / mib;
}

Task<void> stream_load(Place* place, BodySource* source, bool is_json, benchmark::State* state) {
  co_await open(place);
  const net::HttpOptions options;
  net::HttpContext context{.shard = place->here.shard(), .options = options};
  net::HeadParser parser(options.head);
  std::size_t consumed = 0;
  (void)parser.feed(core::as_bytes("PUT /t HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), consumed);
  const net::Request request = parser.take();
  net::Wire wire(context, source->receiving_end());
  {
    net::BodyReader body(context, wire, request);
    co_await stream_turns(place, source, &body, is_json, state);
  }
  co_await wire.close();
  co_await place->store->close();
}

void stream(benchmark::State& state, bool is_json) {
  Place place;
  BodySender sender(is_json ? json_lines(JsonShape::Log).lines : log_text(), 64 * core::kKiB, 1);
  place.here.run(stream_load(&place, &sender.body(0), is_json, &state));
}
BENCHMARK_CAPTURE(stream, log_tsv, false);
BENCHMARK_CAPTURE(stream, log_json, true);

Task<void> fill(Place* place) {
  OneLoad one;
  co_await begin(place, &one, false);
  const std::string& text = log_text();
  for (int round = 0; round < 4; ++round) {
    for (std::size_t at = 0; at < text.size(); at += 64 * core::kKiB) {
      const auto appended =
          co_await one.load->append(core::as_bytes(std::string_view(text).substr(at, 64 * core::kKiB)));
      CHECK(appended.has_value());
    }
  }
  const auto finished = co_await one.load->finish();
  CHECK(finished.has_value());
}

Task<void> scan_rows(Place* place, std::size_t columns, benchmark::State* state) {
  co_await open(place);
  co_await fill(place);
  const std::uint64_t enters = place->here.enters();
  std::uint64_t rows = 0;
  for (auto _ : *state) {
    auto scan = co_await place->store->scan("db", "t");
    CHECK(scan.has_value());
    std::vector<txn::ColumnId> ids;
    for (std::size_t i = 0; i < columns; ++i) ids.push_back((*scan)->table().schema->columns[i].id);
    for (;;) {
      const auto block = co_await (*scan)->next(ids);
      CHECK(block.has_value());
      if (!*block) break;
      rows += (*block)->rows();
    }
    co_await place->store->close_scan(**scan);
  }
  const auto bytes = static_cast<double>(state->iterations() * 4 * log_text().size());
  state->SetItemsProcessed(static_cast<std::int64_t>(rows));
  state->SetBytesProcessed(static_cast<std::int64_t>(bytes));  // of text
  state->counters["enters_per_mib"] =
      static_cast<double>(place->here.enters() - enters) / (bytes / core::kMiB);
  co_await place->store->close();
}

void scan(benchmark::State& state) {
  Place place;
  place.here.run(scan_rows(&place, static_cast<std::size_t>(state.range(0)), &state));
}
BENCHMARK(scan)->Arg(12)->Arg(1)->ArgName("columns")->UseRealTime();

}  // namespace
}  // namespace penstock::bench
