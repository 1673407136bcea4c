// FileHeader: the first page of every durable file. Layout in docs/formats/files.md.
//
// Journey:  written when a file is created, checked whenever one is opened.
// Shard:    any; values.
// Promise:  a header that decodes belongs to this kind and this file number; its checksum is bound to them.
// Failure:  Errc::Corrupt (not ours, or damaged), Errc::Unsupported (a newer format, or an unknown must-understand bit).
#pragma once

#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/checksum.hpp"
#include "core/base/result.hpp"
#include "txn/journal/file_name.hpp"

namespace penstock::txn {

struct FileHeader {
  static constexpr std::size_t kBytes = core::kPage;
  static constexpr std::uint32_t kFormatVersion = 1;

  FileKind kind = FileKind::Journal;
  core::StoreUuid store{};
  FileId id;

  void encode(std::span<std::byte> page) const;  // exactly kBytes
  static core::Result<FileHeader> decode(core::Bytes page, FileKind expected_kind, FileId expected_id);
};

// What a record's checksum is bound to (docs/formats/files.md, domain tags). One number per kind of record.
enum class RecordKind : std::uint32_t {
  FileHeader = 1,
  Block = 2,
  Footer = 3,
  Commit = 4,
  Snapshot = 5,
  LabelPage = 6,
  Piece = 7
};
std::uint64_t record_checksum(const core::StoreUuid& store, FileId file, RecordKind kind,
                              std::uint64_t offset, core::Bytes bytes);

}  // namespace penstock::txn
