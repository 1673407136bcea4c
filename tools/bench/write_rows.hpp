// `penstock bench rows`: rows of a shape into a file or a pipe.
#pragma once

#include <cstdint>
#include <string>

#include "tools/bench/row_shapes.hpp"

namespace penstock::tools {

struct RowsWanted {
  Shape shape = Shape::Log;
  RowFormat format = RowFormat::Csv;
  bool gzip = false;
  std::uint64_t rows = 0;   // 0: as many as `bytes` holds
  std::uint64_t bytes = 0;  // before compression; whole rows, never more than these
  std::uint64_t seed = 1;
  std::uint64_t first_key = kFirstKey;
  std::uint64_t distinct_bytes = 0;
  std::string file;  // empty: standard output
};

// The exit status. A line of JSON on standard error says what was written.
int write_rows(const RowsWanted& wanted);

}  // namespace penstock::tools
