// FooterFiles: the files of the footers that a recovery would read now.
//
// A recovery reads the footers of the records behind the newest snapshot, except those of tables that are gone and those
// of prepared loads that a later record aborts. So an abort gives its files back at once: on a full disk the next snapshot
// may never come.
//
// Journey:  Manifest::apply -> [FooterFiles] -> FileUses; Coordinator forgets what a new snapshot has.
// Shard:    shard 0; not part of a snapshot.
// Promise:  what read_footers() in recovery.cpp passes over is not held here, and the other way round.
// Failure:  none.
#pragma once

#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "txn/checkpoint/file_uses.hpp"
#include "txn/checkpoint/transaction.hpp"
#include "txn/journal/extent.hpp"
#include "txn/schema/catalog.hpp"

namespace penstock::txn {

class FooterFiles {
 public:
  // Of one item of a record; `prepared` names the load of a Prepared item.
  void note(const std::vector<FooterRef>& footers, std::uint64_t sequence, std::optional<TxnId> prepared,
            const Catalog& catalog, FileUses& uses);
  void forget_aborted(TxnId txn, FileUses& uses);
  void forget_dropped(const Catalog& catalog, FileUses& uses);
  // A snapshot of everything up to `sequence` is durable.
  void forget_up_to(std::uint64_t sequence, FileUses& uses);

  std::vector<FileId> files() const;  // of those that are held; may name a file twice

 private:
  struct Entry {
    std::uint64_t sequence = 0;
    TableId table;
    FileId file;
    std::optional<TxnId> prepared;
    bool is_held = true;
  };
  struct Range {  // of the numbers that entries have, by the order in which they came
    std::uint64_t first = 0;
    std::uint64_t count = 0;
  };
  void release(Entry& entry, FileUses& uses);
  void pop_front(FileUses& uses);
  void drop_released_front(FileUses& uses);

  std::deque<Entry> entries_;
  std::uint64_t first_number_ = 0;  // of entries_.front()
  std::unordered_map<TxnId, Range> of_prepared_;
};

}  // namespace penstock::txn
