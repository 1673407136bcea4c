// CommitLog: the file of decisions. What a synced record says is so, and nothing else is.
//
// One write in flight; every record in pages of its own, in a file that was prewritten, so that a commit costs one
// overwrite that is durable by itself (RWF_DSYNC). The next file is prewritten before it is needed; while that cannot
// be done (a full disk) new loads are refused and records that free or end something use a reserve.
//
// Journey:  Coordinator -> [CommitLog::append] -> File; then Manifest::apply and publication.
// Shard:    shard 0.
// Promise:  append() returns a place only after the record is durable.
// Failure:  NoSpace, before anything was written, when the log has no room. A failed write of a record poisons
//           the store: append() never returns.
#pragma once

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "core/io/file.hpp"
#include "core/shard/shard.hpp"
#include "core/task/sync.hpp"
#include "txn/checkpoint/log_record.hpp"
#include "txn/journal/poison.hpp"

namespace penstock::txn {

class CommitLog {
 public:
  struct Limits {
    std::uint64_t file_bytes = 16 * core::kMiB;
    std::uint64_t reserve_bytes = 64 * core::kMiB;
    core::Duration retry = std::chrono::seconds(1);  // between tries to prewrite on a full disk
  };
  // A closed or current file of this run, and the last sequence number in it.
  struct LogFile {
    FileId id;
    std::uint64_t last_sequence = 0;
  };
  CommitLog(core::Shard& shard, core::Directory directory, Poison& poison, core::StoreUuid store,
            std::uint64_t epoch, Limits limits);

  // Makes and prewrites the first file of the run; the next record is `previous.sequence + 1`.
  core::Task<core::Result<>> open(std::optional<RecordPlace> previous, std::size_t boot_bytes);

  enum class Reserve { Keep, MayUse };
  core::Task<core::Result<RecordPlace>> append(std::vector<LogItem> items, Reserve reserve,
                                               LogRecord* written);
  // The name of the run's first file is durable; call it once, after Boot. Only then may a second file be made: a run whose
  // second file outlived the first one's name could not be told from damage.
  core::Task<void> sync_first_name();
  // Keeps disk space aside that a full disk's commits, aborts and DROPs, and one start, can use.
  core::Task<void> make_reserve();

  bool accepts_loads() const { return !starved_; }
  // A record of so many bytes goes in without a look for space on the disk.
  bool has_room(std::uint64_t bytes) const;
  // Of one record, so that a Boot record that repeats it fits into a file and can be read.
  std::uint64_t record_bytes_max() const {
    return std::min<std::uint64_t>(limits_.file_bytes, LogRecord::kBytesMax) - 3 * core::kPage;
  }
  const std::deque<LogFile>& files() const { return files_; }
  // Files whose records all lie at or before `sequence`, never the current one; taken off the list.
  std::vector<FileId> take_files_up_to(std::uint64_t sequence);
  core::Task<void> close();

 private:
  struct Prewritten {
    FileId id;
    core::File file;
    std::uint64_t bytes = 0;
  };
  core::Task<core::Result<Prewritten>> prewrite(std::uint64_t bytes);
  core::Task<bool> fill_reserve();
  core::Task<void> sync_names();
  core::Task<core::Result<>> make_spare();
  void want_spare();
  core::Task<void> keep_spare();
  core::Task<core::Result<>> next_file(Reserve reserve);

  core::Shard& shard_;
  core::Directory directory_;
  Poison& poison_;
  const core::StoreUuid store_;
  const std::uint64_t epoch_;
  const Limits limits_;

  core::Semaphore turn_{1};
  core::Semaphore spare_turn_{1};  // files are numbered in the order in which they are used
  std::uint64_t next_counter_ = 0;
  FileId current_id_;
  core::File current_;
  std::uint64_t offset_ = 0;
  std::uint64_t current_bytes_ = 0;  // of the current file
  RecordPlace last_;
  std::optional<Prewritten> spare_;
  bool keeper_running_ = false;
  bool starved_ = false;
  bool has_reserve_ = false;
  bool making_reserve_ = false;
  bool first_name_is_durable_ = false;
  bool closing_ = false;
  core::WaitList spare_changed_;
  std::deque<LogFile> files_;
};

}  // namespace penstock::txn
