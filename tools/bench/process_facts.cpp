#include "tools/bench/process_facts.hpp"

#include <sched.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace penstock::tools {
namespace {

std::string of_process(pid_t pid, const char* name) { return "/proc/" + std::to_string(pid) + "/" + name; }

// The number behind "key:" of a file of such lines.
std::optional<std::uint64_t> number_of(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with(key + ":")) continue;
    std::istringstream rest(line.substr(key.size() + 1));
    std::uint64_t number = 0;
    if (rest >> number) return number;
  }
  return std::nullopt;
}

}  // namespace

std::optional<double> process_cpu_seconds(pid_t pid) {
  clockid_t clock = CLOCK_PROCESS_CPUTIME_ID;
  if (pid != 0 && ::clock_getcpuclockid(pid, &clock) != 0) return std::nullopt;
  timespec time{};
  if (::clock_gettime(clock, &time) != 0) return std::nullopt;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

std::optional<std::uint64_t> process_status_bytes(pid_t pid, const char* key) {
  const auto kib = number_of(of_process(pid, "status"), key);
  if (!kib) return std::nullopt;
  return *kib * 1024;
}

bool reset_process_peak(pid_t pid) {
  std::ofstream file(of_process(pid, "clear_refs"));
  file << "5" << std::flush;
  return file.good();
}

std::optional<std::uint64_t> process_bytes_written(pid_t pid) {
  return number_of(of_process(pid, "io"), "write_bytes");
}

MachineTimes machine_times() {
  std::ifstream file("/proc/stat");
  std::string cpu;
  double user = 0;
  double nice = 0;
  double system = 0;
  double idle = 0;
  double wait = 0;
  double irq = 0;
  double soft = 0;
  double steal = 0;
  file >> cpu >> user >> nice >> system >> idle >> wait >> irq >> soft >> steal;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return {.busy = (user + nice + system + irq + soft) / ticks, .steal = steal / ticks};
}

std::string machine_name() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with("model name")) continue;
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  utsname names{};
  return ::uname(&names) == 0 ? names.machine : "";
}

std::string kernel_release() {
  utsname names{};
  return ::uname(&names) == 0 ? std::string(names.sysname) + " " + names.release : "";
}

unsigned core_count() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  return static_cast<unsigned>(CPU_COUNT(&allowed));
}

std::optional<std::uint64_t> folder_bytes(const std::string& folder) {
  std::error_code failed;
  std::filesystem::recursive_directory_iterator at(folder, failed);
  if (failed) return std::nullopt;
  std::uint64_t bytes = 0;
  while (at != std::filesystem::recursive_directory_iterator()) {
    struct stat file{};
    if (::lstat(at->path().c_str(), &file) == 0 && S_ISREG(file.st_mode)) {
      bytes += static_cast<std::uint64_t>(file.st_blocks) * 512;
    }
    at.increment(failed);
    if (failed) break;  // a file that went away meanwhile: what is known is enough
  }
  return bytes;
}

}  // namespace penstock::tools
