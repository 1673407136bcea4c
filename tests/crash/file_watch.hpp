// FileWatch: looks at every disk operation of a simulated store and holds the promises that no crash shows.
//
//   - no page of a journal, a commit log or a label run is written twice, prewriting aside, but one of a journal durably and with
//     the same bytes;
//   - zeros go to no page of a journal that a record was written to, and no record to one that zeros are being written to;
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
#include <string>
#include <utility>

#include "tests/sim/sim_kernel.hpp"

namespace penstock::crash {

class FileWatch {
 public:
  // The scene's hooks are taken; the watch must outlive its use.
  void attach(sim::SimScene& scene, bool keep_trace = false);
  std::uint64_t zero_writes() const { return zero_writes_; }  // of journals
  const std::string& violation() const { return violation_; }
  const std::deque<std::string>& trace() const { return trace_; }
  std::uint64_t commit_records() const { return commit_records_; }

 private:
  struct Watched {
    std::map<std::uint64_t, std::size_t> pages;  // and the hash of what was written
    std::map<std::uint64_t, std::pair<std::uint64_t, std::uint64_t>>
        zeros;  // in flight: operation -> pages [first, end)
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
  void check_pages(std::uint64_t index, const core::Op& op, const std::string& name, Watched& file);

  std::uint64_t commit_records_ = 0;
  std::uint64_t zero_writes_ = 0;
  std::string violation_;
  std::deque<std::string> trace_;
};

}  // namespace penstock::crash
