// Simulation: one seed: a machine whose server lives many lives, each ended in some way, with clients at work throughout.
//
// The seed chooses everything: limits, shards, schedule, latencies, splits, faults, ends. Each concern has dice of its own.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "core/base/perhaps.hpp"
#include "tests/simulate/clients.hpp"

namespace penstock::simulate {

struct SimulationOptions {
  std::uint64_t seed = 1;
  int lives = 12;
  bool print_events = false;
};

struct Outcome {
  std::string violation;  // empty: none
  std::string journey;    // the last events
  std::uint64_t trace = 0;
  std::uint64_t crashes = 0;     // kills, power losses and poisonings, also of a recovery
  std::uint64_t recoveries = 0;  // starts over a folder that was there
  std::uint64_t operations = 0;  // of the kernel seam
  Tally tally;
  std::array<std::uint64_t, core::kPerhapsCount> perhaps{};  // how often each rare path was forced
};

Outcome simulate(const SimulationOptions& options);
// What simulate() is at, for whoever has to say so when a CHECK has ended the process.
std::string describe_running();

}  // namespace penstock::simulate
