#include "txn/journal/extent_reader.hpp"

#include <fmt/format.h>

namespace penstock::txn {

core::Task<core::Result<std::vector<std::byte>>> ExtentReader::read(Extent extent, RecordKind kind) {
  const std::string name = format_file_name(FileKind::Journal, extent.file);
  error_place_ = fmt::format("{} at offset {}", name, extent.offset);
  std::vector<std::byte> bytes;
  if (const JournalPiece* const piece = piece_of(extent)) {
    const auto from = piece->bytes.begin() + static_cast<std::ptrdiff_t>(extent.offset - piece->piece.offset);
    bytes.assign(from, from + extent.length);
  } else {
    CO_TRY_VOID(co_await open_file(extent.file));
    error_place_ = fmt::format("{} at offset {}", name, extent.offset);
    bytes.resize(extent.length);
    bytes_read_ += bytes.size();
    CO_TRY_VOID(co_await open_.read_exact(extent.offset, bytes));
  }
  if (record_checksum(store_, extent.file, kind, extent.offset, bytes) != extent.checksum) {
    co_return core::fail(core::Errc::Corrupt, "reading a journal record: checksum differs");
  }
  co_return bytes;
}

core::Task<core::Result<>> ExtentReader::open_file(FileId id) {
  if (open_.is_open() && open_id_ == id) co_return core::Result<>{};
  const std::string name = format_file_name(FileKind::Journal, id);
  co_await leave_file();
  CO_TRY(open_, co_await directory_.open_file(name, {}));
  open_id_ = {};
  error_place_ = fmt::format("{} at offset 0", name);
  std::vector<std::byte> page(FileHeader::kBytes);
  CO_TRY_VOID(co_await open_.read_exact(0, page));
  CO_TRY(const FileHeader header, FileHeader::decode(page, FileKind::Journal, id));
  if (header.store != store_)
    co_return core::fail(core::Errc::Corrupt, "file header: it belongs to another store");
  open_id_ = id;
  co_return core::Result<>{};
}

const JournalPiece* ExtentReader::piece_of(const Extent& extent) const {
  for (const JournalPiece& each : pieces_) {
    const Extent& piece = each.piece;
    if (piece.file != extent.file || extent.offset < piece.offset) continue;
    if (extent.offset - piece.offset <= each.bytes.size() &&
        extent.length <= each.bytes.size() - (extent.offset - piece.offset))
      return &each;
  }
  return nullptr;
}

core::Task<void> ExtentReader::leave_file() {
  if (open_.is_open() && bytes_read_ > cache_kept_) (void)co_await open_.drop_cache();
  co_await open_.close();
}

core::Task<void> ExtentReader::close() { co_await leave_file(); }

}  // namespace penstock::txn
