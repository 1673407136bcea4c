#include "core/kernel/file_calls.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <string_view>

namespace penstock::core {
namespace {
int at(int directory) { return directory < 0 ? AT_FDCWD : directory; }
std::int64_t result_of(std::int64_t value) { return value < 0 ? -errno : value; }
}  // namespace

std::int64_t open_directory(int parent, const char* path) {
  return result_of(::openat(at(parent), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

std::int64_t make_directory(int parent, const char* path) {
  const std::int64_t result = result_of(::mkdirat(at(parent), path, 0750));
  return result == -EEXIST ? 0 : result;
}

std::int64_t list_directory(int directory, std::vector<std::string>& names) {
  names.clear();
  // A description of its own: the read position of the handle's would be shared.
  const int own = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (own < 0) return -errno;
  DIR* const stream = ::fdopendir(own);
  if (stream == nullptr) {
    const int error = errno;
    ::close(own);
    return -error;
  }
  errno = 0;
  while (const dirent* const entry = ::readdir(stream)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  const int error = errno;
  ::closedir(stream);
  if (error != 0) return -error;
  std::sort(names.begin(), names.end());
  return 0;
}

std::int64_t lock_file(int file) { return result_of(::flock(file, LOCK_EX | LOCK_NB)); }

std::int64_t file_size(int file) {
  struct stat info{};
  if (::fstat(file, &info) < 0) return -errno;
  return info.st_size;
}

std::int64_t truncate_file(int file, std::uint64_t length) {
  if (length > static_cast<std::uint64_t>(INT64_MAX)) return -EFBIG;
  return result_of(::ftruncate(file, static_cast<off_t>(length)));
}

int open_flags_of(OpenFlags flags) {
  return O_CLOEXEC | (flags.write ? O_RDWR : O_RDONLY) | (flags.create_exclusive ? O_CREAT | O_EXCL : 0) |
         (flags.direct ? O_DIRECT : 0);
}

}  // namespace penstock::core
