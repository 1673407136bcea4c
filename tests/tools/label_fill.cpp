// label_fill: puts many labels into a stopped data folder, through the store itself: each is a load without rows that begins
// and is decided by a commit record like any other. What it takes (labels a second, memory) and how long questions
// take behind it is printed. For tests/e2e/test_labels.py and by hand:
//
//   label_fill --data-dir DIR --database db --table t --labels 20000000 --prefix bulk- --questions 10000
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "core/base/log.hpp"
#include "core/kernel/uring_kernel.hpp"
#include "txn/store/store.hpp"

namespace penstock {
namespace {

using core::Task;
using Clock = std::chrono::steady_clock;

struct Wanted {
  std::string data_dir;
  std::string database = "db";
  std::string table = "t";
  std::string prefix = "bulk-";
  std::uint64_t labels = 200'000;
  std::uint64_t questions = 1000;
};

std::uint64_t status_kib(const std::string& key) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key + ":")) return std::stoull(line.substr(key.size() + 1));
  }
  return 0;
}
double mib(std::uint64_t kib) { return static_cast<double>(kib) / 1024; }
double seconds_since(Clock::time_point then) {
  return std::chrono::duration<double>(Clock::now() - then).count();
}

// The next questions find nothing in the page cache.
void forget_pages(const std::string& data_dir) {
  for (const auto& entry : std::filesystem::directory_iterator(data_dir)) {
    if (!entry.path().filename().string().starts_with("labels-")) continue;
    const int file = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) continue;
    (void)::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    ::close(file);
  }
}

void print_times(const char* what, std::vector<double>& micros) {
  if (micros.empty()) return;
  std::sort(micros.begin(), micros.end());
  const auto at = [&](double part) {
    return micros[static_cast<std::size_t>(part * static_cast<double>(micros.size() - 1))];
  };
  std::printf("%s: median %.1f us, 99%% %.1f us, longest %.1f us (%zu asked)\n", what, at(0.5), at(0.99),
              at(1), micros.size());
}

class Fill {
 public:
  explicit Fill(const Wanted& wanted) : wanted_(wanted) {}

  Task<void> run() {
    core::ShardSet& set = core::current_shard().set();
    store_ = std::make_unique<txn::Store>(set, txn::Store::Options{.data_dir = wanted_.data_dir,
                                                                   .limits = {},
                                                                   .arenas = {&arena_},
                                                                   .end_process = [](const std::string& why) {
                                                                     std::fprintf(stderr, "label_fill: %s\n",
                                                                                  why.c_str());
                                                                     ::_exit(70);
                                                                   }});
    if (auto opened = co_await store_->open(); !opened) {
      error = opened.error();
      co_return;
    }
    co_await fill();
    if (error.empty()) co_await settle();
    if (error.empty()) co_await ask();
    co_await store_->close();
  }
  std::string error;

 private:
  txn::Coordinator& coordinator() { return store_->coordinator(); }
  const txn::LabelBook& labels() { return coordinator().manifest().labels(); }
  std::string label(std::uint64_t number) const { return wanted_.prefix + std::to_string(number); }

  void print_memory() {
    std::printf("RSS %.1f MiB (%+.1f), %zu runs, their filters and indexes %.1f MiB\n",
                mib(status_kib("VmRSS")), mib(status_kib("VmRSS")) - rss_before_, labels().runs().size(),
                static_cast<double>(labels().run_memory_bytes()) / core::kMiB);
    std::fflush(stdout);
  }

  Task<void> fill() {
    constexpr std::uint64_t kBatch = 4096;
    constexpr std::size_t kRunsMax = 100;  // merging is given time to keep up
    rss_before_ = mib(status_kib("VmRSS"));
    const auto began = Clock::now();
    const std::uint64_t print_every = std::max<std::uint64_t>(wanted_.labels / 20, 1);
    std::uint64_t next_print = print_every;
    for (std::uint64_t done = 0; done < wanted_.labels;) {
      txn::Vote vote{.shard = core::ShardId(0)};
      for (std::uint64_t end = std::min(done + kBatch, wanted_.labels); done < end; ++done) {
        txn::BeginResult result = co_await coordinator().begin(
            {.database = wanted_.database, .table = wanted_.table, .label = label(done)});
        if (result.status != txn::BeginResult::Status::Began) {
          error = fmt::format(
              "label {}: {}", label(done),
              result.status == txn::BeginResult::Status::LabelExists ? "it is used already" : result.message);
          co_return;
        }
        if (done == 0) first_txn_ = result.load.txn.value;
        CHECK_EQ(result.load.txn.value, first_txn_ + done);  // nobody else begins loads
        vote.loads.push_back(txn::LoadInfo{.txn = result.load.txn,
                                           .database = result.load.database,
                                           .table = result.load.table->id,
                                           .label = std::move(result.load.label),
                                           .label_kept = true});
      }
      if (const txn::VoteResult voted = co_await coordinator().vote(std::move(vote)); !voted) {
        error = voted.error();
        co_return;
      }
      while (labels().runs().size() > kRunsMax)
        (void)co_await core::current_shard().sleep_for(std::chrono::milliseconds(2));
      if (done < next_print) continue;
      next_print += print_every;
      std::printf("%llu labels, %.0f a second; ", static_cast<unsigned long long>(done),
                  static_cast<double>(done) / seconds_since(began));
      print_memory();
    }
  }

  // Until nothing is being merged any more.
  Task<void> settle() {
    const auto began = Clock::now();
    const auto is_busy = [this] {
      bool merging = labels().level_to_merge({}).has_value() || labels().has_dead_runs();
      for (const auto& run : labels().runs()) merging |= run->is_merging;
      return merging;
    };
    while (is_busy()) (void)co_await core::current_shard().sleep_for(std::chrono::milliseconds(20));
    std::printf("merged after another %.1f s\n", seconds_since(began));
    print_memory();
    std::printf("RSS at most %.1f MiB: %+.1f MiB for the labels, merging included\n",
                mib(status_kib("VmHWM")), mib(status_kib("VmHWM")) - rss_before_);
    const auto& stats = coordinator().stats();
    std::printf("%llu records, %llu snapshots, %llu runs written, %llu merges\n",
                static_cast<unsigned long long>(stats.records),
                static_cast<unsigned long long>(stats.snapshots),
                static_cast<unsigned long long>(stats.label_runs),
                static_cast<unsigned long long>(stats.label_merges));
  }

  Task<void> ask() {
    const txn::Database* const database = coordinator().manifest().catalog()->find_database(wanted_.database);
    const txn::DatabaseId id = database->id;
    constexpr std::uint64_t kFresh = 1'000'000;
    std::uint64_t must_read = 0;
    std::vector<std::string> fresh;
    for (std::uint64_t i = 0; i < kFresh; ++i) fresh.push_back(fmt::format("fresh-{}", i * 7919));
    const auto began = Clock::now();
    for (const std::string& each : fresh) must_read += labels().look(id, each, 0).must_read ? 1 : 0;
    std::printf("a fresh label: %.0f ns; %.2f %% of them cost a read\n", seconds_since(began) * 1e9 / kFresh,
                100.0 * static_cast<double>(must_read) / kFresh);
    for (const bool is_cold : {false, true}) {
      std::vector<double> by_label;
      std::vector<double> by_txn;
      if (is_cold) forget_pages(wanted_.data_dir);
      for (std::uint64_t i = 0; i < wanted_.questions; ++i) {
        const std::uint64_t number = i * 2'654'435'761 % wanted_.labels;
        const auto asked = Clock::now();
        const auto state = co_await coordinator().state_of(id, label(number));
        by_label.push_back(seconds_since(asked) * 1e6);
        if (!state || *state != txn::TxnState::Visible)
          error = fmt::format("label {} is not there", label(number));
        const auto asked_txn = Clock::now();
        const txn::TxnAnswer answer = co_await coordinator().operate({.kind = txn::TxnOperation::Kind::Commit,
                                                                      .database = wanted_.database,
                                                                      .txn = txn::TxnId(first_txn_ + number),
                                                                      .label = {}});
        by_txn.push_back(seconds_since(asked_txn) * 1e6);
        if (answer.text.find("is already visible, not pre-committed.") == std::string::npos)
          error = fmt::format("TxnId {}: {}", first_txn_ + number, answer.text);
      }
      print_times(
          is_cold ? "a look-up by label, page cache empty" : "a look-up by label, page cache as it is",
          by_label);
      print_times(
          is_cold ? "a look-up by TxnId, page cache empty" : "a look-up by TxnId, page cache as it is",
          by_txn);
    }
  }

  const Wanted& wanted_;
  core::PageArena arena_{4, core::kMiB};
  std::unique_ptr<txn::Store> store_;
  std::uint64_t first_txn_ = 0;
  double rss_before_ = 0;
};

Task<void> run_fill(Fill* fill) { co_await fill->run(); }

int run(const Wanted& wanted) {
  core::set_log_level(core::LogLevel::Warn);
  core::ShardSet shards(1);
  Fill fill(wanted);
  const std::string failed = shards.run_threads(
      {.with_kernel = [](core::Shard& shard,
                         const std::function<void(core::Kernel&)>& run_with) -> std::string {
         auto kernel = core::UringKernel::make({.entries = 256});
         if (!kernel) return kernel.error();
         run_with(**kernel);
         return {};
       },
       .main = [&](core::Shard&) { return run_fill(&fill); }});
  const std::string error = failed.empty() ? fill.error : failed;
  if (error.empty()) return 0;
  std::fprintf(stderr, "label_fill: %s\n", error.c_str());
  return 1;
}

}  // namespace
}  // namespace penstock

int main(int argc, char** argv) {
  penstock::Wanted wanted;
  CLI::App app{"Puts many committed labels into a stopped data folder"};
  app.add_option("--data-dir", wanted.data_dir, "The folder; its database and table are there")->required();
  app.add_option("--database", wanted.database, "Of the labels");
  app.add_option("--table", wanted.table, "Any table of it");
  app.add_option("--labels", wanted.labels, "How many");
  app.add_option("--prefix", wanted.prefix, "What each label begins with; a number follows");
  app.add_option("--questions", wanted.questions, "How many are asked for again, by label and by TxnId");
  CLI11_PARSE(app, argc, argv);
  return penstock::run(wanted);
}
