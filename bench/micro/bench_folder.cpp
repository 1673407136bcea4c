#include "bench/micro/bench_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>

#include "core/base/check.hpp"

namespace penstock::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kSyncPages = 64;
constexpr std::size_t kFileBytes = 256 * core::kMiB;

std::filesystem::path new_folder() {
  static int number = 0;
  const char* const parent = std::getenv("PENSTOCK_BENCH_DIR");
  return std::filesystem::path(parent == nullptr ? "." : parent) /
         ("penstock-bench-" + std::to_string(::getpid()) + "-" + std::to_string(++number));
}

}  // namespace

BenchFolder::BenchFolder() : path_(new_folder()) { std::filesystem::create_directories(path_); }

BenchFolder::~BenchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

SyncYardstick::SyncYardstick(const std::filesystem::path& folder)
    : file_(::open((folder / "yardstick").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)) {
  const std::vector<char> zeros(kSyncPages * core::kPage);
  CHECK_EQ(::pwrite(file_, zeros.data(), zeros.size(), 0), static_cast<ssize_t>(zeros.size()));
  CHECK_EQ(::fdatasync(file_), 0);
}

SyncYardstick::~SyncYardstick() { ::close(file_); }

double SyncYardstick::measure() {
  const std::vector<char> page(core::kPage, static_cast<char>('a' + turn_ % 20));
  const auto began = Clock::now();
  CHECK_EQ(::pwrite(file_, page.data(), page.size(), static_cast<off_t>(turn_++ % kSyncPages * core::kPage)),
           static_cast<ssize_t>(page.size()));
  CHECK_EQ(::fdatasync(file_), 0);
  return std::chrono::duration<double, std::micro>(Clock::now() - began).count();
}

WriteYardstick::WriteYardstick(const std::filesystem::path& folder)
    : name_(folder / "writes"), bytes_(memory_.acquire()) {
  std::memset(bytes_.data(), 'x', bytes_.size());
  open_next();
}

WriteYardstick::~WriteYardstick() { ::close(file_); }

void WriteYardstick::open_next() {
  if (file_ >= 0) ::close(file_);
  (void)::unlink(name_.c_str());
  constexpr int kFlags = O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC;
  file_ = ::open(name_.c_str(), kFlags | O_DIRECT, 0600);
  if (file_ < 0) {
    (void)::unlink(name_.c_str());
    file_ = ::open(name_.c_str(), kFlags, 0600);
  }
  CHECK_GE(file_, 0);
  (void)::fallocate(file_, 0, 0, kFileBytes);  // not every file system can
  at_ = 0;
}

void WriteYardstick::write() {
  if (at_ == kFileBytes) open_next();
  CHECK_EQ(::pwrite(file_, bytes_.data(), bytes_.size(), static_cast<off_t>(at_)),
           static_cast<ssize_t>(bytes_.size()));
  at_ += bytes_.size();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return values.empty() ? 0 : *middle;
}

}  // namespace penstock::bench
