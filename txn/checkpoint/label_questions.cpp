#include "txn/checkpoint/label_questions.hpp"

#include <fmt/format.h>

#include "core/base/log.hpp"
#include "txn/checkpoint/coordinator.hpp"

namespace penstock::txn {

std::string label_unreadable(const std::string& label_or_txn, const std::string& place) {
  core::log_error("label_read_failed", "asked_for", label_or_txn, "error", place);
  return fmt::format(
      "what became of [{}] cannot be read: {}. Nothing was changed; try again, and see Damage in the "
      "operations page",
      label_or_txn, place);
}

core::Task<std::expected<std::optional<TxnState>, std::string>> Coordinator::state_of(DatabaseId database,
                                                                                      std::string label) {
  const Background counted(*this);
  for (LabelNotThere not_there;;) {
    if (const auto open = open_.find(database, label)) {
      if (co_await settle(open, false) == Settled::Running) co_return TxnState::Prepare;
      continue;
    }
    if (const auto prepared = manifest_.find_prepared(database, label)) {
      const auto under_way = operations_.find(*prepared);
      if (under_way == operations_.end()) co_return TxnState::Precommitted;
      const std::shared_ptr<core::Event> decided = under_way->second;
      co_await decided->wait();
      continue;
    }
    const LabelBook& labels = manifest_.labels();
    const LabelBook::Looked outcome = labels.look(database, label, labels_keep_from());
    if (outcome.found) co_return TxnState::Visible;
    const LabelNotThere now{labels.generation(), database};
    if (!outcome.must_read || not_there == now) break;
    if (closing_) co_return std::unexpected(std::string(kShuttingDown));
    const auto read = co_await labels.read(database, label, labels_keep_from());
    if (!read) co_return std::unexpected(label_unreadable(label, read.error()));
    if (*read) co_return TxnState::Visible;
    not_there = now;  // and look again: the world may have changed while it was read
  }
  if (aborted_.has_label(database, label)) co_return TxnState::Aborted;
  co_return std::nullopt;
}

}  // namespace penstock::txn
