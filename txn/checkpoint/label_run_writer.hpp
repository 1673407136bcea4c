// LabelRunWriter: a label run from its first page to its sync, in small steps and little memory.
//
// Entries come in order; pages are sealed as they fill and written 256 KiB at a time, and what was written is synced now and
// then, so that the last sync has little to do and the commit log beside it is not kept waiting.
//
// Journey:  LabelBook::flush and merge -> [LabelRunWriter] -> File; finish() gives the LabelRun.
// Shard:    shard 0; it yields, so that nobody waits for more than a few hundred entries.
// Promise:  when finish() returns a run its bytes are durable; its NAME is with the next sync of the folder, which the
//           snapshot that names it makes.
// Failure:  NoSpace/Io: call abandon(), the file goes. A failed sync poisons the store.
#pragma once

#include "core/shard/shard.hpp"
#include "txn/checkpoint/label_run.hpp"
#include "txn/journal/poison.hpp"

namespace penstock::txn {

// What it takes to write a run.
struct LabelPlace {
  core::Shard& shard;
  core::Directory directory;
  Poison& poison;
  core::StoreUuid store;
};

class LabelRunWriter {
 public:
  static constexpr std::size_t kEntriesEach = 256;  // between two yields

  // `labels_max`: how many labels may come, for the size of the filter.
  LabelRunWriter(const LabelPlace& place, FileId id, std::uint32_t level, std::uint64_t labels_max);

  // Takes room for `bytes` first, and gives back in finish() what was not needed.
  core::Task<core::Result<>> open(std::uint64_t bytes = 0);
  // In the order of `order`, no two equal. Then end_labels(), then TxnIds upwards. Whenever wants_write(): write().
  void add(const LabelEntry& entry);
  void end_labels();
  void add(const TxnEntry& entry);
  bool wants_write() const { return buffer_.size() >= kBufferBytes; }
  core::Task<core::Result<>> write();
  // Asked after each entry: whether it is somebody else's turn.
  bool is_breath_due() { return ++since_breath_ >= kEntriesEach; }
  core::Task<void> breathe();
  // Nothing: there were no entries, and the file is gone.
  core::Task<core::Result<std::shared_ptr<LabelRun>>> finish();
  core::Task<void> abandon();

 private:
  static constexpr std::size_t kBufferBytes = 256 * core::kKiB;
  static constexpr std::uint64_t kSyncBytes = 8 * core::kMiB;

  void seal(std::span<std::byte> page);
  core::Task<void> sync();
  core::Task<core::Result<>> put_index(const std::vector<std::uint64_t>& words);
  core::Task<core::Result<>> put_filter();
  std::uint64_t end() const { return written_ + buffer_.size(); }

  const LabelPlace place_;
  LabelRunInfo info_;
  core::File file_;
  LabelRunIndex index_;
  LabelPageBuilder page_;
  std::vector<std::byte> buffer_;
  std::uint64_t reserved_ = 0;
  std::uint64_t written_ = 0;
  std::uint64_t synced_ = 0;
  std::size_t since_breath_ = 0;
};

}  // namespace penstock::txn
