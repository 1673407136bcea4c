#include "txn/checkpoint/transaction_list.hpp"

#include <algorithm>

#include "core/base/log.hpp"
#include "txn/checkpoint/coordinator.hpp"

namespace penstock::txn {
namespace {

std::uint64_t seconds_since(core::Instant since, core::Instant now) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now - since).count());
}

// The `limit` smallest, in order, of any number that are offered.
class Smallest {
 public:
  explicit Smallest(std::size_t limit) : limit_(limit) {}
  bool takes(TxnId txn) const { return kept_.size() < limit_ || txn < kept_.front(); }
  void offer(TxnId txn) {
    if (!takes(txn)) {
      has_dropped_ = true;
      return;
    }
    kept_.push_back(txn);
    std::push_heap(kept_.begin(), kept_.end());
    if (kept_.size() <= limit_) return;
    std::pop_heap(kept_.begin(), kept_.end());
    kept_.pop_back();
    has_dropped_ = true;
  }
  bool has_dropped() const { return has_dropped_; }
  std::vector<TxnId> sorted() {
    std::sort_heap(kept_.begin(), kept_.end());
    return std::move(kept_);
  }

 private:
  const std::size_t limit_;
  std::vector<TxnId> kept_;
  bool has_dropped_ = false;
};

struct Ending {
  explicit Ending(std::size_t count) : left(count) {}
  std::size_t left;
  AbortedTransactions result;
  core::Event done;
};
core::Task<void> end_one(Coordinator* coordinator, TxnOperation operation, Ending* ending) {
  const TxnAnswer answer = co_await coordinator->operate(std::move(operation));
  ++(answer.done ? ending->result.aborted : ending->result.refused);
  if (!answer.done && ending->result.first_refusal.empty()) ending->result.first_refusal = answer.text;
  if (--ending->left == 0) ending->done.set();
}

}  // namespace

TransactionList Coordinator::list(const TransactionFilter& filter) const {
  const Catalog& catalog = *manifest_.catalog();
  const Database* const wanted = filter.database.empty() ? nullptr : catalog.find_database(filter.database);
  TransactionList result;
  if (!filter.database.empty() && wanted == nullptr) return result;
  Smallest found(std::clamp<std::size_t>(filter.limit, 1, TransactionFilter::kLimitMax));
  const auto offer = [&](TxnId txn, DatabaseId database, const std::string& label) {
    if (txn <= filter.after || (wanted != nullptr && database != wanted->id)) return;
    if (label.starts_with(filter.label_prefix)) found.offer(txn);
  };
  if (filter.state != TxnState::Precommitted) {
    for (const auto& [txn, entry] : open_.all()) {
      if (manifest_.prepared().contains(txn))
        continue;  // its record is in force, its vote only not answered yet
      offer(txn, entry->load.database, entry->load.label);
    }
  }
  if (filter.state != TxnState::Prepare) {
    for (const auto& [txn, load] : manifest_.prepared()) offer(txn, load.load.database, load.load.label);
  }
  result.more = found.has_dropped();
  const core::Instant now = shard_.now().monotonic;
  for (const TxnId txn : found.sorted()) {
    TransactionView view{.txn = txn};
    DatabaseId database;
    TableId table;
    if (const auto prepared = manifest_.prepared().find(txn); prepared != manifest_.prepared().end()) {
      const PreparedLoad& load = prepared->second;
      view.state = TxnState::Precommitted;
      view.two_phase = true;
      view.label = load.load.label;
      view.age_seconds = running_seconds() - std::min(running_seconds(), load.prepared_at);
      view.rows = load.load.rows;
      view.bytes = 0;
      for (const BlockRef& block : load.blocks) *view.bytes += block.extent.length;
      database = load.load.database;
      table = load.load.table;
    } else if (const auto open = open_.find(txn)) {
      view.two_phase = open->load.two_phase;
      view.label = open->load.label;
      view.age_seconds = seconds_since(open->since, now);
      database = open->load.database;
      table = open->load.table->id;
    }
    if (const Database* const named = catalog.find_database(database)) view.database = named->name;
    if (const auto named = catalog.find_table(table)) view.table = named->name;
    result.transactions.push_back(std::move(view));
  }
  return result;
}

core::Task<AbortedTransactions> Coordinator::abort_all(std::string database, std::string label_prefix) {
  const Background counted(*this);
  AbortedTransactions all;
  TransactionFilter filter{.database = database, .label_prefix = std::move(label_prefix)};
  for (TransactionList part{.more = true}; part.more;) {
    part = list(filter);
    if (part.transactions.empty()) break;
    filter.after = part.transactions.back().txn;
    Ending ending(part.transactions.size());  // together: they share records
    for (const TransactionView& view : part.transactions) {
      shard_.spawn(end_one(
          this,
          TxnOperation{.kind = TxnOperation::Kind::Abort, .database = database, .txn = view.txn, .label = {}},
          &ending));
    }
    co_await ending.done.wait();
    all.aborted += ending.result.aborted;
    all.refused += ending.result.refused;
    if (all.first_refusal.empty()) all.first_refusal = ending.result.first_refusal;
  }
  core::log_info("transactions_aborted", "db", database, "label_prefix", filter.label_prefix, "aborted",
                 all.aborted, "refused", all.refused);
  co_return all;
}

}  // namespace penstock::txn
