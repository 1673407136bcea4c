#include "txn/checkpoint/transaction.hpp"

#include "txn/checkpoint/open_loads.hpp"

namespace penstock::txn {

const char* txn_state_name(TxnState state) {
  switch (state) {
    case TxnState::Prepare:
      return "PREPARE";
    case TxnState::Precommitted:
      return "PRECOMMITTED";
    case TxnState::Committed:
      return "COMMITTED";
    case TxnState::Visible:
      return "VISIBLE";
    case TxnState::Aborted:
      return "ABORTED";
  }
  return "UNKNOWN";
}

const char* existing_job_status(TxnState state) {
  switch (state) {
    case TxnState::Prepare:
      return "RUNNING";
    case TxnState::Precommitted:
      return "PRECOMMITTED";
    case TxnState::Committed:
    case TxnState::Visible:
      return "FINISHED";
    case TxnState::Aborted:
      break;
  }
  return "";
}

void LoadInfo::encode(core::ByteWriter& out) const {
  out.put(txn.value);
  out.put(database.value);
  out.put(table.value);
  out.put_text(label);
  out.put(static_cast<std::uint8_t>(label_kept));
  out.put(rows);
}

LoadInfo LoadInfo::decode(core::ByteReader& in) {
  LoadInfo info;
  info.txn.value = in.get<std::uint64_t>();
  info.database.value = in.get<std::uint64_t>();
  info.table.value = in.get<std::uint64_t>();
  info.label = in.get_text();
  if (info.label.size() > kLabelBytesMax) in.fail();
  info.label_kept = in.get<std::uint8_t>() != 0;
  info.rows = in.get<std::uint64_t>();
  return info;
}

}  // namespace penstock::txn
