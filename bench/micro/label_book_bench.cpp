// What a fresh label costs before its load begins: the label book says at once that it is not there, from its memory and the
// filters of all its runs. The book is as a store of so many labels has it (levels of 8); the runs have no files.
// `must_read` is the share of fresh labels that would read a page all the same; `new_per_label` must stay at 0.
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "bench/micro/allocation_count.hpp"
#include "txn/checkpoint/label_book.hpp"

namespace penstock::txn {
namespace {

std::shared_ptr<LabelRun> run_of(std::uint64_t labels, std::mt19937_64& random) {
  LabelRunIndex index;
  index.filter = LabelFilter(LabelFilter::words_for(labels));
  // As full as so many labels make it, three eighths or seven sixteenths of its bits, in a moment.
  const bool is_dense = index.filter.words() * 64 < labels * 14;
  for (std::uint64_t i = 0; i < index.filter.words(); ++i)
    index.filter.set_word(i, random() & (random() | random() | (is_dense ? random() : 0)));
  return std::make_shared<LabelRun>(LabelRunInfo{.labels = labels, .txns = labels}, core::StoreUuid{},
                                    core::File{}, std::move(index));
}

LabelBook book_of(std::uint64_t labels) {
  const LabelBook::Limits limits;
  std::mt19937_64 random(7);
  LabelBook book;
  std::uint64_t left = labels;
  std::uint64_t level_labels = limits.in_memory;
  while (level_labels * limits.fan_in <= left) level_labels *= limits.fan_in;
  for (; level_labels >= limits.in_memory; level_labels /= limits.fan_in) {
    for (; left >= level_labels; left -= level_labels) book.add_run(run_of(level_labels, random));
  }
  for (std::uint64_t i = 0; i < limits.in_memory - 1; ++i) {
    book.add(LoadInfo{.txn = TxnId(i + 1), .database = DatabaseId(1), .label = "known-" + std::to_string(i)},
             1);
  }
  return book;
}

void fresh_label(benchmark::State& state) {
  const LabelBook book = book_of(static_cast<std::uint64_t>(state.range(0)));
  std::vector<std::string> labels;
  for (int i = 0; i < 1 << 16; ++i) labels.push_back("job-2026-11-21_0_" + std::to_string(i * 7919));
  std::size_t at = 0;
  std::uint64_t asked = 0;
  std::uint64_t must_read = 0;
  const std::size_t before = bench::allocations();
  for (auto _ : state) {
    const LabelBook::Looked looked = book.look(DatabaseId(1), labels[at++ & 0xFFFF], 0);
    must_read += looked.must_read ? 1 : 0;
    ++asked;
  }
  state.counters["new_per_label"] =
      static_cast<double>(bench::allocations() - before) / static_cast<double>(asked);
  state.counters["must_read"] = static_cast<double>(must_read) / static_cast<double>(asked);
  state.counters["runs"] = static_cast<double>(book.runs().size());
}
BENCHMARK(fresh_label)->Arg(200'000)->Arg(20'000'000);

}  // namespace
}  // namespace penstock::txn
