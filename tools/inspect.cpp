#include "tools/inspect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "core/io/file.hpp"
#include "core/kernel/uring_kernel.hpp"
#include "core/shard/shard.hpp"
#include "txn/checkpoint/log_reader.hpp"
#include "txn/checkpoint/recovery.hpp"

namespace penstock::tools {
namespace {

using namespace penstock::txn;

std::string describe(const LogItem& item) {
  if (const auto* boot = std::get_if<BootItem>(&item)) {
    return boot->has_previous ? fmt::format("Boot (after record {} of run {})", boot->previous.sequence,
                                            boot->previous.file.epoch())
                              : "Boot (of a new store)";
  }
  if (const auto* range = std::get_if<TxnRangeItem>(&item))
    return fmt::format("TxnRange (below {})", range->end);
  if (const auto* prepared = std::get_if<PreparedItem>(&item)) {
    return fmt::format("Prepared (txn {}, label {})", prepared->load.txn, prepared->load.label);
  }
  if (const auto* checkpoint = std::get_if<CheckpointItem>(&item)) {
    std::uint64_t rows = 0;
    for (const LoadInfo& load : checkpoint->loads) rows += load.rows;
    return fmt::format("Checkpoint {} ({} loads, {} rows, {} footers, {} prepared)", checkpoint->number,
                       checkpoint->loads.size(), rows, checkpoint->footers.size(),
                       checkpoint->prepared.size());
  }
  if (const auto* aborted = std::get_if<AbortedItem>(&item))
    return fmt::format("Aborted (txn {}: {})", aborted->txn, aborted->reason);
  if (const auto* time = std::get_if<TimeItem>(&item))
    return fmt::format("Time ({} s of running)", time->running_seconds);
  if (const auto* in_flight = std::get_if<InFlightItem>(&item)) {
    std::uint64_t bytes = 0;
    for (const Extent& piece : in_flight->pieces) bytes += piece.length;
    return fmt::format("InFlight ({} pieces of journals, {} bytes)", in_flight->pieces.size(), bytes);
  }
  if (const auto* piece = std::get_if<PieceItem>(&item)) {
    return fmt::format("Piece ({} at offset {}, {} bytes, again)",
                       format_file_name(FileKind::Journal, piece->piece.file), piece->piece.offset,
                       piece->piece.length);
  }
  if (const auto* snapshot = std::get_if<SnapshotItem>(&item)) {
    return fmt::format("Snapshot ({}, up to record {})", format_file_name(FileKind::Snapshot, snapshot->file),
                       snapshot->sequence);
  }
  return "Ddl";
}

core::Task<std::string> report(core::Kernel* kernel, std::string data_dir) {
  core::Result<std::uint64_t> opened = co_await core::ResultOp(
      *kernel, "opening the data folder", core::Op{.kind = core::OpKind::OpenDir, .path = data_dir.c_str()});
  if (!opened) co_return fmt::format("data folder '{}': {}", data_dir, opened.error().to_string());
  core::Directory directory(*kernel, static_cast<int>(*opened));
  auto names = co_await directory.list();
  if (!names) co_return names.error().to_string();

  std::map<std::uint64_t, std::vector<FileId>> logs;
  std::size_t journals = 0;
  for (const std::string& name : *names) {
    const auto file = parse_file_name(name);
    if (!file) continue;
    if (file->kind == FileKind::CommitLog) logs[file->id.epoch()].push_back(file->id);
    journals += file->kind == FileKind::Journal;
  }
  std::printf("%s: %zu runs with commit logs, %zu journal files\n", data_dir.c_str(), logs.size(), journals);
  for (auto& [epoch, files] : logs) {
    std::sort(files.begin(), files.end());
    const auto run = co_await read_run(directory, files);
    if (!run) {
      std::printf("run %llu: cannot be read: %s\n", static_cast<unsigned long long>(epoch),
                  run.error().to_string().c_str());
      continue;
    }
    if (!*run) {
      std::printf("run %llu: no Boot record that verifies: it never began\n",
                  static_cast<unsigned long long>(epoch));
      continue;
    }
    std::printf("run %llu: %zu records\n", static_cast<unsigned long long>(epoch), (*run)->records.size());
    for (const DecodedRecord& record : (*run)->records) {
      std::string items;
      for (const LogItem& item : record.record.items) items += (items.empty() ? "" : "; ") + describe(item);
      std::printf("  record %llu  %s at offset %llu, %llu bytes: %s\n",
                  static_cast<unsigned long long>(record.place.sequence),
                  format_file_name(FileKind::CommitLog, record.place.file).c_str(),
                  static_cast<unsigned long long>(record.place.offset),
                  static_cast<unsigned long long>(record.bytes), items.c_str());
    }
    if (!(*run)->newer.empty()) std::printf("  WRITTEN BY A NEWER VERSION: %s\n", (*run)->newer.c_str());
    if (!(*run)->damage.empty()) std::printf("  DAMAGED: %s\n", (*run)->damage.c_str());
  }
  auto recovered = co_await recover(directory);
  std::string error;
  if (!recovered) {
    error = recovered.error();
  } else if (recovered->is_new_store) {
    std::printf("recovery: an empty store\n");
  } else {
    LabelBook& labels = recovered->manifest.labels();
    std::printf("recovery: good. Checkpoint %llu, %zu tables, %llu labels, %zu prepared loads\n",
                static_cast<unsigned long long>(recovered->manifest.checkpoint().value),
                recovered->manifest.catalog()->tables().size(),
                static_cast<unsigned long long>(labels.size()), recovered->manifest.prepared().size());
    for (const auto& run : labels.runs()) {
      const LabelRunInfo& info = run->info();
      std::printf("  %s: %llu labels, level %u, TxnIds %llu to %llu, %llu bytes\n",
                  format_file_name(FileKind::LabelRun, info.file).c_str(),
                  static_cast<unsigned long long>(info.labels), info.level,
                  static_cast<unsigned long long>(info.txn_low.value),
                  static_cast<unsigned long long>(info.txn_high.value),
                  static_cast<unsigned long long>(info.length));
    }
    co_await labels.close();
  }
  co_await directory.close();
  co_return error;
}

core::Task<void> run_report(core::Kernel* kernel, std::string data_dir, std::string* error) {
  *error = co_await report(kernel, std::move(data_dir));
}

}  // namespace

int inspect(const std::string& data_dir) {
  core::ShardSet shards(1);
  std::string error;
  const std::string failed = shards.run_threads(
      {.with_kernel = [](core::Shard& shard,
                         const std::function<void(core::Kernel&)>& run_with) -> std::string {
         auto kernel = core::UringKernel::make({.entries = 64});
         if (!kernel) return kernel.error();
         run_with(**kernel);
         return {};
       },
       .main = [&](core::Shard& shard) { return run_report(&shard.kernel(), data_dir, &error); }});
  if (error.empty()) error = failed;
  if (error.empty()) return 0;
  std::fprintf(stderr, "penstock: %s\n", error.c_str());
  return 1;
}

}  // namespace penstock::tools
