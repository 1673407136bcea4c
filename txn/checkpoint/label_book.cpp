#include "txn/checkpoint/label_book.hpp"

namespace penstock::txn {

void LabelBook::add(const LoadInfo& load, std::uint64_t running_seconds) {
  by_label_.insert_or_assign(Key{load.database, load.label}, Outcome{load.txn, running_seconds});
  txns_.insert_or_assign(load.txn, Finished{load.database, running_seconds});
}

std::optional<LabelBook::Outcome> LabelBook::find(DatabaseId database, std::string_view label) const {
  const auto found = by_label_.find(KeyView{database, label});
  if (found == by_label_.end()) return std::nullopt;
  return found->second;
}

bool LabelBook::has_txn(DatabaseId database, TxnId txn) const {
  const auto found = txns_.find(txn);
  return found != txns_.end() && found->second.database == database;
}

void LabelBook::expire_before(std::uint64_t running_seconds) {
  std::erase_if(by_label_, [&](const auto& entry) { return entry.second.finished_at < running_seconds; });
  std::erase_if(txns_, [&](const auto& entry) { return entry.second.at < running_seconds; });
}

void LabelBook::forget_database(DatabaseId database) {
  std::erase_if(by_label_, [&](const auto& entry) { return entry.first.database == database; });
  std::erase_if(txns_, [&](const auto& entry) { return entry.second.database == database; });
}

void LabelBook::encode(core::ByteWriter& out) const {
  out.put(static_cast<std::uint32_t>(by_label_.size()));
  for (const auto& [key, outcome] : by_label_) {
    out.put(key.database.value);
    out.put_text(key.label);
    out.put(outcome.txn.value);
    out.put(outcome.finished_at);
  }
}

void LabelBook::decode(core::ByteReader& in) {
  const std::uint32_t count = in.get_count(8 + 4 + 8 + 8);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    Key key;
    key.database.value = in.get<std::uint64_t>();
    key.label = in.get_text();
    Outcome outcome;
    outcome.txn.value = in.get<std::uint64_t>();
    outcome.finished_at = in.get<std::uint64_t>();
    txns_.emplace(outcome.txn, Finished{key.database, outcome.finished_at});
    by_label_.emplace_hint(by_label_.end(), std::move(key), outcome);
  }
}

}  // namespace penstock::txn
