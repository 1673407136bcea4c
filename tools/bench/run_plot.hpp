// A run as a picture: throughput above, freshness below, over time. SVG, for a browser or a document.
#pragma once

#include <string>

#include "tools/bench/run_result.hpp"
#include "tools/bench/run_wanted.hpp"

namespace penstock::tools {

std::string plot_svg(const RunWanted& wanted, const RunResult& result);

}  // namespace penstock::tools
