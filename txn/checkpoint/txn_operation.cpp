#include "txn/checkpoint/txn_operation.hpp"

#include <fmt/format.h>

#include "core/base/log.hpp"
#include "txn/checkpoint/coordinator.hpp"
#include "txn/checkpoint/label_questions.hpp"

namespace penstock::txn {
namespace {

using Kind = TxnOperation::Kind;

// A load that has begun is on its way to its shard for this long at most.
constexpr core::Duration kOnTheWayTurn = std::chrono::milliseconds(1);
constexpr int kOnTheWayTurns = 5000;

TxnAnswer not_found(const TxnOperation& operation) {
  if (operation.txn) return TxnAnswer::refused(fmt::format("transaction [{}] not found", *operation.txn));
  return TxnAnswer::refused(
      fmt::format("{} not found, label={}",
                  operation.kind == Kind::Commit ? "transaction" : "running transaction", operation.label));
}

TxnAnswer already_visible(const TxnOperation& operation) {
  return TxnAnswer::refused(
      operation.kind == Kind::Commit
          ? fmt::format("transaction [{}] is already visible, not pre-committed.", *operation.txn)
          : fmt::format("transaction [{}] is already VISIBLE, could not abort.", *operation.txn));
}

TxnAnswer already_aborted(const TxnOperation& operation, const std::string& reason) {
  return TxnAnswer::refused(fmt::format("transaction [{}] is already aborted{} abort reason: {}",
                                        *operation.txn, operation.kind == Kind::Commit ? "." : ",", reason));
}

}  // namespace

// Which transaction is meant, as things stand now. A label means one that is open or prepared.
std::optional<TxnId> Coordinator::meant_by(const TxnOperation& operation, DatabaseId database) const {
  if (operation.txn) return operation.txn;
  if (const auto open = open_.find(database, operation.label)) return open->load.txn;
  return manifest_.find_prepared(database, operation.label);
}

core::Task<TxnAnswer> Coordinator::operate(TxnOperation operation) {
  LabelNotThere not_there;
  if (closing_) co_return TxnAnswer{false, "INTERNAL_ERROR", kShuttingDown};
  const Background counted(*this);
  for (int turns = 0;;) {
    if (closing_ && turns > 0) co_return TxnAnswer{false, "INTERNAL_ERROR", kShuttingDown};
    const Database* const found = manifest_.catalog()->find_database(operation.database);
    if (found == nullptr) {
      co_return TxnAnswer::refused(fmt::format("unknown database, database={}", operation.database));
    }
    const DatabaseId database =
        found->id;  // the catalog that `found` is of may go while something is awaited
    const auto txn = meant_by(operation, database);
    if (!txn) co_return not_found(operation);
    if (const auto open = open_.find(*txn)) {
      if (open->load.database != database) co_return not_found(operation);
      if (open->phase == OpenLoads::Phase::Receiving) {
        if (operation.kind == Kind::Commit) {
          if (co_await settle(open, false) == Settled::Decided) continue;
          if (!operation.txn) co_return not_found(operation);
          co_return TxnAnswer::refused(fmt::format("transaction [{}] is prepare, not pre-committed.", *txn));
        }
        const OpenLoadEnd end = co_await hooks_.abort_open(open->load.shard, *txn, kUserAbort);
        if (end == OpenLoadEnd::Aborted) {
          abort(*txn, kUserAbort);
          // The load itself may have come first, with a longer text.
          aborted_.add(database, *txn, open->load.label, kUserAbort);
          co_return TxnAnswer::success();
        }
        if (end == OpenLoadEnd::NotThere && open_.find(*txn) != nullptr) {
          if (++turns == kOnTheWayTurns) {
            co_return TxnAnswer{
                false, "INTERNAL_ERROR",
                fmt::format("transaction [{}] is only just beginning: abort it again soon", *txn)};
          }
          (void)co_await shard_.sleep_for(kOnTheWayTurn);
          continue;
        }
      }
      co_await open->decided.wait();
      continue;
    }
    if (const auto under_way = operations_.find(*txn); under_way != operations_.end()) {
      const std::shared_ptr<core::Event> decided = under_way->second;
      co_await decided->wait();
      continue;
    }
    if (const auto prepared = manifest_.prepared().find(*txn); prepared != manifest_.prepared().end()) {
      if (prepared->second.load.database != database) co_return not_found(operation);
      co_return co_await end_prepared(*txn, operation.kind);
    }
    const LabelBook& labels = manifest_.labels();
    const LabelBook::Looked outcome = labels.look(database, *txn, labels_keep_from());
    if (outcome.found) co_return already_visible(operation);
    if (const LabelNotThere now{labels.generation(), database}; outcome.must_read && not_there != now) {
      const auto read = co_await labels.read(database, *txn, labels_keep_from());
      if (!read)
        co_return TxnAnswer{false, "INTERNAL_ERROR", label_unreadable(fmt::format("{}", *txn), read.error())};
      if (*read) co_return already_visible(operation);
      not_there = now;  // and look again: the world may have changed while it was read
      continue;
    }
    if (const std::string* reason = aborted_.find(database, *txn))
      co_return already_aborted(operation, *reason);
    co_return not_found(operation);
  }
}

// One record makes it so; every other operation on the transaction waits for that.
core::Task<TxnAnswer> Coordinator::end_prepared(TxnId txn, TxnOperation::Kind kind, std::string reason) {
  const auto decided = std::make_shared<core::Event>();
  operations_.emplace(txn, decided);
  const LoadInfo load = manifest_.prepared().at(txn).load;
  TxnAnswer answer = co_await record_operation(txn, kind, std::move(reason));
  if (answer.done && kind == Kind::Abort && load.rows > 0) want_reclaim();
  if (answer.done && kind == Kind::Commit) log_if_dropped(txn, load.table, load.label);
  operations_.erase(txn);
  decided->set();
  if (answer.done) {
    core::log_debug(kind == Kind::Commit ? "txn_committed" : "txn_aborted", "txn", txn, "label", load.label);
  }
  co_return answer;
}

}  // namespace penstock::txn
