#include "txn/checkpoint/label_book.hpp"

#include <algorithm>

#include "core/base/planted.hpp"
#include "txn/checkpoint/open_loads.hpp"

namespace penstock::txn {
namespace {

template <class Found>
std::optional<LabelBook::Outcome> outcome_of(const Found* found, std::uint64_t keep_from) {
  if (found == nullptr || found->finished_at < keep_from) return std::nullopt;
  return LabelBook::Outcome{found->txn, found->finished_at};
}

}  // namespace

void LabelBook::add(const LoadInfo& load, std::uint64_t running_seconds) {
  memory_.add(load.database, load.label, load.txn, running_seconds);
}

LabelBook::Looked LabelBook::look(DatabaseId database, std::string_view label,
                                  std::uint64_t keep_from) const {
  const std::uint64_t hash = label_hash(database, label);
  for (const LabelMemory* memory : {&memory_, &frozen_}) {
    // The newest counts, also if it is out of date: older ones are too.
    if (const auto* kept = memory->find(hash, database, label)) return {outcome_of(kept, keep_from), false};
  }
  const auto may_hold = [&](const auto& run) { return run->may_hold(hash); };
  return {std::nullopt, std::any_of(runs_.begin(), runs_.end(), may_hold)};
}

LabelBook::Looked LabelBook::look(DatabaseId database, TxnId txn, std::uint64_t keep_from) const {
  for (const LabelMemory* memory : {&memory_, &frozen_}) {
    const LabelMemory::Finished* const kept = memory->find(txn);
    if (kept == nullptr) continue;
    if (kept->database != database || kept->at < keep_from) return {};
    return {Outcome{txn, kept->at}, false};
  }
  const auto may_hold = [&](const auto& run) { return run->may_hold(txn); };
  return {std::nullopt, std::any_of(runs_.begin(), runs_.end(), may_hold)};
}

core::Task<LabelRun::Found<LabelBook::Outcome>> LabelBook::read(DatabaseId database, std::string label,
                                                                std::uint64_t keep_from) const {
  const std::uint64_t hash = label_hash(database, label);
  std::vector<LabelRun::Hold> held;
  for (const auto& run : runs_) {
    if (run->may_hold(hash)) held.emplace_back(run);
  }
  for (auto run = held.rbegin(); run != held.rend(); ++run) {  // the newest first: what it says counts
    auto found = co_await (*run)->find(database, label);
    if (!found) co_return std::unexpected(found.error());
    if (*found) co_return outcome_of(&**found, keep_from);
  }
  co_return std::nullopt;
}

core::Task<LabelRun::Found<LabelBook::Outcome>> LabelBook::read(DatabaseId database, TxnId txn,
                                                                std::uint64_t keep_from) const {
  std::vector<LabelRun::Hold> held;
  for (const auto& run : runs_) {
    if (run->may_hold(txn)) held.emplace_back(run);
  }
  for (auto run = held.rbegin(); run != held.rend(); ++run) {
    auto found = co_await (*run)->find(txn);
    if (!found) co_return std::unexpected(found.error());
    if (!*found) continue;
    if ((*found)->database != database) break;
    co_return outcome_of(&**found, keep_from);
  }
  co_return std::nullopt;
}

bool LabelBook::has_run(FileId file) const {
  return std::any_of(runs_.begin(), runs_.end(), [&](const auto& run) { return run->info().file == file; });
}

void LabelBook::add_run(std::shared_ptr<LabelRun> run) {
  runs_.push_back(std::move(run));
  ++generation_;
}

core::Task<std::expected<void, std::string>> LabelBook::open_runs(core::Directory directory,
                                                                  core::StoreUuid store) {
  for (const auto& run : runs_) {
    if (auto opened = co_await run->open(directory, store); !opened) {
      co_await close();
      co_return opened;
    }
  }
  co_return std::expected<void, std::string>{};
}

core::Task<void> LabelBook::close() {
  for (const Runs* runs : {&runs_, &dead_}) {
    for (const auto& run : *runs) co_await run->close();
  }
}

core::Task<core::Result<>> LabelBook::flush(LabelPlace place, FileId id, Limits limits,
                                            LabelRetention retention) {
  if (frozen_.size() == 0) frozen_ = std::exchange(memory_, {});  // otherwise the last try failed
  LabelRunWriter writer(place, id, 0, frozen_.labels());
  auto written = co_await write_frozen(&writer, std::move(retention));
  core::Result<std::shared_ptr<LabelRun>> run{};
  if (written) run = co_await writer.finish();
  if (!written || !run) {
    co_await writer.abandon();
    flush_later_ = in_memory();  // not again with every record
    co_return written ? std::unexpected(run.error()) : std::unexpected(written.error());
  }
  flush_later_ = 0;
  if (*run != nullptr) add_run(std::move(*run));
  co_await drop_frozen(&place.shard);
  co_return core::Result<>{};
}

core::Task<core::Result<>> LabelBook::write_frozen(LabelRunWriter* writer, LabelRetention retention) const {
  CO_TRY_VOID(co_await writer->open());
  for (std::size_t bucket = 0; bucket < LabelMemory::kBuckets; ++bucket) {
    for (const LabelMemory::Kept* kept : frozen_.sorted_bucket(bucket)) {
      if (retention.keeps(kept->database, kept->finished_at)) writer->add(kept->view());
      if (writer->is_breath_due()) co_await writer->breathe();
    }
    if (writer->wants_write()) CO_TRY_VOID(co_await writer->write());
  }
  writer->end_labels();
  for (const auto& [txn, finished] : frozen_.txns()) {
    if (retention.keeps(finished.database, finished.at))
      writer->add(TxnEntry{txn, finished.database, finished.at});
    if (writer->wants_write()) CO_TRY_VOID(co_await writer->write());
    if (writer->is_breath_due()) co_await writer->breathe();
  }
  co_return core::Result<>{};
}

core::Task<void> LabelBook::drop_frozen(core::Shard* shard) {
  LabelMemory old = std::exchange(frozen_, {});
  while (old.shrink()) co_await shard->yield();
}

std::optional<std::uint32_t> LabelBook::level_to_merge(const Limits& limits) const {
  for (std::size_t begin = 0; begin < runs_.size();) {
    std::size_t end = begin;
    bool is_merging = false;
    for (; end < runs_.size() && runs_[end]->info().level == runs_[begin]->info().level; ++end)
      is_merging |= runs_[end]->is_merging;
    const auto later = merge_later_.find(runs_[begin]->info().level);
    const std::size_t wanted = limits.fan_in + (later == merge_later_.end() ? 0 : later->second);
    if (end - begin >= wanted && !is_merging) return runs_[begin]->info().level;
    begin = end;
  }
  return std::nullopt;
}

core::Task<std::expected<void, std::string>> LabelBook::merge(LabelPlace place, FileId id, Limits limits,
                                                              std::uint32_t level, LabelRetention retention,
                                                              const bool* give_up) {
  Runs oldest;
  for (const auto& run : runs_) {
    if (run->info().level == level && oldest.size() < limits.fan_in) oldest.push_back(run);
  }
  for (const auto& run : oldest) run->is_merging = true;
  auto merged = co_await merge_label_runs(place, id, level + 1, oldest, std::move(retention), give_up);
  for (const auto& run : oldest) run->is_merging = false;
  if (!merged) {
    if (!merged.error().empty()) {  // not again behind every snapshot
      merge_later_[level] = static_cast<std::size_t>(std::count_if(
          runs_.begin(), runs_.end(), [&](const auto& run) { return run->info().level == level; }));
    }
    co_return std::unexpected(merged.error());
  }
  merge_later_.erase(level);
  // They lie side by side: newer runs came behind them, older ones were merged before them.
  auto at = std::find(runs_.begin(), runs_.end(), oldest.front());
  CHECK(at != runs_.end());
  at = runs_.erase(at, at + static_cast<std::ptrdiff_t>(oldest.size()));
  if (*merged != nullptr) runs_.insert(at, std::move(*merged));
  ++generation_;
  dead_.insert(dead_.end(), oldest.begin(), oldest.end());
  co_return std::expected<void, std::string>{};
}

void LabelBook::expire_runs(std::uint64_t keep_from) {
  const auto is_over = [&](const auto& run) {
    return run->info().finished_high < keep_from && !run->is_merging;
  };
  std::copy_if(runs_.begin(), runs_.end(), std::back_inserter(dead_), is_over);
  if (std::erase_if(runs_, is_over) > 0) ++generation_;
}

void LabelBook::give_back_dead_runs(Runs runs) { dead_.insert(dead_.end(), runs.begin(), runs.end()); }

std::uint64_t LabelBook::size() const {
  std::uint64_t all = in_memory();
  for (const auto& run : runs_) all += run->info().txns;
  return all;
}

std::size_t LabelBook::run_memory_bytes() const {
  std::size_t bytes = 0;
  for (const auto& run : runs_) bytes += run->memory_bytes();
  return bytes;
}

void LabelBook::encode(core::ByteWriter& out) const {
  const bool forgets = core::planted(core::Planted::ForgetLabelRuns);
  out.put(forgets ? 0u : static_cast<std::uint32_t>(runs_.size()));
  for (const auto& run : runs_) {
    if (!forgets) run->info().encode(out);
  }
  out.put(static_cast<std::uint32_t>(frozen_.labels() + memory_.labels()));
  for (const LabelMemory* memory : {&frozen_, &memory_}) {
    for (std::size_t bucket = 0; bucket < LabelMemory::kBuckets && memory->labels() > 0; ++bucket) {
      for (const LabelMemory::Kept* kept : memory->sorted_bucket(bucket)) {
        out.put(kept->database.value);
        out.put_text(kept->label);
        out.put(kept->txn.value);
        out.put(kept->finished_at);
      }
    }
  }
}

void LabelBook::decode(core::ByteReader& in, bool has_runs) {
  const std::uint32_t runs = has_runs ? in.get_count(LabelRunInfo::kEncodedBytes) : 0;
  for (std::uint32_t i = 0; i < runs && in.ok(); ++i) {
    const LabelRunInfo info = LabelRunInfo::decode(in);
    const bool is_in_order = runs_.empty() || info.level <= runs_.back()->info().level;
    if (!is_in_order || has_run(info.file)) in.fail();  // merges rely on it
    runs_.push_back(std::make_shared<LabelRun>(info));
  }
  const std::uint32_t count = in.get_count(8 + 4 + 8 + 8);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const DatabaseId database(in.get<std::uint64_t>());
    const std::string label = in.get_text();
    const TxnId txn(in.get<std::uint64_t>());
    const auto finished_at = in.get<std::uint64_t>();
    if (label.size() > kLabelBytesMax) in.fail();
    if (in.ok()) memory_.add(database, label, txn, finished_at);
  }
}

}  // namespace penstock::txn
