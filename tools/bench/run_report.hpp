// What a run found out: as a table for people, and as JSON.
#pragma once

#include <string>

#include "tools/bench/run_result.hpp"
#include "tools/bench/run_wanted.hpp"

namespace penstock::tools {

std::string report_text(const RunWanted& wanted, const RunResult& result);
std::string report_json(const RunWanted& wanted, const RunResult& result);  // one object, one line

}  // namespace penstock::tools
