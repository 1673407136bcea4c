// A checkpoint of 100 loads over 2 shards, from the end of their bodies to the last answer, beside the two fdatasyncs that
// it cannot be without (the journals', then the commit log's): what is above them is ours. In the store itself, on real
// files and threads; no sockets.
#include <benchmark/benchmark.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bench/micro/bench_folder.hpp"
#include "core/base/log.hpp"
#include "core/kernel/uring_kernel.hpp"
#include "txn/decode/csv_decoder.hpp"
#include "txn/schema/ddl_parser.hpp"
#include "txn/store/store.hpp"

namespace penstock::txn {
namespace {

using core::Task;
using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kShards = 2;
constexpr int kLoads = 100;

double micros_since(Clock::time_point then) {
  return std::chrono::duration<double, std::micro>(Clock::now() - then).count();
}
struct OneLoad {
  BeganLoad began;
  std::unique_ptr<Load> load;  // made, used and destroyed on its shard
};

struct Figures {
  std::vector<double> checkpoint;
  std::vector<double> fdatasync;
  std::string error;
};

class Run {
 public:
  Run(std::filesystem::path folder, bool two_phase, int rounds)
      : folder_(std::move(folder)), two_phase_(two_phase), rounds_(rounds) {}

  Figures run() {
    core::ShardSet shards(kShards);
    for (std::uint32_t i = 0; i < kShards; ++i) ended_.push_back(std::make_unique<core::Event>());
    const std::string failed = shards.run_threads(
        {.pin = true,
         .with_kernel = [](core::Shard&, const std::function<void(core::Kernel&)>& run_with) -> std::string {
           auto kernel = core::UringKernel::make({.entries = 256});
           if (!kernel) return kernel.error();
           run_with(**kernel);
           return {};
         },
         .main = [this](core::Shard& shard) { return main_of(this, &shard); }});
    if (!failed.empty()) figures_.error = failed;
    return std::move(figures_);
  }

 private:
  static Task<void> main_of(Run* run, core::Shard* shard) {
    if (shard->id() != core::ShardId(0)) {
      co_await run->ended_[shard->id().value]->wait();
      co_return;
    }
    co_await run->lead();
    for (std::uint32_t i = 1; i < kShards; ++i) {
      co_await core::call_on(core::ShardId(i), [run, i] { return end_shard(run, i); });
    }
  }
  static Task<void> end_shard(Run* run, std::uint32_t index) {
    run->ended_[index]->set();
    co_return;
  }

  Task<void> sql(std::string text) {
    auto statement = parse_statement(text);
    CHECK(statement.has_value());
    const auto done = co_await store_->execute(std::move(*statement), "db");
    if (!done) figures_.error = done.error().message;
  }

  static Task<void> feed(Run* run, OneLoad* one) {
    const TableSchema& schema = *one->began.table->schema;
    auto mapping = map_columns(schema, {});
    CHECK(mapping.has_value());
    auto decoder = std::make_unique<CsvDecoder>(CsvOptions{}, one->began.table->schema, std::move(*mapping),
                                                run->store_->here().scratch());
    one->load = std::make_unique<Load>(run->store_->here(), one->began, std::move(decoder), 0.0);
    static constexpr std::string_view kRow = "1\tone row\n";
    CHECK((co_await one->load->append(core::as_bytes(kRow))).has_value());
  }
  static Task<void> finish(OneLoad* one) { CHECK((co_await one->load->finish()).has_value()); }
  static Task<void> destroy(OneLoad* one) {
    one->load.reset();
    co_return;
  }
  static Task<void> finish_there(Run* run, OneLoad* one) {
    co_await core::call_on(one->began.shard, [one] { return finish(one); });
    if (--run->left_ == 0) run->all_done_->set();
  }

  Task<void> lead() {
    core::Shard& here = core::current_shard();
    Store::Options options{.data_dir = folder_.string(), .limits = {}, .arenas = {}, .end_process = {}};
    for (std::uint32_t i = 0; i < kShards; ++i) {
      arenas_.push_back(std::make_unique<core::PageArena>(4, core::kMiB));
      options.arenas.push_back(arenas_.back().get());
    }
    options.end_process = [](const std::string& why) {
      core::check_failed(__FILE__, __LINE__, "poisoned", why);
    };
    store_ = std::make_unique<Store>(here.set(), std::move(options));
    if (auto opened = co_await store_->open(); !opened) {
      figures_.error = opened.error();
      co_return;
    }
    co_await sql("CREATE DATABASE db");
    co_await sql(
        "CREATE TABLE db.t (k BIGINT NOT NULL, v VARCHAR(40)) DUPLICATE KEY(k) DISTRIBUTED BY RANDOM BUCKETS "
        "4");
    bench::SyncYardstick yardstick(folder_);
    for (int round = -3; round < rounds_ && figures_.error.empty(); ++round) {
      std::vector<OneLoad> loads(kLoads);
      for (OneLoad& one : loads) {
        BeginResult result =
            co_await store_->begin({.database = "db", .table = "t", .label = "", .two_phase = two_phase_});
        CHECK(result.status == BeginResult::Status::Began);
        one.began = std::move(result.load);
        OneLoad* const each = &one;
        co_await core::call_on(one.began.shard, [this, each] { return feed(this, each); });
      }
      const double sync = yardstick.measure();
      left_ = kLoads;
      all_done_ = std::make_unique<core::Event>();
      const auto began = Clock::now();
      for (OneLoad& one : loads) here.spawn(finish_there(this, &one));
      co_await all_done_->wait();
      const double checkpoint = micros_since(began);
      if (round >= 0) {  // the first ones make files
        figures_.checkpoint.push_back(checkpoint);
        figures_.fdatasync.push_back(sync);
      }
      for (OneLoad& one : loads) {
        OneLoad* const each = &one;
        co_await core::call_on(one.began.shard, [each] { return destroy(each); });
      }
    }
    co_await store_->close();
  }

  const std::filesystem::path folder_;
  const bool two_phase_;
  const int rounds_;
  std::vector<std::unique_ptr<core::PageArena>> arenas_;
  std::vector<std::unique_ptr<core::Event>> ended_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<core::Event> all_done_;
  int left_ = 0;
  Figures figures_;
};

void checkpoint_of_100_loads(benchmark::State& state) {
  core::set_log_level(core::LogLevel::Error);
  for ([[maybe_unused]] auto _ : state) {
    const bench::BenchFolder folder;
    const auto rounds = static_cast<int>(state.range(1));
    const Figures figures = Run(folder.path(), state.range(0) != 0, rounds).run();
    if (!figures.error.empty()) {
      state.SkipWithError(figures.error.c_str());
      return;
    }
    const double checkpoint = bench::median(figures.checkpoint);
    const double sync = bench::median(figures.fdatasync);
    state.counters["p50_us"] = checkpoint;
    state.counters["fdatasync_us"] = sync;
    state.counters["above_two_us"] = checkpoint - 2 * sync;
  }
}
BENCHMARK(checkpoint_of_100_loads)
    ->ArgNames({"two_phase", "rounds"})
    ->Args({0, 20})
    ->Args({1, 20})
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(checkpoint_of_100_loads)
    ->Name("checkpoint_of_100_loads_long")
    ->ArgNames({"two_phase", "rounds"})
    ->Args({0, 400})
    ->Args({1, 400})
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace penstock::txn
