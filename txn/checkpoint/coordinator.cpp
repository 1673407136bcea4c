#include "txn/checkpoint/coordinator.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/log.hpp"
#include "core/base/planted.hpp"
#include "txn/checkpoint/label_questions.hpp"
#include "txn/checkpoint/snapshot.hpp"

namespace penstock::txn {

using core::Planted;
using core::planted;

Coordinator::Coordinator(core::Shard& shard, core::Directory directory, Poison& poison, Limits limits,
                         CommitLog::Limits log, Hooks hooks)
    : shard_(shard),
      directory_(directory),
      poison_(poison),
      limits_(limits),
      log_limits_(log),
      hooks_(std::move(hooks)) {
  open_.resize(shard.set().count());
}

Coordinator::~Coordinator() = default;

core::Task<std::expected<void, std::string>> Coordinator::start() {
  auto recovered = co_await recover(directory_);
  if (!recovered) co_return std::unexpected(recovered.error());
  manifest_ = std::move(recovered->manifest);
  epoch_ = recovered->epoch;
  old_files_ = std::move(recovered->old_files);
  std::erase_if(old_files_, [this](const FileName& file) {
    return file.kind == FileKind::LabelRun && manifest_.labels().has_run(file.id);
  });
  is_new_store_ = recovered->is_new_store;
  store_ = recovered->store;
  if (is_new_store_) {
    for (std::size_t half = 0; half < 2; ++half) {
      const std::uint64_t random = shard_.kernel().entropy();
      std::copy_n(reinterpret_cast<const std::byte*>(&random), 8, store_.data() + half * 8);
    }
  }
  started_ = shard_.now().monotonic;
  running_seconds_before_ = manifest_.running_seconds();

  if (planted(Planted::UnlinkBeforeBoot)) {
    for (const FileName& file : old_files_) {
      if (file.kind == FileKind::CommitLog) co_await unlink_files(FileKind::CommitLog, {file.id});
    }
  }
  std::size_t boot_bytes = recovered->previous_record.size() + 2 * core::kPage;
  for (const PieceItem& piece : recovered->pieces)
    boot_bytes += piece.bytes.size() + Extent::kEncodedBytes + 8;
  log_ = std::make_unique<CommitLog>(shard_, directory_, poison_, store_, epoch_, log_limits_);
  if (auto opened = co_await log_->open(recovered->previous, boot_bytes); !opened) {
    co_return std::unexpected(
        fmt::format("the commit log cannot be made: {}. Free at least {} MiB on this disk, or "
                    "move the data folder to one with room",
                    opened.error().to_string(), log_limits_.file_bytes / core::kMiB + 1));
  }
  next_txn_ = recovered->txn_range_end;
  if (planted(Planted::ReuseTxnIds)) next_txn_ -= std::min(next_txn_ - 1, limits_.txn_range);
  BootItem boot{.has_previous = recovered->previous.has_value()};
  if (recovered->previous) {
    boot.previous = *recovered->previous;
    if (!planted(Planted::SkipBootRepeat)) boot.previous_record = std::move(recovered->previous_record);
  }
  std::vector<LogItem> items;
  items.emplace_back(std::move(boot));
  items.emplace_back(TxnRangeItem{next_txn_ + limits_.txn_range});
  if (!planted(Planted::SkipPieceRepeat)) {
    for (const PieceItem& piece : recovered->pieces) items.emplace_back(piece);
  }
  LogRecord written;
  auto booted = co_await log_->append(std::move(items), CommitLog::Reserve::MayUse, &written);
  if (!booted)
    co_return std::unexpected("the first commit record cannot be written: " + booted.error().to_string());
  co_await log_->sync_first_name();
  if (auto written_again = co_await write_again(recovered->pieces); !written_again) {
    co_await log_->close();
    co_return std::unexpected(fmt::format("rows beside the last commit record cannot be written again: {}",
                                          written_again.error().to_string()));
  }

  VisibleChange ignored;
  const FooterBlocks none;
  const auto applied =
      manifest_.apply(written, [&](std::size_t) -> const FooterBlocks& { return none; }, ignored);
  CHECK(applied.has_value());
  co_await hooks_.publish(
      std::make_shared<const VisibleChange>(VisibleChange{.checkpoint = manifest_.checkpoint(),
                                                          .catalog = manifest_.catalog(),
                                                          .blocks = manifest_.all_blocks()}));
  core::log_info("store_open", "epoch", epoch_, "records_replayed", recovered->records_replayed, "checkpoint",
                 manifest_.checkpoint(), "tables", manifest_.catalog()->tables().size(), "prepared",
                 manifest_.prepared().size());
  loop_running_ = true;
  shard_.spawn(run_loop());
  if (!manifest_.prepared().empty()) want_watch();
  co_await log_->make_reserve();
  // Start-up does not grow with history: every run begins with a snapshot, after which older logs go.
  want_snapshot();
  co_return std::expected<void, std::string>{};
}

core::Task<void> Coordinator::stop() {
  closing_ = true;
  merges_give_up_ = true;
  if (watch_timer_ != nullptr) shard_.kernel().cancel(*watch_timer_);
  if (settle_timer_ != nullptr) shard_.kernel().cancel(*settle_timer_);
  while (is_at_work()) co_await idle_.wait();
  // A snapshot may be due with the record that settles, and one of the last loads behind it.
  for (bool settles = true; settles && last_is_in_flight_;) {
    settles = co_await settle_now();
    while (is_at_work()) co_await idle_.wait();
  }
  stopping_ = true;
  work_.notify_all();
  while (loop_running_) co_await idle_.wait();
  CHECK(requests_.empty());
  if (log_ != nullptr) co_await log_->close();
  co_await manifest_.labels().close();
}

bool Coordinator::is_at_work() const {
  return watch_runs_ || settle_runs_ || background_ > 0 || deciding_ || !requests_.empty();
}

std::uint64_t Coordinator::running_seconds() const {
  const core::Duration run = shard_.now().monotonic - started_;
  return running_seconds_before_ +
         static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(run).count());
}

core::Task<BeginResult> Coordinator::begin(BeginRequest request) {
  const Background counted(*this);
  constexpr const char* kEnding = "the server is shutting down: send the load again soon";
  BeginResult result;
  const auto refuse = [&](const char* code, std::string message) {
    result.status = BeginResult::Status::Refused;
    result.code = code;
    result.message = std::move(message);
    return result;
  };
  if (!request.label.empty() && !is_valid_label(request.label)) {
    co_return refuse("INVALID_ARGUMENT",
                     fmt::format("Label format error. regex: ^[-_A-Za-z0-9:]{{1,{}}}$, label: {}",
                                 kLabelBytesMax, request.label));
  }
  LabelNotThere not_there;
  for (;;) {
    const Database* const database = manifest_.catalog()->find_database(request.database);
    if (database == nullptr) {
      co_return refuse(
          "ANALYSIS_ERROR",
          fmt::format("errCode = 2, detailMessage = unknown database, database={}", request.database));
    }
    const auto table = manifest_.catalog()->find_table(request.database, request.table);
    if (table == nullptr) {
      co_return refuse(
          "ANALYSIS_ERROR",
          fmt::format("errCode = 2, detailMessage = unknown table, tableName={}", request.table));
    }
    if (!request.label.empty()) {
      if (const auto open = open_.find(database->id, request.label)) {
        const Settled settled = co_await settle(open, true);
        if (settled == Settled::Decided) continue;  // what decided it is the answer
        if (settled == Settled::Unknown) {
          co_return refuse(
              "INTERNAL_ERROR",
              fmt::format(
                  "the load that holds label [{}] (transaction {}) could not be looked at: try again soon",
                  request.label, open->load.txn));
        }
        result.status = BeginResult::Status::LabelExists;
        result.existing = TxnState::Prepare;
        result.existing_txn = open->load.txn;
        co_return result;
      }
      if (const auto prepared = manifest_.find_prepared(database->id, request.label)) {
        if (const auto under_way = operations_.find(*prepared); under_way != operations_.end()) {
          const std::shared_ptr<core::Event> decided = under_way->second;
          co_await decided->wait();
          continue;
        }
        result.status = BeginResult::Status::LabelExists;
        result.existing = TxnState::Precommitted;
        result.existing_txn = *prepared;
        co_return result;
      }
      const LabelBook& labels = manifest_.labels();
      LabelBook::Looked outcome = labels.look(database->id, request.label, labels_keep_from());
      const LabelNotThere now{labels.generation(), database->id};
      if (outcome.must_read && not_there != now) {
        if (closing_) co_return refuse("CANCELLED", kEnding);
        auto read = co_await labels.read(now.database, request.label, labels_keep_from());
        if (!read) co_return refuse("INTERNAL_ERROR", label_unreadable(request.label, read.error()));
        not_there = now;
        if (!*read) continue;  // the world may have changed while it was read
        outcome.found = *read;
      }
      if (outcome.found) {
        result.status = BeginResult::Status::LabelExists;
        result.existing = TxnState::Visible;
        result.existing_txn = outcome.found->txn;
        co_return result;
      }
    }
    if (closing_) co_return refuse("CANCELLED", kEnding);
    if (!log_->accepts_loads()) {
      co_return refuse("INTERNAL_ERROR",
                       "the disk is full (the commit log has no room): free space, then load again");
    }
    if (open_.size() >= limits_.open_loads_max) {
      co_return refuse("INTERNAL_ERROR",
                       fmt::format("current running txns on db {} is {}, larger than limit {}",
                                   database->id.value, open_.size(), limits_.open_loads_max));
    }
    if (next_txn_ >= manifest_.txn_range_end() || shard_.perhaps(core::Perhaps::TxnIdsAreOut)) {
      if (auto taken = co_await take_range(); !taken) {
        co_return refuse("INTERNAL_ERROR", "no transaction id: " + taken.error().to_string());
      }
      continue;  // the world may have changed while it was written
    }
    BeganLoad load;
    load.txn = TxnId(next_txn_++);
    load.database = database->id;
    load.table = table;
    load.two_phase = request.two_phase;
    load.label_kept = !request.label.empty() || request.two_phase;
    load.label = std::move(request.label);
    if (load.label.empty()) {
      const std::uint64_t chance = shard_.kernel().entropy();
      load.label = request.group_commit ? fmt::format("group_commit_{:016x}_{:x}", chance, load.txn.value)
                                        : fmt::format("{:016x}-{:x}", chance, load.txn.value);
    }
    load.is_small = request.small_near.has_value();
    load.shard = open_.place(request.small_near);
    result.status = BeginResult::Status::Began;
    result.load = load;
    open_.add(std::move(load))->since = shard_.now().monotonic;
    co_return result;
  }
}

// Whether an open load that nothing is known of here still waits for its client. If it does not it is decided now. Real
// clients take RUNNING for done, and ask as soon as their own connection has broken: with `reads_on` that news, and what was
// sent before it, is fetched first, and of a load that nobody could look at nothing is said.
core::Task<Coordinator::Settled> Coordinator::settle(std::shared_ptr<OpenLoads::Entry> open, bool reads_on) {
  const Background counted(*this);
  constexpr core::Duration kTurn = std::chrono::milliseconds(5);
  constexpr core::Duration kLookMax = std::chrono::seconds(5);
  const core::Instant give_up = shard_.now().monotonic + kLookMax;
  while (!open->decided.is_set()) {
    OpenLoadEnd end = OpenLoadEnd::Voting;
    if (open->phase == OpenLoads::Phase::Receiving) {
      const bool looks = !reads_on || !shard_.perhaps(core::Perhaps::LookSeesNothing);
      end = looks ? co_await hooks_.look_at_open(open->load.shard, open->load.txn, reads_on)
                  : OpenLoadEnd::NotLooked;
    }
    if (open->decided.is_set()) break;
    if (end == OpenLoadEnd::Receiving) co_return Settled::Running;
    if (end == OpenLoadEnd::Aborted) abort(open->load.txn, kConnectionEnded);
    if (end == OpenLoadEnd::Failed)
      abort(open->load.txn, "the load had failed, and its client sent nothing more");
    if (end == OpenLoadEnd::Voting) co_await open->decided.wait();
    if (end != OpenLoadEnd::NotThere && end != OpenLoadEnd::NotLooked) continue;
    // NotThere: it is on its way to its shard, or its end is on the way from there.
    if (!reads_on) co_return Settled::Running;
    if (closing_ || shard_.now().monotonic >= give_up) co_return Settled::Unknown;
    (void)co_await shard_.sleep_for(kTurn);
  }
  co_return Settled::Decided;
}

void Coordinator::abort(TxnId txn, const std::string& reason) {
  const auto entry = open_.find(txn);
  if (entry == nullptr) return;
  CHECK(entry->phase == OpenLoads::Phase::Receiving);
  core::log_debug("load_aborted", "txn", txn, "label", entry->load.label, "reason", reason);
  aborted_.add(entry->load.database, txn, entry->load.label, reason);
  open_.remove(txn);
}

core::Task<TxnAnswer> Coordinator::record_operation(TxnId txn, TxnOperation::Kind kind, std::string reason) {
  RecordRequest request;
  if (kind == TxnOperation::Kind::Commit) {
    request.commit = txn;
  } else {
    request.item = AbortedItem{txn, std::move(reason)};
  }
  const auto logged = co_await submit(request);
  if (!request.error.empty()) co_return TxnAnswer::refused(request.error);
  if (logged) co_return TxnAnswer::success();
  if (logged.error().code == core::Errc::Cancelled) {
    co_return TxnAnswer{false, "INTERNAL_ERROR", kShuttingDown};
  }
  co_return TxnAnswer{false, "INTERNAL_ERROR",
                      fmt::format("transaction [{}] stays pre-committed: {}: free space, then try again", txn,
                                  logged.error().to_string())};
}

core::Task<core::Result<>> Coordinator::submit(RecordRequest& request) {
  if (stopping_) {  // nobody would ever answer it
    request.log_result = core::fail(core::Errc::Cancelled, "the server is shutting down");
    co_return request.log_result;
  }
  requests_.push_back(&request);
  work_.notify_all();
  co_await request.answered.wait();
  co_return request.log_result;
}

void Coordinator::log_if_dropped(TxnId txn, TableId table, const std::string& label) const {
  if (manifest_.catalog()->find_table(table) != nullptr) return;
  core::log_warn("committed_into_dropped_table", "txn", txn, "label", label, "table_id", table, "effect",
                 "its rows are gone");
}

core::Task<VoteResult> Coordinator::vote(Vote vote) {
  std::vector<TxnId> txns;
  for (const LoadInfo& load : vote.loads) txns.push_back(load.txn);
  for (const Vote::Prepared& prepared : vote.prepared) txns.push_back(prepared.load.txn);
  for (const TxnId txn : txns) {
    const auto entry = open_.find(txn);
    CHECK(entry != nullptr);
    entry->phase = OpenLoads::Phase::Voted;
  }
  RecordRequest request;
  request.vote = std::move(vote);
  const auto logged = co_await submit(request);
  for (const TxnId txn : txns) {
    const auto entry = open_.find(txn);
    if (!logged) {
      aborted_.add(entry->load.database, txn, entry->load.label, logged.error().to_string());
    } else if (!entry->load.two_phase) {
      log_if_dropped(txn, entry->load.table->id, entry->load.label);
    }
    open_.remove(txn);
  }
  if (!logged) {
    co_return std::unexpected(fmt::format(
        "{}{}. Nothing of this load is visible; {}",
        logged.error().code == core::Errc::NoSpace ? "the disk is full: " : "", logged.error().to_string(),
        logged.error().code == core::Errc::NoSpace ? "free space, then load again" : "load again"));
  }
  co_return VoteResult{};
}

core::Task<std::expected<void, SqlError>> Coordinator::execute(Statement statement, std::string database) {
  if (closing_) co_return std::unexpected(SqlError{std::string("the change was not made: ") + kShuttingDown});
  RecordRequest request;
  request.statement = std::move(statement);
  request.database = std::move(database);
  const auto logged = co_await submit(request);
  if (!request.error.empty()) co_return std::unexpected(SqlError{request.error});
  if (!logged) co_return std::unexpected(SqlError{"the change was not made: " + logged.error().to_string()});
  co_return std::expected<void, SqlError>{};
}

core::Task<core::Result<>> Coordinator::take_range() {
  if (range_under_way_) {
    while (range_under_way_) co_await idle_.wait();
    co_return core::Result<>{};
  }
  range_under_way_ = true;
  RecordRequest request;
  request.item = TxnRangeItem{manifest_.txn_range_end() + limits_.txn_range};
  const auto logged = co_await submit(request);
  range_under_way_ = false;
  idle_.notify_all();
  co_return logged;
}

core::Task<void> Coordinator::run_loop() {
  while (!stopping_ || !requests_.empty()) {
    if (requests_.empty()) {
      co_await work_.wait();
      continue;
    }
    auto batch = std::make_shared<RecordBatch>();
    const bool takes_one = shard_.perhaps(core::Perhaps::RecordIsFull);
    batch->take(requests_, takes_one ? 1 : limits_.requests_per_record_max, *log_);
    deciding_ = true;
    batch->build(manifest_, running_seconds());
    co_await decide(std::move(batch));
    deciding_ = false;
    idle_.notify_all();
  }
  loop_running_ = false;
  idle_.notify_all();
}

// The label is free, and the reason known, in the step in which the record takes effect: no question falls in between.
void Coordinator::note_aborts(const LogRecord& record) {
  for (const LogItem& item : record.items) {
    const auto* aborted = std::get_if<AbortedItem>(&item);
    if (aborted == nullptr) continue;
    const auto load = manifest_.prepared().find(aborted->txn);
    if (load == manifest_.prepared().end()) continue;  // gone with its database
    aborted_.add(load->second.load.database, aborted->txn, load->second.load.label, aborted->reason);
  }
}

core::Task<void> Coordinator::decide(std::shared_ptr<RecordBatch> batch) {
  if (batch->items.empty()) {
    // Only statements with nothing to change. What they found may still be on its way to the other shards: they are
    // answered behind it.
    auto nothing_new = std::make_shared<const VisibleChange>(
        VisibleChange{.checkpoint = manifest_.checkpoint(), .catalog = manifest_.catalog(), .blocks = {}});
    ++background_;
    shard_.spawn(publish_and_answer(std::move(batch), std::move(nothing_new)));
    co_return;
  }
  if (planted(Planted::ReplyBeforeRecord)) {
    for (RecordRequest* request : batch->requests) request->answered.set();
    batch->requests.clear();
  }
  std::erase_if(batch->requests, [](RecordRequest* request) {
    const bool is_early =
        (planted(Planted::CommitBeforeRecord) && request->commit) ||
        (planted(Planted::AbortBeforeRecord) && request->is_abort()) ||
        (planted(Planted::PrecommitBeforeRecord) && request->vote && !request->vote->prepared.empty());
    if (is_early) request->answered.set();
    return is_early;
  });
  LogRecord written;
  auto change = std::make_shared<VisibleChange>();
  const auto blocks_of = [&](std::size_t item) -> const FooterBlocks& { return batch->blocks.at(item); };
  if (planted(Planted::PublishBeforeSync)) {
    written = LogRecord{.sequence = manifest_.sequence() + 1, .previous_checksum = 0, .items = batch->items};
    CHECK(manifest_.apply(written, blocks_of, *change).has_value());
    co_await hooks_.publish(change);
  }
  const auto reserve = batch->may_use_reserve ? CommitLog::Reserve::MayUse : CommitLog::Reserve::Keep;
  const auto place = co_await log_->append(std::move(batch->items), reserve, &written);
  if (!place) {
    for (RecordRequest* request : batch->requests) {
      request->log_result = std::unexpected(place.error());
      request->answered.set();
    }
    co_return;
  }
  // Nothing more is written before the rows are durable: only of the last record may they be missing.
  if (!planted(Planted::OvertakeInFlight)) co_await land(*batch);
  ++stats_.records;
  last_is_in_flight_ = !batch->landing.empty();
  if (last_is_in_flight_) {
    ++stats_.records_beside_rows;
    last_in_flight_at_ = shard_.now().monotonic;
    want_settle();
  }
  const bool had_tables = !manifest_.catalog()->tables().empty();
  const std::uint64_t version_before = manifest_.catalog()->version();
  const CheckpointNumber checkpoint_before = manifest_.checkpoint();
  note_aborts(written);
  if (planted(Planted::PublishBeforeSync)) {  // it has been, above
    change = std::make_shared<VisibleChange>(
        VisibleChange{.checkpoint = manifest_.checkpoint(), .catalog = manifest_.catalog(), .blocks = {}});
  } else {
    const auto applied = manifest_.apply(written, blocks_of, *change);
    CHECK(applied.has_value());  // we built the record ourselves
  }
  if (manifest_.checkpoint() != checkpoint_before) ++stats_.checkpoints;
  ++background_;
  shard_.spawn(publish_and_answer(std::move(batch), std::move(change)));
  if (!manifest_.prepared().empty()) want_watch();

  const bool has_other_tables = had_tables && manifest_.catalog()->version() != version_before;
  if (has_other_tables || shard_.perhaps(core::Perhaps::DeadFilesAreWanted)) {
    ++background_;
    shard_.spawn(reclaim());
  }
  const bool is_time = log_->files().size() > limits_.log_files_per_snapshot ||
                       manifest_.labels().wants_flush(limits_.labels) ||
                       shard_.perhaps(core::Perhaps::SnapshotIsDue);
  if (is_time && !snapshot_under_way_) want_snapshot();
}

core::Task<void> Coordinator::land(RecordBatch& batch) {
  if (planted(Planted::SkipInFlightWait)) co_return;
  for (const std::shared_ptr<core::Event>& landed : batch.landing) co_await landed->wait();
}

core::Task<void> Coordinator::publish_and_answer(std::shared_ptr<RecordBatch> batch,
                                                 std::shared_ptr<const VisibleChange> change) {
  if (planted(Planted::OvertakeInFlight)) co_await land(*batch);
  co_await hooks_.publish(change);
  for (RecordRequest* request : batch->requests) {
    if (request->vote) stats_.loads += 1;
    request->answered.set();
  }
  --background_;
  idle_.notify_all();
}

core::Task<void> Coordinator::take_snapshot() {
  co_await write_labels();
  std::vector<std::byte> payload;
  core::ByteWriter writer(payload);
  manifest_.encode(writer);
  LabelBook::Runs dead_runs = manifest_.labels().take_dead_runs();  // it does not name them any more
  const std::uint64_t sequence = manifest_.sequence();
  const FileId id = FileId::make(epoch_, 0, snapshot_counter_++);
  if (planted(Planted::UnlinkBeforeSnapshot)) {
    co_await unlink_files(FileKind::CommitLog, log_->take_files_up_to(sequence));
  }
  auto item = co_await write_snapshot(directory_, poison_, store_, id, sequence, std::move(payload));
  core::Result<> logged = item ? core::Result<>{} : core::Result<>(std::unexpected(item.error()));
  if (item) {
    RecordRequest request;
    request.item = *item;
    logged = co_await submit(request);
  }
  if (!logged) {
    core::log_warn("snapshot_failed", "error", logged.error().to_string(), "effect",
                   "older commit logs are kept");
    if (item) co_await unlink_files(FileKind::Snapshot, {id});
    manifest_.labels().give_back_dead_runs(std::move(dead_runs));
  } else {
    ++stats_.snapshots;
    manifest_.forget_footers_up_to(sequence);
    co_await unlink_files(FileKind::CommitLog, log_->take_files_up_to(sequence));
    std::vector<FileId> snapshots;
    if (last_snapshot_) snapshots.push_back(*last_snapshot_);
    last_snapshot_ = id;
    std::vector<FileId> logs;
    std::vector<FileId> label_runs;
    for (const FileName& file : old_files_) {
      if (file.kind == FileKind::LabelRun) label_runs.push_back(file.id);
      if (file.kind == FileKind::Snapshot) snapshots.push_back(file.id);
      if (file.kind == FileKind::CommitLog) logs.push_back(file.id);
    }
    std::erase_if(old_files_, [](const FileName& file) { return file.kind != FileKind::Journal; });
    co_await unlink_files(FileKind::CommitLog, std::move(logs));
    co_await unlink_files(FileKind::Snapshot, std::move(snapshots));
    co_await unlink_files(FileKind::LabelRun, std::move(label_runs));
    co_await bury_label_runs(std::move(dead_runs));
    merge_labels();
    if (!old_journals_cut_ && pins_.empty()) {  // a scan may read behind the last row that is live by now
      old_journals_cut_ = true;
      co_await cut_old_journals();
    }
    ++background_;
    co_await reclaim();
  }
  snapshot_under_way_ = false;
  const bool is_full = logged && manifest_.labels().wants_flush(limits_.labels);
  if (std::exchange(snapshot_again_, false) || is_full) want_snapshot();
  --background_;
  idle_.notify_all();
}

}  // namespace penstock::txn
