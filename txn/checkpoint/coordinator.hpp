// Coordinator: the one gate. It gathers votes and other decisions and makes each batch true with ONE commit record.
//
// With something ready and no record in flight a checkpoint starts at once; what arrives meanwhile shares the next. After
// the record is synced it is applied to the manifest, published to every shard, and only when all have applied it are the
// requests answered: whoever got Success sees the rows wherever it asks (architecture section 4, rules 1 and 2).
//
// Journey:  Store::begin, Precommitter's votes, DDL -> [Coordinator] -> CommitLog -> Manifest -> TabletSets.
// Shard:    lives on shard 0; other shards reach it with call_on(ShardId(0), ...).
// Promise:  what a reply says is durable. Once a vote is here its load ends only by a record (Decision rule).
// Failure:  a vote that finds no room in the commit log is refused before anything is written: its loads Fail.
#pragma once

#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/shard/shard.hpp"
#include "txn/checkpoint/aborted_loads.hpp"
#include "txn/checkpoint/commit_log.hpp"
#include "txn/checkpoint/manifest.hpp"
#include "txn/checkpoint/open_loads.hpp"
#include "txn/checkpoint/recovery.hpp"
#include "txn/checkpoint/transaction_list.hpp"
#include "txn/checkpoint/txn_operation.hpp"
#include "txn/schema/plan.hpp"

namespace penstock::txn {

// What a shard says when the blocks and footers of these loads are durable.
struct Vote {
  core::ShardId shard;
  std::vector<LoadInfo> loads;     // plain ones: visible with the next record
  std::vector<FooterRef> footers;  // theirs
  FooterBlocks blocks;             // the footers' blocks, so that nobody reads them back
  struct Prepared {
    LoadInfo load;
    std::vector<FooterRef> footers;
    FooterBlocks blocks;
  };
  std::vector<Prepared> prepared;  // two-phase ones: PRECOMMITTED with the next record
};

// Empty: done. Otherwise why the loads of a vote failed.
using VoteResult = std::expected<void, std::string>;

class Coordinator {
 public:
  struct Limits {
    std::size_t open_loads_max = 100'000;
    std::uint64_t txn_range = 1u << 20;
    std::uint64_t label_retention_seconds = 90ull * 24 * 3600;
    LabelBook::Limits labels;
    std::size_t log_files_per_snapshot = 2;
    std::size_t requests_per_record_max = 4096;
  };
  struct Hooks {
    // Applies a change on every shard; returns when all have it.
    std::function<core::Task<void>(std::shared_ptr<const VisibleChange>)> publish;
    // Sealed journal files of every shard that no open load has touched.
    std::function<core::Task<std::vector<FileId>>()> sealed_files;
    std::function<core::Task<void>(std::vector<FileId>)> forget_files;
    // Ends a load that is being received, in one step on its shard.
    std::function<core::Task<OpenLoadEnd>(core::ShardId, TxnId, std::string reason)> abort_open;
    // Asks whether such a load still waits for its client; StoreShard::look_at_open.
    std::function<core::Task<OpenLoadEnd>(core::ShardId, TxnId, bool reads_on)> look_at_open;
  };
  Coordinator(core::Shard& shard, core::Directory directory, Poison& poison, Limits limits,
              CommitLog::Limits log, Hooks hooks);
  ~Coordinator();

  // Recovers, begins a new run (Boot record synced), publishes what is visible. Nothing is answered before it returns.
  core::Task<std::expected<void, std::string>> start();
  core::Task<void> stop();

  struct Run {
    core::StoreUuid store;
    std::uint64_t epoch;
  };
  Run run() const { return {store_, epoch_}; }
  bool is_new_store() const { return is_new_store_; }

  core::Task<BeginResult> begin(BeginRequest request);
  // Ends a load that has not voted. Decided in one step on the shard that has the load.
  void abort(TxnId txn, const std::string& reason);
  core::Task<VoteResult> vote(Vote vote);
  // A client's commit or abort; answers when it is durable and, for a commit, its rows are visible everywhere.
  core::Task<TxnAnswer> operate(TxnOperation operation);
  core::Task<std::expected<void, SqlError>> execute(Statement statement, std::string database);
  // What is open or prepared, by TxnId; and the end of all of it that a label prefix names.
  TransactionList list(const TransactionFilter& filter) const;
  core::Task<AbortedTransactions> abort_all(std::string database, std::string label_prefix);
  // The outcome of a label, as get_load_state would say it; waits for a record in flight. A text: it cannot be read.
  core::Task<std::expected<std::optional<TxnState>, std::string>> state_of(DatabaseId database,
                                                                           std::string label);

  struct Pin {
    CheckpointNumber checkpoint;
    std::shared_ptr<const Catalog> catalog;
    std::uint64_t id = 0;
  };
  Pin pin();
  void unpin(std::uint64_t id);

  const Manifest& manifest() const { return manifest_; }
  const OpenLoads& open_loads() const { return open_; }
  bool accepts_loads() const { return log_ != nullptr && log_->accepts_loads(); }
  // Unlinks journal files in which nothing lives, soon. Asked for whenever a shard begins a new file.
  void want_reclaim();

  struct Stats {
    std::uint64_t records = 0;
    std::uint64_t checkpoints = 0;
    std::uint64_t loads = 0;
    std::uint64_t snapshots = 0;
    std::uint64_t files_unlinked = 0;
    std::uint64_t label_runs = 0;  // written from memory
    std::uint64_t label_merges = 0;
  };
  const Stats& stats() const { return stats_; }

 private:
  struct Request;  // a vote, a commit, a statement, a snapshot, a range: what waits for a record
  struct Batch;    // the requests of one record

  core::Task<void> run_loop();
  static std::uint64_t record_bytes_of(const Request& request);
  core::Task<void> decide(std::shared_ptr<Batch> batch);
  void build(Batch& batch);
  core::Task<void> publish_and_answer(std::shared_ptr<Batch> batch,
                                      std::shared_ptr<const VisibleChange> change);
  core::Task<core::Result<>> submit(Request& request);
  std::optional<TxnId> meant_by(const TxnOperation& operation, DatabaseId database) const;
  core::Task<TxnAnswer> end_prepared(TxnId txn, TxnOperation::Kind kind);
  core::Task<TxnAnswer> record_operation(TxnId txn, TxnOperation::Kind kind);
  void log_if_dropped(TxnId txn, TableId table, const std::string& label) const;
  core::Task<bool> settle(std::shared_ptr<OpenLoads::Entry> open, bool reads_on);
  core::Task<core::Result<>> take_range();
  core::Task<void> take_snapshot();
  void want_snapshot();
  LabelPlace label_place() { return {shard_, directory_, poison_, store_}; }
  FileId next_label_file() { return FileId::make(epoch_, 0, label_file_counter_++); }
  std::uint64_t labels_keep_from() const;
  LabelRetention label_retention() const;
  core::Task<void> write_labels();
  void merge_labels();
  core::Task<void> merge_level(std::uint32_t level);  // whoever calls it has counted it in background_
  core::Task<void> bury_label_runs(LabelBook::Runs runs);
  core::Task<void> cut_old_journals();
  core::Task<void> reclaim();  // whoever calls it has counted it in background_
  core::Task<void> unlink_files(FileKind kind, std::vector<FileId> files);
  std::uint64_t running_seconds() const;

  core::Shard& shard_;
  core::Directory directory_;
  Poison& poison_;
  const Limits limits_;
  const CommitLog::Limits log_limits_;
  Hooks hooks_;

  core::StoreUuid store_{};
  std::uint64_t epoch_ = 0;
  bool is_new_store_ = false;
  Manifest manifest_;
  OpenLoads open_;
  AbortedLoads aborted_;
  std::unordered_map<TxnId, core::Instant> prepared_since_;  // in this run; older ones since started_
  std::map<TxnId, std::shared_ptr<core::Event>>
      operations_;  // on prepared loads, until their record is in force
  std::unique_ptr<CommitLog> log_;
  std::uint64_t next_txn_ = 0;
  core::Instant started_;
  std::uint64_t running_seconds_before_ = 0;

  std::deque<Request*> requests_;
  core::WaitList work_;
  core::WaitList idle_;
  bool stopping_ = false;
  bool loop_running_ = false;
  bool deciding_ = false;
  bool range_under_way_ = false;
  bool snapshot_under_way_ = false;
  bool snapshot_again_ = false;
  bool merges_give_up_ = false;
  bool old_journals_cut_ = false;
  bool reclaim_under_way_ = false;
  bool reclaim_again_ = false;
  std::size_t background_ = 0;
  std::uint64_t snapshot_counter_ = 0;
  std::uint64_t label_file_counter_ = 0;
  std::optional<FileId> last_snapshot_;
  std::vector<FileName> old_files_;  // of earlier runs

  std::set<std::uint64_t> pins_;
  std::uint64_t next_pin_ = 1;
  struct Grave {
    std::uint64_t before_pin;
    FileId file;
  };
  std::vector<Grave> graves_;
  Stats stats_;
};

}  // namespace penstock::txn
