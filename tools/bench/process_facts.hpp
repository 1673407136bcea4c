// What the system says of a process, of the machine, and of a folder: from /proc and the file system.
//
// Journey:  LoadRun, the report -> [process_cpu, ...] -> /proc.
// Shard:    none; plain functions.
// Promise:  CPU time is the whole process's, to the nanosecond, also of another one.
// Failure:  nothing comes back: the process is gone, or is somebody else's.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace penstock::tools {

std::optional<double> process_cpu_seconds(pid_t pid);                           // 0: this process
std::optional<std::uint64_t> process_status_bytes(pid_t pid, const char* key);  // VmRSS, VmHWM
bool reset_process_peak(pid_t pid);                                             // VmHWM counts from now on
std::optional<std::uint64_t> process_bytes_written(pid_t pid);                  // to storage

struct MachineTimes {
  double busy = 0;  // seconds of all cores
  double steal = 0;
};
MachineTimes machine_times();
std::string machine_name();  // the processor
std::string kernel_release();
unsigned core_count();  // that this process may use

// What its files take on the disk.
std::optional<std::uint64_t> folder_bytes(const std::string& folder);

}  // namespace penstock::tools
