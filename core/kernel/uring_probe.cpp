#include "core/kernel/uring_probe.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <liburing.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace penstock::core {

KernelVersion parse_kernel_version(std::string_view release) {
  KernelVersion version;
  const char* const end = release.data() + release.size();
  const auto [dot, error] = std::from_chars(release.data(), end, version.major);
  if (error != std::errc() || dot == end || *dot != '.') return {};
  if (std::from_chars(dot + 1, end, version.minor).ec != std::errc()) return {};
  return version;
}

std::expected<KernelVersion, std::string> check_kernel_version(std::string_view release) {
  const KernelVersion version = parse_kernel_version(release);
  if (version >= kOldestKernel) return version;
  return std::unexpected(
      fmt::format("Linux {} is too old: penstock needs Linux {}.{} or newer (io_uring with deferred task "
                  "work). Boot a newer kernel.",
                  release.empty() ? std::string_view("(unknown version)") : release, kOldestKernel.major,
                  kOldestKernel.minor));
}

std::string explain_setup_failure(int error, std::string_view release, std::string_view disabled) {
  const std::string what =
      fmt::format("io_uring_setup failed: {} (Linux {}). ", std::strerror(error), release);
  if (error == EPERM && (disabled == "1" || disabled == "2")) {
    return what + fmt::format(
                      "The sysctl kernel.io_uring_disabled is {}: set it to 0 (sysctl -w "
                      "kernel.io_uring_disabled=0){}.",
                      disabled, disabled == "1" ? ", or run in the group kernel.io_uring_group" : "");
  }
  switch (error) {
    case EPERM:
      return what +
             "A seccomp filter blocks it, as container runtimes do by default: allow io_uring_setup, "
             "io_uring_enter "
             "and io_uring_register (docker: --security-opt seccomp=...).";
    case ENOSYS:
      return what + "This kernel or sandbox has no io_uring: use a kernel built with CONFIG_IO_URING.";
    case EMFILE:
    case ENFILE: {
      rlimit limit{};
      ::getrlimit(RLIMIT_NOFILE, &limit);
      return what +
             fmt::format(
                 "No file descriptors are left; RLIMIT_NOFILE is {}: raise it (ulimit -n, LimitNOFILE=).",
                 limit.rlim_cur);
    }
    case ENOMEM: {
      rlimit limit{};
      ::getrlimit(RLIMIT_MEMLOCK, &limit);
      return what +
             fmt::format(
                 "Memory for the ring is not to be had; RLIMIT_MEMLOCK is {} bytes: raise it (ulimit -l, "
                 "LimitMEMLOCK=).",
                 limit.rlim_cur);
    }
    case EINVAL:
      return what +
             "The kernel refuses the ring's flags or size: Linux 6.1 or newer, and at most 32768 entries.";
    default:
      return what + "No fix is known for this one.";
  }
}

std::string explain_pinning_failure(int error, std::size_t bytes) {
  std::string text = std::strerror(error);
  if (error != ENOMEM && error != EPERM) return text;
  rlimit limit{};
  ::getrlimit(RLIMIT_MEMLOCK, &limit);
  return text +
         fmt::format("; RLIMIT_MEMLOCK is {} bytes, {} more are wanted: raise it (ulimit -l, LimitMEMLOCK=)",
                     limit.rlim_cur, bytes);
}

std::string running_release() {
  utsname name{};
  return ::uname(&name) == 0 ? std::string(name.release) : std::string();
}

std::string io_uring_disabled_setting() {
  const int fd = ::open("/proc/sys/kernel/io_uring_disabled", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  char text[16] = {};
  const ssize_t got = ::read(fd, text, sizeof text);
  ::close(fd);
  std::string value(text, got > 0 ? static_cast<std::size_t>(got) : 0);
  while (!value.empty() && value.back() == '\n') value.pop_back();
  return value;
}

std::string missing_operations(const io_uring_probe& probe) {
  struct Needed {
    int code;
    const char* name;
  };
  static constexpr Needed kNeeded[] = {
      {IORING_OP_ACCEPT, "ACCEPT"},
      {IORING_OP_RECV, "RECV"},
      {IORING_OP_SEND, "SEND"},
      {IORING_OP_CLOSE, "CLOSE"},
      {IORING_OP_OPENAT, "OPENAT"},
      {IORING_OP_READ, "READ"},
      {IORING_OP_WRITE, "WRITE"},
      {IORING_OP_FSYNC, "FSYNC"},
      {IORING_OP_FALLOCATE, "FALLOCATE"},
      {IORING_OP_FADVISE, "FADVISE"},
      {IORING_OP_UNLINKAT, "UNLINKAT"},
      {IORING_OP_RENAMEAT, "RENAMEAT"},
      {IORING_OP_MSG_RING, "MSG_RING"},
      {IORING_OP_READ_FIXED, "READ_FIXED"},
      {IORING_OP_WRITE_FIXED, "WRITE_FIXED"},
      {IORING_OP_ASYNC_CANCEL, "ASYNC_CANCEL"},
  };
  std::string missing;
  for (const Needed& each : kNeeded) {
    if (!io_uring_opcode_supported(&probe, each.code)) missing += fmt::format(" {}", each.name);
  }
  return missing;
}

std::string UringFeatures::to_line() const {
  return fmt::format(
      "linux={} sq_entries={} cq_entries={} registered_ring={} registered_files={} "
      "registered_write_buffers={}{} direct_io={} ftruncate={}",
      release, sq_entries, cq_entries, registered_ring ? "yes" : "no", registered_files ? "yes" : "no",
      registered_write_buffers ? "yes" : "no",
      write_buffers_why.empty() ? "" : fmt::format(" ({})", write_buffers_why),
      direct_io_refused ? "refused_by_file_system" : "as_asked", truncates_elsewhere ? "async" : "inline");
}

}  // namespace penstock::core
