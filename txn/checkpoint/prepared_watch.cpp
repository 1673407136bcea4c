// Coordinator: the age of prepared loads, and the lease that may end them.
//
// Nothing prepared is dropped by a timer unless a lease is configured. Ages count running time: while something is prepared
// the time is written down every watch_seconds, so that neither a restart nor a kill begins an age anew.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/log.hpp"
#include "txn/checkpoint/coordinator.hpp"

namespace penstock::txn {

void Coordinator::want_watch() {
  if (watch_runs_ || closing_) return;
  if (limits_.watch_seconds == 0 && limits_.prepared_lease_seconds == 0) return;
  watch_runs_ = true;
  shard_.spawn(watch_prepared());
}

core::Task<void> Coordinator::watch_prepared() {
  const std::uint64_t lease = limits_.prepared_lease_seconds;
  std::uint64_t seconds = std::min(limits_.watch_seconds, lease);
  if (seconds == 0) seconds = std::max(limits_.watch_seconds, lease);  // the one that is there
  const auto turn = std::chrono::seconds(seconds);
  while (!closing_ && !manifest_.prepared().empty()) {
    core::AwaitOp timer(shard_.kernel(),
                        core::Op{.kind = core::OpKind::Timer, .deadline = shard_.now().monotonic + turn});
    watch_timer_ = &timer;
    (void)co_await timer;
    watch_timer_ = nullptr;
    if (closing_) break;
    if (limits_.prepared_lease_seconds > 0) co_await end_old_leases();
    if (closing_ || manifest_.prepared().empty() || manifest_.running_seconds() == running_seconds())
      continue;
    RecordRequest request;
    request.item = TimeItem{running_seconds()};
    (void)co_await submit(request);  // a full disk: the age is counted on in memory, and written another time
  }
  watch_runs_ = false;
  idle_.notify_all();
}

core::Task<void> Coordinator::end_lease(Coordinator* self, TxnId txn, std::size_t* left, core::Event* done) {
  const auto found = self->manifest_.prepared().find(txn);
  if (found == self->manifest_.prepared().end() ||
      self->operations_.contains(txn)) {  // its client came first
    if (--*left == 0) done->set();
    co_return;
  }
  const LoadInfo load = found->second.load;
  const TxnAnswer answer = co_await self->end_prepared(
      txn, TxnOperation::Kind::Abort,
      fmt::format("prepared_lease_seconds ({} s) is over", self->limits_.prepared_lease_seconds));
  if (answer.done) {
    ++self->stats_.leases_ended;
    core::log_warn("lease_ended", "txn", txn, "label", load.label, "rows", load.rows, "lease_seconds",
                   self->limits_.prepared_lease_seconds, "effect",
                   "the prepared load is aborted, its rows are gone");
  }
  if (--*left == 0) done->set();
}

// Those that are as old as the lease allows, together: they share records.
core::Task<void> Coordinator::end_old_leases() {
  const std::uint64_t now = running_seconds();
  std::vector<TxnId> old;
  for (const auto& [txn, load] : manifest_.prepared()) {
    const bool is_old = now - std::min(now, load.prepared_at) >= limits_.prepared_lease_seconds;
    if (is_old && !operations_.contains(txn)) old.push_back(txn);
    if (old.size() == limits_.requests_per_record_max) break;  // the others in the next turn
  }
  if (old.empty()) co_return;
  std::size_t left = old.size();
  core::Event done;
  for (const TxnId txn : old) shard_.spawn(end_lease(this, txn, &left, &done));
  co_await done.wait();
}

}  // namespace penstock::txn
