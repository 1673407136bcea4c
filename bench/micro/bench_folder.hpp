// A folder of the benchmarks' own on a real disk: under PENSTOCK_BENCH_DIR, or the working folder. And what that disk
// cannot do faster: the least durable write, and plain writes past the page cache.
#pragma once

#include <filesystem>
#include <vector>

#include "core/base/units.hpp"
#include "core/memory/page_arena.hpp"

namespace penstock::bench {

class BenchFolder {
 public:
  BenchFolder();
  BenchFolder(const BenchFolder&) = delete;
  BenchFolder& operator=(const BenchFolder&) = delete;
  ~BenchFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  const std::filesystem::path path_;
};

// An overwrite of 4 KiB in a file that is all there, and its fdatasync.
class SyncYardstick {
 public:
  explicit SyncYardstick(const std::filesystem::path& folder);
  SyncYardstick(const SyncYardstick&) = delete;
  SyncYardstick& operator=(const SyncYardstick&) = delete;
  ~SyncYardstick();
  double measure();  // microseconds

 private:
  const int file_;
  std::size_t turn_ = 0;
};

// write() of 1 MiB each, O_DIRECT where the file system has it, one after the other into a file whose space is reserved
// and which begins anew after 256 MiB: as the journal's files do.
class WriteYardstick {
 public:
  explicit WriteYardstick(const std::filesystem::path& folder);
  WriteYardstick(const WriteYardstick&) = delete;
  WriteYardstick& operator=(const WriteYardstick&) = delete;
  ~WriteYardstick();
  void write();

  static constexpr std::size_t kBytes = core::kMiB;

 private:
  void open_next();
  const std::filesystem::path name_;
  core::PageArena memory_{1, kBytes};
  std::span<std::byte> bytes_;
  int file_ = -1;
  std::size_t at_ = 0;
};

double median(std::vector<double> values);

}  // namespace penstock::bench
