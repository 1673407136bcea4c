// JournalWriter: a shard's blocks and footers, appended once, written with O_DIRECT while loads still arrive.
//
// Records are copied into page-aligned buffers of the shard's arena; a full buffer is written at once, consecutive records
// in one write. sync() writes what is left and syncs every file touched since the sync before, and their names; where all
// that is left is one small piece, it is written durably and nothing else is synced. While syncs are small, zeros are
// written ahead of the records, so that such a write finds space it overwrites. No record's page is written twice: after a
// sync the next record begins on a new page. A full file is sealed: it is synced with the next sync, then cut to
// its last page.
//
// Journey:  Load::flush_block, Precommitter -> [JournalWriter] -> File; then Precommitter votes.
// Shard:    one per shard and lane.
// Promise:  an Extent returned by append() is durable once a later sync() has returned and its file is not broken().
// Failure:  append(): NoSpace or Io when a new file cannot be made: the load fails, later ones may work. A failed write
//           breaks its file: loads that touched it fail (broken()), the next record goes to a new file. A failed
//           fdatasync, or a durable write that fails for anything but space, poisons the store: sync() never returns.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/checksum.hpp"
#include "core/io/file.hpp"
#include "core/memory/page_arena.hpp"
#include "core/shard/shard.hpp"
#include "core/task/sync.hpp"
#include "txn/journal/extent.hpp"
#include "txn/journal/file_header.hpp"
#include "txn/journal/lane.hpp"
#include "txn/journal/poison.hpp"

namespace penstock::txn {

class JournalWriter {
 public:
  struct Limits {
    std::uint64_t file_bytes = 256 * core::kMiB;
    std::uint64_t file_bytes_min =
        4 * core::kMiB;  // what is tried when the disk has no room for a whole file
    std::uint64_t small_sync_bytes = 256 * core::kKiB;  // up to this a sync is one durable write
    std::uint64_t prewrite_bytes =
        core::kMiB;  // zeros are written ahead in such steps while syncs are small; 0: never
  };
  struct Place {
    core::StoreUuid store;
    std::uint64_t epoch;
    Lane lane = Lane::Bulk;
  };
  // Write buffers that a shard's writers share: at least one each.
  struct Buffers {
    core::PageArena& arena;
    core::WaitList released;
  };
  // All references must outlive the writer.
  JournalWriter(core::Shard& shard, core::Directory directory, Buffers& buffers, Poison& poison, Place place,
                Limits limits);
  ~JournalWriter();

  // The extent's file stays pinned (never reported as sealed) until unpin(): somebody may still come to refer to it.
  core::Task<core::Result<Extent>> append(core::Bytes record, RecordKind kind);
  void unpin(FileId file);
  // Everything appended before is durable, or its file is broken.
  core::Task<void> sync();
  // What the next sync() will write, if that is all that is not durable, one piece into space that zeros were written to: the
  // write needs no room and no name, it fails by an error of the disk alone. Nothing otherwise.
  std::optional<Extent> piece_in_place() const;
  bool is_broken(FileId file) const;
  std::size_t pinned_files() const { return pins_.size(); }

  // Files that will never be written again and that no open load refers to; forget() what the reclaimer takes.
  std::vector<FileId> sealed_files() const;
  void forget(FileId file) { std::erase(sealed_, file); }
  // Syncs, seals and closes what is open. For an orderly end.
  core::Task<void> close();

  struct Stats {
    std::uint64_t bytes_written = 0;
    std::uint64_t writes = 0;
    std::uint64_t durable_writes = 0;    // of `writes`: syncs that needed no fdatasync
    std::uint64_t bytes_prewritten = 0;  // zeros, not in bytes_written
    std::uint64_t syncs = 0;
    std::uint64_t files_made = 0;
  };
  const Stats& stats() const { return stats_; }
  // Called when a full file was sealed, or the next one finds no room on the disk: a good time to look for dead ones.
  void on_file_full(std::function<void()> hook) { on_file_full_ = std::move(hook); }

 private:
  struct OpenFile {
    FileId id;
    core::File file;
    std::uint64_t capacity = 0;  // bytes reserved
    std::uint64_t end = 0;       // where the next record goes
    // Writes are numbered: a sync waits for those submitted before it, never for those that keep coming behind it.
    std::uint64_t writes_submitted = 0;
    std::uint64_t writes_synced = 0;
    std::vector<std::uint64_t> writes_in_flight;
    // Zeros that are being written. They begin behind all that was appended, and a record that has come to a place among them
    // since is written when they have ended: zeros never land on a record.
    std::uint64_t zeros_from = 0;
    std::uint64_t zeros_to = 0;
    std::uint64_t prewritten_from = 0;  // zeros were written and synced from here
    std::uint64_t prewritten_to = 0;    // to here
    bool is_prewriting = false;
    bool may_prewrite = true;  // until it fails
    bool sealed = false;
    bool broken = false;
    core::WaitList write_done;
  };
  struct WriteBuffer {
    std::span<std::byte> memory;
    std::uint64_t file_offset = 0;  // of memory[0]
    std::size_t filled = 0;
    std::size_t submitted = 0;  // written out up to here
    std::size_t writes_in_flight = 0;
    bool closed = false;  // nothing more will be put in
  };

  core::Task<core::Result<>> open_next_file(std::uint64_t bytes_needed);
  core::Task<core::Result<core::File>> make_file(const std::string& name);
  core::Task<bool> open_old_file();  // a planted bug
  core::Task<void> acquire_buffer();
  void submit_filled(core::File::Durable durable = core::File::Durable::No);
  bool small_piece_is_left() const;
  core::Task<void> write_out(std::shared_ptr<OpenFile> file, std::shared_ptr<WriteBuffer> buffer,
                             std::size_t from, std::size_t to, std::uint64_t number,
                             core::File::Durable durable);
  void prewrite_if_wanted();
  core::Task<void> prewrite(std::shared_ptr<OpenFile> file);
  core::Task<void> wait_written(OpenFile& file, std::uint64_t number);
  core::Task<core::Result<>> put(core::Bytes bytes);
  void release_if_done(WriteBuffer& buffer);

  core::Shard& shard_;
  core::Directory directory_;
  Buffers& buffers_;
  Poison& poison_;
  const Place place_;
  const Limits limits_;

  core::Semaphore append_turn_{1};
  core::Semaphore sync_turn_{1};
  std::shared_ptr<OpenFile> current_;
  std::shared_ptr<WriteBuffer> buffer_;
  std::deque<std::shared_ptr<OpenFile>> unsynced_sealed_;
  bool names_dirty_ = false;
  std::uint64_t next_counter_;
  std::uint64_t bytes_since_sync_ = 0;
  unsigned small_syncs_ = 0;  // one behind the other, up to now
  std::vector<FileId> sealed_;
  std::vector<FileId> broken_;
  std::unordered_map<FileId, std::size_t> pins_;
  Stats stats_;
  std::function<void()> on_file_full_;
};

}  // namespace penstock::txn
