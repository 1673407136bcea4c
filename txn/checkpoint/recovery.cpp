#include "txn/checkpoint/recovery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <unordered_set>

#include "core/base/log.hpp"
#include "core/base/planted.hpp"
#include "txn/checkpoint/log_reader.hpp"
#include "txn/checkpoint/snapshot.hpp"
#include "txn/journal/extent_reader.hpp"
#include "txn/journal/footer.hpp"

namespace penstock::txn {

using core::Planted;
using core::planted;

namespace {

using Text = std::string;

Text damaged(const Text& place, std::string_view what) {
  return fmt::format(
      "the store is damaged: {}: {}. Nothing was changed. Look at it with `penstock inspect`, restore the "
      "folder from a copy, or move it away to begin with an empty store",
      place, what);
}
Text is_newer(const Text& place) {
  return fmt::format(
      "{} was written by a newer version of penstock, and this one does not know what it decides. Nothing "
      "was "
      "changed. Start that version again, or a later one",
      place);
}
Text failed(const core::Error& error) {
  return fmt::format("the data folder cannot be read: {}", error.to_string());
}

// What is known of one run.
struct Run {
  std::uint64_t epoch = 0;
  std::vector<FileId> logs;
  bool has_other_files = false;  // journals, snapshots or a second log: made only after Boot was durable
};

std::map<std::uint64_t, Run> runs_of(const std::vector<FileName>& files) {
  std::map<std::uint64_t, Run> runs;
  for (const FileName& file : files) {
    Run& run = runs[file.id.epoch()];
    run.epoch = file.id.epoch();
    if (file.kind == FileKind::CommitLog) {
      run.logs.push_back(file.id);
      run.has_other_files |= file.id.counter() > 0;
    } else {
      run.has_other_files = true;
    }
  }
  for (auto& [epoch, run] : runs) std::sort(run.logs.begin(), run.logs.end());
  return runs;
}

BootItem boot_of(const RunRecords& run) {
  const auto* boot = std::get_if<BootItem>(&run.records.front().record.items.at(0));
  return boot == nullptr ? BootItem{} : *boot;
}

const SnapshotItem* snapshot_in(const LogRecord& record) {
  for (const LogItem& item : record.items) {
    if (const auto* snapshot = std::get_if<SnapshotItem>(&item)) return snapshot;
  }
  return nullptr;
}

// The records since the newest snapshot, oldest first, over as many runs as it takes.
struct History {
  core::StoreUuid store{};
  std::vector<LogRecord> records;
  std::optional<SnapshotItem> snapshot;
  RecordPlace last;
  std::vector<std::byte> last_bytes;
  std::vector<PieceItem> pieces;  // that were in flight beside the last record
  std::uint64_t txn_range_end = 1;
};

// Cuts an older run at the point that a later Boot accepted; its last record is taken from that Boot's copy.
std::expected<void, Text> cut_at(RunRecords& run, const BootItem& boot) {
  const RecordPlace& accepted = boot.previous;
  const std::uint64_t late =
      planted(Planted::IgnoreBootCut) && !run.records.empty() ? UINT64_MAX : accepted.sequence;
  std::erase_if(run.records, [&](const DecodedRecord& r) { return r.place.sequence >= late; });
  if (late != accepted.sequence) return {};
  const Text place =
      fmt::format("{} at offset {}", format_file_name(FileKind::CommitLog, accepted.file), accepted.offset);
  auto last = decode_record(boot.previous_record, run.store, accepted.file, accepted.offset);
  if (!last && last.error().code == core::Errc::Unsupported) return std::unexpected(is_newer(place));
  if (!last || last->place != accepted) {
    return std::unexpected(damaged(place, "the copy of it in the next run's Boot record does not verify"));
  }
  // With nothing before it, it must be the run's first record, or one that needs nothing before it: it names a snapshot.
  const SnapshotItem* const snapshot = snapshot_in(last->record);
  const bool stands_alone = std::holds_alternative<BootItem>(last->record.items.at(0)) ||
                            (snapshot != nullptr && snapshot->sequence + 1 >= accepted.sequence);
  const bool follows = run.records.empty()
                           ? stands_alone
                           : run.records.back().place.sequence + 1 == accepted.sequence &&
                                 last->record.previous_checksum == run.records.back().place.checksum;
  if (!follows) return std::unexpected(damaged(place, "accepted records before it are missing"));
  run.records.push_back(std::move(*last));
  run.begins_with_boot = std::holds_alternative<BootItem>(run.records.front().record.items.at(0));
  return {};
}

// What the last record says of rows that were being written while it was, in full; nothing: not all of them are there. A file
// that is gone was needed by nothing, which is known only of rows that were durable.
core::Task<std::expected<std::optional<std::vector<PieceItem>>, Text>> pieces_beside(
    core::Directory directory, const core::StoreUuid& store, const LogRecord& record) {
  std::vector<PieceItem> found;
  if (planted(Planted::TrustInFlight)) co_return found;
  ExtentReader reader(directory, store);
  bool is_whole = true;
  Text error;
  for (const LogItem& item : record.items) {
    const auto* in_flight = std::get_if<InFlightItem>(&item);
    if (in_flight == nullptr) continue;
    for (const Extent& piece : in_flight->pieces) {
      auto bytes = co_await reader.read(piece, RecordKind::Piece);
      if (bytes) {
        found.push_back({piece, std::move(*bytes)});
      } else if (bytes.error().code == core::Errc::Corrupt) {
        core::log_warn("last_record_dropped", "record", record.sequence, "why",
                       "rows that were written beside it are not all there", "place",
                       reader.last_error_place());
        is_whole = false;
      } else if (bytes.error().code != core::Errc::NotFound) {
        error = failed(bytes.error());
      }
      if (!is_whole || !error.empty()) break;
    }
  }
  co_await reader.close();
  if (!error.empty()) co_return std::unexpected(error);
  if (!is_whole) co_return std::nullopt;
  co_return found;
}

core::Task<std::expected<std::optional<History>, Text>> read_history(core::Directory directory,
                                                                     std::map<std::uint64_t, Run> runs) {
  // The newest run with a Boot record that verifies.
  std::optional<RunRecords> newest;
  for (auto at = runs.rbegin(); at != runs.rend() && !newest; ++at) {
    const Run& run = at->second;
    if (run.logs.empty()) {
      co_return std::unexpected(
          damaged(fmt::format("run {}", run.epoch), "its commit log files are missing"));
    }
    auto read = co_await read_run(directory, run.logs);
    if (!read) co_return std::unexpected(failed(read.error()));
    if (*read && !(*read)->newer.empty()) co_return std::unexpected(is_newer((*read)->newer));
    if (*read && !(*read)->damage.empty()) {
      co_return std::unexpected(
          damaged((*read)->damage, "a commit record does not verify, and later ones are there"));
    }
    if (*read) {
      newest = std::move(**read);
    } else if (run.has_other_files) {
      co_return std::unexpected(
          damaged(format_file_name(FileKind::CommitLog, run.logs.front()),
                  "its first record (Boot) does not verify, and the run went on after it"));
    }
  }
  if (!newest) co_return std::optional<History>{};
  // A run that got no further than Boot has them from there: it may have begun to write them again.
  std::vector<PieceItem> pieces;
  for (const LogItem& item : newest->records.back().record.items) {
    if (const auto* piece = std::get_if<PieceItem>(&item)) pieces.push_back(*piece);
  }
  auto beside = co_await pieces_beside(directory, newest->store, newest->records.back().record);
  if (!beside) co_return std::unexpected(beside.error());
  if (*beside) {
    std::ranges::move(**beside, std::back_inserter(pieces));
  } else {
    const RecordPlace last = newest->records.back().place;
    newest->records.pop_back();
    newest->last_bytes = std::move(newest->before_last_bytes);
    if (newest->records.empty()) {  // older logs went when the record was known to be whole
      co_return std::unexpected(damaged(
          fmt::format("{} at offset {}", format_file_name(FileKind::CommitLog, last.file), last.offset),
          "rows that its only record names are not all there"));
    }
  }

  History history;
  history.store = newest->store;
  history.pieces = std::move(pieces);
  for (RunRecords run = std::move(*newest);;) {
    if (run.store != history.store)
      co_return std::unexpected(Text("the data folder mixes files of two stores"));
    for (const DecodedRecord& record : run.records) {
      for (const LogItem& item : record.record.items) {
        if (const auto* range = std::get_if<TxnRangeItem>(&item)) {
          history.txn_range_end = std::max(history.txn_range_end, range->end);
        }
      }
    }
    const BootItem boot = boot_of(run);
    // A run that got no further than Boot holds nothing: the next Boot names what this one named.
    const bool only_boot = run.records.size() == 1 && boot.has_previous && history.records.empty();
    if (!only_boot) {
      if (history.records.empty()) {
        history.last = run.records.back().place;
        history.last_bytes = run.last_bytes;
      }
      for (std::size_t i = run.records.size(); i-- > 0 && !history.snapshot;) {
        if (const SnapshotItem* found = snapshot_in(run.records[i].record)) history.snapshot = *found;
      }
      std::vector<LogRecord> older;
      for (DecodedRecord& record : run.records) older.push_back(std::move(record.record));
      const bool is_backwards = planted(Planted::ReplayRunsBackwards);
      history.records.insert(is_backwards ? history.records.end() : history.records.begin(),
                             std::make_move_iterator(older.begin()), std::make_move_iterator(older.end()));
      if (history.snapshot && history.snapshot->sequence + 1 >= history.records.front().sequence) break;
      if (!run.begins_with_boot) {
        const Text place = run.gap.empty() ? fmt::format("run {}", history.last.file.epoch()) : run.gap;
        co_return std::unexpected(
            damaged(place, "commit records are missing from here on, and later ones are there"));
      }
    }
    if (!boot.has_previous) break;
    const auto before = runs.find(boot.previous.file.epoch());
    if (before == runs.end()) {
      co_return std::unexpected(
          damaged(format_file_name(FileKind::CommitLog, boot.previous.file), "the file is missing"));
    }
    auto older = co_await read_run(directory, before->second.logs);
    if (!older) co_return std::unexpected(failed(older.error()));
    if (*older && !(*older)->newer.empty()) co_return std::unexpected(is_newer((*older)->newer));
    RunRecords cut;
    cut.store = history.store;
    if (*older) cut = std::move(**older);
    if (auto done = cut_at(cut, boot); !done) co_return std::unexpected(done.error());
    cut.last_bytes = boot.previous_record;
    run = std::move(cut);
  }
  co_return std::optional<History>(std::move(history));
}

// What the last record leaves behind of those before it: journal files of what is gone may be gone too, or damaged.
struct Aftermath {
  std::shared_ptr<const Catalog> catalog;
  std::unordered_set<TxnId> aborted;  // prepared loads
};

// The blocks that a record's footers list; footers of tables that are gone by now, and of prepared loads that are aborted
// by now, are not read (FooterFiles holds what is).
core::Task<std::expected<std::map<std::size_t, FooterBlocks>, Text>> read_footers(
    ExtentReader& reader, const LogRecord& record, const Aftermath& aftermath) {
  std::map<std::size_t, FooterBlocks> blocks;
  for (std::size_t i = 0; i < record.items.size(); ++i) {
    const std::vector<FooterRef>* footers = nullptr;
    bool is_aborted = false;
    if (const auto* prepared = std::get_if<PreparedItem>(&record.items[i])) {
      footers = &prepared->footers;
      is_aborted = aftermath.aborted.contains(prepared->load.txn) && !planted(Planted::ReadAbortedFooters);
    }
    if (const auto* checkpoint = std::get_if<CheckpointItem>(&record.items[i]))
      footers = &checkpoint->footers;
    if (footers == nullptr) continue;
    FooterBlocks& of_item = blocks[i];
    for (const FooterRef& footer : *footers) {
      of_item.emplace_back();
      if (is_aborted || aftermath.catalog->find_table(footer.table) == nullptr) continue;
      auto bytes = co_await reader.read(footer.extent, RecordKind::Footer);
      if (!bytes) co_return std::unexpected(damaged(reader.last_error_place(), bytes.error().to_string()));
      auto decoded = decode_footer(*bytes);
      if (!decoded)
        co_return std::unexpected(damaged(reader.last_error_place(), decoded.error().to_string()));
      of_item.back() = std::move(decoded->blocks);
    }
  }
  co_return blocks;
}

// The first of commit and abort counts (Manifest::apply). A catalog change that does not fit is for apply to report.
Aftermath aftermath_of(const Manifest& start, const std::vector<LogRecord>& records) {
  Aftermath aftermath{.catalog = start.catalog()};
  std::unordered_set<TxnId> committed;
  bool fits = true;
  for (const LogRecord& record : records) {
    if (record.sequence <= start.sequence()) continue;
    for (const LogItem& item : record.items) {
      if (const auto* checkpoint = std::get_if<CheckpointItem>(&item)) {
        committed.insert(checkpoint->prepared.begin(), checkpoint->prepared.end());
      } else if (const auto* aborted = std::get_if<AbortedItem>(&item)) {
        if (!committed.contains(aborted->txn)) aftermath.aborted.insert(aborted->txn);
      } else if (const auto* ddl = std::get_if<DdlItem>(&item); ddl != nullptr && fits) {
        auto next = aftermath.catalog->apply(ddl->change);
        fits = next.has_value();
        if (fits) aftermath.catalog = *next;
      }
    }
  }
  return aftermath;
}

}  // namespace

core::Task<std::expected<Recovered, std::string>> recover(core::Directory directory) {
  auto names = co_await directory.list();
  if (!names) co_return std::unexpected(failed(names.error()));
  Recovered result;
  for (const std::string& name : *names) {
    const auto file = parse_file_name(name);
    if (!file) continue;
    result.old_files.push_back(*file);
    result.epoch = std::max(result.epoch, file->id.epoch() + 1);
  }
  auto history = co_await read_history(directory, runs_of(result.old_files));
  if (!history) co_return std::unexpected(history.error());
  if (!*history) co_return result;

  History& h = **history;
  result.is_new_store = false;
  result.store = h.store;
  result.previous = h.last;
  result.previous_record = std::move(h.last_bytes);
  result.pieces = std::move(h.pieces);
  if (h.snapshot) {
    auto payload = co_await read_snapshot(directory, h.store, *h.snapshot);
    const Text name = format_file_name(FileKind::Snapshot, h.snapshot->file);
    if (!payload) co_return std::unexpected(damaged(name + " at offset 4096", payload.error().to_string()));
    auto manifest = Manifest::decode(*payload);
    if (!manifest && manifest.error().code == core::Errc::Unsupported)
      co_return std::unexpected(is_newer(name + " at offset 4096"));
    if (!manifest) co_return std::unexpected(damaged(name + " at offset 4096", manifest.error().to_string()));
    result.manifest = std::move(*manifest);
    if (auto opened = co_await result.manifest.labels().open_runs(directory, h.store); !opened) {
      co_return std::unexpected(damaged(opened.error(), "a label run that the snapshot names"));
    }
  }
  const Aftermath aftermath = aftermath_of(result.manifest, h.records);
  ExtentReader reader(directory, h.store);
  reader.read_from(result.pieces);
  Text error;
  for (const LogRecord& record : h.records) {
    if (record.sequence <= result.manifest.sequence()) continue;
    auto footers = co_await read_footers(reader, record, aftermath);
    if (!footers) {
      error = footers.error();
      break;
    }
    VisibleChange ignored;
    const auto applied = result.manifest.apply(
        record, [&](std::size_t item) -> const FooterBlocks& { return footers->at(item); }, ignored);
    if (!applied) {
      error = damaged(fmt::format("commit record {}", record.sequence), applied.error().to_string());
      break;
    }
    ++result.records_replayed;
  }
  co_await reader.close();
  if (!error.empty()) co_return std::unexpected(error);
  result.txn_range_end = std::max(result.manifest.txn_range_end(), h.txn_range_end);
  co_return result;
}

}  // namespace penstock::txn
