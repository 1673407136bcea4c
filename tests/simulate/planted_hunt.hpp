// The hunt: each planted bug is switched on, and seeds are tried until one of them shows it.
#pragma once

#include <cstdint>
#include <string>

namespace penstock::simulate {

// Prints the seeds that each took. 0: all were found (`only`: the one of that name). 2: this build has none.
int hunt_planted_bugs(const std::string& only, std::uint64_t seeds_max, int lives);

}  // namespace penstock::simulate
