// `penstock bench run`: a run from its preparation to its figures.
#pragma once

#include "tools/bench/run_wanted.hpp"

namespace penstock::tools {

// The exit status: 1, and no figures, where anything failed or the rows that came out are not those that went in.
int run_bench(RunWanted wanted);

}  // namespace penstock::tools
