// AbortedLoads: why the last few loads were aborted, for whoever asks again by TxnId, and that their labels were.
//
// Only in memory and only so many: an aborted transaction that nobody remembers is `not found`, which clients take for
// the same (protocol reference 4.6, R3).
//
// Journey:  Coordinator::abort, operate -> [AbortedLoads] -> the text of a later answer.
// Shard:    shard 0.
// Promise:  at most kCountMax, the newest.
// Failure:  none.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <unordered_map>

#include "txn/checkpoint/transaction.hpp"

namespace penstock::txn {

class AbortedLoads {
 public:
  static constexpr std::size_t kCountMax = 4096;
  static constexpr std::size_t kReasonBytesMax = 256;

  void add(DatabaseId database, TxnId txn, const std::string& label, std::string_view reason) {
    const bool is_new =
        reasons_.insert_or_assign(txn, Aborted{database, label, std::string(shown(reason))}).second;
    if (is_new) order_.push_back(txn);
    labels_.insert_or_assign(std::pair(database, label), txn);
    if (order_.size() <= kCountMax) return;
    const auto oldest = reasons_.find(order_.front());
    const auto by_label = labels_.find(std::pair(oldest->second.database, oldest->second.label));
    if (by_label != labels_.end() && by_label->second == oldest->first) labels_.erase(by_label);
    reasons_.erase(oldest);
    order_.pop_front();
  }
  bool has_label(DatabaseId database, const std::string& label) const {
    return labels_.contains(std::pair(database, label));
  }
  const std::string* find(DatabaseId database, TxnId txn) const {
    const auto found = reasons_.find(txn);
    return found == reasons_.end() || found->second.database != database ? nullptr : &found->second.reason;
  }

 private:
  struct Aborted {
    DatabaseId database;
    std::string label;
    std::string reason;
  };
  static std::string_view shown(std::string_view reason) { return reason.substr(0, kReasonBytesMax); }

  std::unordered_map<TxnId, Aborted> reasons_;
  std::map<std::pair<DatabaseId, std::string>, TxnId> labels_;  // the newest of each
  std::deque<TxnId> order_;
};

}  // namespace penstock::txn
