// ExtentReader: reads blocks and footers back, verified.
//
// Journey:  scan and recovery -> [ExtentReader] -> File.
// Shard:    one per scan or recovery, on its shard.
// Promise:  bytes returned verify against the extent's checksum, which is bound to the file and the offset. close() must
//           have been awaited before destruction.
// Failure:  Errc::Corrupt (checksum or length), NotFound, Io; last_error_place() names the file and offset.
#pragma once

#include <string>
#include <vector>

#include "core/io/file.hpp"
#include "txn/journal/extent.hpp"
#include "txn/journal/file_header.hpp"

namespace penstock::txn {

class ExtentReader {
 public:
  ExtentReader(core::Directory directory, core::StoreUuid store) : directory_(directory), store_(store) {}

  core::Task<core::Result<std::vector<std::byte>>> read(Extent extent, RecordKind kind);
  core::Task<void> close();
  const std::string& last_error_place() const { return error_place_; }  // "journal-… at offset 8192"

 private:
  core::Directory directory_;
  const core::StoreUuid store_;
  FileId open_id_;
  core::File open_;  // the file of the last extent: neighbours usually follow
  std::string error_place_;
};

}  // namespace penstock::txn
