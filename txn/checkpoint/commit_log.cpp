#include "txn/checkpoint/commit_log.hpp"

#include <algorithm>
#include <memory>

#include "core/base/log.hpp"
#include "core/base/planted.hpp"
#include "core/memory/aligned_bytes.hpp"

namespace penstock::txn {

using core::Planted;
using core::planted;

namespace {

constexpr const char* kReserveName = "reserve";

}  // namespace

CommitLog::CommitLog(core::Shard& shard, core::Directory directory, Poison& poison, core::StoreUuid store,
                     std::uint64_t epoch, Limits limits)
    : shard_(shard), directory_(directory), poison_(poison), store_(store), epoch_(epoch), limits_(limits) {
  CHECK_EQ(limits_.file_bytes % core::kPage, 0u);
}

// A new file: header, zeros to its end, synced; so that a record later overwrites and never extends.
core::Task<core::Result<CommitLog::Prewritten>> CommitLog::prewrite(std::uint64_t bytes) {
  // The number counts only once the file is there: a gap, or a first file that is not number 0, would look like damage.
  const FileId id = FileId::make(epoch_, 0, next_counter_);
  const std::string name = format_file_name(FileKind::CommitLog, id);
  CO_TRY(core::File file,
         co_await directory_.open_file(name, {.write = true, .create_exclusive = true, .direct = true}));
  auto prepared = co_await file.allocate(0, bytes);
  if (!prepared && prepared.error().code == core::Errc::Unsupported) prepared = 0;
  if (prepared) {
    const std::size_t chunk = std::min<std::uint64_t>(bytes, core::kMiB);
    const core::AlignedBytes zeros(chunk);
    for (std::uint64_t at = 0; at < bytes && prepared; at += chunk) {
      const auto piece = zeros.span().first(std::min<std::uint64_t>(chunk, bytes - at));
      const auto written =
          co_await file.write_all(at, piece, core::File::Durable::No, core::File::MayBlock::Yes);
      if (!written) prepared = std::unexpected(written.error());
    }
  }
  if (prepared) {
    const core::AlignedBytes page(FileHeader::kBytes);
    FileHeader{.kind = FileKind::CommitLog, .store = store_, .id = id}.encode(page.span());
    const auto written =
        co_await file.write_all(0, page.span(), core::File::Durable::No, core::File::MayBlock::Yes);
    if (!written) prepared = std::unexpected(written.error());
  }
  if (!prepared) {
    const core::Error error = prepared.error();
    co_await file.close();
    const auto unlinked = co_await directory_.unlink(name);
    if (!unlinked && next_counter_ > 0) ++next_counter_;  // the name is taken
    co_return core::fail(error.code, "prewriting a commit log file", error.os_error);
  }
  if (!planted(Planted::SkipLogPrewriteSync)) {
    if (auto synced = co_await file.sync(); !synced && !planted(Planted::SkipPoison)) {
      co_await poison_.end("fdatasync of a new commit log file", synced.error());
    }
  }
  ++next_counter_;
  co_return Prewritten{id, std::move(file), bytes};
}

core::Task<void> CommitLog::sync_first_name() {
  if (!planted(Planted::SkipBootDirSync)) co_await sync_names();
  first_name_is_durable_ = true;
  want_spare();
}

core::Task<void> CommitLog::sync_names() {
  if (auto synced = co_await directory_.sync(); !synced && !planted(Planted::SkipPoison)) {
    co_await poison_.end("syncing the names of commit log files", synced.error());
  }
}

core::Task<core::Result<>> CommitLog::open(std::optional<RecordPlace> previous, std::size_t boot_bytes) {
  if (previous) last_ = *previous;
  // Boot repeats a record that was written under other limits, perhaps: the first file holds it whatever they are now.
  const std::uint64_t bytes =
      std::max(limits_.file_bytes, core::round_up(boot_bytes, core::kPage) + FileHeader::kBytes);
  auto first = co_await prewrite(bytes);
  if (!first && first.error().code == core::Errc::NoSpace) {
    core::log_warn("disk_full_at_start", "doing", "releasing the reserve to start all the same");
    (void)co_await directory_.unlink(kReserveName);
    first = co_await prewrite(bytes);
  }
  if (!first) co_return std::unexpected(first.error());
  current_id_ = first->id;
  current_ = std::move(first->file);
  current_bytes_ = first->bytes;
  offset_ = FileHeader::kBytes;
  files_.push_back(LogFile{current_id_, last_.sequence});
  co_return core::Result<>{};
}

core::Task<void> CommitLog::make_reserve() {
  if (has_reserve_ || making_reserve_ || closing_ || limits_.reserve_bytes == 0) co_return;
  making_reserve_ = true;
  has_reserve_ = co_await fill_reserve();
  making_reserve_ = false;
}

core::Task<bool> CommitLog::fill_reserve() {
  auto file = co_await directory_.open_file(kReserveName, {.write = true, .create_exclusive = true});
  if (!file &&
      file.error().code == core::Errc::AlreadyExists) {  // of an earlier run, which may not have filled it
    file = co_await directory_.open_file(kReserveName, {.write = true});
  }
  if (!file) co_return false;
  const auto reserved = co_await file->allocate(0, limits_.reserve_bytes);
  co_await file->close();
  if (reserved || reserved.error().code == core::Errc::Unsupported) co_return true;
  (void)co_await directory_.unlink(kReserveName);
  co_return false;
}

// One at a time, so that a file with a lower number is never used behind one with a higher.
core::Task<core::Result<>> CommitLog::make_spare() {
  co_await spare_turn_.acquire();
  core::Result<> result{};
  if (!spare_) {
    auto made = co_await prewrite(limits_.file_bytes);
    if (made) {
      if (!planted(Planted::SkipLogDirSync)) co_await sync_names();
      spare_.emplace(std::move(*made));
    } else {
      result = std::unexpected(made.error());
    }
  }
  spare_turn_.release();
  co_return result;
}

// The next file is made when half of this one is used: long before it is needed.
void CommitLog::want_spare() {
  if (spare_ || keeper_running_ || !first_name_is_durable_ || offset_ <= current_bytes_ / 2) return;
  shard_.spawn(keep_spare());
}

// Prewrites the next file; on a full disk keeps trying, with loads refused meanwhile.
core::Task<void> CommitLog::keep_spare() {
  keeper_running_ = true;
  while (!closing_) {
    const auto made = co_await make_spare();
    if (made) {
      if (starved_) core::log_info("commit_log_has_room", "loads", "accepted again");
      starved_ = false;
      break;
    }
    if (!starved_) {
      core::log_error("commit_log_has_no_room", "error", made.error().to_string(), "effect",
                      "new loads get Fail until there is room on the disk");
    }
    starved_ = true;
    spare_changed_.notify_all();
    if (closing_) break;
    (void)co_await shard_.sleep_for(limits_.retry);
  }
  keeper_running_ = false;
  spare_changed_.notify_all();  // whoever finds the spare gone again asks for a new keeper
  co_await make_reserve();
}

core::Task<core::Result<>> CommitLog::next_file(Reserve reserve) {
  bool released = false;
  while (!spare_) {
    if (!keeper_running_) {
      shard_.spawn(keep_spare());
      continue;
    }
    if (starved_) {
      if (reserve == Reserve::Keep || released) {
        co_return core::fail(core::Errc::NoSpace, "the commit log has no room");
      }
      released = true;
      if (has_reserve_) {
        (void)co_await directory_.unlink(kReserveName);
        has_reserve_ = false;
        core::log_warn("reserve_used", "why",
                       "the disk is full and a commit, abort or DROP must be recorded");
        (void)co_await make_spare();
      }
      continue;
    }
    co_await spare_changed_.wait();
  }
  co_await current_.close();
  current_id_ = spare_->id;
  current_ = std::move(spare_->file);
  current_bytes_ = spare_->bytes;
  spare_.reset();
  offset_ = FileHeader::kBytes;
  files_.push_back(LogFile{current_id_, last_.sequence});
  co_return core::Result<>{};
}

core::Task<core::Result<RecordPlace>> CommitLog::append(std::vector<LogItem> items, Reserve reserve,
                                                        LogRecord* written) {
  co_await turn_.acquire();
  LogRecord record{
      .sequence = last_.sequence + 1, .previous_checksum = last_.checksum, .items = std::move(items)};
  RecordPlace place{.file = current_id_, .offset = offset_, .sequence = record.sequence, .checksum = 0};
  std::vector<std::byte> bytes = record.encode(store_, place.file, place.offset, place.checksum);
  const bool is_boot = offset_ == FileHeader::kBytes && !first_name_is_durable_;
  if (!is_boot && bytes.size() > record_bytes_max()) {
    turn_.release();
    co_return core::fail(core::Errc::TooLarge, "a commit record that a commit log file cannot hold");
  }
  const bool leaves_room = spare_ && offset_ > FileHeader::kBytes &&  // no file without a record
                           shard_.perhaps(core::Perhaps::LogFileIsFull);
  if (offset_ + bytes.size() > current_bytes_ || leaves_room) {
    if (auto moved = co_await next_file(reserve); !moved) {
      turn_.release();
      co_return std::unexpected(moved.error());
    }
    place.file = current_id_;
    place.offset = offset_;
    bytes = record.encode(store_, place.file, place.offset, place.checksum);
  }
  const core::AlignedBytes aligned(bytes.size());
  std::copy(bytes.begin(), bytes.end(), aligned.span().begin());
  const bool is_synced = !planted(Planted::SkipLogSync) && !(is_boot && planted(Planted::SkipBootSync));
  const auto wrote = co_await current_.write_all(
      place.offset, aligned.span(), is_synced ? core::File::Durable::Yes : core::File::Durable::No);
  core::Result<> broken{};
  if (!wrote && planted(Planted::FailAfterRecord) && !is_boot) {
    broken = wrote;
  } else if (!wrote && !planted(Planted::SkipPoisonWrite) && !planted(Planted::SkipPoison)) {
    co_await poison_.end("writing a commit record durably", wrote.error());
  }
  offset_ += bytes.size();
  last_ = place;
  files_.back().last_sequence = place.sequence;
  if (!broken) {
    turn_.release();
    co_return std::unexpected(broken.error());
  }
  if (written != nullptr) *written = std::move(record);
  want_spare();
  turn_.release();
  co_return place;
}

bool CommitLog::has_room(std::uint64_t bytes) const {
  return spare_.has_value() || offset_ + core::round_up(bytes, core::kPage) <= current_bytes_;
}

std::vector<FileId> CommitLog::take_files_up_to(std::uint64_t sequence) {
  std::vector<FileId> done;
  while (files_.size() > 1 && files_.front().last_sequence <= sequence) {
    done.push_back(files_.front().id);
    files_.pop_front();
  }
  return done;
}

core::Task<void> CommitLog::close() {
  closing_ = true;
  co_await turn_.acquire();
  while (keeper_running_ || making_reserve_) (void)co_await shard_.sleep_for(std::chrono::milliseconds(1));
  co_await current_.close();
  if (spare_) co_await spare_->file.close();
  turn_.release();
}

}  // namespace penstock::txn
