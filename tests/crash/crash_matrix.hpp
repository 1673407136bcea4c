// CrashMatrix: a scenario, ended at every disk operation in every way, recovered, ended again inside the recovery, and
// recovered again; what clients were told, and what any look has shown, must hold throughout.
//
// A Schedule is a point in that matrix. Its text is its replay: PENSTOCK_REPLAY="<text>" runs it alone, with the trace of
// the last operations.
//
// Journey:  scenarios -> [CrashMatrix] -> StoreWorld -> the production store.
// Shard:    all shards of the simulated machine run on the test's thread.
// Promise:  the same schedule gives the same run.
// Failure:  a Violation: what is wrong, and the schedule.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/crash/file_watch.hpp"
#include "tests/crash/store_world.hpp"

namespace penstock::crash {

using Client = std::function<core::Task<void>(txn::Store*, Knowledge*)>;

struct Step {
  enum class Kind {
    Run,
    Restart,
    Kill,
    Settle
  };  // Restart: an orderly one; Settle: until nothing moves any more
  Kind kind = Kind::Run;
  Client client;
};

// A live fault that is set at the start of the scenario.
struct LiveFault {
  core::OpKind kind = core::OpKind::Sync;
  std::string name_part;
  std::uint32_t nth = 1;
};

struct Scenario {
  std::string name;
  std::vector<Step> steps;
  std::vector<LiveFault> faults;
  std::function<void(txn::StoreLimits&)> tune;  // empty: tiny_limits() as they are

  txn::StoreLimits limits() const;
};
const std::vector<Scenario>& scenarios();
std::vector<Scenario> two_phase_scenarios();  // part of scenarios()
const Scenario* find_scenario(const std::string& name);
// Scenarios with the nth sync or write of each kind of file failing.
std::vector<Scenario> fault_scenarios();

// How a process ends.
struct End {
  bool is_power_loss = false;
  sim::UnsyncedPolicy pages = sim::UnsyncedPolicy::KeepAll;
  sim::NamesPolicy names = sim::NamesPolicy::KeepAll;
};

struct Schedule {
  std::string scenario;
  std::uint64_t seed = 1;
  std::uint64_t k = 0;  // 0: the scenario runs to its end
  sim::CrashPoint point = sim::CrashPoint::Submit;
  End end;
  std::uint64_t j = 0;  // of the recovery; 0: none
  sim::CrashPoint point_two = sim::CrashPoint::Submit;
  End end_two;

  std::string to_text() const;
  static std::optional<Schedule> from_text(const std::string& text);
};

struct Tally {
  std::uint64_t schedules = 0;
  std::uint64_t operations = 0;  // disk operations of the scenario that were crash points
  std::string violation;         // the first; empty: none
  Schedule at;
};

class CrashMatrix {
 public:
  struct Options {
    std::uint64_t seeds = 1;
    std::uint64_t stride = 1;  // every so many-th operation
    bool all_points = false;   // both Submit and Complete for each; otherwise in turn
    bool all_names = false;    // every names policy for each pages policy; otherwise in turn
    std::uint64_t second_crashes =
        1;                 // operations of each recovery at which it is ended again; UINT64_MAX: every one
    bool in_turn = false;  // each first end is followed by one recovery only: whole, or ended again, in turn
    bool only_whole = false;  // no crash inside the scenario, only behind it
    std::uint64_t schedules_max = UINT64_MAX;
  };
  // From PENSTOCK_CRASH_SCHEDULES: unset, the ordinary sample, with every `stride`-th operation; a number, so many seeds and
  // second crashes; "all", every one.
  static Options options_from_environment(std::uint64_t stride = 1);

  static Tally run(const Scenario& scenario, const Options& options);
  // One schedule; empty if nothing is wrong. `trace` gets the last operations.
  static std::string run_one(const Scenario& scenario, const Schedule& schedule,
                             std::string* trace = nullptr);
};

}  // namespace penstock::crash
