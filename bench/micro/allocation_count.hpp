// How often the benchmarks' process asked for memory with new.
#pragma once

#include <cstddef>

namespace penstock::bench {

std::size_t allocations();

}  // namespace penstock::bench
