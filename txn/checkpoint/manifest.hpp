// Manifest: everything the commit log has decided so far. The one place where a record takes effect.
//
// Live and in recovery the same apply() runs on the same records, so a restart cannot come to another state.
//
// Journey:  CommitLog (synced) or recovery -> [Manifest::apply] -> VisibleChange for all shards; snapshots encode it.
// Shard:    shard 0.
// Promise:  encode/decode give an equal manifest; a checkpoint applies whole.
// Failure:  Errc::Corrupt for a record or snapshot that contradicts what is there.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_set>
#include <vector>

#include "txn/checkpoint/file_uses.hpp"
#include "txn/checkpoint/footer_files.hpp"
#include "txn/checkpoint/label_book.hpp"
#include "txn/checkpoint/log_record.hpp"

namespace penstock::txn {

// Blocks of the footers an item names, in the footers' order: from the votes (live) or read from disk (recovery).
using FooterBlocks = std::vector<std::vector<BlockRef>>;

struct PreparedLoad {
  LoadInfo load;
  std::vector<BlockRef> blocks;
  std::uint64_t prepared_at = 0;  // running seconds
};

class Manifest {
 public:
  Manifest() : catalog_(Catalog::empty()) {}

  // `blocks_of(item index)` is asked for Prepared and Checkpoint items only. `change` collects what became visible.
  core::Result<> apply(const LogRecord& record,
                       const std::function<const FooterBlocks&(std::size_t)>& blocks_of,
                       VisibleChange& change);

  std::uint64_t sequence() const { return sequence_; }
  CheckpointNumber checkpoint() const { return checkpoint_; }
  std::uint64_t txn_range_end() const { return txn_range_end_; }
  std::uint64_t running_seconds() const { return running_seconds_; }
  const std::shared_ptr<const Catalog>& catalog() const { return catalog_; }
  const LabelBook& labels() const { return labels_; }
  LabelBook& labels() { return labels_; }
  const std::map<TxnId, PreparedLoad>& prepared() const { return prepared_; }
  std::optional<TxnId> find_prepared(DatabaseId database, const std::string& label) const;
  std::uint64_t version_of(TableId table) const;
  std::uint64_t rows_of(TableId table) const;

  // Every visible block, in visible order: what recovery publishes to the shards.
  std::vector<VisibleBlock> all_blocks() const;
  // Whether a journal file holds a visible or a prepared row, or a footer that a recovery would read now.
  bool is_live(FileId file) const { return uses_.is_live(file); }
  // All such files, from everything there is: what is_live() must agree with. For tests.
  std::unordered_set<FileId> walk_live_files() const;
  // A snapshot of everything up to `sequence` is durable: a recovery reads no footer of those records.
  void forget_footers_up_to(std::uint64_t sequence) { footers_.forget_up_to(sequence, uses_); }

  void encode(core::ByteWriter& out) const;
  static core::Result<Manifest> decode(core::Bytes bytes);

 private:
  struct TableState {
    std::uint64_t version = 0;
    std::uint64_t rows = 0;
    std::vector<VisibleBlock> blocks;
  };
  void show(const std::vector<BlockRef>& blocks, std::uint32_t& position, VisibleChange& change);
  core::Result<> apply_ddl(const CatalogChange& change);
  void add_prepared(PreparedLoad load);
  bool remove_prepared(TxnId txn);
  void let_go_of_blocks(const PreparedLoad& load);

  std::uint64_t sequence_ = 0;
  CheckpointNumber checkpoint_;
  std::uint64_t txn_range_end_ = 1;
  std::uint64_t running_seconds_ = 0;
  std::shared_ptr<const Catalog> catalog_;
  std::map<TableId, TableState> tables_;
  std::map<TxnId, PreparedLoad> prepared_;
  std::map<std::pair<DatabaseId, std::string>, TxnId> prepared_labels_;
  LabelBook labels_;
  FooterFiles footers_;  // of the records since the newest durable snapshot; not part of one
  FileUses uses_;
};

}  // namespace penstock::txn
