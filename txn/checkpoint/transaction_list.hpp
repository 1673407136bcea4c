// TransactionList: what is open or prepared at a moment, for an operator.
//
// Nothing prepared is ever dropped by a timer; so it must be seen, with its age and what it holds, and be ended.
//
// Journey:  GET /api/_transactions -> Store::transactions -> [Coordinator::list]; POST .../abort -> [abort_all].
// Shard:    values; made on shard 0.
// Promise:  in the order of the TxnIds; at most `limit`, and `more` says that there are others behind the last.
// Failure:  none; a filter that names nothing gives nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "txn/checkpoint/transaction.hpp"

namespace penstock::txn {

struct TransactionFilter {
  static constexpr std::size_t kLimitMax = 10'000;

  std::string database;  // empty: of all
  std::string label_prefix;
  std::optional<TxnState> state;  // Prepare or Precommitted
  TxnId after{0};                 // only greater ones
  std::size_t limit = 1000;
};

struct TransactionView {
  TxnId txn;
  TxnState state = TxnState::Prepare;
  bool two_phase = false;
  std::string database;
  std::string table;  // empty: it was dropped
  std::string label;
  std::uint64_t age_seconds = 0;       // of running time, since it began or was prepared
  std::optional<std::uint64_t> rows;   // of a prepared one
  std::optional<std::uint64_t> bytes;  // of journal that it holds
};

struct TransactionList {
  std::vector<TransactionView> transactions;
  bool more = false;
};

struct AbortedTransactions {
  std::size_t aborted = 0;
  std::size_t refused = 0;
  std::string first_refusal;
};

}  // namespace penstock::txn
