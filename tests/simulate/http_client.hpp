// HttpClient: one request on a connection of its own, sent and received as the dice say: in pieces with pauses, cut by a
// reset, an end before the body's end, or by nobody reading the answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tests/sim/sim_world.hpp"
#include "tests/simulate/script.hpp"

namespace penstock::simulate {

struct Answer {
  enum class Got {
    Whole,
    Refused,  // nobody listens
    Cut,      // the connection ended before a whole answer, or we ended it
    Late,     // no answer in time, though the connection stands
  };
  Got got = Got::Refused;
  int status = 0;
  std::string body;
  bool is_whole() const { return got == Got::Whole; }
};

// The value of a field of a reply, as it stands there without quotes; empty if there is none.
std::string field_of(std::string_view json, std::string_view name);

struct Manner {
  std::size_t piece_max = SIZE_MAX;        // bytes of a piece
  core::Duration pause_max{};              // between two pieces
  std::optional<std::size_t> reset_at;     // after so many bytes
  std::optional<std::size_t> end_at;       // the client's side ends there in order
  std::optional<std::size_t> vanishes_at;  // nothing more is ever heard of the client, and nobody is told
  bool leaves = false;                     // resets as soon as everything is sent
  core::Duration patience = std::chrono::minutes(10);
  std::size_t window = SIZE_MAX;  // a slow reader: takes so many bytes at a time
};
// Mostly kind; `unkind_percent` of them are cut somewhere.
Manner draw_manner(sim::SimRandom& dice, std::size_t bytes, std::uint32_t unkind_percent);

Script<Answer> ask(sim::SimWorld* world, Scripts* scripts, sim::SimRandom* dice, std::string request,
                   Manner manner);

}  // namespace penstock::simulate
