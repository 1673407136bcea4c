// TxnOperation: a client's decision on a transaction, by TxnId or by label, and what it is answered.
//
// Journey:  net/load (_stream_load_2pc) -> Store::operate -> [Coordinator::operate] -> commit record -> TxnAnswer.
// Shard:    values; any.
// Promise:  the texts are those that clients match by regular expression (protocol reference 4.5, 4.6).
// Failure:  none; an answer that is not `done` says why.
#pragma once

#include <optional>
#include <string>

#include "txn/checkpoint/transaction.hpp"

namespace penstock::txn {

struct TxnOperation {
  enum class Kind : std::uint8_t { Commit, Abort };
  Kind kind = Kind::Commit;
  std::string database;
  std::optional<TxnId> txn;  // counts before the label
  std::string label;
};

struct TxnAnswer {
  bool done = false;
  std::string code;  // of a refusal: ANALYSIS_ERROR, INTERNAL_ERROR
  std::string text;  // of a refusal
  static TxnAnswer success() { return {true, {}, {}}; }
  static TxnAnswer refused(std::string text) {
    return {false, "ANALYSIS_ERROR", "errCode = 2, detailMessage = " + std::move(text)};
  }
};

// The reason that an abort by a client leaves.
inline constexpr const char* kUserAbort = "User Abort";
// And the one of a load whose client went away.
inline constexpr const char* kConnectionEnded = "the connection ended in mid body";

// What a shard says of a load that is open there: when it is asked to end it, and when it is asked whether the load can go on.
enum class OpenLoadEnd : std::uint8_t {
  Aborted,    // it will not vote
  Voting,     // nothing more of its body is waited for: its vote, or its end, is on the way
  NotThere,   // it has not come to the shard yet, or has left it
  Receiving,  // (not when it is to end)
  Failed,     // the same, and it cannot end well any more: its client does not know yet
  NotLooked,  // it may be Receiving, and its connection may have ended: it could not be looked at in time
};

}  // namespace penstock::txn
