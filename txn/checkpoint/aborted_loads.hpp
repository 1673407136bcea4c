// AbortedLoads: why the last few loads were aborted, for whoever asks again by TxnId.
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
#include <string>
#include <unordered_map>

#include "txn/checkpoint/transaction.hpp"

namespace penstock::txn {

class AbortedLoads {
 public:
  static constexpr std::size_t kCountMax = 4096;
  static constexpr std::size_t kReasonBytesMax = 256;

  void add(TxnId txn, std::string_view reason) {
    if (!reasons_.emplace(txn, reason.substr(0, kReasonBytesMax)).second) return;
    order_.push_back(txn);
    if (order_.size() <= kCountMax) return;
    reasons_.erase(order_.front());
    order_.pop_front();
  }
  const std::string* find(TxnId txn) const {
    const auto found = reasons_.find(txn);
    return found == reasons_.end() ? nullptr : &found->second;
  }

 private:
  std::unordered_map<TxnId, std::string> reasons_;
  std::deque<TxnId> order_;
};

}  // namespace penstock::txn
