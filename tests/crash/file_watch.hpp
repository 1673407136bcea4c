// FileWatch: looks at every disk operation of a simulated store and holds the promises that no crash shows.
//
//   - no page of a journal, a commit log or a label run is written twice (prewriting a log file aside);
//   - a commit record goes to a file that has nothing else unsynced, in a durable write: it pays for one overwrite only.
//
// Journey:  CrashMatrix and tests attach it to a SimScene.
// Shard:    sees all shards of the world.
// Promise:  draws no randomness and changes nothing; keeps the last operations as text where asked to.
// Failure:  violation() names the file, the offset and the operation's number.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>

#include "tests/sim/sim_kernel.hpp"

namespace penstock::crash {

class FileWatch {
 public:
  // The scene's hooks are taken; the watch must outlive its use.
  void attach(sim::SimScene& scene, bool keep_trace = false);
  const std::string& violation() const { return violation_; }
  const std::deque<std::string>& trace() const { return trace_; }
  std::uint64_t commit_records() const { return commit_records_; }

 private:
  struct Watched {
    std::set<std::uint64_t> pages;
    bool is_dirty = false;
    std::uint64_t durable_write = 0;  // the one in flight that alone makes it dirty
    bool is_ready = false;            // a log file that was synced once: from now on no page twice
  };
  void submitted(std::uint64_t index, const core::Op& op);
  void completed(std::uint64_t index, const core::Op& op);
  void note(std::uint64_t index, const core::Op& op, bool is_end);
  std::string name_of(const core::Op& op) const;

  std::map<int, std::string> handles_;
  std::map<std::string, Watched> files_;
  bool keep_trace_ = false;
  std::uint64_t commit_records_ = 0;
  std::string violation_;
  std::deque<std::string> trace_;
};

}  // namespace penstock::crash
