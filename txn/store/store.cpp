#include "txn/store/store.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "txn/decode/initial_value.hpp"

namespace penstock::txn {
namespace {

constexpr const char* kLockName = "LOCK";
// A process that was killed lets go of its files when the kernel has taken its rings apart: soon after it is gone, not before.
constexpr core::Duration kLockTimeMax = std::chrono::seconds(5);
constexpr core::Duration kLockTurn = std::chrono::milliseconds(20);
constexpr int kScanTurns = 100;

core::Task<void> apply_change(StoreShard* shard, std::shared_ptr<const VisibleChange> change) {
  shard->apply(*change);
  co_return;
}
core::Task<void> send_change(StoreShard* shard, std::shared_ptr<const VisibleChange> change,
                             core::Countdown* countdown) {
  co_await core::call_on(shard->shard().id(), [shard, c = std::move(change)]() mutable {
    return apply_change(shard, std::move(c));
  });
  countdown->one_done();
}
core::Task<std::vector<FileId>> list_sealed(StoreShard* shard) { co_return shard->sealed_journals(); }
core::Task<void> forget_sealed(StoreShard* shard, std::vector<FileId> files) {
  if (shard->has_journals()) {
    for (const FileId file : files) shard->journal_of(file).forget(file);
  }
  co_return;
}
core::Task<void> begin_run(StoreShard* shard, Coordinator::Run run) {
  shard->begin_run(run);
  co_return;
}
core::Task<void> end_run(StoreShard* shard) { co_await shard->end_run(); }
// Nothing: the table was dropped meanwhile, here its rows are gone already.
core::Task<std::optional<std::vector<VisibleBlock>>> visible_blocks(StoreShard* shard, TableId table,
                                                                    CheckpointNumber checkpoint) {
  co_await shard->tablets().wait_applied(checkpoint);
  const auto catalog = shard->tablets().catalog();
  if (catalog == nullptr || catalog->find_table(table) == nullptr) co_return std::nullopt;
  co_return shard->tablets().blocks_at(table, checkpoint);
}
core::Task<Coordinator::Pin> take_pin(Coordinator* coordinator) { co_return coordinator->pin(); }
core::Task<void> drop_pin(Coordinator* coordinator, std::uint64_t id) {
  coordinator->unpin(id);
  co_return;
}

}  // namespace

Store::Store(core::ShardSet& shards, Options options)
    : set_(shards), options_(std::move(options)), poison_(options_.end_process) {
  CHECK_EQ(options_.arenas.size(), set_.count());
}

Store::~Store() = default;

core::Task<std::expected<void, std::string>> Store::open() {
  core::Shard& here = core::current_shard();
  CHECK(here.id() == core::ShardId(0));
  auto directory = co_await core::Directory::open(here.kernel(), options_.data_dir);
  if (!directory) {
    co_return std::unexpected(fmt::format("data folder '{}': {}. Make it, or give another with --data-dir",
                                          options_.data_dir, directory.error().to_string()));
  }
  directory_ = *directory;
  auto lock = co_await directory_.open_file(kLockName, {.write = true, .create_exclusive = true});
  if (!lock && lock.error().code == core::Errc::AlreadyExists) {
    lock = co_await directory_.open_file(kLockName, {.write = true});
  }
  if (!lock) {
    co_return std::unexpected(
        fmt::format("data folder '{}': {}: {}", options_.data_dir, kLockName, lock.error().to_string()));
  }
  lock_ = std::move(*lock);
  const core::Instant lock_until = here.now().monotonic + kLockTimeMax;
  auto locked = co_await lock_.lock();
  while (!locked && here.now().monotonic < lock_until) {
    (void)co_await here.sleep_for(kLockTurn);
    locked = co_await lock_.lock();
  }
  if (!locked) {
    co_return std::unexpected(
        fmt::format("data folder '{}' is in use by another penstock process ({}): stop it, or "
                    "give another folder with --data-dir",
                    options_.data_dir, locked.error().to_string()));
  }
  coordinator_ = std::make_unique<Coordinator>(
      here, directory_, poison_, options_.limits.coordinator, options_.limits.log,
      Coordinator::Hooks{
          .publish =
              [this](std::shared_ptr<const VisibleChange> change) { return publish(std::move(change)); },
          .sealed_files = [this] { return sealed_files(); },
          .forget_files = [this](std::vector<FileId> files) { return forget_files(std::move(files)); },
          .abort_open = [this](core::ShardId shard, TxnId txn,
                               std::string reason) { return abort_open(shard, txn, std::move(reason)); },
          .look_at_open = [this](core::ShardId shard, TxnId txn,
                                 bool reads_on) { return look_at_open(shard, txn, reads_on); }});
  for (std::uint32_t i = 0; i < set_.count(); ++i) {
    core::Shard& shard = set_.at(i);
    shards_.push_back(std::make_unique<StoreShard>(shard, directory_.on(shard.kernel()), *options_.arenas[i],
                                                   poison_, *coordinator_, options_.limits));
    shards_.back()->set_peers(shards_);
  }
  if (auto started = co_await coordinator_->start(); !started) co_return std::unexpected(started.error());
  for (auto& shard : shards_) {
    StoreShard* const at = shard.get();
    const Coordinator::Run run = coordinator_->run();
    co_await core::call_on(at->shard().id(), [at, run] { return begin_run(at, run); });
  }
  co_return std::expected<void, std::string>{};
}

core::Task<void> Store::close() {
  for (auto& shard : shards_) {
    StoreShard* const at = shard.get();
    co_await core::call_on(at->shard().id(), [at] { return end_run(at); });
  }
  if (coordinator_ != nullptr) co_await coordinator_->stop();
  co_await lock_.close();
  co_await directory_.close();
}

core::Task<void> Store::publish(std::shared_ptr<const VisibleChange> change) {
  core::Countdown countdown(shards_.size());
  for (auto& shard : shards_) core::current_shard().spawn(send_change(shard.get(), change, &countdown));
  co_await countdown.wait();
}

core::Task<std::vector<FileId>> Store::sealed_files() {
  std::vector<FileId> all;
  for (auto& shard : shards_) {
    StoreShard* const at = shard.get();
    const std::vector<FileId> files =
        co_await core::call_on(at->shard().id(), [at] { return list_sealed(at); });
    all.insert(all.end(), files.begin(), files.end());
  }
  co_return all;
}

core::Task<void> Store::forget_files(std::vector<FileId> files) {
  for (auto& shard : shards_) {
    StoreShard* const at = shard.get();
    co_await core::call_on(at->shard().id(), [at, files] { return forget_sealed(at, files); });
  }
}

namespace {
core::Task<OpenLoadEnd> abort_on_shard(StoreShard* shard, TxnId txn, std::string reason) {
  co_return shard->abort_open(txn, std::move(reason));
}
}  // namespace

core::Task<OpenLoadEnd> Store::abort_open(core::ShardId shard, TxnId txn, std::string reason) {
  StoreShard* const at = shards_.at(shard.value).get();
  co_return co_await core::call_on(
      shard, [at, txn, r = std::move(reason)]() mutable { return abort_on_shard(at, txn, std::move(r)); });
}

core::Task<OpenLoadEnd> Store::look_at_open(core::ShardId shard, TxnId txn, bool reads_on) {
  StoreShard* const at = shards_.at(shard.value).get();
  co_return co_await core::call_on(shard, [at, txn, reads_on] { return at->look_at_open(txn, reads_on); });
}

core::Task<TxnAnswer> Store::operate(TxnOperation operation) {
  Coordinator* const coordinator = coordinator_.get();
  co_return co_await core::call_on(core::ShardId(0), [coordinator, o = std::move(operation)]() mutable {
    return coordinator->operate(std::move(o));
  });
}

namespace {
core::Task<TransactionList> list_there(Coordinator* coordinator, TransactionFilter filter) {
  co_return coordinator->list(filter);
}
}  // namespace

core::Task<TransactionList> Store::transactions(TransactionFilter filter) {
  Coordinator* const coordinator = coordinator_.get();
  co_return co_await core::call_on(core::ShardId(0), [coordinator, f = std::move(filter)]() mutable {
    return list_there(coordinator, std::move(f));
  });
}

core::Task<AbortedTransactions> Store::abort_all(std::string database, std::string label_prefix) {
  Coordinator* const coordinator = coordinator_.get();
  co_return co_await core::call_on(
      core::ShardId(0), [coordinator, d = std::move(database), l = std::move(label_prefix)]() mutable {
        return coordinator->abort_all(std::move(d), std::move(l));
      });
}

core::Task<BeginResult> Store::begin(BeginRequest request) {
  Coordinator* const coordinator = coordinator_.get();
  co_return co_await core::call_on(core::ShardId(0), [coordinator, r = std::move(request)]() mutable {
    return coordinator->begin(std::move(r));
  });
}

core::Task<std::expected<void, SqlError>> Store::execute(Statement statement, std::string database) {
  CO_TRY_VOID(
      set_initial_values(statement, core::current_shard().now().wall_micros, core::TimeZone::of_server()));
  Coordinator* const coordinator = coordinator_.get();
  co_return co_await core::call_on(
      core::ShardId(0), [coordinator, s = std::move(statement), d = std::move(database)]() mutable {
        return coordinator->execute(std::move(s), std::move(d));
      });
}

core::Task<std::expected<std::unique_ptr<Scan>, std::string>> Store::scan(std::string database,
                                                                          std::string table) {
  // A table that is truncated between the pin and a shard's look at it goes on under another id: look again.
  for (int turn = 0; turn < kScanTurns; ++turn) {
    auto scan = co_await scan_once(database, table);
    if (!scan || *scan != nullptr) co_return std::move(scan);
  }
  co_return std::unexpected(
      fmt::format("table '{}.{}' is being truncated or dropped again and again: try again", database, table));
}

core::Task<std::expected<std::unique_ptr<Scan>, std::string>> Store::scan_once(std::string database,
                                                                               std::string table) {
  Coordinator* const coordinator = coordinator_.get();
  const Coordinator::Pin pin =
      co_await core::call_on(core::ShardId(0), [coordinator] { return take_pin(coordinator); });
  const auto found = pin.catalog->find_table(database, table);
  std::vector<VisibleBlock> blocks;
  bool is_whole = found != nullptr;
  for (std::size_t i = 0; i < shards_.size() && is_whole; ++i) {
    StoreShard* const at = shards_[i].get();
    const auto part = co_await core::call_on(
        at->shard().id(), [at, id = found->id, c = pin.checkpoint] { return visible_blocks(at, id, c); });
    is_whole = part.has_value();
    if (part) blocks.insert(blocks.end(), part->begin(), part->end());
  }
  if (!is_whole) {  // a scan beside a DROP shows all of the table or none of it
    co_await core::call_on(core::ShardId(0),
                           [coordinator, id = pin.id] { return drop_pin(coordinator, id); });
    if (found != nullptr) co_return std::unique_ptr<Scan>();
    co_return std::unexpected(fmt::format("Unknown table '{}.{}'", database, table));
  }
  std::sort(blocks.begin(), blocks.end(), [](const VisibleBlock& a, const VisibleBlock& b) {
    return a.checkpoint != b.checkpoint ? a.checkpoint < b.checkpoint : a.position < b.position;
  });
  co_return std::make_unique<Scan>(found, std::move(blocks),
                                   ExtentReader(here().directory(), here().store_uuid()), pin.id);
}

core::Task<void> Store::close_scan(Scan& scan) {
  co_await scan.close_files();
  Coordinator* const coordinator = coordinator_.get();
  co_await core::call_on(core::ShardId(0),
                         [coordinator, id = scan.pin_id()] { return drop_pin(coordinator, id); });
}

namespace {
core::Task<std::expected<std::optional<TxnState>, std::string>> ask_label(Coordinator* coordinator,
                                                                          std::string database,
                                                                          std::string label) {
  const Database* const found = coordinator->manifest().catalog()->find_database(database);
  if (found == nullptr) co_return std::nullopt;
  co_return co_await coordinator->state_of(found->id, std::move(label));
}
}  // namespace

core::Task<std::expected<std::optional<TxnState>, std::string>> Store::label_state(std::string database,
                                                                                   std::string label) {
  Coordinator* const coordinator = coordinator_.get();
  co_return co_await core::call_on(core::ShardId(0),
                                   [coordinator, d = std::move(database), l = std::move(label)]() mutable {
                                     return ask_label(coordinator, std::move(d), std::move(l));
                                   });
}

}  // namespace penstock::txn
