// ExtentReader: reads blocks and footers back, verified.
//
// A short scan leaves what it read in the page cache for the next one. One that reads more than kCacheKept leaves nothing behind,
// file by file: tables larger than that are read once, and gigabytes of cache that are given back all at once when their
// files are unlinked are dear where a hypervisor takes free memory back (docs/adr/0017-the-shard-never-waits-for-the-file-system.md).
//
// Journey:  scan and recovery -> [ExtentReader] -> File.
// Shard:    one per scan or recovery, on its shard.
// Promise:  bytes returned verify against the extent's checksum, which is bound to the file and the offset. close() must
//           have been awaited before destruction.
// Failure:  Errc::Corrupt (checksum or length), NotFound, Io; last_error_place() names the file and offset.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/io/file.hpp"
#include "txn/journal/extent.hpp"
#include "txn/journal/file_header.hpp"

namespace penstock::txn {

class ExtentReader {
 public:
  static constexpr std::uint64_t kCacheKept = 64 * core::kMiB;
  ExtentReader(core::Directory directory, core::StoreUuid store, std::uint64_t cache_kept = kCacheKept)
      : directory_(directory), store_(store), cache_kept_(cache_kept) {}

  core::Task<core::Result<std::vector<std::byte>>> read(Extent extent, RecordKind kind);
  // What lies in one of these is taken from it, not from the file. They outlive the reader.
  void read_from(std::span<const JournalPiece> pieces) { pieces_ = pieces; }
  core::Task<void> close();
  const std::string& last_error_place() const { return error_place_; }  // "journal-… at offset 8192"

 private:
  core::Task<core::Result<>> open_file(FileId id);
  core::Task<void> leave_file();
  const JournalPiece* piece_of(const Extent& extent) const;

  core::Directory directory_;
  const core::StoreUuid store_;
  const std::uint64_t cache_kept_;
  FileId open_id_;
  core::File open_;  // the file of the last extent: neighbours usually follow
  std::uint64_t bytes_read_ = 0;
  std::span<const JournalPiece> pieces_;
  std::string error_place_;
};

}  // namespace penstock::txn
