#include "tools/bench/run_report.hpp"

#include <fmt/format.h>

#include "net/json/json_text.hpp"
#include "tools/bench/process_facts.hpp"

namespace penstock::tools {
namespace {

double millis(Nanos time) { return static_cast<double>(time) / kMillisecond; }

std::string latency_line(const char* name, const Histogram& of) {
  if (of.weight() == 0) return "";
  return fmt::format("{:<26} {:>10.2f} {:>10.2f} {:>10.2f} {:>10.2f} {:>10.2f} {:>10.2f}\n", name,
                     millis(of.mean()), millis(of.percentile(50)), millis(of.percentile(90)),
                     millis(of.percentile(99)), millis(of.percentile(99.9)), millis(of.max()));
}

std::string load_words(const RunWanted& wanted, const RunResult& result) {
  std::string text = result.load_rows > 0
                         ? fmt::format("{} rows ({:.0f} B)", result.load_rows,
                                       static_cast<double>(result.load_rows) * result.row_bytes)
                         : "endless";
  if (wanted.checkpoint_seconds > 0)
    text += fmt::format(", checkpoint every {} s", wanted.checkpoint_seconds);
  return text;
}

std::string server_lines(const RunWanted& wanted, const RunResult& result) {
  std::string text;
  if (result.server_cpu_seconds) {
    text += fmt::format("server                     {:.2f} CPU-seconds, {:.2f} a GB, {:.2f} cores\n",
                        *result.server_cpu_seconds, *result.server_cpu_seconds / result.gigabytes(),
                        *result.server_cpu_seconds / result.seconds);
  }
  if (result.server_rss_peak) {
    text += fmt::format("server memory              {:.0f} MiB at most{}\n",
                        static_cast<double>(*result.server_rss_peak) / (1 << 20),
                        result.is_peak_of_run ? "" : " since its start");
  }
  if (result.server_bytes_written) {
    text +=
        fmt::format("server wrote               {:.1f} MB to storage, {:.3f} a byte of rows\n",
                    static_cast<double>(*result.server_bytes_written) / 1e6,
                    static_cast<double>(*result.server_bytes_written) / static_cast<double>(result.bytes));
  }
  if (result.disk_bytes) {
    text += fmt::format(
        "data folder                {:+.1f} MB on disk, {:.3f} a byte of rows (files are reserved ahead)\n",
        static_cast<double>(*result.disk_bytes) / 1e6,
        static_cast<double>(*result.disk_bytes) / static_cast<double>(result.bytes));
  }
  text += fmt::format("client                     {:.2f} CPU-seconds, {:.2f} a GB, {:.2f} cores\n",
                      result.client_cpu_seconds, result.client_cpu_seconds / result.gigabytes(),
                      result.client_cpu_seconds / result.seconds);
  text += fmt::format("machine                    {}, {} cores, {}; {:.2f} CPU-seconds in all",
                      machine_name(), core_count(), kernel_release(), result.machine_busy_seconds);
  const double cores = result.seconds * core_count();
  if (result.machine_steal_seconds > 0.01 * cores) {
    text += fmt::format("; {:.1f} % STOLEN by other machines: measure again",
                        100 * result.machine_steal_seconds / cores);
  }
  text += "\n";
  if (!wanted.check || result.server_version.empty()) return text;
  return text + fmt::format("server version             {}\n", result.server_version);
}

}  // namespace

const char* mode_name(LoadMode mode) {
  switch (mode) {
    case LoadMode::Plain:
      return "plain";
    case LoadMode::TwoPhase:
      return "2pc";
    case LoadMode::Group:
      break;
  }
  return "group";
}

std::string report_text(const RunWanted& wanted, const RunResult& result) {
  std::string text = fmt::format(
      "\n{} {}{}, {} streams, {}, loads: {}, {}\n", shape_name(wanted.shape),
      wanted.format == RowFormat::Json ? "json" : "csv", wanted.gzip ? " gzip" : "", wanted.streams,
      mode_name(wanted.mode), load_words(wanted, result),
      wanted.rate > 0 ? fmt::format("{:.0f} rows/s by schedule", wanted.rate) : "as fast as it goes");
  text += result.is_checked
              ? fmt::format("rows checked: {}, sum ok, xor ok\n", result.rows)
              : fmt::format("NOT CHECKED: {} rows were answered as loaded, nobody looked (--no-check)\n",
                            result.rows);
  text += fmt::format(
      "throughput                 {:.1f} MB/s, {:.0f} rows/s, {:.1f} loads/s\n"
      "                           {:.1f} MB of rows ({:.0f} B each) in {:.2f} s, {:.1f} MB on the wire, {} "
      "loads\n",
      result.megabytes() / result.seconds, static_cast<double>(result.rows) / result.seconds,
      static_cast<double>(result.loads) / result.seconds, result.megabytes(), result.row_bytes,
      result.seconds, static_cast<double>(result.wire_bytes) / 1e6, result.loads);
  text += fmt::format("\n{:<26} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}\n", "milliseconds", "mean", "p50",
                      "p90", "p99", "p99.9", "max");
  text += latency_line("row: intended to answer", result.ack);
  text += latency_line("row: intended to visible", result.freshness);
  text += latency_line("row: intended to seen", result.seen);
  text += latency_line("load: end to answer", result.reply);
  text += latency_line("checkpoint: tick to done", result.checkpoint);
  text += latency_line("prober's question", result.probe);
  if (result.checkpoints_late > 0) {
    text +=
        fmt::format("{} checkpoints were left out: the one before was not done\n", result.checkpoints_late);
  }
  if (wanted.rate == 0) {
    text +=
        "(no schedule: a row is intended when it is handed to the socket, so waiting for the server does not "
        "show)\n";
  } else if (static_cast<double>(result.rows_late) > wanted.rate / 10) {
    text += fmt::format(
        "{} rows were due at the end and not sent yet: the server does not keep up with this rate\n",
        result.rows_late);
  }
  if (!result.seen.weight() && wanted.check && wanted.probe_ms > 0)
    text += "(too many loads to compare with the prober)\n";
  return text + "\n" + server_lines(wanted, result);
}

namespace {

template <class T>
std::string or_null(const std::optional<T>& value) {
  return value ? fmt::format("{}", *value) : "null";
}

std::string samples_json(const RunResult& result) {
  std::string text = "[";
  for (const RunSample& sample : result.samples) {
    if (text.size() > 1) text += ",";
    text += fmt::format(
        R"({{"at":{:.3f},"seconds":{:.3f},"sent_bytes":{},"visible_bytes":{},"visible_rows":{},"answers":{},"server_rss":{})",
        sample.at, sample.seconds, sample.sent_bytes, sample.visible_bytes, sample.visible_rows,
        sample.answers, sample.server_rss);
    if (sample.has_freshness) {
      text += fmt::format(R"(,"fresh_p50_ms":{:.3f},"fresh_p99_ms":{:.3f},"fresh_max_ms":{:.3f})",
                          sample.fresh_p50_ms, sample.fresh_p99_ms, sample.fresh_max_ms);
    }
    text += "}";
  }
  return text + "]";
}

}  // namespace

std::string report_json(const RunWanted& wanted, const RunResult& result) {
  std::string text = fmt::format(
      R"({{"date":"{}","shape":"{}","format":"{}","gzip":{},"mode":"{}","streams":{},"load_rows":{},)",
      result.date, shape_name(wanted.shape), wanted.format == RowFormat::Json ? "json" : "csv", wanted.gzip,
      mode_name(wanted.mode), wanted.streams, result.load_rows);
  text += fmt::format(
      R"("checkpoint_seconds":{},"rate":{},"block_bytes":{},"flush_ms":{},"seed":{},"distinct_rows":{},"member_rows":{},)",
      wanted.checkpoint_seconds, wanted.rate, wanted.block_bytes, wanted.flush_ms, wanted.seed,
      result.distinct_rows, result.member_rows);
  text += fmt::format(
      R"("seconds":{:.6f},"rows":{},"bytes":{},"wire_bytes":{},"loads":{},"rows_late":{},"row_bytes":{:.2f},)",
      result.seconds, result.rows, result.bytes, result.wire_bytes, result.loads, result.rows_late,
      result.row_bytes);
  text += fmt::format(R"("mb_per_second":{:.3f},"rows_per_second":{:.1f},"loads_per_second":{:.2f},)",
                      result.megabytes() / result.seconds, static_cast<double>(result.rows) / result.seconds,
                      static_cast<double>(result.loads) / result.seconds);
  text += fmt::format(R"("checked":{},"keys":{},"rows_before":{},)", result.is_checked, to_json(result.keys),
                      result.rows_before);
  text += fmt::format(
      R"("ack":{},"freshness":{},"seen":{},"reply":{},"checkpoint":{},"checkpoints_late":{},"probe":{},)",
      result.ack.to_json(), result.freshness.to_json(), result.seen.to_json(), result.reply.to_json(),
      result.checkpoint.to_json(), result.checkpoints_late, result.probe.to_json());
  text += fmt::format(
      R"("probe_ms":{},"server_cpu_seconds":{},"server_cpu_seconds_per_gb":{},"server_rss_peak":{},)",
      wanted.probe_ms, or_null(result.server_cpu_seconds),
      result.server_cpu_seconds && result.bytes > 0
          ? fmt::format("{:.4f}", *result.server_cpu_seconds / result.gigabytes())
          : "null",
      or_null(result.server_rss_peak));
  text += fmt::format(
      R"("server_rss_peak_is_of_run":{},"server_bytes_written":{},"disk_bytes":{},"client_cpu_seconds":{:.4f},)",
      result.is_peak_of_run, or_null(result.server_bytes_written), or_null(result.disk_bytes),
      result.client_cpu_seconds);
  text += fmt::format(
      R"("machine":{{"processor":{},"cores":{},"kernel":{},"busy_seconds":{:.3f},"steal_seconds":{:.3f}}},)",
      net::json_string(machine_name()), core_count(), net::json_string(kernel_release()),
      result.machine_busy_seconds, result.machine_steal_seconds);
  text += fmt::format(R"("server_version":{},"client_version":{},)",
                      result.server_version.empty() ? "null" : net::json_string(result.server_version),
                      net::json_string(PENSTOCK_VERSION));
  return text + fmt::format(R"("samples":{}}})", samples_json(result));
}

}  // namespace penstock::tools
