// The system calls on files and directories that have no useful io_uring form. They do not wait for a device
// longer than a name look-up does; UringKernel makes them at submit and completes the Op from poll.
//
// Journey:  UringKernel -> [these] -> Linux.
// Shard:    any; plain functions.
// Promise:  the result of the matching OpKind (op.hpp): >= 0 or -errno.
// Failure:  -errno.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/kernel/op.hpp"

namespace penstock::core {

std::int64_t open_directory(int parent, const char* path);
std::int64_t make_directory(int parent, const char* path);
std::int64_t list_directory(int directory, std::vector<std::string>& names);
std::int64_t lock_file(int file);
std::int64_t file_size(int file);
std::int64_t truncate_file(int file, std::uint64_t length);
int open_flags_of(OpenFlags flags);  // for openat

}  // namespace penstock::core
