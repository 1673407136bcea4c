// StoreWorld: the production store in a simulated machine, with clients that remember what they were told.
//
// A client loads rows whose keys name the load, so that any scan shows for each load whether all, some or none of its
// rows are there, and how often. What was acknowledged, and what an earlier look has shown, is kept over every crash:
// that is the oracle (I1-I5 of the design: acknowledged is present; all or nothing; once; an answer never changes).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/sim_world.hpp"
#include "txn/store/store.hpp"

namespace penstock::crash {

// Every limit so small that a short scenario crosses it.
txn::StoreLimits tiny_limits();

struct LoadPlan {
  int number = 0;  // its rows have keys number * 1000 + i
  int rows = 0;
  std::string table = "t";
  int generation = 0;  // filled in: which table of that name
};

enum class Known { NotSent, InDoubt, Acknowledged, Refused };

// A two-phase load, as its client knows it. What a look shows ends a doubt for ever.
struct TwoPhase {
  enum class Stage {
    Sending,       // no answer to the load yet: it is precommitted or not there
    Precommitted,  // it is, and is invisible
    Committing,    // no answer to a commit: precommitted or visible
    Aborting,      // no answer to an abort: precommitted or not there
    Racing,        // a commit and an abort at once: any of the three
    Committed,     // visible, once, for ever
    Aborted,       // not there, and its label is free
  };
  Stage stage = Stage::Sending;
  std::optional<txn::TxnId> txn;
  std::vector<txn::TxnId> aborted;  // of its label, earlier
};

// What the outside world knows. Lives as long as the schedule, over all crashes.
struct Knowledge {
  std::map<int, LoadPlan> plans;
  std::map<int, Known> loads;
  std::map<int, TwoPhase> two_phase;    // their `loads` are Acknowledged when visible, Refused when aborted
  std::set<int> seen_visible;           // some answer or scan showed it: it must stay
  std::map<std::string, Known> tables;  // CREATE TABLE
  std::map<std::string, Known> drops;   // DROP TABLE
  std::map<std::string, Known> truncates;  // TRUNCATE TABLE, the last
  std::map<std::string, int>
      generations;          // how often a table of the name was truncated, or dropped and made again
  bool may_refuse = false;  // a fault is under way that loads may be refused for
  std::string last_refusal;
  std::string violation;  // the first one

  void violate(std::string what) {
    if (violation.empty()) violation = std::move(what);
  }
};

class StoreWorld {
 public:
  StoreWorld(std::uint64_t seed, std::uint32_t shards, txn::StoreLimits limits = tiny_limits());
  StoreWorld(std::uint64_t seed, std::uint32_t shards, const sim::SimDisk& disk,
             txn::StoreLimits limits = tiny_limits());
  ~StoreWorld();

  sim::SimWorld& world() { return world_; }
  txn::Store& store() { return *store_; }
  bool is_poisoned() const { return !poisoned_.empty(); }
  const std::string& poisoned_by() const { return poisoned_; }

  // Starts a process and opens the store. Empty text: open; otherwise why not. Status says whether the world crashed.
  sim::RunStatus open(std::string& error, std::uint32_t shards = 0);
  // Runs a client coroutine on shard 0 to its end.
  sim::RunStatus run(core::Task<void> client);
  sim::RunStatus close();
  // Ends the process; the store object goes with it.
  void kill();
  void lose_power(sim::UnsyncedPolicy pages, sim::NamesPolicy names);

 private:
  void make_store(std::uint32_t shards);
  sim::SimWorld world_;
  const std::uint32_t shards_;
  const txn::StoreLimits limits_;
  std::vector<std::unique_ptr<core::PageArena>> arenas_;
  std::unique_ptr<txn::Store> store_;
  std::string poisoned_;
};

// Clients (coroutines for shard 0); two_phase_clients.hpp has more.
struct Outcome {
  bool ok = false;
  std::string message;
};
std::string label_of(int number);
// A load of CSV rows, which other shards may help with.
std::unique_ptr<txn::Load> make_load(txn::Store& store, const txn::BeganLoad& began,
                                     double max_filter_ratio = 0.0);
// Nothing: not there. (Aborts are remembered for a while, and a process that is killed forgets them.)
core::Task<std::optional<txn::TxnState>> state_of(txn::Store* store, int number);
// The body of a load that has begun, in uneven pieces, and its end.
core::Task<Outcome> send_whole_load(txn::Store* store, txn::BeganLoad began, LoadPlan plan);
// The answer was Fail: nothing of it may ever be seen, unless it is sent again.
void refuse(Knowledge& knows, const LoadPlan& plan, const std::string& why);
core::Task<void> create_table(txn::Store* store, Knowledge* knows, std::string table, std::string extra = "");
core::Task<void> drop_table(txn::Store* store, Knowledge* knows, std::string table);
// Loads that began before it lose their rows, whenever they end.
core::Task<void> truncate_table(txn::Store* store, Knowledge* knows, std::string table);
core::Task<void> load(txn::Store* store, Knowledge* knows, LoadPlan plan);
// Sends the whole body, then goes away.
core::Task<void> aborted_load(txn::Store* store, Knowledge* knows, LoadPlan plan);
// A load that stays open between two calls: its body has been sent, not ended.
struct OpenLoad {
  LoadPlan plan;
  txn::BeganLoad began;
  std::unique_ptr<txn::Load> load;
};
core::Task<void> open_load(txn::Store* store, Knowledge* knows, LoadPlan plan, OpenLoad* open);
core::Task<void> end_load(Knowledge* knows, OpenLoad* open);
// Several at the same time.
core::Task<void> loads_together(txn::Store* store, Knowledge* knows, std::vector<LoadPlan> plans);
// Scans everything, asks every label, compares with what is known; what it sees must stay from now on.
core::Task<void> look(txn::Store* store, Knowledge* knows);
// Only asks every label: what is Visible must stay so.
core::Task<void> look_at_labels(txn::Store* store, Knowledge* knows);
// A scan while others load into the table or drop it: each load whole or not at all.
core::Task<void> scan_beside(txn::Store* store, Knowledge* knows, std::string table);
// A scan that has read one block when its table is dropped: it reads the rest all the same.
core::Task<void> scan_over_drop(txn::Store* store, Knowledge* knows, std::string table);
// Sends every load in doubt again under its label.
core::Task<void> retry_doubtful(txn::Store* store, Knowledge* knows);

}  // namespace penstock::crash
