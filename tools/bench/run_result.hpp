// RunResult: what a run found out, as the report and the plot take it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/bench/histogram.hpp"
#include "tools/bench/key_sum.hpp"

namespace penstock::tools {

// What happened in a fifth of a second.
struct RunSample {
  double at = 0;       // seconds since the start, at its end
  double seconds = 0;  // how long it was
  std::uint64_t sent_bytes = 0;
  std::uint64_t visible_bytes = 0;
  std::uint64_t visible_rows = 0;
  std::uint64_t answers = 0;
  bool has_freshness = false;
  double fresh_p50_ms = 0;  // of the rows that became visible in it
  double fresh_p99_ms = 0;
  double fresh_max_ms = 0;
  std::uint64_t server_rss = 0;
};

struct RunResult {
  double seconds = 0;  // from the first row's intended time to the last row's being visible
  std::uint64_t loads = 0;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;       // of rows
  std::uint64_t wire_bytes = 0;  // with heads and frames, compressed where that was asked for
  std::uint64_t load_rows = 0;   // of a load with a size
  std::uint64_t member_rows = 0;
  std::uint64_t distinct_rows = 0;
  double row_bytes = 0;
  std::uint64_t rows_late = 0;  // due at the end of the time, and sent after it

  Histogram ack;                       // rows: answer of their load minus intended time
  Histogram freshness;                 // rows: visible, by the answer that says so, minus intended time
  Histogram seen;                      // rows: first seen by the prober minus intended time
  Histogram reply;                     // loads: answer minus last byte sent
  Histogram checkpoint;                // checkpoints: all of it visible minus the tick
  std::uint64_t checkpoints_late = 0;  // ticks that found the one before unfinished
  Histogram probe;                     // the prober's questions
  bool is_seen_complete = true;
  std::vector<RunSample> samples;

  KeySum keys;  // sent, and answered as visible
  bool is_checked = false;
  std::uint64_t rows_before = 0;  // in the table

  double client_cpu_seconds = 0;
  std::optional<double> server_cpu_seconds;
  std::optional<std::uint64_t> server_rss_peak;
  bool is_peak_of_run = false;
  std::optional<std::uint64_t> server_bytes_written;
  std::optional<std::int64_t> disk_bytes;
  double machine_busy_seconds = 0;
  double machine_steal_seconds = 0;
  std::string server_version;
  std::string date;  // UTC

  double megabytes() const { return static_cast<double>(bytes) / 1e6; }
  double gigabytes() const { return static_cast<double>(bytes) / 1e9; }
};

}  // namespace penstock::tools
