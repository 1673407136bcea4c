// Scenarios of two-phase loads: what is precommitted, committed and aborted, over restarts, snapshots and dropped tables.
#include "tests/crash/crash_matrix.hpp"
#include "tests/crash/two_phase_clients.hpp"

namespace penstock::crash {
namespace {

using core::Task;
using txn::Store;

Step run(Client client) { return Step{Step::Kind::Run, std::move(client)}; }

Task<void> every_decision(Store* store, Knowledge* knows) {
  co_await create_table(store, knows, "t");
  co_await create_table(store, knows, "u");
  co_await prepare(store, knows, {.number = 1, .rows = 3});
  co_await prepare(store, knows, {.number = 2, .rows = 20});
  co_await prepare(store, knows, {.number = 3, .rows = 0});
  co_await prepare(store, knows, {.number = 4, .rows = 2, .table = "u"});
  co_await commit(store, knows, 1, By::Id);
  co_await abort(store, knows, 2, By::Label);
  co_await load(store, knows, {.number = 30, .rows = 2});
  co_await prepare(store, knows, {.number = 2, .rows = 20});  // its label is free at once
  co_await commit_together(store, knows, {2, 3, 4});
  co_await abort_while_open(store, knows, {.number = 5, .rows = 12}, By::Id);
  co_await abort_while_open(store, knows, {.number = 6, .rows = 12}, By::Label);
  co_await prepare(store, knows, {.number = 5, .rows = 4});
  co_await prepare(store, knows, {.number = 6, .rows = 4});
  co_await commit_beside_abort(store, knows, 5);
  co_await abort(store, knows, 6, By::Id);
  co_await commit(store, knows, 1, By::Id);
  co_await abort(store, knows, 1, By::Label);
}

Task<void> some_records(Store* store, Knowledge* knows, int first, int count) {
  for (int i = 0; i < count; ++i) co_await load(store, knows, {.number = first + i, .rows = 1 + i % 3});
}

// Precommitted loads that outlive commit log files, journal files, snapshots and runs.
Task<void> prepare_for_later(Store* store, Knowledge* knows) {
  co_await create_table(store, knows, "t");
  for (int i = 1; i <= 4; ++i) co_await prepare(store, knows, {.number = i, .rows = 9 + i * 5});
  co_await some_records(store, knows, 30, 6);
}
Task<void> decide_later(Store* store, Knowledge* knows) {
  co_await commit(store, knows, 1, By::Label);
  co_await some_records(store, knows, 40, 5);
  co_await abort(store, knows, 2, By::Id);
  co_await prepare(store, knows, {.number = 7, .rows = 30});
}
Task<void> decide_last(Store* store, Knowledge* knows) {
  co_await some_records(store, knows, 50, 4);
  co_await commit_together(store, knows, {3, 7});
  co_await commit(store, knows, 1, By::Id);
  co_await abort(store, knows, 4, By::Label);
}

// Precommitted rows of tables that go: a commit succeeds, and the rows are gone.
Task<void> prepare_and_drop(Store* store, Knowledge* knows) {
  co_await create_table(store, knows, "gone");
  co_await create_table(store, knows, "t");
  for (int i = 1; i <= 3; ++i) co_await prepare(store, knows, {.number = i, .rows = 40, .table = "gone"});
  co_await prepare(store, knows, {.number = 4, .rows = 17});
  co_await prepare(store, knows, {.number = 5, .rows = 60});
  co_await drop_table(store, knows, "gone");
  co_await commit(store, knows, 1, By::Id);
  co_await commit(store, knows, 4, By::Label);
  co_await truncate_table(store, knows, "t");
}
Task<void> decide_on_dropped(Store* store, Knowledge* knows) {
  co_await commit(store, knows, 2, By::Label);
  co_await abort(store, knows, 3, By::Id);
  co_await commit(store, knows, 5, By::Id);
  co_await prepare(store, knows, {.number = 8, .rows = 5});
  co_await some_records(store, knows, 30, 4);
  co_await commit(store, knows, 8, By::Id);
}

// Files of aborted loads go while their Prepared records are behind the newest snapshot: the next start must not want them.
Task<void> prepare_some(Store* store, Knowledge* knows) {
  co_await create_table(store, knows, "t");
  for (int i = 1; i <= 4; ++i) co_await prepare(store, knows, {.number = i, .rows = 25});
}
Task<void> abort_and_reclaim(Store* store, Knowledge* knows) {
  for (int i = 5; i <= 8; ++i) co_await prepare(store, knows, {.number = i, .rows = 30});
  co_await abort(store, knows, 5, By::Id);
  co_await abort(store, knows, 6, By::Label);
  co_await abort(store, knows, 1, By::Id);
  co_await commit(store, knows, 7, By::Id);
  co_await prepare(store, knows, {.number = 5, .rows = 30});
  co_await abort(store, knows, 5, By::Label);
  co_await load(store, knows, {.number = 30, .rows = 40});
}

// Outcomes that go from memory into runs, and from runs into merged ones, while their labels and TxnIds are asked for.
Task<void> fill_runs(Store* store, Knowledge* knows) {
  co_await create_table(store, knows, "t");
  co_await prepare(store, knows, {.number = 1, .rows = 3});
  co_await prepare(store, knows, {.number = 2, .rows = 0});
  co_await commit(store, knows, 1, By::Id);
  co_await some_records(store, knows, 30, 5);
  co_await commit(store, knows, 2, By::Label);
  co_await some_records(store, knows, 40, 6);
  co_await ask_again(store, knows);
}
Task<void> ask_runs(Store* store, Knowledge* knows) {
  co_await some_records(store, knows, 30, 5);  // known labels: nothing is loaded twice
  co_await commit(store, knows, 1, By::Id);
  co_await prepare(store, knows, {.number = 3, .rows = 9});
  co_await some_records(store, knows, 50, 4);
  co_await commit(store, knows, 3, By::Id);
  co_await ask_again(store, knows);
}
Task<void> ask_merged(Store* store, Knowledge* knows) {
  co_await look_at_labels(store, knows);
  co_await some_records(store, knows, 60, 7);
  co_await commit(store, knows, 2, By::Id);
}

// A client that comes back after the server's end aborts what it had open, by the TxnId of then.
Task<void> open_and_prepare(Store* store, Knowledge* knows) {
  co_await create_table(store, knows, "t");
  for (int i = 1; i <= 2; ++i) co_await leave_open(store, knows, {.number = i, .rows = 12});
  for (int i = 3; i <= 5; ++i) co_await prepare(store, knows, {.number = i, .rows = 3});
}
Task<void> abort_by_old_ids(Store* store, Knowledge* knows) {
  for (int i = 10; i <= 15; ++i) co_await prepare(store, knows, {.number = i, .rows = 4});
  co_await abort_what_was_open(store, knows);
  co_await commit(store, knows, 10, By::Id);
}

}  // namespace

std::vector<Scenario> two_phase_scenarios() {
  std::vector<Scenario> all;
  all.push_back({"two_phase", {run(every_decision)}, {}});
  all.push_back(
      {"two_phase_later",
       {run(prepare_for_later), Step{Step::Kind::Kill, {}}, run(decide_later), Step{Step::Kind::Restart, {}},
        Step{Step::Kind::Settle, {}}, run(decide_last), Step{Step::Kind::Settle, {}}},
       {},
       [](txn::StoreLimits& limits) { limits.journal = {.file_bytes = 16384, .file_bytes_min = 12288}; }});
  all.push_back(
      {"two_phase_dropped",
       {run(prepare_and_drop), Step{Step::Kind::Settle, {}}, Step{Step::Kind::Restart, {}},
        run(decide_on_dropped), Step{Step::Kind::Settle, {}}},
       {},
       [](txn::StoreLimits& limits) { limits.journal = {.file_bytes = 12288, .file_bytes_min = 8192}; }});
  all.push_back({"two_phase_aborted",
                 {run(prepare_some), Step{Step::Kind::Settle, {}}, run(abort_and_reclaim),
                  Step{Step::Kind::Settle, {}}, Step{Step::Kind::Kill, {}}, Step{Step::Kind::Settle, {}}},
                 {},
                 [](txn::StoreLimits& limits) {
                   limits.coordinator.log_files_per_snapshot = 100;  // none but the one a run begins with
                   limits.journal = {.file_bytes = 12288, .file_bytes_min = 8192};
                 }});
  all.push_back({"labels",
                 {run(fill_runs), Step{Step::Kind::Settle, {}}, Step{Step::Kind::Restart, {}}, run(ask_runs),
                  Step{Step::Kind::Kill, {}}, run(ask_merged), Step{Step::Kind::Settle, {}}},
                 {},
                 [](txn::StoreLimits& limits) {
                   limits.coordinator.labels = {.in_memory = 3, .fan_in = 2};
                   limits.log = {.file_bytes = 12 * core::kPage, .reserve_bytes = 0};
                   limits.coordinator.log_files_per_snapshot = 4;
                 }});
  all.push_back({"two_phase_old_ids",
                 {run(open_and_prepare), Step{Step::Kind::Kill, {}}, run(abort_by_old_ids),
                  Step{Step::Kind::Settle, {}}},
                 {}});
  return all;
}

}  // namespace penstock::crash
