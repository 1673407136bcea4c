#include "txn/checkpoint/log_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/planted.hpp"

namespace penstock::txn {

using core::Planted;
using core::planted;

namespace {

core::Task<core::Result<std::vector<std::byte>>> read_whole(core::Directory directory, FileId id) {
  CO_TRY(core::File file, co_await directory.open_file(format_file_name(FileKind::CommitLog, id), {}));
  const auto size = co_await file.size();
  std::vector<std::byte> bytes;
  core::Result<> read{};
  if (size) {
    bytes.resize(*size);
    read = co_await file.read_exact(0, bytes);
  } else {
    read = std::unexpected(size.error());
  }
  co_await file.close();
  CO_TRY_VOID(read);
  co_return bytes;
}

std::string place_of(FileId id, std::uint64_t offset) {
  return fmt::format("{} at offset {}", format_file_name(FileKind::CommitLog, id), offset);
}

// Whether any page from `from` on holds a valid record with a sequence number above `sequence`.
bool has_later_record(core::Bytes bytes, std::uint64_t from, const core::StoreUuid& store, FileId id,
                      std::uint64_t sequence, std::string& newer) {
  for (std::uint64_t at = core::round_up(from, core::kPage); at + LogRecord::kHeaderBytes <= bytes.size();
       at += core::kPage) {
    const auto record = decode_record(bytes.subspan(at), store, id, at);
    if (record && record->place.sequence > sequence) return true;
    if (!record && record.error().code == core::Errc::Unsupported && newer.empty()) newer = place_of(id, at);
  }
  return false;
}

}  // namespace

core::Task<core::Result<std::optional<RunRecords>>> read_run(core::Directory directory,
                                                             std::vector<FileId> files) {
  RunRecords run;
  bool has_store = false;
  std::string stop_place;  // behind the last good record
  for (const FileId id : files) {
    CO_TRY(const std::vector<std::byte> bytes, co_await read_whole(directory, id));
    const auto header = FileHeader::decode(
        core::Bytes(bytes).first(std::min(bytes.size(), FileHeader::kBytes)), FileKind::CommitLog, id);
    if (!header && header.error().code == core::Errc::Unsupported && run.newer.empty())
      run.newer = place_of(id, 0);
    if (header && !has_store) {
      run.store = header->store;
      has_store = true;
    }
    std::uint64_t at = FileHeader::kBytes;
    const bool is_ours = header && header->store == run.store;
    if (!is_ours && run.gap.empty()) run.gap = place_of(id, 0);  // what is missed first, if something is
    bool is_first = true;
    while (is_ours && at + LogRecord::kHeaderBytes <= bytes.size()) {
      auto record = decode_record(core::Bytes(bytes).subspan(at), run.store, id, at);
      if (!record && record.error().code == core::Errc::Unsupported && run.newer.empty())
        run.newer = place_of(id, at);
      if (!record || (planted(Planted::DropFullTail) && at + record->bytes == bytes.size())) break;
      const bool may_begin = std::holds_alternative<BootItem>(record->record.items.at(0)) || id.counter() > 0;
      const bool follows = run.records.empty()
                               ? may_begin
                               : record->place.sequence == run.records.back().place.sequence + 1 &&
                                     record->record.previous_checksum == run.records.back().place.checksum;
      if (!follows) {
        // Files are unlinked after a snapshot, and a power loss may bring some of them back and not others. So the files
        // from here on may stand alone, if their snapshot covers what came before: that is for recovery to judge.
        if (!is_first || record->place.sequence <= run.records.back().place.sequence) break;
        run.gap = stop_place;
        run.damage.clear();
        run.records.clear();
        run.last_bytes.clear();
      }
      is_first = false;
      const core::Bytes whole = core::Bytes(bytes).subspan(at, record->bytes);
      run.before_last_bytes =
          std::exchange(run.last_bytes, std::vector<std::byte>(whole.begin(), whole.end()));
      at += record->bytes;
      run.records.push_back(std::move(*record));
    }
    stop_place = place_of(id, is_ours ? at : 0);
    const std::uint64_t sequence = run.records.empty() ? 0 : run.records.back().place.sequence;
    if (run.damage.empty() && has_later_record(bytes, at, run.store, id, sequence, run.newer))
      run.damage = stop_place;
  }
  if (run.records.empty() && run.damage.empty() && run.newer.empty()) co_return std::optional<RunRecords>{};
  run.begins_with_boot =
      !run.records.empty() && std::holds_alternative<BootItem>(run.records.front().record.items.at(0));
  co_return std::optional<RunRecords>(std::move(run));
}

}  // namespace penstock::txn
