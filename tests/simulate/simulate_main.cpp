// simulate: whole lives of the production server in a simulated machine, seed after seed; see docs/testing.md.
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
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
  bool fresh = false;
  unsigned jobs = 1;
  std::uint64_t count = 0;
  double seconds = 0;
  int lives = 12;
  bool events = false;
  bool every_path = false;
  bool planted = false;
  std::string bug;
  std::uint64_t seeds_max = 4000;
};

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
  std::array<std::uint64_t, core::kPerhapsCount> perhaps{};
  void add(const Sum& other) {
    seeds += other.seeds;
    crashes += other.crashes;
    recoveries += other.recoveries;
    operations += other.operations;
    add(other.perhaps);
    add(other.tally);
  }
  void add(const Outcome& outcome) {
    ++seeds;
    crashes += outcome.crashes;
    recoveries += outcome.recoveries;
    operations += outcome.operations;
    add(outcome.perhaps);
    add(outcome.tally);
  }
  void add(const std::array<std::uint64_t, core::kPerhapsCount>& other) {
    for (std::size_t i = 0; i < perhaps.size(); ++i) perhaps[i] += other[i];
  }
  std::string rare_paths() const {
    std::string out = "rare paths taken at will:";
    for (std::size_t i = 0; i < perhaps.size(); ++i) {
      out += fmt::format(" {} {}", core::perhaps_name(static_cast<core::Perhaps>(i)), perhaps[i]);
    }
    return out;
  }
  void add(const Tally& other) {
    tally.answers += other.answers;
    tally.loads_visible += other.loads_visible;
    tally.prepared += other.prepared;
    tally.committed += other.committed;
    tally.aborted += other.aborted;
    tally.in_doubt += other.in_doubt;
    tally.scans += other.scans;
    tally.refused += other.refused;
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

double seconds_since(std::chrono::steady_clock::time_point began) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

// Seeds that have found something, in the server or in the model; tried first, whatever else is asked for.
constexpr std::uint64_t kKept[] = {
    39, 43, 60, 1795282738079, 1795288523501, 1795288523810, 1795294598319, 1795294926165, 1795296336508};

// Every so many-th seed, until the time is over or one goes wrong; tells the pipe how far it is.
bool run_seeds(const Arguments& arguments, unsigned job, int pipe_end) {
  Sum sum;
  const auto began = std::chrono::steady_clock::now();
  double told = 0;
  bool good = true;
  for (std::size_t i = job; good && i < std::size(kKept); i += arguments.jobs) {
    good = run_seed(kKept[i], arguments, sum);
  }
  for (std::uint64_t seed = arguments.first + job; good; seed += arguments.jobs) {
    if (arguments.count != 0 && seed >= arguments.first + arguments.count) break;
    if (arguments.seconds > 0 && seconds_since(began) >= arguments.seconds) break;
    good = run_seed(seed, arguments, sum);
    if (seconds_since(began) - told >= 2) {
      told = seconds_since(began);
      (void)!::write(pipe_end, &sum, sizeof sum);
    }
  }
  std::fflush(stdout);
  (void)!::write(pipe_end, &sum, sizeof sum);
  return good;
}

struct Job {
  pid_t child = 0;
  int pipe_end = -1;
  Sum sum;
};

int run(const Arguments& arguments) {
  const auto began = std::chrono::steady_clock::now();
  if (arguments.seed != 0) {
    Sum sum;
    const bool good = run_seed(arguments.seed, arguments, sum);
    fmt::print("{}\n{}\n", sum.text(), sum.rare_paths());
    return good ? 0 : 1;
  }
  fmt::print("seeds from {} on, {} lives each, {} at a time\n", arguments.first, arguments.lives,
             arguments.jobs);
  std::fflush(stdout);
  std::vector<Job> jobs(arguments.jobs);
  std::vector<pollfd> ends;
  for (unsigned i = 0; i < arguments.jobs; ++i) {
    int pipe_ends[2];
    if (::pipe(pipe_ends) != 0) return 2;
    jobs[i].child = ::fork();
    if (jobs[i].child == 0) ::_exit(run_seeds(arguments, i, pipe_ends[1]) ? 0 : 1);
    ::close(pipe_ends[1]);
    jobs[i].pipe_end = pipe_ends[0];
    ends.push_back({.fd = pipe_ends[0], .events = POLLIN, .revents = 0});
  }
  const auto total = [&jobs] {
    Sum sum;
    for (const Job& job : jobs) sum.add(job.sum);
    return sum;
  };
  double told = 0;
  for (std::size_t open = jobs.size(); open > 0;) {
    if (::poll(ends.data(), ends.size(), 1000) < 0) break;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (ends[i].fd < 0 || (ends[i].revents & (POLLIN | POLLHUP)) == 0) continue;
      Sum sum;
      if (::read(ends[i].fd, &sum, sizeof sum) == sizeof sum) {
        jobs[i].sum = sum;
      } else {
        ::close(ends[i].fd);
        ends[i].fd = -1;
        --open;
      }
    }
    if (seconds_since(began) - told >= 10) {
      told = seconds_since(began);
      fmt::print("  {:.0f} s: {} seeds, {} crashes\n", told, total().seeds, total().crashes);
      std::fflush(stdout);
    }
  }
  int bad = 0;
  for (const Job& job : jobs) {
    int status = 0;
    if (::waitpid(job.child, &status, 0) != job.child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
      ++bad;
  }
  if (arguments.every_path && std::ranges::count(total().perhaps, 0u) > 0) {
    fmt::print("a rare path was never taken: see core/base/perhaps.hpp\n");
    ++bad;
  }
  fmt::print("{}\n{}\n{} seeds, {} crash and recovery schedules survived, {} violations, {:.1f} s\n",
             total().text(), total().rare_paths(), total().seeds, total().crashes, bad, seconds_since(began));
  return bad == 0 ? 0 : 1;
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
  app.add_flag("--fresh", arguments.fresh, "begin with a seed that the time of day chooses");
  app.add_option("--jobs", arguments.jobs, "processes at a time")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--seeds", arguments.count, "so many seeds");
  app.add_option("--seconds", arguments.seconds, "seeds for so long (default: 60, if --seeds is not given)");
  app.add_option("--lives", arguments.lives, "of the server in each seed")->capture_default_str();
  app.add_flag("--events", arguments.events, "print what happens");
  app.add_flag("--every-path", arguments.every_path, "it is an error if a rare path was never taken");
  app.add_flag("--planted", arguments.planted,
               "switch each planted bug on in turn; each must be found (build: planted)");
  app.add_option("--bug", arguments.bug, "with --planted: this one alone");
  app.add_option("--seeds-max", arguments.seeds_max, "with --planted: seeds for each bug")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (arguments.count == 0 && arguments.seconds == 0) arguments.seconds = 60;
  if (arguments.fresh) {
    const auto today = std::chrono::system_clock::now().time_since_epoch();
    arguments.first =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(today).count()) * 1000;
  }
  core::set_log_sink([](core::LogLevel, std::string_view) {});
  ::signal(SIGABRT, simulate::on_abort);
  if (arguments.planted)
    return simulate::hunt_planted_bugs(arguments.bug, arguments.seeds_max, arguments.lives);
  return simulate::run(arguments);
}
