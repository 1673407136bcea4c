// OpenLoads: the loads between their begin and their record, and the rules of labels.
//
// Journey:  Coordinator::begin -> [OpenLoads] -> vote or abort takes the load out.
// Shard:    shard 0.
// Promise:  a (database, label) is held by at most one open load; place() keeps the shards' weights of open loads within
//           one long load of each other as loads begin, and small loads where their connections are as long as that costs little.
// Failure:  none of its own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
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
  // Of a load whose body is known to be small: the shard of its connection.
  std::optional<core::ShardId> small_near = std::nullopt;
};

struct BeganLoad {
  TxnId txn;
  std::string label;
  bool label_kept = false;
  bool two_phase = false;
  DatabaseId database;
  std::shared_ptr<const Table> table;
  core::ShardId shard;  // where the load runs
  bool is_small = false;
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
  // The shard with the least weight of open loads; the lowest of several. A small one stays `near` where it is unless that shard has
  // clearly more: to move a connection costs as much as a small load.
  core::ShardId place(std::optional<core::ShardId> near = std::nullopt) const;
  std::shared_ptr<Entry> add(BeganLoad load);
  std::shared_ptr<Entry> find(TxnId txn) const;
  std::shared_ptr<Entry> find(DatabaseId database, const std::string& label) const;
  void remove(TxnId txn);
  const std::unordered_map<TxnId, std::shared_ptr<Entry>>& all() const { return by_txn_; }
  std::size_t size() const { return by_txn_.size(); }
  const std::vector<std::uint32_t>& per_shard() const { return per_shard_; }  // by weight
  static constexpr std::uint32_t kWeight = 8;  // of a load that may be long; a small one's is 1

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
