#include "txn/journal/extent_reader.hpp"

#include <fmt/format.h>

namespace penstock::txn {

core::Task<core::Result<std::vector<std::byte>>> ExtentReader::read(Extent extent, RecordKind kind) {
  const std::string name = format_file_name(FileKind::Journal, extent.file);
  error_place_ = fmt::format("{} at offset {}", name, extent.offset);
  if (!open_.is_open() || open_id_ != extent.file) {
    co_await open_.close();
    CO_TRY(open_, co_await directory_.open_file(name, {}));
    open_id_ = extent.file;
  }
  std::vector<std::byte> bytes(extent.length);
  CO_TRY_VOID(co_await open_.read_exact(extent.offset, bytes));
  if (record_checksum(store_, extent.file, kind, extent.offset, bytes) != extent.checksum) {
    co_return core::fail(core::Errc::Corrupt, "reading a journal record: checksum differs");
  }
  co_return bytes;
}

core::Task<void> ExtentReader::close() { co_await open_.close(); }

}  // namespace penstock::txn
