// TxnId, transaction states, and what is remembered of a load.
//
// PREPARE -> PRECOMMITTED -> COMMITTED -> VISIBLE, or ABORTED (protocol reference section 4.2). A plain load goes from
// PREPARE to VISIBLE in one commit record; a two-phase one stops at PRECOMMITTED (a Prepared record) until its client
// decides.
//
// Journey:  Coordinator::begin -> [transaction] -> vote -> commit record -> LabelBook.
// Shard:    any; values.
// Promise:  TxnIds are unique in a store for ever and stay below 2^53 (JSON readers hold them as doubles).
// Failure:  none.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/bytes.hpp"
#include "core/base/units.hpp"
#include "txn/schema/table_schema.hpp"

namespace penstock::txn {

using TxnId = core::StrongId<struct TxnTag, std::uint64_t>;

enum class TxnState : std::uint8_t { Prepare, Precommitted, Committed, Visible, Aborted };
const char* txn_state_name(TxnState state);       // "PREPARE" ... as get_load_state answers
const char* existing_job_status(TxnState state);  // "RUNNING", "PRECOMMITTED", "FINISHED"

// What a commit record says of a load.
struct LoadInfo {
  TxnId txn;
  DatabaseId database;
  TableId table;
  std::string label;        // as the reply showed it
  bool label_kept = false;  // false: made by the server for a plain load; nobody can ask for it
  std::uint64_t rows = 0;

  static constexpr std::size_t kEncodedBytesMin = 8 + 8 + 8 + 4 + 1 + 8;
  void encode(core::ByteWriter& out) const;
  static LoadInfo decode(core::ByteReader& in);
  friend bool operator==(const LoadInfo&, const LoadInfo&) = default;
};

}  // namespace penstock::txn
