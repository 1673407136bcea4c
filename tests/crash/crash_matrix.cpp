#include "tests/crash/crash_matrix.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <sstream>

#include "core/base/log.hpp"

namespace penstock::crash {
namespace {

using sim::CrashPoint;
using sim::NamesPolicy;
using sim::RunStatus;
using sim::UnsyncedPolicy;

constexpr int kPagePolicies = 5;
constexpr int kNamePolicies = 3;

int number_of(const End& end) {
  return end.is_power_loss ? 1 + static_cast<int>(end.pages) * kNamePolicies + static_cast<int>(end.names)
                           : 0;
}
End end_of(int number) {
  if (number == 0) return End{};
  return End{true, static_cast<UnsyncedPolicy>((number - 1) / kNamePolicies),
             static_cast<NamesPolicy>((number - 1) % kNamePolicies)};
}

void end_process(StoreWorld& world, const End& end) {
  if (end.is_power_loss) {
    world.lose_power(end.pages, end.names);
  } else {
    world.kill();
  }
}

// How far a part of a schedule came.
enum class Played { Done, Crashed, Wrong };

Played judge(RunStatus status, StoreWorld& world, Knowledge& knows, const char* doing) {
  if (status == RunStatus::Crashed) return Played::Crashed;
  if (status != RunStatus::Done) {
    knows.violate(fmt::format("{}: {}", doing, sim::run_status_name(status)));
    return Played::Wrong;
  }
  return knows.violation.empty() ? Played::Done : Played::Wrong;
}

Played open_store(StoreWorld& world, Knowledge& knows, std::uint32_t shards = 0) {
  std::string error;
  const RunStatus status = world.open(error, shards);
  if (status == RunStatus::Done && !error.empty()) knows.violate("the store does not open: " + error);
  return judge(status, world, knows, "opening");
}

Played play(const Scenario& scenario, StoreWorld& world, Knowledge& knows) {
  if (const Played opened = open_store(world, knows); opened != Played::Done) return opened;
  for (const Step& step : scenario.steps) {
    if (step.kind == Step::Kind::Run) {
      const RunStatus status = world.run(step.client(&world.store(), &knows));
      if (const Played done = judge(status, world, knows, "a client"); done != Played::Done) return done;
      continue;
    }
    if (step.kind == Step::Kind::Settle) {
      if (world.world().run_idle() == RunStatus::Crashed) return Played::Crashed;
      continue;
    }
    const std::uint64_t crash_at = world.world().scene().crash_at;  // the end of a process forgets it
    const CrashPoint point = world.world().scene().crash_point;
    if (step.kind == Step::Kind::Restart) {
      if (const Played closed = judge(world.close(), world, knows, "closing"); closed != Played::Done)
        return closed;
    } else {
      world.kill();
    }
    if (crash_at > world.world().op_count()) world.world().crash_at_op(crash_at, point);
    if (const Played opened = open_store(world, knows); opened != Played::Done) return opened;
  }
  return Played::Done;
}

core::Task<void> look_and_retry(txn::Store* store, Knowledge* knows) {
  co_await look(store, knows);
  if (!knows->violation.empty()) co_return;
  co_await retry_doubtful(store, knows);
  if (!knows->violation.empty()) co_return;
  co_await look(store, knows);
}

Played recover_and_look(StoreWorld& world, Knowledge& knows, std::uint32_t shards) {
  if (const Played opened = open_store(world, knows, shards); opened != Played::Done) return opened;
  return judge(world.run(look_and_retry(&world.store(), &knows)), world, knows, "looking after a recovery");
}

void set_faults(const Scenario& scenario, StoreWorld& world) {
  for (const LiveFault& fault : scenario.faults)
    world.world().disk().fail_nth(fault.kind, fault.name_part, fault.nth);
}

// Everything a part of a schedule may have found.
std::string verdict(const Knowledge& knows, const FileWatch& watch) {
  return knows.violation.empty() ? watch.violation() : knows.violation;
}

// The first part of a schedule: the scenario to its k-th operation and the end of the process there. What is left is the
// disk and the knowledge.
struct FirstPart {
  sim::SimDisk disk;
  Knowledge knows;
  std::string violation;
};

FirstPart run_first(const Scenario& scenario, const Schedule& schedule, std::string* trace) {
  FileWatch watch;
  FirstPart part;
  StoreWorld world(schedule.seed, 2, scenario.limits());
  watch.attach(world.world().scene(), trace != nullptr);
  set_faults(scenario, world);
  part.knows.may_refuse = !scenario.faults.empty();
  if (schedule.k > 0) world.world().crash_at_op(schedule.k, schedule.point);
  (void)play(scenario, world, part.knows);
  end_process(world, schedule.end);
  part.violation = verdict(part.knows, watch);
  world.world().disk().clear_faults();
  part.knows.may_refuse = false;
  FirstPart result{.disk = world.world().disk(), .knows = part.knows, .violation = part.violation};
  if (trace != nullptr) {
    *trace += "the scenario's last operations:\n";
    for (const std::string& line : watch.trace()) *trace += "  " + line + "\n";
    if (world.is_poisoned()) *trace += "  poisoned: " + world.poisoned_by() + "\n";
  }
  return result;
}

// The second part: recovery, ended at its j-th operation (0: not), recovery again, a look, and the power gone at once.
// Returns the number of operations that recovery and looks took.
std::uint64_t run_second(const Scenario& scenario, const Schedule& schedule, const FirstPart& first,
                         std::string& violation, std::string* trace) {
  FileWatch watch;
  Knowledge knows = first.knows;
  const std::uint64_t seed = sim::mix64(schedule.seed * 1'000'003 + schedule.k * 31 + schedule.j);
  StoreWorld world(seed, 2, first.disk, scenario.limits());
  watch.attach(world.world().scene(), trace != nullptr);
  sim::SimRandom dice(seed, 9);
  const auto some_shards = [&] {
    return dice.percent(70) ? 2u : static_cast<std::uint32_t>(dice.between(1, 3));
  };
  if (schedule.j > 0) world.world().crash_at_op(schedule.j, schedule.point_two);
  Played played = recover_and_look(world, knows, some_shards());
  const std::uint64_t operations = world.world().op_count();
  if (played == Played::Crashed) {
    end_process(world, schedule.end_two);
    played = recover_and_look(world, knows, some_shards());
  }
  if (played == Played::Done) {  // what has been shown is durable, also without another word
    world.lose_power(dice.coin() ? UnsyncedPolicy::DropAll : UnsyncedPolicy::Random,
                     dice.coin() ? NamesPolicy::DropAll : NamesPolicy::Random);
    played = recover_and_look(world, knows, some_shards());
  }
  if (played == Played::Crashed) knows.violate("the process ended by itself: " + world.poisoned_by());
  violation = verdict(knows, watch);
  if (trace != nullptr) {
    *trace += "the last operations after it:\n";
    for (const std::string& line : watch.trace()) *trace += "  " + line + "\n";
  }
  return operations;
}

class Walk {
 public:
  Walk(const Scenario& scenario, const CrashMatrix::Options& options)
      : scenario_(scenario), options_(options) {}

  Tally run() {
    for (std::uint64_t seed = 1; seed <= options_.seeds && go_on(); ++seed) walk_seed(seed);
    return std::move(tally_);
  }

 private:
  bool go_on() const { return tally_.violation.empty() && tally_.schedules < options_.schedules_max; }

  // Which operations of the scenario concern the disk: the others change nothing that survives.
  std::vector<std::uint64_t> crash_points(std::uint64_t seed) {
    std::vector<std::uint64_t> points;
    Knowledge knows;
    knows.may_refuse = !scenario_.faults.empty();
    StoreWorld world(seed, 2, scenario_.limits());
    set_faults(scenario_, world);
    world.world().scene().on_submit = [&](std::uint64_t index, const core::Op& op) {
      const bool is_idle = op.kind == core::OpKind::Wake || op.kind == core::OpKind::Timer ||
                           op.kind == core::OpKind::Read || op.kind == core::OpKind::Size;
      if (!is_idle) points.push_back(index);
    };
    const Played played = play(scenario_, world, knows);
    world.world().scene().on_submit = nullptr;
    const bool may_poison = !scenario_.faults.empty();
    if (played != Played::Done && !(may_poison && played == Played::Crashed)) {
      note(knows.violation.empty() ? "the scenario does not end: " + world.poisoned_by() : knows.violation,
           Schedule{.scenario = scenario_.name, .seed = seed});
    }
    points.push_back(0);  // and one to its end
    return points;
  }

  void walk_seed(std::uint64_t seed) {
    std::vector<std::uint64_t> points = crash_points(seed);
    if (options_.only_whole) points.assign(1, 0);
    tally_.operations += points.size();
    for (std::size_t at = options_.only_whole ? 0 : seed % options_.stride; at < points.size() && go_on();
         at += options_.stride) {
      for (int turn = 0; turn <= kPagePolicies && go_on(); ++turn) {
        for (int name = 0; name < (turn > 0 && options_.all_names ? kNamePolicies : 1) && go_on(); ++name) {
          for (int point = 0; point < (options_.all_points ? 2 : 1) && go_on(); ++point) {
            Schedule schedule{.scenario = scenario_.name, .seed = seed, .k = points[at]};
            const std::uint64_t spread = at + static_cast<std::uint64_t>(turn) + seed;
            // DropAll and Random most often: what is kept hides what was forgotten.
            const int names = options_.all_names ? name
                              : spread % 5 == 0  ? 0
                                                 : 1 + static_cast<int>(spread % 2);
            schedule.end = turn == 0 ? End{} : end_of(1 + (turn - 1) * kNamePolicies + names);
            schedule.point = (options_.all_points ? point : static_cast<int>(spread / 2 % 2)) == 0
                                 ? CrashPoint::Submit
                                 : CrashPoint::Complete;
            try_schedule(schedule);
          }
        }
      }
    }
  }

  void try_schedule(Schedule schedule) {
    const FirstPart first = run_first(scenario_, schedule, nullptr);
    if (!first.violation.empty()) {
      ++tally_.schedules;
      note(first.violation, schedule);
      return;
    }
    const bool is_whole = !options_.in_turn || recovery_operations_ == 0 || ++turns_ % 2 == 0;
    if (is_whole) recovery_operations_ = follow(schedule, first);
    if (is_whole && options_.in_turn) return;
    const std::uint64_t operations = recovery_operations_;  // in turn: of a recovery like this one
    sim::SimRandom dice(schedule.seed * 7919 + schedule.k,
                        static_cast<std::uint64_t>(number_of(schedule.end)));
    const std::uint64_t count = std::min(options_.second_crashes, operations);
    for (std::uint64_t i = 0; i < count && go_on(); ++i) {
      // The first operations are the recovery itself, and the worst to be ended in.
      schedule.j = count == operations ? i + 1
                   : dice.coin()       ? dice.between(1, operations)
                                       : dice.between(1, 1 + operations / 4);
      schedule.point_two = dice.coin() ? CrashPoint::Submit : CrashPoint::Complete;
      schedule.end_two =
          dice.percent(30) ? End{} : end_of(static_cast<int>(dice.between(1, kPagePolicies * kNamePolicies)));
      (void)follow(schedule, first);
    }
  }

  std::uint64_t follow(const Schedule& schedule, const FirstPart& first) {
    std::string violation;
    const std::uint64_t operations = run_second(scenario_, schedule, first, violation, nullptr);
    ++tally_.schedules;
    if (!violation.empty()) note(violation, schedule);
    return operations;
  }

  void note(std::string violation, const Schedule& schedule) {
    if (!tally_.violation.empty()) return;
    tally_.violation = std::move(violation);
    tally_.at = schedule;
  }

  const Scenario& scenario_;
  const CrashMatrix::Options options_;
  std::uint64_t recovery_operations_ = 0;
  std::uint64_t turns_ = 0;
  Tally tally_;
};

}  // namespace

txn::StoreLimits Scenario::limits() const {
  txn::StoreLimits limits = tiny_limits();
  if (tune) tune(limits);
  return limits;
}

std::string Schedule::to_text() const {
  return fmt::format("{} {} {} {} {} {} {} {}", scenario, seed, k, static_cast<int>(point), number_of(end), j,
                     static_cast<int>(point_two), number_of(end_two));
}

std::optional<Schedule> Schedule::from_text(const std::string& text) {
  std::istringstream in(text);
  Schedule schedule;
  int point = 0;
  int end = 0;
  int point_two = 0;
  int end_two = 0;
  in >> schedule.scenario >> schedule.seed >> schedule.k >> point >> end >> schedule.j >> point_two >>
      end_two;
  if (in.fail() || end < 0 || end > kPagePolicies * kNamePolicies || end_two < 0 ||
      end_two > kPagePolicies * kNamePolicies) {
    return std::nullopt;
  }
  schedule.point = point == 0 ? CrashPoint::Submit : CrashPoint::Complete;
  schedule.point_two = point_two == 0 ? CrashPoint::Submit : CrashPoint::Complete;
  schedule.end = end_of(end);
  schedule.end_two = end_of(end_two);
  return schedule;
}

CrashMatrix::Options CrashMatrix::options_from_environment(std::uint64_t stride) {
  Options options;
  const char* const wanted = std::getenv("PENSTOCK_CRASH_SCHEDULES");
  if (wanted == nullptr) {
    options.stride = stride;
    options.in_turn = true;
    return options;
  }
  options.all_points = true;
  if (std::string(wanted) == "all") {
    options.all_names = true;
    options.second_crashes = UINT64_MAX;
    return options;
  }
  const std::uint64_t many = std::max(1ull, std::strtoull(wanted, nullptr, 10));
  options.seeds = many;
  options.second_crashes = many;
  return options;
}

Tally CrashMatrix::run(const Scenario& scenario, const Options& options) {
  core::set_log_level(core::LogLevel::Error);
  core::set_log_sink([](core::LogLevel, std::string_view) {});
  Tally tally = Walk(scenario, options).run();
  core::set_log_sink({});
  return tally;
}

std::string CrashMatrix::run_one(const Scenario& scenario, const Schedule& schedule, std::string* trace) {
  core::set_log_sink([](core::LogLevel, std::string_view) {});
  const FirstPart first = run_first(scenario, schedule, trace);
  std::string violation = first.violation;
  if (violation.empty()) (void)run_second(scenario, schedule, first, violation, trace);
  core::set_log_sink({});
  return violation;
}

}  // namespace penstock::crash
