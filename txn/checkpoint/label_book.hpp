// LabelBook: committed outcomes, answerable by (database, label) and by TxnId.
//
// Exactly once rests on it: a client that lost its reply asks again under the same label. Outcomes are kept for a
// retention time that counts the store's running time, so a jumping wall clock forgets nothing.
//
// Journey:  Manifest::apply(Checkpoint) -> [LabelBook] <- Coordinator::begin asks.
// Shard:    shard 0.
// Promise:  an outcome, once there, never changes until it expires.
// Failure:  none; decode of a snapshot sets the reader's failure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/bytes.hpp"
#include "txn/checkpoint/transaction.hpp"

namespace penstock::txn {

class LabelBook {
 public:
  struct Outcome {
    TxnId txn;
    std::uint64_t finished_at = 0;  // running seconds
  };

  void add(const LoadInfo& load, std::uint64_t running_seconds);
  std::optional<Outcome> find(DatabaseId database, std::string_view label) const;
  bool has_txn(DatabaseId database, TxnId txn) const;
  std::size_t size() const { return by_label_.size(); }
  // Forgets what finished before `running_seconds`.
  void expire_before(std::uint64_t running_seconds);
  void forget_database(DatabaseId database);

  void encode(core::ByteWriter& out) const;
  void decode(core::ByteReader& in);

 private:
  struct Key {
    DatabaseId database;
    std::string label;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct KeyView {
    DatabaseId database;
    std::string_view label;
  };
  struct Less {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      if (a.database != b.database) return a.database < b.database;
      return std::string_view(a.label) < std::string_view(b.label);
    }
  };
  std::map<Key, Outcome, Less> by_label_;
  struct Finished {
    DatabaseId database;
    std::uint64_t at = 0;  // running seconds
  };
  std::unordered_map<TxnId, Finished> txns_;
};

}  // namespace penstock::txn
