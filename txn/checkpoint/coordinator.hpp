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
#include "txn/checkpoint/open_loads.hpp"
#include "txn/checkpoint/record_batch.hpp"
#include "txn/checkpoint/recovery.hpp"
#include "txn/checkpoint/transaction_list.hpp"
#include "txn/checkpoint/txn_operation.hpp"

namespace penstock::txn {

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
    std::uint64_t prepared_lease_seconds =
        0;                             // of running time; 0: a prepared load waits for its client for ever
    std::uint64_t watch_seconds = 60;  // how often prepared loads are looked at; 0: never
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
  std::size_t pins() const { return pins_.size(); }

  const Manifest& manifest() const { return manifest_; }
  const OpenLoads& open_loads() const { return open_; }
  bool accepts_loads() const { return log_ != nullptr && log_->accepts_loads(); }
  // Unlinks journal files in which nothing lives, soon. Asked for whenever a shard begins a new file.
  void want_reclaim();

  struct Stats {
    std::uint64_t records = 0;
    std::uint64_t records_beside_rows = 0;  // written while rows of their loads were
    std::uint64_t checkpoints = 0;
    std::uint64_t loads = 0;
    std::uint64_t snapshots = 0;
    std::uint64_t files_unlinked = 0;
    std::uint64_t label_runs = 0;  // written from memory
    std::uint64_t label_merges = 0;
    std::uint64_t leases_ended = 0;  // prepared loads that were aborted for their age
  };
  const Stats& stats() const { return stats_; }

 private:
  core::Task<void> run_loop();
  bool is_at_work() const;
  core::Task<void> decide(std::shared_ptr<RecordBatch> batch);
  static core::Task<void> land(RecordBatch& batch);
  core::Task<void> publish_and_answer(std::shared_ptr<RecordBatch> batch,
                                      std::shared_ptr<const VisibleChange> change);
  core::Task<core::Result<>> submit(RecordRequest& request);
  std::optional<TxnId> meant_by(const TxnOperation& operation, DatabaseId database) const;
  core::Task<TxnAnswer> end_prepared(TxnId txn, TxnOperation::Kind kind, std::string reason = kUserAbort);
  core::Task<TxnAnswer> record_operation(TxnId txn, TxnOperation::Kind kind, std::string reason);
  void note_aborts(const LogRecord& record);
  void log_if_dropped(TxnId txn, TableId table, const std::string& label) const;
  enum class Settled : std::uint8_t { Decided, Running, Unknown };
  core::Task<Settled> settle(std::shared_ptr<OpenLoads::Entry> open, bool reads_on);
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
  // settle.cpp
  core::Task<core::Result<>> write_again(const std::vector<PieceItem>& pieces);
  void want_settle();
  core::Task<void> settle_when_idle();
  core::Task<bool> settle_now();
  // prepared_watch.cpp
  void want_watch();
  core::Task<void> watch_prepared();
  core::Task<void> end_old_leases();
  static core::Task<void> end_lease(Coordinator* self, TxnId txn, std::size_t* left, core::Event* done);

  // What the coordinator waits for before it stops.
  class Background {
   public:
    explicit Background(Coordinator& coordinator) : coordinator_(coordinator) { ++coordinator_.background_; }
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;
    ~Background() {
      --coordinator_.background_;
      coordinator_.idle_.notify_all();
    }

   private:
    Coordinator& coordinator_;
  };
  static constexpr const char* kShuttingDown = "the server is shutting down: try again soon";

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
  std::map<TxnId, std::shared_ptr<core::Event>>
      operations_;  // on prepared loads, until their record is in force
  std::unique_ptr<CommitLog> log_;
  std::uint64_t next_txn_ = 0;
  core::Instant started_;
  std::uint64_t running_seconds_before_ = 0;

  std::deque<RecordRequest*> requests_;
  core::WaitList work_;
  core::WaitList idle_;
  bool closing_ = false;   // nothing new is begun
  bool stopping_ = false;  // nothing is under way any more, and no record will be written
  bool watch_runs_ = false;
  core::Op* watch_timer_ = nullptr;
  bool last_is_in_flight_ = false;  // the last record names rows that were in flight beside it
  core::Instant last_in_flight_at_{};
  bool settle_runs_ = false;
  core::Op* settle_timer_ = nullptr;
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
