// Finding rows and fields in log TSV (scan_rows, at each level), beside two yardsticks on the same text: `copy_text`, a
// memcpy in pieces of 32 KiB that stays in the cache on its writing side; `find_marks`, the least that a scan for two
// one-byte marks can do: their places, in order, and nothing made of them. Nothing is copied or allocated by any scan.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <vector>

#include "bench/micro/allocation_count.hpp"
#include "bench/micro/log_rows.hpp"
#include "core/base/units.hpp"
#include "txn/decode/column_decode.hpp"
#include "txn/decode/row_scan.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace penstock::txn {
namespace {

using bench::log_text;

constexpr std::size_t kWindow = 32 * core::kKiB;

void delimiter_scan(benchmark::State& state) {
  const SimdLevel level = std::min(static_cast<SimdLevel>(state.range(0)), best_simd_level());
  const std::string& text = log_text();
  DecodeScratch scratch;
  std::size_t rows = 0;
  const std::size_t allocations = bench::allocations();
  for (auto _ : state) {
    for (std::size_t at = 0; at + 64 < text.size();) {
      scratch.batch.prepare(12);
      const auto size = static_cast<std::uint32_t>(std::min<std::size_t>(text.size() - 64 - at, kWindow));
      const ScanResult result = scan_rows(level, {text.data() + at, size}, scratch.batch);
      rows += scratch.batch.count;
      if (result.next == 0) break;
      at += result.next;
    }
  }
  benchmark::DoNotOptimize(rows);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
  state.SetItemsProcessed(static_cast<std::int64_t>(rows));
  state.counters["new_per_pass"] =
      static_cast<double>(bench::allocations() - allocations) / static_cast<double>(state.iterations());
}
BENCHMARK(delimiter_scan)->DenseRange(0, 3)->ArgName("simd");

#if defined(__x86_64__)
// Eight places are written whether there are so many or not: what is too much is overwritten.
__attribute__((target("avx2,bmi,bmi2,popcnt"))) std::size_t find_marks_in(const char* text, std::size_t size,
                                                                          std::uint32_t* places) {
  const __m256i tab = _mm256_set1_epi8('\t');
  const __m256i line = _mm256_set1_epi8('\n');
  std::size_t found = 0;
  for (std::size_t block = 0; block < size; block += 64) {
    std::uint64_t bits = 0;
    for (std::size_t half = 0; half < 64; half += 32) {
      const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + block + half));
      const __m256i marks = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, tab), _mm256_cmpeq_epi8(bytes, line));
      bits |= std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(marks))} << half;
    }
    const auto count = static_cast<std::size_t>(std::popcount(bits));
    for (std::uint32_t* out = places + found; bits != 0;) {
      for (int i = 0; i < 8; ++i) {
        *out++ = static_cast<std::uint32_t>(block) + static_cast<std::uint32_t>(std::countr_zero(bits));
        bits &= bits - 1;
      }
    }
    found += count;
  }
  return found;
}

void find_marks(benchmark::State& state) {
  if (best_simd_level() < SimdLevel::Avx2) return state.SkipWithError("no AVX2");
  const std::string& text = log_text();
  std::vector<std::uint32_t> places(kWindow + 64);
  std::size_t found = 0;
  for (auto _ : state) {
    for (std::size_t at = 0; at + kWindow <= text.size(); at += kWindow) {
      found += find_marks_in(text.data() + at, kWindow, places.data());
      benchmark::DoNotOptimize(places.data());
    }
  }
  benchmark::DoNotOptimize(found);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * (text.size() / kWindow * kWindow)));
}
BENCHMARK(find_marks);
#endif

void copy_text(benchmark::State& state) {
  const std::string& text = log_text();
  std::vector<char> to(kWindow);
  for (auto _ : state) {
    for (std::size_t at = 0; at + kWindow <= text.size(); at += kWindow) {
      std::memcpy(to.data(), text.data() + at, kWindow);
      benchmark::DoNotOptimize(to.data());
      benchmark::ClobberMemory();
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * (text.size() / kWindow * kWindow)));
}
BENCHMARK(copy_text);

}  // namespace
}  // namespace penstock::txn
