#include "tools/bench/run_bench.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <optional>

#include "tools/bench/http_client.hpp"
#include "tools/bench/load_run.hpp"
#include "tools/bench/process_facts.hpp"
#include "tools/bench/run_plot.hpp"
#include "tools/bench/run_report.hpp"
#include "tools/bench/visible_prober.hpp"

namespace penstock::tools {
namespace {

int complain(const std::string& text) {
  std::fprintf(stderr, "penstock bench run: %s\n", text.c_str());
  return 1;
}

void say(const RunWanted& wanted, const std::string& text) {
  if (!wanted.quiet) std::fprintf(stderr, "%s\n", text.c_str());
}

// Thousands of streams need as many open files.
void raise_file_limit() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

std::string utc_now() {
  const time_t now = ::time(nullptr);
  tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::expected<void, std::string> judge(const RunWanted& wanted) {
  if (wanted.seconds == 0 && wanted.bytes == 0) return std::unexpected("how long? Give --seconds or --bytes");
  if (wanted.server_pid != 0 && !process_cpu_seconds(wanted.server_pid)) {
    return std::unexpected(fmt::format("--server-pid {}: there is no such process", wanted.server_pid));
  }
  if (!wanted.data_dir.empty() && !folder_bytes(wanted.data_dir)) {
    return std::unexpected(fmt::format("--data-dir {}: it cannot be read", wanted.data_dir));
  }
  for (const std::string& name : {wanted.json_file, wanted.plot_file}) {
    if (name.empty() || name == "-") continue;
    if (!std::ofstream(name, std::ios::app))
      return std::unexpected(fmt::format("{} cannot be written", name));
  }
  return {};
}

// How many rows a load has: 0 without a size.
std::uint64_t load_rows(const RunWanted& wanted, const RowRing& ring) {
  if (wanted.load_rows > 0) return wanted.load_rows;
  if (wanted.load_bytes == 0) return 0;
  return std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::llround(static_cast<double>(wanted.load_bytes) / ring.row_bytes())));
}

// gzip members hold a fixed number of rows: a block's worth, or those that are due within one flush.
std::uint64_t member_rows(const RunWanted& wanted, const RowRing& ring, std::uint64_t load_rows) {
  if (!wanted.gzip) return 0;
  auto rows = static_cast<double>(wanted.block_bytes) / ring.row_bytes();
  if (load_rows > 0) rows = std::min(rows, static_cast<double>(load_rows));
  if (wanted.rate > 0 && load_rows == 0)
    rows = std::min(rows, wanted.rate / wanted.streams * wanted.flush_ms / 1000);
  return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(rows), 1, ring.rows());
}

struct Before {
  std::uint64_t rows = 0;
  KeySum keys;
};

std::expected<Before, std::string> look_before(const RunWanted& wanted, HttpClient& client) {
  if (wanted.create) {
    const std::string table = wanted.target.database + "." + wanted.target.table;
    if (auto made = client.execute_blocking("CREATE DATABASE IF NOT EXISTS " + wanted.target.database); !made)
      return std::unexpected(made.error());
    if (auto made =
            client.execute_blocking(create_table(wanted.shape, "IF NOT EXISTS " + table, wanted.buckets));
        !made)
      return std::unexpected(made.error());
  }
  Before before;
  if (!wanted.check) return before;
  auto rows = client.count_blocking();
  if (!rows) {
    return std::unexpected(rows.error() +
                           "\n(--create makes the table; --no-check is for a server without _scan)");
  }
  before.rows = *rows;
  if (*rows == 0) return before;
  auto keys = client.keys_blocking(key_column(wanted.shape));
  if (!keys) return std::unexpected(keys.error());
  before.keys = *keys;
  return before;
}

// Rows that the server called visible must be seen by whoever asks after that. And when each row was first seen.
std::expected<void, std::string> compare_with_prober(const LoadRun& run, const VisibleProber& prober,
                                                     std::uint64_t rows_before, RunResult& result) {
  if (!prober.error().empty()) return std::unexpected("the prober: " + prober.error());
  std::uint64_t answered = rows_before;  // rows of loads that were answered before the question was asked
  std::uint64_t seen = rows_before;
  const auto& loads = run.visible_loads();
  std::size_t next_answered = 0;
  std::size_t next_seen = 0;
  for (const VisibleProber::Answer& probe : prober.answers()) {
    result.probe.add(probe.answered - probe.asked);
    for (; next_answered < loads.size() && loads[next_answered].visible < probe.asked; ++next_answered) {
      answered += loads[next_answered].span.rows;
    }
    if (probe.rows < answered) {
      return std::unexpected(
          fmt::format("the prober saw {} rows after {} had been answered as visible", probe.rows, answered));
    }
    for (; next_seen < loads.size() && seen + loads[next_seen].span.rows <= probe.rows; ++next_seen) {
      const RowSpan& span = loads[next_seen].span;
      seen += span.rows;
      result.seen.add_spread(probe.answered - span.first, probe.answered - span.last, span.rows);
    }
  }
  if (next_seen < loads.size()) return std::unexpected("the prober did not see the last rows");
  return {};
}

std::expected<void, std::string> check_rows(const RunWanted& wanted, const Before& before,
                                            RunResult& result) {
  HttpClient client(wanted.target);
  say(wanted, "checking: a scan of every key ...");
  auto keys = client.keys_blocking(key_column(wanted.shape));
  if (!keys) return std::unexpected(keys.error());
  const KeySum found = keys->since(before.keys);
  if (found.count != result.rows || found != result.keys) {
    return std::unexpected(
        fmt::format("THE ROWS ARE WRONG, so there are no figures. Sent and answered: {}. In the table: {}",
                    to_json(result.keys), to_json(found)));
  }
  result.is_checked = true;
  return {};
}

std::expected<void, std::string> write_files(const RunWanted& wanted, const RunResult& result) {
  if (wanted.json_file == "-") {
    std::printf("%s\n", report_json(wanted, result).c_str());
  } else if (!wanted.json_file.empty()) {
    std::ofstream file(wanted.json_file);
    file << report_json(wanted, result) << "\n" << std::flush;
    if (!file) return std::unexpected(fmt::format("{} cannot be written", wanted.json_file));
  }
  if (!wanted.plot_file.empty()) {
    std::ofstream file(wanted.plot_file);
    file << plot_svg(wanted, result) << std::flush;
    if (!file) return std::unexpected(fmt::format("{} cannot be written", wanted.plot_file));
  }
  return {};
}

class ServerMeter {
 public:
  explicit ServerMeter(const RunWanted& wanted) : wanted_(wanted) {}

  void begin(RunResult& result) {
    machine_ = machine_times();
    own_ = process_cpu_seconds(0).value_or(0);
    if (!wanted_.data_dir.empty()) disk_ = folder_bytes(wanted_.data_dir);
    if (wanted_.server_pid == 0) return;
    result.is_peak_of_run = reset_process_peak(wanted_.server_pid);
    written_ = process_bytes_written(wanted_.server_pid);
    cpu_ = process_cpu_seconds(wanted_.server_pid);
  }
  void end(RunResult& result) const {
    result.client_cpu_seconds = process_cpu_seconds(0).value_or(0) - own_;
    const MachineTimes machine = machine_times();
    result.machine_busy_seconds = machine.busy - machine_.busy;
    result.machine_steal_seconds = machine.steal - machine_.steal;
    if (const auto disk = wanted_.data_dir.empty() ? std::nullopt : folder_bytes(wanted_.data_dir);
        disk && disk_) {
      result.disk_bytes = static_cast<std::int64_t>(*disk) - static_cast<std::int64_t>(*disk_);
    }
    if (wanted_.server_pid == 0) return;
    if (const auto cpu = process_cpu_seconds(wanted_.server_pid); cpu && cpu_)
      result.server_cpu_seconds = *cpu - *cpu_;
    if (const auto written = process_bytes_written(wanted_.server_pid); written && written_) {
      result.server_bytes_written = *written - *written_;
    }
    result.server_rss_peak = process_status_bytes(wanted_.server_pid, "VmHWM");
  }

 private:
  const RunWanted& wanted_;
  MachineTimes machine_;
  double own_ = 0;
  std::optional<std::uint64_t> disk_;
  std::optional<std::uint64_t> written_;
  std::optional<double> cpu_;
};

}  // namespace

int run_bench(RunWanted wanted) {
  if (auto good = judge(wanted); !good) return complain(good.error());
  raise_file_limit();
  // Many streams share the memory of a few.
  if (wanted.streams > 64) wanted.block_bytes = std::min<std::uint64_t>(wanted.block_bytes, 64 << 10);
  RunResult result;
  result.date = utc_now();
  HttpClient client(wanted.target);
  result.server_version = client.version_blocking();
  const auto before = look_before(wanted, client);
  if (!before) return complain(before.error());
  result.rows_before = before->rows;

  say(wanted, fmt::format("making {} MB of {} rows ...", wanted.distinct_bytes / 1'000'000,
                          shape_name(wanted.shape)));
  auto ring = std::make_unique<RowRing>(wanted.shape, wanted.format, wanted.seed, wanted.distinct_bytes);
  result.row_bytes = ring->row_bytes();
  result.load_rows = load_rows(wanted, *ring);
  const std::uint64_t members = member_rows(wanted, *ring, result.load_rows);
  if (members > 0 && result.load_rows % members != 0) {
    result.load_rows = (result.load_rows / members + 1) * members;
    say(wanted, fmt::format("--gzip: a load has {} rows: whole members of {}", result.load_rows, members));
  }
  const std::uint64_t row_bytes_max = ring->row_bytes_max();
  RowSource source(std::move(ring), wanted.first_key, members);
  result.member_rows = source.member_rows();
  result.distinct_rows = source.distinct_rows();
  StreamContext context{.wanted = wanted, .source = source};
  context.load_rows = result.load_rows;
  context.bytes_left = wanted.bytes == 0 ? UINT64_MAX : wanted.bytes;
  context.block_bytes = std::max<std::uint64_t>(wanted.block_bytes, row_bytes_max);
  context.labels = wanted.has_label_prefix ? wanted.label_prefix
                                           : fmt::format("bench-{:x}-{:x}", ::time(nullptr), now_nanos());
  if (wanted.mode == LoadMode::Group) context.labels.clear();

  LoadRun run(wanted, context, result);
  if (auto opened = run.open_blocking(); !opened) return complain(opened.error());
  VisibleProber prober(wanted.target, static_cast<Nanos>(wanted.probe_ms * kMillisecond));
  const bool has_prober = wanted.check && wanted.probe_ms > 0;
  ServerMeter meter(wanted);
  meter.begin(result);
  if (has_prober) prober.start();
  const auto done = run.run_blocking();
  meter.end(result);
  if (has_prober) prober.stop_blocking();
  if (!done) return complain(done.error());
  if (result.rows == 0) return complain("no row was sent: --bytes or --seconds is too little for one");
  result.keys = source.keys();
  if (has_prober && result.is_seen_complete) {
    if (auto good = compare_with_prober(run, prober, result.rows_before, result); !good)
      return complain(good.error());
  }
  if (wanted.check) {
    if (auto good = check_rows(wanted, *before, result); !good) return complain(good.error());
  }
  if (wanted.json_file != "-") std::printf("%s", report_text(wanted, result).c_str());
  if (auto written = write_files(wanted, result); !written) return complain(written.error());
  return 0;
}

}  // namespace penstock::tools
