#include "txn/journal/journal_writer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "core/base/log.hpp"
#include "core/base/planted.hpp"

namespace penstock::txn {

using core::Planted;
using core::planted;

namespace {
constexpr int kOpenTurns = 6;
constexpr core::Duration kOpenPause = std::chrono::milliseconds(20);
constexpr unsigned kSmallSyncs = 2;  // so many in a row, and zeros are written ahead

// Nobody writes to it, so it takes no memory: all of its pages are the system's one page of zeros.
alignas(core::kPage) constinit std::array<std::byte, 256 * core::kKiB> zeros{};
}  // namespace

JournalWriter::JournalWriter(core::Shard& shard, core::Directory directory, Buffers& buffers, Poison& poison,
                             Place place, Limits limits)
    : shard_(shard),
      directory_(directory),
      buffers_(buffers),
      poison_(poison),
      place_(place),
      limits_(limits),
      next_counter_(index_of(place.lane)) {}

JournalWriter::~JournalWriter() = default;

bool JournalWriter::is_broken(FileId file) const {
  return std::find(broken_.begin(), broken_.end(), file) != broken_.end();
}

core::Task<core::Result<Extent>> JournalWriter::append(core::Bytes record, RecordKind kind) {
  co_await append_turn_.acquire();
  const auto needed = record.size();
  if (current_ == nullptr || current_->broken || current_->end + needed + 8 > current_->capacity ||
      shard_.perhaps(core::Perhaps::JournalFileIsFull)) {
    if (auto opened = co_await open_next_file(needed); !opened) {
      append_turn_.release();
      co_return std::unexpected(opened.error());
    }
  }
  const std::shared_ptr<OpenFile> file = current_;
  ++pins_[file->id];
  static constexpr std::array<std::byte, 8> kZeros{};
  if (const std::size_t odd = file->end % kZeros.size();
      odd != 0) {  // records begin on 8 bytes: readers map them as they lie
    const std::size_t padding = kZeros.size() - odd;
    file->end += padding;
    (void)co_await put(core::Bytes(kZeros).first(padding));
  }
  Extent extent{
      .file = file->id, .offset = file->end, .length = static_cast<std::uint32_t>(needed), .checksum = 0};
  extent.checksum = record_checksum(place_.store, file->id, kind, extent.offset, record);
  file->end += needed;
  const auto put_in = co_await put(record);
  if (put_in && shard_.perhaps(core::Perhaps::JournalWritesEarly)) submit_filled();
  append_turn_.release();
  CO_TRY_VOID(put_in);
  co_return extent;
}

void JournalWriter::unpin(FileId file) {
  const auto found = pins_.find(file);
  CHECK(found != pins_.end());
  if (--found->second == 0) pins_.erase(found);
}

std::vector<FileId> JournalWriter::sealed_files() const {
  std::vector<FileId> files;
  for (const FileId file : sealed_) {
    if (!pins_.contains(file) || planted(Planted::UnlinkPinnedFiles)) files.push_back(file);
  }
  return files;
}

// Copies bytes into write buffers; a full one is written out at once.
core::Task<core::Result<>> JournalWriter::put(core::Bytes bytes) {
  while (!bytes.empty()) {
    if (buffer_ == nullptr) {
      const std::uint64_t at = current_->end - bytes.size();
      CHECK_EQ(at % core::kPage, 0u);
      co_await acquire_buffer();
      buffer_->file_offset = at;
    }
    const std::size_t take = std::min(bytes.size(), buffer_->memory.size() - buffer_->filled);
    std::memcpy(buffer_->memory.data() + buffer_->filled, bytes.data(), take);
    buffer_->filled += take;
    bytes = bytes.subspan(take);
    if (buffer_->filled == buffer_->memory.size()) submit_filled();
  }
  co_return core::Result<>{};
}

core::Task<void> JournalWriter::acquire_buffer() {
  for (;;) {
    const std::span<std::byte> memory = buffers_.arena.acquire();
    if (!memory.empty()) {
      buffer_ = std::make_shared<WriteBuffer>();
      buffer_->memory = memory;
      co_return;
    }
    co_await buffers_.released.wait();
  }
}

// Pads what is filled to a page and writes it. The buffer goes on behind it if there is room, so that nothing is copied
// and no page is written twice.
void JournalWriter::submit_filled(core::File::Durable durable) {
  if (buffer_ == nullptr || buffer_->filled == buffer_->submitted) return;
  const std::size_t padded = core::round_up(buffer_->filled, core::kPage);
  std::memset(buffer_->memory.data() + buffer_->filled, 0, padded - buffer_->filled);
  const std::size_t from = std::exchange(buffer_->submitted, padded);
  const std::size_t padding = padded - buffer_->filled;
  buffer_->filled = padded;
  current_->end += padding;
  const std::shared_ptr<WriteBuffer> buffer = buffer_;
  if (padded == buffer->memory.size()) {
    buffer->closed = true;
    buffer_ = nullptr;
  }
  ++buffer->writes_in_flight;
  bytes_since_sync_ += padded - from;
  const std::uint64_t number = ++current_->writes_submitted;
  current_->writes_in_flight.push_back(number);
  shard_.spawn(write_out(current_, buffer, from, padded, number, durable));
}

core::Task<void> JournalWriter::write_out(std::shared_ptr<OpenFile> file, std::shared_ptr<WriteBuffer> buffer,
                                          std::size_t from, std::size_t to, std::uint64_t number,
                                          core::File::Durable durable) {
  const std::uint64_t at = buffer->file_offset + from;
  while (at < file->zeros_to && at + (to - from) > file->zeros_from && !planted(Planted::OvertakeZeros)) {
    co_await file->write_done.wait();
  }
  const bool is_sync = durable == core::File::Durable::Yes;
  const auto may_block = is_sync ? core::File::MayBlock::No : core::File::MayBlock::Yes;
  const auto written =
      co_await file->file.write_all(at, buffer->memory.subspan(from, to - from), durable, may_block);
  if (!written && is_sync && written.error().code != core::Errc::NoSpace && !planted(Planted::SkipPoison)) {
    co_await poison_.end("a durable write of a journal file", written.error());
  }
  if (written) {
    stats_.bytes_written += to - from;
    ++stats_.writes;
    if (is_sync) ++stats_.durable_writes;
  } else if (!file->broken && !(is_sync && planted(Planted::SkipPoison))) {
    file->broken = true;
    broken_.push_back(file->id);
    core::log_error("journal_write_failed", "file", format_file_name(FileKind::Journal, file->id), "error",
                    written.error().to_string());
  }
  --buffer->writes_in_flight;
  release_if_done(*buffer);
  std::erase(file->writes_in_flight, number);
  file->write_done.notify_all();
}

// Zeros ahead of the records while syncs are small: half a step before they are used up.
void JournalWriter::prewrite_if_wanted() {
  if (small_syncs_ < kSmallSyncs || bytes_since_sync_ > limits_.small_sync_bytes) return;
  if (limits_.prewrite_bytes == 0 || current_ == nullptr) return;
  OpenFile& file = *current_;
  if (file.is_prewriting || !file.may_prewrite || file.broken) return;
  if (file.prewritten_to > file.end + limits_.prewrite_bytes / 2) return;
  file.is_prewriting = true;
  shard_.spawn(prewrite(current_));
}

core::Task<void> JournalWriter::prewrite(std::shared_ptr<OpenFile> file) {
  // Not at once behind the last record: the next ones need not wait for it.
  const std::uint64_t from =
      std::max(file->prewritten_to, core::round_up(file->end, core::kPage) +
                                        core::round_up(limits_.small_sync_bytes, core::kPage));
  const std::uint64_t to = std::min(from + core::round_up(limits_.prewrite_bytes, core::kPage),
                                    file->capacity / core::kPage * core::kPage);
  core::Result<> written{};
  if (from < to && !file->sealed) {
    file->zeros_from = from;
    file->zeros_to = to;
    for (std::uint64_t at = from; at < to && written; at += zeros.size()) {
      written = co_await file->file.write_all(at, core::Bytes(zeros).first(std::min(zeros.size(), to - at)),
                                              core::File::Durable::No, core::File::MayBlock::Yes);
    }
    file->zeros_from = file->zeros_to = 0;
    file->write_done.notify_all();
  }
  if (from >= to || !written || file->sealed) {
    file->may_prewrite = false;  // the end of the file, or a full disk: of that, records find out themselves
  } else {
    // With the zeros the disk's own notes of them: a durable write has nothing else to bring along then.
    ++stats_.syncs;
    if (auto synced = co_await file->file.sync(); !synced && !planted(Planted::SkipPoison)) {
      co_await poison_.end("fdatasync of a journal file", synced.error());
    }
    if (from != file->prewritten_to) file->prewritten_from = from;
    file->prewritten_to = to;
    stats_.bytes_prewritten += to - from;
  }
  file->is_prewriting = false;
  file->write_done.notify_all();
}

// Returns when every write up to `number` has completed, well or badly.
core::Task<void> JournalWriter::wait_written(OpenFile& file, std::uint64_t number) {
  const auto is_early = [number](std::uint64_t each) { return each <= number; };
  while (std::any_of(file.writes_in_flight.begin(), file.writes_in_flight.end(), is_early)) {
    co_await file.write_done.wait();
  }
}

void JournalWriter::release_if_done(WriteBuffer& buffer) {
  if (!buffer.closed || buffer.writes_in_flight > 0) return;
  buffers_.arena.release(buffer.memory);
  buffers_.released.notify_all();
}

// A crowd of connections may have the last descriptors until those that are too many are closed again, soon.
core::Task<core::Result<core::File>> JournalWriter::make_file(const std::string& name) {
  for (int turn = 1;; ++turn) {
    auto file =
        co_await directory_.open_file(name, {.write = true, .create_exclusive = true, .direct = true});
    const bool lacks_files = !file && (file.error().os_error == EMFILE || file.error().os_error == ENFILE);
    if (!lacks_files || turn == kOpenTurns) co_return std::move(file);
    (void)co_await shard_.sleep_for(kOpenPause);
  }
}

core::Task<core::Result<>> JournalWriter::open_next_file(std::uint64_t bytes_needed) {
  if (current_ != nullptr) {
    submit_filled();
    if (buffer_ != nullptr) {
      buffer_->closed = true;
      release_if_done(*buffer_);
      buffer_ = nullptr;
    }
    current_->sealed = true;
    unsynced_sealed_.push_back(std::exchange(current_, nullptr));
    // Loads that all fail never ask for a sync: their full files must be closed all the same, to be reclaimed.
    if (unsynced_sealed_.size() > 1) shard_.spawn(sync());
  }
  if (planted(Planted::AppendToOldFile) && stats_.files_made == 0 && co_await open_old_file()) {
    co_return core::Result<>{};
  }
  const FileId id = FileId::make(place_.epoch, shard_.id().value, next_counter_);
  const std::string name = format_file_name(FileKind::Journal, id);
  CO_TRY(core::File file, co_await make_file(name));
  names_dirty_ = true;
  ++stats_.files_made;

  const std::uint64_t needed = core::round_up(bytes_needed + 8, core::kPage) + FileHeader::kBytes;
  std::uint64_t capacity = std::max(limits_.file_bytes, needed);
  auto reserved = co_await file.allocate(0, capacity);
  while (!reserved && reserved.error().code == core::Errc::NoSpace &&
         capacity > std::max(limits_.file_bytes_min, needed)) {
    capacity = std::max({capacity / 4, limits_.file_bytes_min, needed});
    reserved = co_await file.allocate(0, capacity);
  }
  if (!reserved && reserved.error().code != core::Errc::Unsupported) {
    const core::Error error = reserved.error();
    co_await file.close();
    if (!co_await directory_.unlink(name)) next_counter_ += kLanes;  // the name is taken
    if (on_file_full_) on_file_full_();
    co_return core::fail(error.code, "reserving space for a journal file", error.os_error);
  }
  next_counter_ += kLanes;
  auto opened = std::make_shared<OpenFile>();
  opened->id = id;
  opened->file = std::move(file);
  opened->capacity = capacity;
  current_ = opened;
  co_await acquire_buffer();
  buffer_->file_offset = 0;
  FileHeader{.kind = FileKind::Journal, .store = place_.store, .id = id}.encode(
      buffer_->memory.first(FileHeader::kBytes));
  buffer_->filled = FileHeader::kBytes;
  current_->end = FileHeader::kBytes;
  prewrite_if_wanted();
  co_return core::Result<>{};
}

#ifdef PENSTOCK_PLANTED_BUGS
// AppendToOldFile: the newest file of this shard's earlier runs, behind what is in it.
core::Task<bool> JournalWriter::open_old_file() {
  const auto names = co_await directory_.list();
  std::optional<FileId> newest;
  for (const std::string& name : names ? *names : std::vector<std::string>()) {
    const auto file = parse_file_name(name);
    if (!file || file->kind != FileKind::Journal || file->id.shard() != shard_.id().value) continue;
    if (lane_of(file->id) != place_.lane) continue;
    if (file->id.epoch() < place_.epoch && (!newest || *newest < file->id)) newest = file->id;
  }
  if (!newest) co_return false;
  auto file = co_await directory_.open_file(format_file_name(FileKind::Journal, *newest),
                                            {.write = true, .direct = true});
  const auto size = file ? co_await file->size() : core::Result<std::uint64_t>(std::unexpected(file.error()));
  if (!size || *size % core::kPage != 0) {
    if (file) co_await file->close();
    co_return false;
  }
  ++stats_.files_made;
  current_ = std::make_shared<OpenFile>();
  current_->id = *newest;
  current_->file = std::move(*file);
  current_->end = *size;
  current_->capacity = *size + limits_.file_bytes;
  co_return true;
}
#endif

// Whether everything of the open file is synced but one piece of a buffer, and that is small. (append_turn_ is held.)
bool JournalWriter::small_piece_is_left() const {
  if (current_ == nullptr || current_->broken || buffer_ == nullptr || planted(Planted::SkipJournalSync))
    return false;
  const std::size_t piece = core::round_up(buffer_->filled, core::kPage) - buffer_->submitted;
  return buffer_->filled > buffer_->submitted && piece <= limits_.small_sync_bytes &&
         current_->writes_synced == current_->writes_submitted;
}

std::optional<Extent> JournalWriter::piece_in_place() const {
  if (append_turn_.free() == 0 || sync_turn_.free() == 0) return std::nullopt;
  if (names_dirty_ || !unsynced_sealed_.empty() || !small_piece_is_left()) return std::nullopt;
  const std::uint64_t from = buffer_->file_offset + buffer_->submitted;
  const std::size_t length = buffer_->filled - buffer_->submitted;
  if (from < current_->prewritten_from ||
      from + core::round_up(length, core::kPage) > current_->prewritten_to) {
    return std::nullopt;
  }
  Extent piece{
      .file = current_->id, .offset = from, .length = static_cast<std::uint32_t>(length), .checksum = 0};
  piece.checksum = record_checksum(place_.store, piece.file, RecordKind::Piece, from,
                                   buffer_->memory.subspan(buffer_->submitted, length));
  return piece;
}

core::Task<void> JournalWriter::sync() {
  co_await sync_turn_.acquire();
  co_await append_turn_.acquire();  // no record is half in a buffer
  const bool is_small = small_piece_is_left();
  submit_filled(is_small ? core::File::Durable::Yes : core::File::Durable::No);
  if (const std::uint64_t covered = std::exchange(bytes_since_sync_, 0); covered > 0) {
    small_syncs_ = covered <= limits_.small_sync_bytes ? std::min(small_syncs_ + 1, kSmallSyncs) : 0;
  }
  prewrite_if_wanted();
  const std::shared_ptr<OpenFile> open = current_;
  const std::uint64_t durable_write = is_small ? open->writes_submitted : 0;
  append_turn_.release();

  std::deque<std::shared_ptr<OpenFile>> sealed = std::exchange(unsynced_sealed_, {});
  std::vector<std::shared_ptr<OpenFile>> files(sealed.begin(), sealed.end());
  if (open != nullptr && !open->sealed) files.push_back(open);
  if (std::exchange(names_dirty_, false) && !planted(Planted::SkipJournalDirSync)) {
    ++stats_.syncs;
    if (auto synced = co_await directory_.sync(); !synced && !planted(Planted::SkipPoison)) {
      co_await poison_.end("syncing the names of new journal files", synced.error());
    }
  }
  for (const std::shared_ptr<OpenFile>& file : files) {
    if (is_small && file == open) {  // what came behind it is the next sync's
      co_await wait_written(*file, durable_write);
      file->writes_synced = durable_write;
      continue;
    }
    const std::uint64_t submitted = file->writes_submitted;
    co_await wait_written(*file, submitted);
    const bool skipped = file->sealed ? planted(Planted::SkipSealedSync) : planted(Planted::SkipJournalSync);
    if (std::exchange(file->writes_synced, submitted) < submitted && !file->broken && !skipped) {
      ++stats_.syncs;
      if (auto synced = co_await file->file.sync(); !synced && !planted(Planted::SkipPoison)) {
        co_await poison_.end("fdatasync of a journal file", synced.error());
      }
    }
  }
  for (const std::shared_ptr<OpenFile>& file : sealed) {
    co_await wait_written(*file, file->writes_submitted);
    while (file->is_prewriting) co_await file->write_done.wait();
    // Only space is given back here: a cut that is lost costs nothing but room.
    (void)co_await file->file.truncate(core::round_up(file->end, core::kPage));
    co_await file->file.close();
    sealed_.push_back(file->id);
  }
  if (!sealed.empty() && on_file_full_) on_file_full_();
  sync_turn_.release();
}

core::Task<void> JournalWriter::close() {
  co_await append_turn_.acquire();
  if (current_ != nullptr) {
    submit_filled();
    if (buffer_ != nullptr) {
      buffer_->closed = true;
      release_if_done(*buffer_);
      buffer_ = nullptr;
    }
    current_->sealed = true;
    unsynced_sealed_.push_back(std::exchange(current_, nullptr));
  }
  append_turn_.release();
  co_await sync();
}

}  // namespace penstock::txn
