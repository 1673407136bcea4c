// Store: the facade. What net/ uses, and what tests drive directly.
//
// Journey:  tools/penstock opens it; net/load: begin, Load; net/query: scan, execute.
// Shard:    one object for all shards; each call says where it may be made. State lives in StoreShards and, on shard 0, in
//           the Coordinator.
// Promise:  open() returns after recovery is complete and durable; nothing is answered before.
// Failure:  texts that name the thing, the value and the fix.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/shard/shard.hpp"
#include "txn/checkpoint/coordinator.hpp"
#include "txn/store/limits.hpp"
#include "txn/store/load.hpp"
#include "txn/store/scan.hpp"
#include "txn/store/store_shard.hpp"

namespace penstock::txn {

class Store {
 public:
  struct Options {
    std::string data_dir;
    StoreLimits limits;
    std::vector<core::PageArena*> arenas;                     // one per shard
    std::function<void(const std::string& why)> end_process;  // see Poison
  };
  Store(core::ShardSet& shards, Options options);
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  ~Store();

  // Shard 0.
  core::Task<std::expected<void, std::string>> open();
  core::Task<void> close();  // no load may be open

  // Any shard; the answer says on which shard the load runs.
  core::Task<BeginResult> begin(BeginRequest request);
  // The shard that begin() named.
  StoreShard& here() { return *shards_.at(core::current_shard().id().value); }
  // A load that was begun and cannot go on (on any shard).
  core::Task<void> abort(TxnId txn, std::string reason) { return here().abort(txn, std::move(reason)); }

  // A client's commit or abort of a transaction (any shard).
  core::Task<TxnAnswer> operate(TxnOperation operation);
  core::Task<TransactionList> transactions(TransactionFilter filter);
  core::Task<AbortedTransactions> abort_all(std::string database, std::string label_prefix);

  core::Task<std::expected<void, SqlError>> execute(Statement statement, std::string database);
  core::Task<std::expected<std::unique_ptr<Scan>, std::string>> scan(std::string database, std::string table);
  core::Task<void> close_scan(Scan& scan);
  // Nothing: not used. A text: what is known of it cannot be read.
  core::Task<std::expected<std::optional<TxnState>, std::string>> label_state(std::string database,
                                                                              std::string label);
  // As this shard knows it: what a reply that was sent says is in it.
  std::shared_ptr<const Catalog> catalog() { return here().tablets().catalog(); }
  Coordinator& coordinator() { return *coordinator_; }  // shard 0 only
  const StoreLimits& limits() const { return options_.limits; }

 private:
  // Nothing: the table went while it was looked at.
  core::Task<std::expected<std::unique_ptr<Scan>, std::string>> scan_once(std::string database,
                                                                          std::string table);
  core::Task<void> publish(std::shared_ptr<const VisibleChange> change);
  core::Task<OpenLoadEnd> abort_open(core::ShardId shard, TxnId txn, std::string reason);
  core::Task<OpenLoadEnd> look_at_open(core::ShardId shard, TxnId txn, bool reads_on);
  core::Task<std::vector<FileId>> sealed_files();
  core::Task<void> forget_files(std::vector<FileId> files);

  core::ShardSet& set_;
  Options options_;
  Poison poison_;
  core::Directory directory_;
  core::File lock_;
  std::unique_ptr<Coordinator> coordinator_;
  std::vector<std::unique_ptr<StoreShard>> shards_;
};

}  // namespace penstock::txn
