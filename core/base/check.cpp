#include "core/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace penstock::core {
void check_failed(const char* file, int line, const char* condition, const std::string& detail) {
  std::fprintf(stderr, "CHECK failed at %s:%d: %s %s\n", file, line, condition, detail.c_str());
  std::fflush(stderr);
  std::abort();
}
}  // namespace penstock::core
