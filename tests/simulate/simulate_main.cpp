// simulate: whole lives of the production server in a simulated machine, seed after seed; see docs/testing.md.
#include <signal.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "core/base/log.hpp"
#include "core/base/planted.hpp"
#include "tests/simulate/planted_hunt.hpp"
#include "tests/simulate/simulation.hpp"

namespace penstock::simulate {
namespace {

struct Arguments {
  std::uint64_t seed = 0;
  std::uint64_t first = 1;
  std::uint64_t count = 0;
  double seconds = 0;
  int lives = 12;
  bool events = false;
  bool planted = false;
  std::string bug;
  std::uint64_t seeds_max = 2000;
};

int lives_of_failure = 12;

std::string replay(std::uint64_t seed, int lives) {
  return fmt::format("tools/dev sim --seed {} --lives {} --events", seed, lives);
}

// A CHECK has failed: say in which world.
void on_abort(int) {
  const std::string text = describe_running();
  fmt::print(stderr, "the simulated server failed a CHECK: {}", text);
  std::fflush(stderr);
  ::signal(SIGABRT, SIG_DFL);
  ::raise(SIGABRT);
}

struct Sum {
  std::uint64_t seeds = 0;
  std::uint64_t crashes = 0;
  std::uint64_t recoveries = 0;
  std::uint64_t operations = 0;
  Tally tally;
  void add(const Outcome& outcome) {
    ++seeds;
    crashes += outcome.crashes;
    recoveries += outcome.recoveries;
    operations += outcome.operations;
    tally.answers += outcome.tally.answers;
    tally.loads_visible += outcome.tally.loads_visible;
    tally.prepared += outcome.tally.prepared;
    tally.committed += outcome.tally.committed;
    tally.aborted += outcome.tally.aborted;
    tally.in_doubt += outcome.tally.in_doubt;
    tally.scans += outcome.tally.scans;
    tally.refused += outcome.tally.refused;
  }
  std::string text() const {
    return fmt::format(
        "{} seeds, {} crashes, {} recoveries, {} operations, {} answers ({} loads visible, {} prepared, {} "
        "committed, {} "
        "aborted, {} refused), {} requests without an answer, {} scans",
        seeds, crashes, recoveries, operations, tally.answers, tally.loads_visible, tally.prepared,
        tally.committed, tally.aborted, tally.refused, tally.in_doubt, tally.scans);
  }
};

// Whether the seed went well; every so many-th is run twice, and must do the same.
bool run_seed(std::uint64_t seed, const Arguments& arguments, Sum& sum) {
  const SimulationOptions options{.seed = seed, .lives = arguments.lives, .print_events = arguments.events};
  const Outcome outcome = simulate(options);
  sum.add(outcome);
  if (!outcome.violation.empty()) {
    fmt::print("VIOLATION in seed {}: {}\nthe last events:\n{}replay: {}\n", seed, outcome.violation,
               outcome.journey, replay(seed, arguments.lives));
    return false;
  }
  constexpr std::uint64_t kTwice = 50;
  if (seed % kTwice != 0 && arguments.seed == 0) return true;
  SimulationOptions again = options;
  again.print_events = false;
  if (const Outcome second = simulate(again); second.trace != outcome.trace) {
    fmt::print("seed {} does not repeat itself: trace {:016x}, then {:016x}\n", seed, outcome.trace,
               second.trace);
    return false;
  }
  if (arguments.seed != 0) fmt::print("seed {}: trace {:016x}, twice the same\n", seed, outcome.trace);
  return true;
}

int run(const Arguments& arguments) {
  Sum sum;
  const auto began = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  };
  double told = 0;
  bool good = true;
  if (arguments.seed != 0) {
    good = run_seed(arguments.seed, arguments, sum);
  } else {
    for (std::uint64_t seed = arguments.first; good; ++seed) {
      if (arguments.count != 0 && seed == arguments.first + arguments.count) break;
      if (arguments.seconds > 0 && elapsed() >= arguments.seconds) break;
      good = run_seed(seed, arguments, sum);
      if (elapsed() - told >= 10) {
        told = elapsed();
        fmt::print("  {:.0f} s: {} seeds, {} crashes, {} violations\n", told, sum.seeds, sum.crashes,
                   good ? 0 : 1);
        std::fflush(stdout);
      }
    }
  }
  fmt::print("{}\n{} crash and recovery schedules survived, {} violations, {:.1f} s\n", sum.text(),
             sum.crashes, good ? 0 : 1, elapsed());
  return good ? 0 : 1;
}

}  // namespace
}  // namespace penstock::simulate

int main(int argc, char** argv) {
  using namespace penstock;
  simulate::Arguments arguments;
  CLI::App app{
      "simulate: the production server in a simulated machine that crashes, cuts and lies, seed after seed"};
  app.add_option("--seed", arguments.seed, "run this one seed, twice");
  app.add_option("--first", arguments.first, "the first seed")->capture_default_str();
  app.add_option("--seeds", arguments.count, "so many seeds");
  app.add_option("--seconds", arguments.seconds, "seeds for so long (default: 60, if --seeds is not given)");
  app.add_option("--lives", arguments.lives, "of the server in each seed")->capture_default_str();
  app.add_flag("--events", arguments.events, "print what happens");
  app.add_flag("--planted", arguments.planted,
               "switch each planted bug on in turn; each must be found (build: planted)");
  app.add_option("--bug", arguments.bug, "with --planted: this one alone");
  app.add_option("--seeds-max", arguments.seeds_max, "with --planted: seeds for each bug")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (arguments.count == 0 && arguments.seconds == 0) arguments.seconds = 60;
  core::set_log_sink([](core::LogLevel, std::string_view) {});
  ::signal(SIGABRT, simulate::on_abort);
  if (arguments.planted)
    return simulate::hunt_planted_bugs(arguments.bug, arguments.seeds_max, arguments.lives);
  return simulate::run(arguments);
}
