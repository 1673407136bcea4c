// LabelNotThere: what whoever asks the label book remembers between reading its runs and looking again.
//
// Reading takes time, and in that time a load may have begun, ended or been committed under the label. So after a read that
// found nothing everything is looked at again, at once; only the runs need not be read again while they are the same.
//
// Journey:  Coordinator::begin, state_of, operate -> [LabelNotThere] <-> LabelBook::generation.
// Shard:    shard 0; a value.
// Promise:  equal to another one only if the same runs of the same database were read.
// Failure:  none; label_unreadable() is the text for a page that does not verify.
#pragma once

#include <string>

#include "txn/checkpoint/transaction.hpp"

namespace penstock::txn {

struct LabelNotThere {
  std::uint64_t generation = UINT64_MAX;  // of the runs; at first of none
  DatabaseId database;
  friend bool operator==(const LabelNotThere&, const LabelNotThere&) = default;
};

// Logs it, and says it to whoever asked.
std::string label_unreadable(const std::string& label_or_txn, const std::string& place);

}  // namespace penstock::txn
