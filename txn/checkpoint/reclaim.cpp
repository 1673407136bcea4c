// Coordinator: the files in which nothing lives any more, and the pins that hold them for scans.
#include <algorithm>

#include "core/base/log.hpp"
#include "core/base/planted.hpp"
#include "txn/checkpoint/coordinator.hpp"

namespace penstock::txn {

using core::Planted;
using core::planted;

core::Task<void> Coordinator::unlink_files(FileKind kind, std::vector<FileId> files) {
  for (const FileId file : files) {
    const auto unlinked = co_await directory_.unlink(format_file_name(kind, file));
    if (unlinked) {
      ++stats_.files_unlinked;
    } else if (unlinked.error().code != core::Errc::NotFound) {
      core::log_warn("unlink_failed", "file", format_file_name(kind, file), "error",
                     unlinked.error().to_string());
    }
  }
}

// Gives back the space that a run which was killed had reserved behind its last record. Footers that lie there are not
// needed any more: the snapshot has what they say.
core::Task<void> Coordinator::cut_old_journals() {
  std::map<FileId, std::uint64_t> ends;
  const auto note = [&](const BlockRef& block) {
    if (block.extent.file.epoch() == epoch_) return;
    std::uint64_t& end = ends[block.extent.file];
    end = std::max(end, block.extent.offset + block.extent.length);
  };
  for (const VisibleBlock& block : manifest_.all_blocks()) note(block.block);
  for (const auto& [txn, prepared] : manifest_.prepared()) {
    for (const BlockRef& block : prepared.blocks) note(block);
  }
  for (const auto& [id, end] : ends) {
    auto file = co_await directory_.open_file(format_file_name(FileKind::Journal, id), {.write = true});
    if (!file) continue;
    const std::uint64_t keep = core::round_up(end, core::kPage);
    const auto size = co_await file->size();
    if (size && *size > keep) (void)co_await file->truncate(keep);
    co_await file->close();
  }
}

void Coordinator::want_reclaim() {
  if (stopping_ || !loop_running_) return;
  ++background_;
  shard_.spawn(reclaim());
}

core::Task<void> Coordinator::reclaim() {
  if (reclaim_under_way_) {
    reclaim_again_ = true;
    --background_;
    idle_.notify_all();
    co_return;
  }
  reclaim_under_way_ = true;
  do {
    reclaim_again_ = false;
    std::vector<FileId> candidates = co_await hooks_.sealed_files();
    for (const FileName& file : old_files_) {
      if (file.kind == FileKind::Journal) candidates.push_back(file.id);
    }
    std::erase_if(candidates, [&](FileId file) { return manifest_.is_live(file); });
    std::erase_if(old_files_, [&](const FileName& file) {
      return file.kind == FileKind::Journal && !manifest_.is_live(file.id);
    });
    if (!candidates.empty()) co_await hooks_.forget_files(candidates);
    for (const FileId file : candidates) graves_.push_back(Grave{next_pin_, file});
    std::vector<FileId> ready;
    std::erase_if(graves_, [&](const Grave& grave) {
      const bool free =
          pins_.empty() || *pins_.begin() >= grave.before_pin || planted(Planted::UnlinkPinnedFiles);
      if (free) ready.push_back(grave.file);
      return free;
    });
    co_await unlink_files(FileKind::Journal, std::move(ready));
  } while (reclaim_again_);
  reclaim_under_way_ = false;
  --background_;
  idle_.notify_all();
}

Coordinator::Pin Coordinator::pin() {
  const std::uint64_t id = next_pin_++;
  pins_.insert(id);
  return Pin{manifest_.checkpoint(), manifest_.catalog(), id};
}

void Coordinator::unpin(std::uint64_t id) {
  pins_.erase(id);
  if (graves_.empty() || (!pins_.empty() && *pins_.begin() < graves_.front().before_pin)) return;
  ++background_;
  shard_.spawn(reclaim());
}

}  // namespace penstock::txn
