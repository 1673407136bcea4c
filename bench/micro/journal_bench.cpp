// The journal on a real disk. `journal_append`: blocks of 400 KB go through JournalWriter, beside `direct_write`, the same
// bytes by plain writes of 1 MiB past the page cache, one at a time. `group_sync`: N loads each append a footer and wait
// for the one sync that makes all of them durable; `fdatasync_us` is the median of an overwrite of 4 KiB and its fdatasync
// meanwhile, which a sync cannot be without.
//
// `copied_per_byte`: bytes copied into write buffers (each once, and the zeros that fill pages). `enters_per_mib`,
// `enters_per_load`: io_uring_enter calls.
#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>
#include <vector>

#include "bench/micro/allocation_count.hpp"
#include "bench/micro/bench_folder.hpp"
#include "bench/micro/real_shard.hpp"
#include "txn/journal/journal_writer.hpp"

namespace penstock::txn {
namespace {

using core::Task;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kRecordBytes = 400'000;
constexpr std::size_t kRecords = 40;  // an iteration's

struct Journal {
  explicit Journal(const bench::BenchFolder& folder) : path(folder.path().string()) {}

  const std::string path;
  bench::RealShard here;
  Poison poison{[](const std::string& why) { core::check_failed(__FILE__, __LINE__, "poisoned", why); }};
  core::Directory directory;
  JournalWriter::Buffers buffers{.arena = here.arena(), .released = {}};
  std::unique_ptr<JournalWriter> writer;
};

Task<void> open(Journal* journal) {
  auto directory = co_await core::Directory::open(journal->here.kernel(), journal->path);
  CHECK(directory.has_value());
  journal->directory = *directory;
  journal->writer = std::make_unique<JournalWriter>(
      journal->here.shard(), journal->directory, journal->buffers, journal->poison,
      JournalWriter::Place{.store = {}, .epoch = 1}, JournalWriter::Limits{});
}
Task<void> close(Journal* journal) {
  co_await journal->writer->close();
  co_await journal->directory.close();
}
// What nobody needs any more goes, as the reclaimer would have it: the disk stays as full as it is.
Task<void> remove_sealed(Journal* journal) {
  for (const FileId file : journal->writer->sealed_files()) {
    (void)co_await journal->directory.unlink(format_file_name(FileKind::Journal, file));
    journal->writer->forget(file);
  }
}

Task<void> append(Journal* journal, core::Bytes record, RecordKind kind) {
  const auto extent = co_await journal->writer->append(record, kind);
  CHECK(extent.has_value());
  journal->writer->unpin(extent->file);
}

Task<void> append_blocks(Journal* journal, benchmark::State* state) {
  co_await open(journal);
  const std::vector<std::byte> block(kRecordBytes, std::byte{'b'});
  const std::uint64_t enters = journal->here.enters();
  const std::uint64_t allocations = bench::allocations();
  for (auto _ : *state) {
    for (std::size_t i = 0; i < kRecords; ++i) co_await append(journal, block, RecordKind::Block);
    co_await remove_sealed(journal);
  }
  const auto bytes = static_cast<double>(state->iterations() * kRecords * kRecordBytes);
  const double written = static_cast<double>(journal->writer->stats().bytes_written);
  state->SetBytesProcessed(static_cast<std::int64_t>(bytes));
  state->counters["enters_per_mib"] =
      static_cast<double>(journal->here.enters() - enters) / (bytes / core::kMiB);
  state->counters["new_per_mib"] =
      static_cast<double>(bench::allocations() - allocations) / (bytes / core::kMiB);
  state->counters["copied_per_byte"] = std::max(1.0, written / bytes);
  co_await close(journal);
}

void journal_append(benchmark::State& state) {
  const bench::BenchFolder folder;
  Journal journal(folder);
  journal.here.run(append_blocks(&journal, &state));
}
BENCHMARK(journal_append)->UseRealTime();

void direct_write(benchmark::State& state) {
  const bench::BenchFolder folder;
  bench::WriteYardstick yardstick(folder.path());
  for (auto _ : state) {
    for (int i = 0; i < 16; ++i) yardstick.write();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * 16 * yardstick.kBytes));
}
BENCHMARK(direct_write)->UseRealTime();

struct Group {
  Journal* journal;
  std::vector<std::byte> footer = std::vector<std::byte>(600, std::byte{'f'});
  int left = 0;
  core::Event all_appended;
};

Task<void> append_footer(Group* group) {
  co_await append(group->journal, group->footer, RecordKind::Footer);
  if (--group->left == 0) group->all_appended.set();
}

Task<void> sync_groups(Journal* journal, const bench::BenchFolder* folder, benchmark::State* state) {
  co_await open(journal);
  bench::SyncYardstick yardstick(folder->path());
  const auto loads = static_cast<int>(state->range(0));
  std::vector<double> took;
  std::vector<double> alone;
  std::uint64_t enters = 0;
  std::uint64_t allocations = 0;
  for (auto _ : *state) {
    state->PauseTiming();
    alone.push_back(yardstick.measure());
    state->ResumeTiming();
    const std::uint64_t enters_before = journal->here.enters();
    const std::uint64_t allocations_before = bench::allocations();
    const auto began = Clock::now();
    Group group{.journal = journal, .left = loads, .all_appended = {}};
    for (int i = 0; i < loads; ++i) journal->here.shard().spawn(append_footer(&group));
    co_await group.all_appended.wait();
    co_await journal->writer->sync();
    took.push_back(std::chrono::duration<double, std::micro>(Clock::now() - began).count());
    enters += journal->here.enters() - enters_before;
    allocations += bench::allocations() - allocations_before;
  }
  const double all = static_cast<double>(state->iterations()) * loads;
  state->SetItemsProcessed(static_cast<std::int64_t>(all));
  state->counters["p50_us"] = bench::median(took);
  state->counters["fdatasync_us"] = bench::median(alone);
  state->counters["enters_per_load"] = static_cast<double>(enters) / all;
  state->counters["new_per_load"] = static_cast<double>(allocations) / all;
  co_await close(journal);
}

void group_sync(benchmark::State& state) {
  const bench::BenchFolder folder;
  Journal journal(folder);
  journal.here.run(sync_groups(&journal, &folder, &state));
}
BENCHMARK(group_sync)->Arg(1)->Arg(16)->Arg(256)->ArgName("loads")->UseRealTime();

}  // namespace
}  // namespace penstock::txn
