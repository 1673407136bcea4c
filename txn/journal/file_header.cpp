#include "txn/journal/file_header.hpp"

#include <algorithm>
#include <cstring>

#include "core/base/check.hpp"

namespace penstock::txn {
namespace {
constexpr std::array<char, 8> kMagic = {'P', 'E', 'N', 'S', 'T', 'O', 'C', 'K'};
// magic 0, version 8, kind 12, uuid 16, file id 32, must-understand 40, may-ignore 48, checksum 56
constexpr std::size_t kChecksumAt = 56;

// What this penstock writes, and the newest it reads. Kinds change at different times: docs/formats.
constexpr std::uint32_t version_of(FileKind kind) {
  constexpr std::uint32_t kLogVersion = 3;  // 2: Time items, 3: InFlight and Piece items
  return kind == FileKind::CommitLog ? kLogVersion : FileHeader::kFormatVersion;
}
}  // namespace

std::uint64_t record_checksum(const core::StoreUuid& store, FileId file, RecordKind kind,
                              std::uint64_t offset, core::Bytes bytes) {
  return core::checksum(core::DomainTag{.store = store,
                                        .epoch = file.epoch(),
                                        .kind = static_cast<std::uint32_t>(kind),
                                        .file = file.value,
                                        .offset = offset},
                        bytes);
}

void FileHeader::encode(std::span<std::byte> page) const {
  CHECK_EQ(page.size(), kBytes);
  std::fill(page.begin(), page.end(), std::byte{0});
  std::memcpy(page.data(), kMagic.data(), kMagic.size());
  const std::uint32_t version = version_of(kind);
  std::memcpy(page.data() + 8, &version, 4);
  std::memcpy(page.data() + 12, &kind, 4);
  std::memcpy(page.data() + 16, store.data(), 16);
  std::memcpy(page.data() + 32, &id.value, 8);
  const std::uint64_t sum = record_checksum(store, id, RecordKind::FileHeader, 0, page.first(kChecksumAt));
  std::memcpy(page.data() + kChecksumAt, &sum, 8);
}

core::Result<FileHeader> FileHeader::decode(core::Bytes page, FileKind expected_kind, FileId expected_id) {
  if (page.size() < kChecksumAt + 8 || std::memcmp(page.data(), kMagic.data(), kMagic.size()) != 0) {
    return core::fail(core::Errc::Corrupt, "file header: no penstock magic");
  }
  FileHeader header;
  std::uint32_t version = 0;
  std::uint64_t must_understand = 0;
  std::uint64_t sum = 0;
  std::memcpy(&version, page.data() + 8, 4);
  std::memcpy(&header.kind, page.data() + 12, 4);
  std::memcpy(header.store.data(), page.data() + 16, 16);
  std::memcpy(&header.id.value, page.data() + 32, 8);
  std::memcpy(&must_understand, page.data() + 40, 8);
  std::memcpy(&sum, page.data() + kChecksumAt, 8);
  if (sum != record_checksum(header.store, header.id, RecordKind::FileHeader, 0, page.first(kChecksumAt))) {
    return core::fail(core::Errc::Corrupt, "file header: checksum differs");
  }
  if (header.kind != expected_kind || header.id != expected_id) {
    return core::fail(core::Errc::Corrupt, "file header: it belongs to another file");
  }
  if (version > version_of(expected_kind))
    return core::fail(core::Errc::Unsupported, "file header: a newer format version");
  if (must_understand != 0) return core::fail(core::Errc::Unsupported, "file header: an unknown feature bit");
  return header;
}

}  // namespace penstock::txn
