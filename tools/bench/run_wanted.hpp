// RunWanted: what `penstock bench run` was asked for.
#pragma once

#include <cstdint>
#include <string>

#include "tools/bench/bench_target.hpp"
#include "tools/bench/row_ring.hpp"

namespace penstock::tools {

enum class LoadMode : std::uint8_t { Plain, TwoPhase, Group };

struct RunWanted {
  BenchTarget target;
  Shape shape = Shape::Log;
  RowFormat format = RowFormat::Csv;
  bool gzip = false;
  LoadMode mode = LoadMode::Plain;
  std::uint32_t streams = 1;

  std::uint64_t load_rows = 0;   // 0: by load_bytes
  std::uint64_t load_bytes = 0;  // 0: endless, to the next checkpoint or the end
  double checkpoint_seconds = 0;
  double rate = 0;  // rows a second of all streams; 0: as fast as it goes
  double seconds = 0;
  std::uint64_t bytes = 0;  // of rows; 0: by seconds

  std::uint64_t block_bytes = 256 << 10;
  double flush_ms = 10;
  std::uint64_t seed = 1;
  std::uint64_t first_key = kFirstKey;
  std::uint64_t distinct_bytes = kRingBytes;
  std::string label_prefix;
  bool has_label_prefix = false;  // given; an empty one is no labels

  bool create = false;
  unsigned buckets = 4;
  bool check = true;
  double probe_ms = 20;
  double patience_seconds = 120;

  int server_pid = 0;
  std::string data_dir;
  std::string json_file;
  std::string plot_file;
  bool quiet = false;
};

const char* mode_name(LoadMode mode);

}  // namespace penstock::tools
