#include "txn/checkpoint/snapshot.hpp"

#include "core/base/planted.hpp"

namespace penstock::txn {

using core::Planted;
using core::planted;

core::Task<core::Result<SnapshotItem>> write_snapshot(core::Directory directory, Poison& poison,
                                                      core::StoreUuid store, FileId id,
                                                      std::uint64_t sequence,
                                                      std::vector<std::byte> payload) {
  const std::string name = format_file_name(FileKind::Snapshot, id);
  CO_TRY(core::File file, co_await directory.open_file(name, {.write = true, .create_exclusive = true}));
  std::vector<std::byte> bytes(FileHeader::kBytes);
  FileHeader{.kind = FileKind::Snapshot, .store = store, .id = id}.encode(bytes);
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  const auto written = co_await file.write_all(0, bytes);
  if (written && !planted(Planted::SkipSnapshotSync)) {
    if (auto synced = co_await file.sync(); !synced && !planted(Planted::SkipPoison)) {
      co_await poison.end("fdatasync of a snapshot", synced.error());
    }
  }
  co_await file.close();
  if (!written) {
    (void)co_await directory.unlink(name);
    co_return core::fail(written.error().code, "writing a snapshot", written.error().os_error);
  }
  if (!planted(Planted::SkipSnapshotDirSync)) {
    if (auto synced = co_await directory.sync(); !synced && !planted(Planted::SkipPoison)) {
      co_await poison.end("syncing the name of a snapshot", synced.error());
    }
  }
  co_return SnapshotItem{
      .file = id,
      .length = payload.size(),
      .checksum = record_checksum(store, id, RecordKind::Snapshot, FileHeader::kBytes, payload),
      .sequence = sequence};
}

core::Task<core::Result<std::vector<std::byte>>> read_snapshot(core::Directory directory,
                                                               core::StoreUuid store, SnapshotItem item) {
  CO_TRY(core::File file, co_await directory.open_file(format_file_name(FileKind::Snapshot, item.file), {}));
  const auto size = co_await file.size();
  core::Result<> read = core::fail(core::Errc::Corrupt, "reading a snapshot: wrong length");
  std::vector<std::byte> page(FileHeader::kBytes);
  std::vector<std::byte> payload;
  if (size && *size == FileHeader::kBytes + item.length) {
    payload.resize(item.length);
    read = co_await file.read_exact(0, page);
    if (read) read = co_await file.read_exact(FileHeader::kBytes, payload);
  }
  co_await file.close();
  CO_TRY_VOID(read);
  CO_TRY(const FileHeader header, FileHeader::decode(page, FileKind::Snapshot, item.file));
  if (header.store != store)
    co_return core::fail(core::Errc::Corrupt, "file header: it belongs to another store");
  if (record_checksum(store, item.file, RecordKind::Snapshot, FileHeader::kBytes, payload) != item.checksum) {
    co_return core::fail(core::Errc::Corrupt, "reading a snapshot: checksum differs");
  }
  co_return payload;
}

}  // namespace penstock::txn
