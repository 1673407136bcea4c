#include "tests/crash/two_phase_clients.hpp"

#include <fmt/format.h>

namespace penstock::crash {

using core::Task;
using Kind = txn::TxnOperation::Kind;
using Stage = TwoPhase::Stage;
using txn::TxnState;

namespace {

const char* name_of(Stage stage) {
  static constexpr const char* kNames[] = {"being sent",    "precommitted",    "being committed",
                                           "being aborted", "being raced for", "committed",
                                           "aborted"};
  return kNames[static_cast<int>(stage)];
}

const char* name_of(std::optional<TxnState> state) {
  return state ? txn::txn_state_name(*state) : "not there";
}

void become_visible(Knowledge& knows, int number) {
  knows.two_phase[number].stage = Stage::Committed;
  knows.loads[number] = Known::Acknowledged;
  knows.seen_visible.insert(number);
}
void become_aborted(Knowledge& knows, int number) {
  TwoPhase& load = knows.two_phase[number];
  load.stage = Stage::Aborted;
  if (load.txn) load.aborted.push_back(*load.txn);
  load.txn.reset();
  knows.loads[number] = Known::Refused;
}

txn::TxnOperation operation_on(const TwoPhase& load, int number, Kind kind, By by) {
  txn::TxnOperation operation{.kind = kind, .database = "db"};
  if (by == By::Id && load.txn) {
    operation.txn = load.txn;
  } else {
    operation.label = label_of(number);
  }
  return operation;
}

// What a refusal may say, by whom it was asked for; the rest is for the label's state to say.
bool is_known_refusal(const txn::TxnOperation& operation, const std::string& text) {
  const std::string prefix = "errCode = 2, detailMessage = ";
  if (!text.starts_with(prefix)) return false;
  const std::string said = text.substr(prefix.size());
  const bool is_commit = operation.kind == Kind::Commit;
  if (!operation.txn) {
    return said == fmt::format("{} not found, label={}", is_commit ? "transaction" : "running transaction",
                               operation.label);
  }
  const std::string txn = fmt::format("transaction [{}] ", *operation.txn);
  return said == txn + "not found" ||
         said == txn + (is_commit ? "is already visible, not pre-committed."
                                  : "is already VISIBLE, could not abort.") ||
         said == txn + (is_commit ? "is already aborted. abort reason: User Abort"
                                  : "is already aborted, abort reason: User Abort");
}

Task<void> ask(txn::Store* store, txn::TxnOperation operation, std::optional<txn::TxnAnswer>* answer,
               int* left, core::Event* done) {
  *answer = co_await store->operate(operation);
  if (--*left == 0) done->set();
}

Task<void> decide(txn::Store* store, Knowledge* knows, int number, Kind kind, By by) {
  const Stage before = knows->two_phase[number].stage;
  const txn::TxnOperation operation = operation_on(knows->two_phase[number], number, kind, by);
  if (before == Stage::Precommitted) {
    knows->two_phase[number].stage = kind == Kind::Commit ? Stage::Committing : Stage::Aborting;
  }
  const txn::TxnAnswer answer = co_await store->operate(operation);
  if (answer.done) {
    if (before != Stage::Precommitted)
      knows->violate(fmt::format("a decision on load {}, {}, was carried out", number, name_of(before)));
    kind == Kind::Commit ? become_visible(*knows, number) : become_aborted(*knows, number);
    co_return;
  }
  if (!is_known_refusal(operation, answer.text) && !knows->may_refuse)
    knows->violate(fmt::format("a decision on load {} was answered: {}", number, answer.text));
  if (before == Stage::Precommitted && !knows->may_refuse)
    knows->violate(
        fmt::format("load {} is precommitted, and its decision was refused: {}", number, answer.text));
  const auto state = co_await state_of(store, number);
  settle_two_phase(*knows, number, state);
}

Task<void> count_commit(txn::Store* store, Knowledge* knows, int number, std::size_t* left,
                        core::Event* done) {
  co_await decide(store, knows, number, Kind::Commit, number % 2 == 0 ? By::Id : By::Label);
  if (--*left == 0) done->set();
}

bool can_be_loaded(txn::Store& store, Knowledge& knows, const LoadPlan& plan) {
  return store.catalog()->find_table("db", plan.table) != nullptr &&
         plan.generation == knows.generations[plan.table];
}

}  // namespace

Task<void> prepare(txn::Store* store, Knowledge* knows, LoadPlan plan) {
  plan.generation = knows->generations[plan.table];
  knows->plans[plan.number] = plan;
  const bool is_new = !knows->two_phase.contains(plan.number);
  const Stage before = knows->two_phase[plan.number].stage;
  const bool is_free = is_new || before == Stage::Aborted;
  knows->two_phase[plan.number].stage = Stage::Sending;
  txn::BeginResult began = co_await store->begin(
      {.database = "db", .table = plan.table, .label = label_of(plan.number), .two_phase = true});
  TwoPhase& load = knows->two_phase[plan.number];
  if (began.status == txn::BeginResult::Status::LabelExists) {
    load.stage = before;
    if (is_free || !knows->may_refuse) {  // (its abort may have been refused)
      knows->violate(fmt::format("the label of load {} is held by a transaction that is {}", plan.number,
                                 txn::txn_state_name(began.existing)));
    }
    co_return;
  }
  if (began.status == txn::BeginResult::Status::Refused) {
    become_aborted(*knows, plan.number);
    refuse(*knows, plan, began.message);
    co_return;
  }
  const Outcome outcome = co_await send_whole_load(store, began.load, plan);
  load.txn = began.load.txn;
  if (outcome.ok) {
    load.stage = Stage::Precommitted;
    knows->loads[plan.number] = Known::NotSent;
  } else {
    become_aborted(*knows, plan.number);
    refuse(*knows, plan, outcome.message);
  }
}

Task<void> commit(txn::Store* store, Knowledge* knows, int number, By by) {
  co_await decide(store, knows, number, Kind::Commit, by);
}

Task<void> abort(txn::Store* store, Knowledge* knows, int number, By by) {
  co_await decide(store, knows, number, Kind::Abort, by);
}

Task<void> commit_together(txn::Store* store, Knowledge* knows, std::vector<int> numbers) {
  std::size_t left = numbers.size();
  core::Event done;
  for (const int number : numbers)
    core::current_shard().spawn(count_commit(store, knows, number, &left, &done));
  if (left > 0) co_await done.wait();
}

Task<void> commit_beside_abort(txn::Store* store, Knowledge* knows, int number) {
  TwoPhase& load = knows->two_phase[number];
  if (load.stage != Stage::Precommitted) co_return;
  load.stage = Stage::Racing;
  std::optional<txn::TxnAnswer> committed;
  std::optional<txn::TxnAnswer> aborted;
  int left = 2;
  core::Event done;
  core::current_shard().spawn(
      ask(store, operation_on(load, number, Kind::Commit, By::Id), &committed, &left, &done));
  core::current_shard().spawn(
      ask(store, operation_on(load, number, Kind::Abort, By::Label), &aborted, &left, &done));
  co_await done.wait();
  if (committed->done == aborted->done) {
    if (committed->done || !knows->may_refuse)
      knows->violate(fmt::format("load {}: its commit and its abort say '{}' and '{}'", number,
                                 committed->text, aborted->text));
    co_return;
  }
  committed->done ? become_visible(*knows, number) : become_aborted(*knows, number);
}

namespace {
Task<Outcome> finish_there(OpenLoad* open) {
  auto finished = co_await open->load->finish();
  co_await open->load->abort("finish failed");
  open->load.reset();
  co_return finished ? Outcome{true, ""} : Outcome{false, finished.error().message};
}
}  // namespace

Task<void> abort_while_open(txn::Store* store, Knowledge* knows, LoadPlan plan, By by) {
  OpenLoad open;
  TwoPhase& load = knows->two_phase[plan.number];
  load.stage = Stage::Sending;
  co_await open_load(store, knows, plan, &open);
  if (open.load == nullptr) {  // it could not begin, which is noted
    become_aborted(*knows, plan.number);
    co_return;
  }
  load.txn = open.began.txn;
  const txn::TxnOperation operation = operation_on(load, plan.number, Kind::Abort, by);
  if (const txn::TxnAnswer answer = co_await store->operate(operation); !answer.done)
    knows->violate(fmt::format("load {} is open, and its abort was refused: {}", plan.number, answer.text));
  become_aborted(*knows, plan.number);
  if (co_await state_of(store, plan.number))
    knows->violate(fmt::format("the label of load {} is not free behind its abort", plan.number));
  const Outcome outcome = co_await core::call_on(open.began.shard, [o = &open] { return finish_there(o); });
  if (outcome.ok) knows->violate(fmt::format("load {} was aborted and went on", plan.number));
}

Task<void> leave_open(txn::Store* store, Knowledge* knows, LoadPlan plan) {
  plan.generation = knows->generations[plan.table];
  knows->plans[plan.number] = plan;
  knows->two_phase[plan.number].stage = Stage::Sending;
  const txn::BeginResult began = co_await store->begin(
      {.database = "db", .table = plan.table, .label = label_of(plan.number), .two_phase = true});
  if (began.status == txn::BeginResult::Status::Began) knows->two_phase[plan.number].txn = began.load.txn;
}

Task<void> abort_what_was_open(txn::Store* store, Knowledge* knows) {
  for (auto& [number, load] : knows->two_phase) {
    if (load.stage != Stage::Sending || !load.txn) continue;
    const txn::TxnAnswer answer = co_await store->operate({Kind::Abort, "db", load.txn, ""});
    const std::string wanted =
        fmt::format("errCode = 2, detailMessage = transaction [{}] not found", load.txn->value);
    if (answer.text != wanted)
      knows->violate(fmt::format("load {} was open when the process ended; its abort says '{}'", number,
                                 answer.done ? "Success" : answer.text));
    become_aborted(*knows, number);
  }
}

void settle_two_phase(Knowledge& knows, int number, std::optional<TxnState> state) {
  TwoPhase& load = knows.two_phase[number];
  const bool may_be_prepared = load.stage != Stage::Committed && load.stage != Stage::Aborted;
  const bool may_be_visible =
      load.stage == Stage::Committing || load.stage == Stage::Racing || load.stage == Stage::Committed;
  const bool may_be_gone = load.stage == Stage::Sending || load.stage == Stage::Aborting ||
                           load.stage == Stage::Racing || load.stage == Stage::Aborted;
  if (state == TxnState::Precommitted && may_be_prepared) {
    load.stage = Stage::Precommitted;
  } else if (state == TxnState::Visible && may_be_visible) {
    become_visible(knows, number);
  } else if (!state && may_be_gone) {
    if (load.stage != Stage::Aborted) become_aborted(knows, number);
  } else {
    knows.violate(fmt::format("load {} was {}, and it is {}", number, name_of(load.stage), name_of(state)));
  }
}

Task<void> ask_again(txn::Store* store, Knowledge* knows) {
  for (const auto& [number, load] : knows->two_phase) {
    if (load.stage == Stage::Committed && load.txn) {
      const std::string wanted = fmt::format(
          "errCode = 2, detailMessage = transaction [{}] is already visible, not pre-committed.", *load.txn);
      const txn::TxnAnswer by_id = co_await store->operate({Kind::Commit, "db", load.txn, ""});
      if (by_id.text != wanted)
        knows->violate(fmt::format("load {} is committed; a commit by id says '{}'", number, by_id.text));
      const txn::TxnAnswer by_label =
          co_await store->operate({Kind::Commit, "db", std::nullopt, label_of(number)});
      if (by_label.done || by_label.text.find("transaction not found, label=") == std::string::npos)
        knows->violate(fmt::format("load {} is committed; one by label says '{}'", number, by_label.text));
    }
    for (const txn::TxnId txn : load.aborted) {
      const txn::TxnAnswer answer = co_await store->operate({Kind::Commit, "db", txn, ""});
      if (answer.done || answer.text.find("is already visible") != std::string::npos)
        knows->violate(fmt::format("load {}: aborted transaction {} was committed", number, txn.value));
    }
  }
}

Task<void> retry_two_phase(txn::Store* store, Knowledge* knows) {
  std::vector<int> numbers;
  for (const auto& [number, load] : knows->two_phase) numbers.push_back(number);
  for (const int number : numbers) {
    const LoadPlan plan = knows->plans[number];
    const bool is_aborted = knows->two_phase[number].stage == Stage::Aborted;
    if (is_aborted && can_be_loaded(*store, *knows, plan)) co_await prepare(store, knows, plan);
    if (knows->two_phase[number].stage != Stage::Precommitted) continue;
    if (number % 3 == 0) {
      co_await commit(store, knows, number, number % 2 == 0 ? By::Id : By::Label);
    } else if (number % 3 == 1) {
      co_await abort(store, knows, number, number % 2 == 0 ? By::Label : By::Id);
      if (can_be_loaded(*store, *knows, plan)) co_await prepare(store, knows, plan);
    }
    if (!knows->violation.empty()) co_return;
  }
}

}  // namespace penstock::crash
