// Poison: what happens when the disk can no longer be trusted.
//
// After a failed fdatasync, or a failed write of a commit record, nobody can say what is durable. Nothing more may be
// acknowledged: the process ends, its clients see closed connections, and a supervisor starts it again (architecture
// section 4, rule 4). An fdatasync is never retried.
//
// Journey:  JournalWriter, CommitLog, snapshots -> [Poison] -> the process ends.
// Shard:    one per store, any shard may call it.
// Promise:  co_await poison.end(...) never returns.
// Failure:  it is the failure.
#pragma once

#include <coroutine>
#include <functional>
#include <string>

#include "core/base/result.hpp"

namespace penstock::txn {

class Poison {
 public:
  // `end_process` must stop the process (production), or the simulated world, before anything else can be answered.
  explicit Poison(std::function<void(const std::string& why)> end_process)
      : end_process_(std::move(end_process)) {}

  struct Forever {
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<>) const {}
    void await_resume() const {}
  };
  Forever end(const char* what, const core::Error& error) {
    end_process_(std::string(what) + ": " + error.to_string() +
                 ". What is on the disk is no longer known, so nothing more is acknowledged. Check the disk, "
                 "then start "
                 "penstock again: it recovers what was acknowledged");
    return {};
  }

 private:
  std::function<void(const std::string&)> end_process_;
};

}  // namespace penstock::txn
