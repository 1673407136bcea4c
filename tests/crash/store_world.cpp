#include "tests/crash/store_world.hpp"

#include <fmt/format.h>

#include "tests/crash/two_phase_clients.hpp"
#include "txn/decode/csv_decoder.hpp"
#include "txn/schema/ddl_parser.hpp"

namespace penstock::crash {

using core::Task;

txn::StoreLimits tiny_limits() {
  txn::StoreLimits limits;
  limits.block = {.rows_max = 8, .input_bytes_max = 256, .memory_bytes_max = core::kMiB};
  limits.row_bytes_max = 4096;
  limits.write_buffers = 3;
  limits.write_buffer_bytes = 8192;
  limits.loads_per_vote_max = 4;
  limits.journal = {.file_bytes = 32768, .file_bytes_min = 16384};
  limits.log = {.file_bytes = 5 * core::kPage, .reserve_bytes = 0};
  limits.coordinator.txn_range = 6;
  limits.coordinator.log_files_per_snapshot = 1;
  limits.coordinator.labels = {.in_memory = 8, .fan_in = 2};
  limits.coordinator.watch_seconds = 0;  // a world that settles has no timer left
  return limits;
}

namespace {
sim::SimWorld::Options world_options(std::uint64_t seed) {
  sim::SimWorld::Options options;
  options.seed = seed;
  return options;
}
}  // namespace

StoreWorld::StoreWorld(std::uint64_t seed, std::uint32_t shards, txn::StoreLimits limits)
    : world_(world_options(seed)), shards_(shards), limits_(limits) {}
StoreWorld::StoreWorld(std::uint64_t seed, std::uint32_t shards, const sim::SimDisk& disk,
                       txn::StoreLimits limits)
    : world_(world_options(seed), disk), shards_(shards), limits_(limits) {}

StoreWorld::~StoreWorld() {
  if (world_.has_process()) world_.kill_process();
}

void StoreWorld::make_store(std::uint32_t shards) {
  poisoned_.clear();
  core::ShardSet& set = world_.start_process(shards);
  txn::Store::Options options;
  options.data_dir = "/data";
  options.limits = limits_;
  arenas_.clear();
  for (std::uint32_t i = 0; i < shards; ++i) {
    arenas_.push_back(std::make_unique<core::PageArena>(limits_.write_buffers, limits_.write_buffer_bytes));
    options.arenas.push_back(arenas_.back().get());
  }
  options.end_process = [this](const std::string& why) {
    if (poisoned_.empty()) poisoned_ = why;
    world_.scene().crash();  // nobody runs on: what is not answered now never will be
  };
  store_ = std::make_unique<txn::Store>(set, std::move(options));
}

namespace {
Task<void> open_store(txn::Store* store, std::string* error, bool* done) {
  auto opened = co_await store->open();
  if (!opened) *error = opened.error();
  *done = true;
}
Task<void> run_client(Task<void> client, bool* done) {
  co_await std::move(client);
  *done = true;
}
Task<void> close_store(txn::Store* store, bool* done) {
  co_await store->close();
  *done = true;
}
}  // namespace

sim::RunStatus StoreWorld::open(std::string& error, std::uint32_t shards) {
  make_store(shards == 0 ? shards_ : shards);
  bool done = false;
  world_.start(0, open_store(store_.get(), &error, &done));
  return world_.run_until([&] { return done; });
}

sim::RunStatus StoreWorld::run(Task<void> client) {
  bool done = false;
  world_.start(0, run_client(std::move(client), &done));
  return world_.run_until([&] { return done; });
}

sim::RunStatus StoreWorld::close() {
  bool done = false;
  world_.start(0, close_store(store_.get(), &done));
  const sim::RunStatus status = world_.run_until([&] { return done && !world_.has_tasks(); });
  if (status == sim::RunStatus::Done) {
    world_.end_process();
    store_.reset();
  }
  return status;
}

void StoreWorld::kill() {
  world_.kill_process();
  store_.reset();
}

void StoreWorld::lose_power(sim::UnsyncedPolicy pages, sim::NamesPolicy names) {
  world_.lose_power(pages, names);
  store_.reset();
}

// ---- Clients ----------------------------------------------------------------------------------------------------------

namespace {

Task<std::string> sql(txn::Store* store, std::string text) {
  auto statement = txn::parse_statement(text);
  if (!statement) co_return statement.error().message;
  auto done = co_await store->execute(std::move(*statement), "db");
  co_return done ? "" : done.error().message;
}

std::string body_of(const LoadPlan& plan) {
  std::string body;
  for (int i = 0; i < plan.rows; ++i) {
    body += fmt::format("{}\tvalue-{}-{}\n", plan.number * 1000 + i, plan.number, i);
  }
  return body;
}

Task<Outcome> run_load(txn::Store* store, txn::BeganLoad began, std::string body) {
  const std::unique_ptr<txn::Load> made = make_load(*store, began);
  txn::Load& load = *made;
  for (std::size_t at = 0; at < body.size();) {  // in uneven pieces
    const std::size_t size = std::min<std::size_t>(body.size() - at, 97);
    if (auto fed = co_await load.append(core::as_bytes(body).subspan(at, size)); !fed) {
      co_await load.abort("append failed");
      co_return Outcome{false, fed.error().message};
    }
    at += size;
  }
  auto finished = co_await load.finish();
  co_await load.abort("finish failed");
  co_return finished ? Outcome{true, ""} : Outcome{false, finished.error().message};
}

Task<void> run_and_abort(txn::Store* store, txn::BeganLoad began, std::string body) {
  const std::unique_ptr<txn::Load> made = make_load(*store, began);
  txn::Load& load = *made;
  (void)co_await load.append(core::as_bytes(body));
  co_await load.abort("the client went away");
}

Task<void> load_and_count(txn::Store* store, Knowledge* knows, LoadPlan plan, std::size_t* left,
                          core::Event* done) {
  co_await load(store, knows, plan);
  if (--*left == 0) done->set();
}

}  // namespace

std::unique_ptr<txn::Load> make_load(txn::Store& store, const txn::BeganLoad& began,
                                     double max_filter_ratio) {
  const txn::Load::MakeDecoding make =
      [limits = &store.limits(), table = began.table](
          txn::DecodeScratch& scratch) -> std::expected<txn::Load::Decoding, txn::LoadError> {
    txn::CsvOptions options;
    options.block = limits->block;
    options.row_bytes_max = limits->row_bytes_max;
    options.rejects = limits->rejects;
    auto mapping = txn::map_columns(*table->schema, {});
    CHECK(mapping.has_value());
    return txn::Load::Decoding{std::make_unique<txn::CsvDecoder>(options, table->schema, *mapping, scratch),
                               {}};
  };
  auto made = make(store.here().scratch());
  auto load = std::make_unique<txn::Load>(store.here(), began, std::move(made->decoder), max_filter_ratio);
  load->allow_split(make);
  return load;
}

std::string label_of(int number) { return fmt::format("load-{}", number); }

Task<Outcome> send_whole_load(txn::Store* store, txn::BeganLoad began, LoadPlan plan) {
  co_return co_await core::call_on(began.shard, [store, l = began, b = body_of(plan)]() mutable {
    return run_load(store, l, std::move(b));
  });
}

void refuse(Knowledge& knows, const LoadPlan& plan, const std::string& why) {
  knows.loads[plan.number] = Known::Refused;
  knows.last_refusal = why;
  const bool dropped = knows.drops.contains(plan.table) && knows.drops[plan.table] != Known::NotSent;
  if (!knows.may_refuse && !dropped) knows.violate(fmt::format("load {} was refused: {}", plan.number, why));
}

Task<void> create_table(txn::Store* store, Knowledge* knows, std::string table, std::string extra) {
  if (knows->drops.contains(table) &&
      knows->drops[table] == Known::Acknowledged) {  // a new table of the old name
    ++knows->generations[table];
    knows->drops[table] = Known::NotSent;
    knows->tables[table] = Known::InDoubt;
  }
  if (!knows->tables.contains(table)) knows->tables[table] = Known::InDoubt;
  (void)co_await sql(store, "CREATE DATABASE IF NOT EXISTS db");
  const std::string error = co_await sql(
      store,
      fmt::format("CREATE TABLE IF NOT EXISTS db.{} (k BIGINT NOT NULL, v VARCHAR(40)) DUPLICATE KEY(k) "
                  "DISTRIBUTED BY HASH(k) BUCKETS 3 {}",
                  table, extra));
  if (!error.empty()) {
    if (error.find("No space") == std::string::npos && !knows->may_refuse)
      knows->violate("CREATE TABLE was refused: " + error);
    knows->last_refusal = error;
    co_return;
  }
  knows->tables[table] = Known::Acknowledged;
}

Task<void> drop_table(txn::Store* store, Knowledge* knows, std::string table) {
  if (knows->drops[table] != Known::Acknowledged) knows->drops[table] = Known::InDoubt;
  const std::string error = co_await sql(store, fmt::format("DROP TABLE IF EXISTS db.{}", table));
  if (error.empty()) {
    knows->drops[table] = Known::Acknowledged;
  } else {
    knows->violate("DROP TABLE was refused: " + error);
  }
}

Task<void> truncate_table(txn::Store* store, Knowledge* knows, std::string table) {
  knows->truncates[table] = Known::InDoubt;
  const std::string error = co_await sql(store, fmt::format("TRUNCATE TABLE db.{}", table));
  if (!error.empty()) {
    knows->violate("TRUNCATE TABLE was refused: " + error);
    co_return;
  }
  knows->truncates[table] = Known::Acknowledged;
  ++knows->generations[table];
}

Task<void> load(txn::Store* store, Knowledge* knows, LoadPlan plan) {
  plan.generation = knows->generations[plan.table];
  knows->plans[plan.number] = plan;
  if (knows->loads[plan.number] != Known::Acknowledged) knows->loads[plan.number] = Known::InDoubt;
  txn::BeginResult began =
      co_await store->begin({.database = "db", .table = plan.table, .label = label_of(plan.number)});
  if (began.status == txn::BeginResult::Status::LabelExists) {
    if (began.existing != txn::TxnState::Visible) {
      knows->violate(
          fmt::format("label of load {} is held by {}", plan.number, txn::txn_state_name(began.existing)));
    }
    knows->loads[plan.number] = Known::Acknowledged;
    knows->seen_visible.insert(plan.number);
    co_return;
  }
  if (began.status == txn::BeginResult::Status::Refused) {
    refuse(*knows, plan, began.message);
    co_return;
  }
  if (knows->seen_visible.contains(plan.number)) {
    knows->violate(fmt::format("load {} was visible, and now its label is free", plan.number));
  }
  const Outcome outcome = co_await send_whole_load(store, began.load, plan);
  if (outcome.ok) {
    knows->loads[plan.number] = Known::Acknowledged;
    knows->seen_visible.insert(plan.number);
  } else {
    refuse(*knows, plan, outcome.message);
  }
}

Task<void> aborted_load(txn::Store* store, Knowledge* knows, LoadPlan plan) {
  plan.generation = knows->generations[plan.table];
  knows->plans[plan.number] = plan;
  knows->loads[plan.number] = Known::InDoubt;
  txn::BeginResult began =
      co_await store->begin({.database = "db", .table = plan.table, .label = label_of(plan.number)});
  if (began.status != txn::BeginResult::Status::Began) {
    knows->violate(fmt::format("load {} cannot begin: {}", plan.number, began.message));
    co_return;
  }
  co_await core::call_on(began.load.shard, [store, l = began.load, b = body_of(plan)]() mutable {
    return run_and_abort(store, l, std::move(b));
  });
  knows->loads[plan.number] = Known::Refused;
}

namespace {
Task<void> send_body(txn::Store* store, OpenLoad* open) {
  const std::string body = body_of(open->plan);
  open->load = make_load(*store, open->began);
  (void)co_await open->load->append(core::as_bytes(body));
}
Task<Outcome> send_end(OpenLoad* open) {
  auto finished = co_await open->load->finish();
  open->load.reset();
  co_return finished ? Outcome{true, ""} : Outcome{false, finished.error().message};
}
}  // namespace

Task<void> open_load(txn::Store* store, Knowledge* knows, LoadPlan plan, OpenLoad* open) {
  plan.generation = knows->generations[plan.table];
  knows->plans[plan.number] = plan;
  const bool two_phase = knows->two_phase.contains(plan.number);
  if (!two_phase) knows->loads[plan.number] = Known::InDoubt;
  txn::BeginResult began = co_await store->begin(
      {.database = "db", .table = plan.table, .label = label_of(plan.number), .two_phase = two_phase});
  if (began.status == txn::BeginResult::Status::Refused && knows->may_refuse) {
    refuse(*knows, plan, began.message);
    co_return;
  }
  if (began.status != txn::BeginResult::Status::Began) {
    knows->violate(fmt::format("load {} cannot begin: {}", plan.number, began.message));
    co_return;
  }
  open->plan = plan;
  open->began = began.load;
  co_await core::call_on(open->began.shard, [store, open] { return send_body(store, open); });
}

Task<void> end_load(Knowledge* knows, OpenLoad* open) {
  const Outcome outcome = co_await core::call_on(open->began.shard, [open] { return send_end(open); });
  if (outcome.ok) {
    knows->loads[open->plan.number] = Known::Acknowledged;
    knows->seen_visible.insert(open->plan.number);
  } else {
    refuse(*knows, open->plan, outcome.message);
  }
}

Task<void> loads_together(txn::Store* store, Knowledge* knows, std::vector<LoadPlan> plans) {
  std::size_t left = plans.size();
  core::Event done;
  for (const LoadPlan& plan : plans) {
    core::current_shard().spawn(load_and_count(store, knows, plan, &left, &done));
  }
  if (left > 0) co_await done.wait();
}

namespace {

// keys: key -> how often it is there. False: no such table. `after_first` is awaited behind the first block.
Task<bool> scan_keys(txn::Store* store, Knowledge* knows, std::string table,
                     std::map<std::int64_t, int>& keys,
                     std::optional<Task<void>> after_first = std::nullopt) {
  auto scan = co_await store->scan("db", table);
  if (!scan) co_return false;
  const txn::ColumnId key = (*scan)->table().schema->columns.at(0).id;
  const std::uint64_t promised = (*scan)->rows();
  std::uint64_t rows = 0;
  for (;;) {
    auto block = co_await (*scan)->next({key});
    if (!block) {
      knows->violate(
          fmt::format("scan of {}: {}: {}", table, (*scan)->error_place(), block.error().to_string()));
      break;
    }
    if (!*block) break;
    const txn::ColumnView& view = *(*block)->find(key);
    for (std::uint32_t row = 0; row < (*block)->rows(); ++row) {
      std::int64_t value = 0;
      std::memcpy(&value, view.values + row * 8, 8);
      ++keys[value];
      ++rows;
    }
    if (after_first) {
      co_await std::move(*after_first);
      after_first.reset();
    }
  }
  if (rows != promised)
    knows->violate(fmt::format("scan of {}: count says {}, rows are {}", table, promised, rows));
  co_await store->close_scan(**scan);
  co_return true;
}

// A TRUNCATE whose answer never came: either all rows that must be there are, or none is. What was seen stays.
void settle_truncate(Knowledge& knows, const std::string& table, const std::map<std::int64_t, int>& keys) {
  if (!knows.truncates.contains(table) || knows.truncates[table] != Known::InDoubt) return;
  int there = 0;
  int gone = 0;
  for (const auto& [number, plan] : knows.plans) {
    const bool must = knows.loads[number] == Known::Acknowledged || knows.seen_visible.contains(number);
    if (!must || plan.rows == 0 || plan.table != table || plan.generation != knows.generations[table])
      continue;
    ++(keys.contains(plan.number * 1000) ? there : gone);
  }
  if (there > 0 && gone > 0)
    knows.violate(fmt::format("TRUNCATE of {} took {} loads and left {}", table, gone, there));
  knows.truncates[table] = gone > 0 ? Known::Acknowledged : Known::NotSent;
  if (gone > 0) ++knows.generations[table];
}

Task<void> drop_and_wait(txn::Store* store, Knowledge* knows, std::string table) {
  co_await drop_table(store, knows, table);
  (void)co_await core::current_shard().sleep_for(std::chrono::milliseconds(20));
}

}  // namespace

Task<std::optional<txn::TxnState>> state_of(txn::Store* store, int number) {
  const auto state = co_await store->label_state("db", label_of(number));
  CHECK(state.has_value());
  co_return *state == txn::TxnState::Aborted ? std::nullopt : *state;
}

Task<void> look_at_labels(txn::Store* store, Knowledge* knows) {
  for (const auto& [number, plan] : knows->plans) {
    const auto state = co_await state_of(store, number);
    if (knows->two_phase.contains(number)) settle_two_phase(*knows, number, state);
    if (state == txn::TxnState::Visible) knows->seen_visible.insert(number);
  }
}

Task<void> look(txn::Store* store, Knowledge* knows) {
  co_await look_at_labels(store,
                          knows);  // needs no disk: asked before anything else of the new run can be durable
  std::map<std::string, std::map<std::int64_t, int>> rows;
  for (const auto& [table, known] : knows->tables) {
    const bool is_there = store->catalog()->find_table("db", table) != nullptr;
    const Known drop = knows->drops.contains(table) ? knows->drops[table] : Known::NotSent;
    if (known == Known::Acknowledged && drop == Known::NotSent && !is_there) {
      knows->violate(fmt::format("table {} was created and is gone", table));
    }
    if (drop == Known::Acknowledged && is_there)
      knows->violate(fmt::format("table {} was dropped and is there", table));
    if (is_there) (void)co_await scan_keys(store, knows, table, rows[table]);
    if (is_there) settle_truncate(*knows, table, rows[table]);
    if (!is_there && drop == Known::InDoubt)
      knows->drops[table] = Known::Acknowledged;  // seen: it must stay so
    if (is_there && known == Known::InDoubt) knows->tables[table] = Known::Acknowledged;
  }
  std::size_t rows_expected = 0;
  for (const auto& [number, plan] : knows->plans) {
    const auto state = co_await state_of(store, number);
    const bool has_label = state == txn::TxnState::Visible;
    if (knows->two_phase.contains(number)) {
      settle_two_phase(*knows, number, state);
    } else if (state && !has_label)
      knows->violate(fmt::format("load {} is {} after a restart", number, txn::txn_state_name(*state)));
    int found = 0;
    for (int i = 0; i < plan.rows; ++i) {
      const auto at = rows[plan.table].find(plan.number * 1000 + i);
      const int times = at == rows[plan.table].end() ? 0 : at->second;
      if (times > 1) knows->violate(fmt::format("load {} row {} is there {} times", number, i, times));
      found += times > 0;
    }
    const bool dropped = store->catalog()->find_table("db", plan.table) == nullptr ||
                         plan.generation != knows->generations[plan.table];
    const Known known = knows->loads[number];
    if (dropped && found > 0)
      knows->violate(fmt::format("load {} went into a table that was dropped, and is there", number));
    if (found != 0 && found != plan.rows)
      knows->violate(fmt::format("load {} is there in part: {} of {}", number, found, plan.rows));
    if (!dropped && plan.rows > 0 && has_label != (found == plan.rows)) {
      knows->violate(fmt::format("load {}: its label says {}, its rows say {} of {}", number, has_label,
                                 found, plan.rows));
    }
    const bool must = known == Known::Acknowledged || knows->seen_visible.contains(number);
    if (must && !has_label)
      knows->violate(fmt::format("load {} was acknowledged and its label is unknown", number));
    if (must && !dropped && found != plan.rows)
      knows->violate(fmt::format("load {} was acknowledged and is lost", number));
    if (known == Known::Refused && has_label && !knows->seen_visible.contains(number)) {
      knows->violate(fmt::format("load {} was refused and is there", number));
    }
    if (has_label) knows->seen_visible.insert(number);
    if (!dropped) rows_expected += static_cast<std::size_t>(found);
  }
  std::size_t rows_there = 0;
  for (const auto& [table, keys] : rows) {
    for (const auto& [key, times] : keys) rows_there += static_cast<std::size_t>(times);
  }
  if (rows_there != rows_expected) {
    knows->violate(fmt::format("{} rows are there, {} belong to known loads", rows_there, rows_expected));
  }
  co_await ask_again(store, knows);
}

Task<void> scan_beside(txn::Store* store, Knowledge* knows, std::string table) {
  std::set<int> before;
  for (const auto& [number, known] : knows->loads) {
    if (known == Known::Acknowledged && knows->plans[number].table == table &&
        knows->plans[number].generation == knows->generations[table]) {
      before.insert(number);
    }
  }
  std::map<std::int64_t, int> keys;
  const bool is_there = co_await scan_keys(store, knows, table, keys);
  const bool dropping = knows->drops.contains(table) && knows->drops[table] != Known::NotSent;
  if (!is_there) {
    if (!dropping) knows->violate(fmt::format("a scan did not find table {}", table));
    co_return;
  }
  for (const auto& [number, plan] : knows->plans) {
    if (plan.table != table) continue;
    int found = 0;
    for (int i = 0; i < plan.rows; ++i) found += keys.contains(plan.number * 1000 + i) ? 1 : 0;
    if (found != 0 && found != plan.rows) {
      knows->violate(
          fmt::format("a scan beside others shows {} of {} rows of load {}", found, plan.rows, number));
    }
    if (found == 0 && plan.rows > 0 && before.contains(number)) {
      knows->violate(fmt::format("a scan that found table {} does not show load {}, acknowledged before",
                                 table, number));
    }
  }
}

Task<void> scan_over_drop(txn::Store* store, Knowledge* knows, std::string table) {
  std::map<std::int64_t, int> keys;
  (void)co_await scan_keys(store, knows, table, keys, drop_and_wait(store, knows, table));
}

Task<void> retry_doubtful(txn::Store* store, Knowledge* knows) {
  std::vector<int> doubtful;
  for (const auto& [number, known] : knows->loads) {
    if (known == Known::InDoubt) doubtful.push_back(number);
  }
  for (const int number : doubtful) {
    const LoadPlan plan = knows->plans[number];
    if (store->catalog()->find_table("db", plan.table) == nullptr) continue;
    if (plan.generation != knows->generations[plan.table]) continue;
    co_await load(store, knows, plan);
    if (knows->loads[number] != Known::Acknowledged) {
      knows->violate(fmt::format("load {} was sent again and did not end well", number));
    }
  }
  co_await retry_two_phase(store, knows);
}

}  // namespace penstock::crash
