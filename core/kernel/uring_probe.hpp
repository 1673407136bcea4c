// UringFeatures: what this machine's io_uring gives us, and clear words when it gives too little.
//
// Journey:  UringKernel::make -> [probe] -> the line the server prints at its start.
// Shard:    any; values.
// Promise:  every refusal names what failed, the value found, and what to change.
// Failure:  the text itself.
#pragma once

#include <compare>
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

struct io_uring_probe;

namespace penstock::core {

struct KernelVersion {
  int major = 0;
  int minor = 0;
  friend auto operator<=>(const KernelVersion&, const KernelVersion&) = default;
};
inline constexpr KernelVersion kOldestKernel{
    6, 1};  // DEFER_TASKRUN with SINGLE_ISSUER, and Wake by MSG_RING on them

// IORING_OP_FTRUNCATE: younger than the liburing that we build with.
inline constexpr int kOpFtruncate = 55;

struct UringFeatures {
  std::string release;  // as uname gives it
  KernelVersion version;
  unsigned sq_entries = 0;
  unsigned cq_entries = 0;
  bool registered_ring = false;           // io_uring_enter without a look-up of the ring's descriptor
  bool registered_write_buffers = false;  // the write arena is pinned: WRITE_FIXED
  std::string write_buffers_why;          // why it is not
  bool registered_files = false;          // a table for files opened for writing
  bool direct_io_refused = false;         // some Open fell back to buffered I/O
  bool truncates_elsewhere = false;       // Truncate does not run on the shard's thread (Linux 6.9)

  std::string to_line() const;
};

KernelVersion parse_kernel_version(std::string_view release);
// The release, if it is new enough; else why not.
std::expected<KernelVersion, std::string> check_kernel_version(std::string_view release);
// Why io_uring_setup may have failed with `error`. `disabled` is the text of kernel.io_uring_disabled, empty
// if absent.
std::string explain_setup_failure(int error, std::string_view release, std::string_view disabled);
// Why the kernel may have refused to pin `bytes` of our memory.
std::string explain_pinning_failure(int error, std::size_t bytes);
std::string running_release();
std::string io_uring_disabled_setting();
// Empty if every operation we use is there; else names the missing ones.
std::string missing_operations(const io_uring_probe& probe);

}  // namespace penstock::core
