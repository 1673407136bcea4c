#include "tests/crash/altered_loads.hpp"
#include "tests/crash/crash_matrix.hpp"

namespace penstock::crash {
namespace {

using core::Task;
using txn::Store;

Step run(Client client) { return Step{Step::Kind::Run, std::move(client)}; }
Step restart() { return Step{Step::Kind::Restart, {}}; }
Step settle() { return Step{Step::Kind::Settle, {}}; }
Step kill() { return Step{Step::Kind::Kill, {}}; }

// ---- (a) every kind of load once ----------------------------------------------------------------------------------------

Task<void> small_and_large(Store* store, Knowledge* knows) {
  co_await create_table(store, knows, "t");
  co_await load(store, knows, {.number = 1, .rows = 3});
  co_await load(store, knows, {.number = 2, .rows = 30});
  co_await loads_together(store, knows,
                          {{.number = 3, .rows = 2},
                           {.number = 4, .rows = 5},
                           {.number = 5, .rows = 1},
                           {.number = 6, .rows = 20}});
  co_await load(store, knows, {.number = 7, .rows = 0});
  co_await create_table(store, knows, "u");  // one vote for rows of two tables
  std::vector<LoadPlan> mixed;
  for (int i = 0; i < 8; ++i) mixed.push_back({.number = 10 + i, .rows = 2, .table = i % 4 < 2 ? "t" : "u"});
  co_await loads_together(store, knows, std::move(mixed));
}

// ---- (b) over the end of journal files, commit log files and snapshots --------------------------------------------------

Task<void> long_loads(Store* store, Knowledge* knows, int first) {
  co_await create_table(store, knows, "t");
  co_await load(store, knows, {.number = first, .rows = 130});
  co_await load(store, knows, {.number = first + 1, .rows = 9});
  co_await loads_together(store, knows,
                          {{.number = first + 2, .rows = 60},
                           {.number = first + 3, .rows = 70},
                           {.number = first + 4, .rows = 4}});
}

Task<void> many_records(Store* store, Knowledge* knows, int first, int count, std::string table = "t") {
  for (int i = 0; i < count; ++i) {
    co_await load(store, knows, {.number = first + i, .rows = 1 + i % 3, .table = table});
  }
}

Task<void> table_and_records(Store* store, Knowledge* knows) {
  co_await create_table(store, knows, "t");
  co_await many_records(store, knows, 10, 26);
}

// Several at a time, so that votes wait while a record and its rows are under way.
Task<void> small_ones(Store* store, Knowledge* knows, int first, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    const int number = first + 4 * i;
    co_await loads_together(store, knows,
                            {{.number = number, .rows = 2},
                             {.number = number + 1, .rows = 1},
                             {.number = number + 2, .rows = 3}});
  }
}

Task<void> table_and_small_ones(Store* store, Knowledge* knows) {
  co_await create_table(store, knows, "t");
  co_await many_records(store, knows, 10, 6);
  co_await small_ones(store, knows, 20, 8);
}

// ---- (c) dead journal files ---------------------------------------------------------------------------------------------

// The footers of "keep" come to lie in files whose other rows die with "gone".
Task<void> drop_beside(Store* store, Knowledge* knows) {
  co_await create_table(store, knows, "gone");
  co_await create_table(store, knows, "keep");
  for (int i = 0; i < 4; ++i) {
    co_await loads_together(
        store, knows,
        {{.number = 10 + i, .rows = 70, .table = "gone"}, {.number = 20 + i, .rows = 17, .table = "keep"}});
  }
  co_await aborted_load(store, knows, {.number = 30, .rows = 30, .table = "keep"});
  co_await drop_table(store, knows, "gone");
  co_await load(store, knows, {.number = 30, .rows = 3, .table = "keep"});
}

Task<void> create_again(Store* store, Knowledge* knows) {
  co_await create_table(store, knows, "gone");
  co_await load(store, knows, {.number = 40, .rows = 40, .table = "gone"});
  co_await load(store, knows, {.number = 41, .rows = 2, .table = "keep"});
  co_await drop_table(store, knows, "gone");
  co_await load(store, knows, {.number = 42, .rows = 2, .table = "keep"});
}

// Loads that are under way when their table goes.
struct Side {
  explicit Side(int count) : left(count) {}
  int left;
  core::Event done;
};
Task<void> beside(Task<void> task, Side* side) {
  co_await std::move(task);
  if (--side->left == 0) side->done.set();
}

Task<void> commit_into_dropped(Store* store, Knowledge* knows) {
  co_await create_table(store, knows, "gone");
  Side side(3);
  core::current_shard().spawn(beside(load(store, knows, {.number = 50, .rows = 90, .table = "gone"}), &side));
  core::current_shard().spawn(beside(load(store, knows, {.number = 51, .rows = 20, .table = "keep"}), &side));
  core::current_shard().spawn(beside(drop_table(store, knows, "gone"), &side));
  co_await side.done.wait();
  for (int i = 0; i < 3; ++i) co_await load(store, knows, {.number = 52 + i, .rows = 20, .table = "keep"});
}

// A load that was begun before its table went ends after a snapshot has forgotten the table; its file dies.
Task<void> outlive_the_table(Store* store, Knowledge* knows) {
  co_await create_table(store, knows, "gone");
  co_await create_table(store, knows, "other");
  OpenLoad open;
  co_await open_load(store, knows, {.number = 1, .rows = 20, .table = "gone"}, &open);
  co_await drop_table(store, knows, "gone");
  co_await many_records(store, knows, 10, 14, "other");
  co_await end_load(knows, &open);
  co_await load(store, knows, {.number = 2, .rows = 250, .table = "other"});
  co_await load(store, knows, {.number = 3, .rows = 250, .table = "other"});
  co_await drop_table(store, knows, "other");
}

// ---- (d) scans beside loads and a DROP ----------------------------------------------------------------------------------

Task<void> scan_often(Store* store, Knowledge* knows, std::string table, int times) {
  for (int i = 0; i < times; ++i) co_await scan_beside(store, knows, table);
}

Task<void> scan_while_loading(Store* store, Knowledge* knows) {
  co_await create_table(store, knows, "t");
  co_await create_table(store, knows, "u");
  co_await loads_together(store, knows, {{.number = 1, .rows = 60}, {.number = 2, .rows = 60, .table = "u"}});
  Side side(5);
  core::current_shard().spawn(beside(scan_often(store, knows, "t", 4), &side));
  core::current_shard().spawn(beside(scan_often(store, knows, "u", 5), &side));
  core::current_shard().spawn(beside(load(store, knows, {.number = 3, .rows = 50}), &side));
  core::current_shard().spawn(beside(load(store, knows, {.number = 4, .rows = 5, .table = "u"}), &side));
  core::current_shard().spawn(beside(drop_table(store, knows, "u"), &side));
  co_await side.done.wait();
  co_await look(store, knows);
}

// Files of a scan, and of a load that has not ended, outlive what would unlink them.
Task<void> hold_files(Store* store, Knowledge* knows) {
  co_await create_table(store, knows, "t");
  co_await create_table(store, knows, "u");
  for (int i = 1; i <= 5; ++i) co_await load(store, knows, {.number = i, .rows = 17, .table = "u"});
  OpenLoad open;
  co_await open_load(store, knows, {.number = 9, .rows = 180}, &open);
  co_await scan_over_drop(store, knows, "u");
  co_await end_load(knows, &open);
  co_await look(store, knows);
}

// The blocks of "keep" fill a journal file to its end, so that their footer begins the next one, which dies with "gone".
Task<void> footer_alone(Store* store, Knowledge* knows, int rows) {
  co_await create_table(store, knows, "keep");
  co_await create_table(store, knows, "gone");
  co_await load(store, knows, {.number = 1, .rows = rows, .table = "keep"});
  for (int i = 0; i < 3; ++i) co_await load(store, knows, {.number = 2 + i, .rows = 60, .table = "gone"});
  co_await drop_table(store, knows, "gone");
}

// ---- (e) TRUNCATE -------------------------------------------------------------------------------------------------------

// Rows in blocks of their own and in shared ones, a load that outlives its table's rows, snapshots on both sides.
Task<void> truncate_often(Store* store, Knowledge* knows) {
  co_await create_table(store, knows, "t");
  co_await create_table(store, knows, "other");
  co_await load(store, knows, {.number = 1, .rows = 3});
  co_await loads_together(store, knows,
                          {{.number = 2, .rows = 40},
                           {.number = 3, .rows = 2},
                           {.number = 4, .rows = 2, .table = "other"},
                           {.number = 5, .rows = 30}});
  OpenLoad open;
  co_await open_load(store, knows, {.number = 6, .rows = 20}, &open);
  co_await truncate_table(store, knows, "t");
  co_await load(store, knows, {.number = 7, .rows = 11});
  co_await end_load(knows, &open);
  co_await many_records(store, knows, 10, 5, "other");
  co_await scan_beside(store, knows, "t");
}

Task<void> truncate_again(Store* store, Knowledge* knows) {
  co_await load(store, knows, {.number = 20, .rows = 60});
  co_await truncate_table(store, knows, "t");
  co_await truncate_table(store, knows, "t");
  co_await many_records(store, knows, 30, 4);
  co_await load(store, knows, {.number = 40, .rows = 250, .table = "other"});
}

// ---- (f) ALTER TABLE ----------------------------------------------------------------------------------------------------

// Loads open over it, snapshots on both sides. Whether it was done before an end is not asked here (alter_test.cpp does):
// the rows must all be readable. Bodies have two fields, so the table keeps two columns.
Task<void> alter_often(Store* store, Knowledge* knows, int first) {
  co_await create_table(store, knows, "t");
  co_await load(store, knows, {.number = first, .rows = 20});
  OpenLoad open;
  co_await open_load(store, knows, {.number = first + 1, .rows = 20}, &open);
  (void)co_await statement(store,
                           "ALTER TABLE t RENAME COLUMN v w, ADD COLUMN x INT DEFAULT '5', DROP COLUMN x");
  co_await load(store, knows, {.number = first + 2, .rows = 11});
  (void)co_await statement(store, "ALTER TABLE t MODIFY COLUMN w VARCHAR(60) COMMENT 'wider'");
  co_await end_load(knows, &open);
  co_await loads_together(store, knows, {{.number = first + 3, .rows = 3}, {.number = first + 4, .rows = 2}});
  (void)co_await statement(store, "ALTER TABLE t RENAME COLUMN w v, MODIFY COLUMN v STRING");
  co_await many_records(store, knows, first + 5, 4);
  co_await scan_beside(store, knows, "t");
}

std::vector<Scenario> make_scenarios() {
  std::vector<Scenario> all;
  all.push_back({"loads", {run(small_and_large)}, {}});
  all.push_back({"crossing",
                 {run([](Store* s, Knowledge* k) { return long_loads(s, k, 1); }), restart(),
                  run([](Store* s, Knowledge* k) { return many_records(s, k, 10, 8); }), kill(),
                  run([](Store* s, Knowledge* k) { return many_records(s, k, 20, 7); }), restart(),
                  run([](Store* s, Knowledge* k) { return long_loads(s, k, 30); }), kill(),
                  run([](Store* s, Knowledge* k) { return many_records(s, k, 40, 3); })},
                 {},
                 [](txn::StoreLimits& limits) { limits.coordinator.labels.in_memory = 20; }});
  all.push_back({"dropping",
                 {run(drop_beside), settle(), run(create_again), restart(), settle(),
                  run(commit_into_dropped), settle()},
                 {}});
  all.push_back({"scanning", {run(scan_while_loading), settle()}, {}});
  all.push_back({"rare_snapshots",
                 {run(table_and_records), kill(), run(table_and_records)},
                 {},
                 [](txn::StoreLimits& limits) { limits.coordinator.log_files_per_snapshot = 3; }});
  all.push_back(
      {"footers",
       {run(drop_beside), settle(), run(create_again), kill(), settle(), run(commit_into_dropped), settle()},
       {},
       [](txn::StoreLimits& limits) {
         limits.coordinator.log_files_per_snapshot = 4;
         limits.journal = {.file_bytes = 16384, .file_bytes_min = 12288};
       }});
  all.push_back({"outliving", {run(outlive_the_table), settle()}, {}, [](txn::StoreLimits& limits) {
                   limits.coordinator.log_files_per_snapshot = 2;
                   limits.journal = {.file_bytes = 16384, .file_bytes_min = 12288};
                 }});
  all.push_back({"holding", {run(hold_files), settle()}, {}, [](txn::StoreLimits& limits) {
                   limits.journal = {.file_bytes = 12288, .file_bytes_min = 8192};
                 }});
  all.push_back({"footer_alone",
                 {run([](Store* s, Knowledge* k) { return footer_alone(s, k, 184); }), settle()},
                 {},
                 [](txn::StoreLimits& limits) {
                   limits.coordinator.log_files_per_snapshot = 6;
                   limits.journal = {.file_bytes = 12288, .file_bytes_min = 8192};
                 }});
  all.push_back({"truncating",
                 {run(truncate_often), settle(), run(truncate_again), restart(), settle(),
                  run([](Store* s, Knowledge* k) { return truncate_table(s, k, "t"); }), kill(),
                  run([](Store* s, Knowledge* k) { return many_records(s, k, 50, 3); }), settle()},
                 {},
                 [](txn::StoreLimits& limits) {
                   limits.coordinator.log_files_per_snapshot = 2;
                   limits.journal = {.file_bytes = 16384, .file_bytes_min = 12288};
                 }});
  all.push_back({"altering",
                 {run([](Store* s, Knowledge* k) { return alter_often(s, k, 1); }), kill(),
                  run([](Store* s, Knowledge* k) { return alter_often(s, k, 20); }), restart(), settle()},
                 {},
                 [](txn::StoreLimits& limits) { limits.coordinator.log_files_per_snapshot = 2; }});
  all.push_back(
      {"prewritten",
       {run(table_and_records), kill(), run([](Store* s, Knowledge* k) { return many_records(s, k, 80, 8); }),
        settle()},
       {},
       [](txn::StoreLimits& limits) {
         limits.coordinator.log_files_per_snapshot = 3;
         limits.journal = {
             .file_bytes = 65536, .file_bytes_min = 16384, .small_sync_bytes = 4096, .prewrite_bytes = 12288};
       }});
  all.push_back({"beside",
                 {run(table_and_small_ones), kill(),
                  run([](Store* s, Knowledge* k) { return many_records(s, k, 80, 6); }), settle(),
                  run([](Store* s, Knowledge* k) { return small_ones(s, k, 90, 4); }), restart(),
                  run([](Store* s, Knowledge* k) { return many_records(s, k, 110, 4); })},
                 {},
                 [](txn::StoreLimits& limits) {
                   limits.coordinator.log_files_per_snapshot = 3;
                   limits.journal = {.file_bytes = 262144,
                                     .file_bytes_min = 16384,
                                     .small_sync_bytes = 4096,
                                     .prewrite_bytes = 32768};
                 }});
  for (Scenario& scenario : two_phase_scenarios()) all.push_back(std::move(scenario));
  return all;
}

}  // namespace

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = make_scenarios();
  return all;
}

const Scenario* find_scenario(const std::string& name) {
  for (const Scenario& each : scenarios()) {
    if (each.name == name) return &each;
  }
  static const std::vector<Scenario> faulty = fault_scenarios();
  for (const Scenario& each : faulty) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

std::vector<Scenario> fault_scenarios() {
  struct Kind {
    const char* name;
    core::OpKind kind;
    const char* file;
  };
  static constexpr Kind kKinds[] = {
      {"journal_sync", core::OpKind::Sync, "journal-"},   {"log_sync", core::OpKind::Sync, "log-"},
      {"snapshot_sync", core::OpKind::Sync, "snapshot-"}, {"labels_sync", core::OpKind::Sync, "labels-"},
      {"folder_sync", core::OpKind::SyncDir, "data"},     {"log_write", core::OpKind::Write, "log-"}};
  std::vector<Scenario> all;
  for (const Kind& kind : kKinds) {
    // The first two writes of a log prewrite it at the start: refused with a text, nothing has begun.
    for (std::uint32_t nth = kind.kind == core::OpKind::Write ? 3 : 1; nth <= 14; ++nth) {
      all.push_back(
          {std::string(kind.name) + "_" + std::to_string(nth),
           {run(small_and_large), run([](Store* s, Knowledge* k) { return many_records(s, k, 30, 8); })},
           {LiveFault{kind.kind, kind.file, nth}}});
      if (nth % 3 != 0) continue;
      all.push_back({"two_phase_" + all.back().name,
                     two_phase_scenarios().front().steps,
                     {LiveFault{kind.kind, kind.file, nth}}});
    }
  }
  return all;
}

}  // namespace penstock::crash
