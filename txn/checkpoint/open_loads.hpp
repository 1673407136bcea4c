// OpenLoads: the loads between their begin and their record, and the rules of labels.
//
// Journey:  Coordinator::begin -> [OpenLoads] -> vote or abort takes the load out.
// Shard:    shard 0.
// Promise:  a (database, label) is held by at most one open load; place() keeps the shards' counts of open loads within
//           one of each other as loads begin.
// Failure:  none of its own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/task/sync.hpp"
#include "txn/checkpoint/transaction.hpp"
#include "txn/schema/catalog.hpp"

namespace penstock::txn {

struct BeginRequest {
  std::string database;
  std::string table;
  std::string label;  // empty: the server makes one
  bool two_phase = false;
  bool group_commit = false;  // only says how the label that is made looks
};

struct BeganLoad {
  TxnId txn;
  std::string label;
  bool label_kept = false;
  bool two_phase = false;
  DatabaseId database;
  std::shared_ptr<const Table> table;
  core::ShardId shard;  // where the load runs
};

struct BeginResult {
  enum class Status { Began, LabelExists, Refused };
  Status status = Status::Refused;
  BeganLoad load;                         // Began
  TxnState existing = TxnState::Prepare;  // LabelExists: the other load's state
  TxnId existing_txn;                     // LabelExists
  std::string code;                       // otherwise: the [CODE] and text of the reply's Message
  std::string message;
};

class OpenLoads {
 public:
  enum class Phase { Receiving, Voted };
  struct Entry {
    BeganLoad load;
    Phase phase = Phase::Receiving;
    core::Instant since;
    core::Event decided;  // set when the entry leaves
  };

  void resize(std::uint32_t shard_count) { per_shard_.assign(shard_count, 0); }
  // The shard with the fewest open loads; the lowest of several.
  core::ShardId place() const;
  std::shared_ptr<Entry> add(BeganLoad load);
  std::shared_ptr<Entry> find(TxnId txn) const;
  std::shared_ptr<Entry> find(DatabaseId database, const std::string& label) const;
  void remove(TxnId txn);
  const std::unordered_map<TxnId, std::shared_ptr<Entry>>& all() const { return by_txn_; }
  std::size_t size() const { return by_txn_.size(); }
  const std::vector<std::uint32_t>& per_shard() const { return per_shard_; }

 private:
  std::unordered_map<TxnId, std::shared_ptr<Entry>> by_txn_;
  std::map<std::pair<DatabaseId, std::string>, std::shared_ptr<Entry>> by_label_;
  std::vector<std::uint32_t> per_shard_;
};

// The texts clients match on (protocol reference 4.1, 4.6).
std::string label_used_message(const std::string& label, TxnId txn);
inline constexpr std::size_t kLabelBytesMax = 128;
bool is_valid_label(std::string_view label);

}  // namespace penstock::txn
