// LoadRun: the open-loop generator: all streams, checkpoints and commits in one thread over epoll.
//
// Journey:  run_bench -> [LoadRun] -> LoadStream, Committer.
// Shard:    none; one thread. The client shares its cores with the server, so it has no more than that.
// Promise:  run_blocking() returns when every row that was sent is answered as visible.
// Failure:  a text: a load or a commit was refused, a connection ended, or nothing moved for patience_seconds.
#pragma once

#include <deque>
#include <expected>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "tools/bench/committer.hpp"
#include "tools/bench/load_stream.hpp"
#include "tools/bench/run_result.hpp"

namespace penstock::tools {

// A load as the prober's answers are compared with it.
struct VisibleLoad {
  Nanos visible = 0;
  RowSpan span;
};

class LoadRun {
 public:
  LoadRun(const RunWanted& wanted, StreamContext& context, RunResult& result);
  ~LoadRun();
  LoadRun(const LoadRun&) = delete;
  LoadRun& operator=(const LoadRun&) = delete;

  std::expected<void, std::string> open_blocking();
  std::expected<void, std::string> run_blocking();
  const std::vector<VisibleLoad>& visible_loads() const { return visible_loads_; }  // as they became visible

 private:
  struct Wake {
    Nanos when;
    std::uint32_t stream;
    bool operator>(const Wake& other) const { return when > other.when; }
  };

  std::expected<void, std::string> turn(Nanos now);
  std::expected<void, std::string> pump(std::uint32_t stream, Nanos now);
  std::expected<void, std::string> wait(Nanos until);
  std::expected<void, std::string> take_answer(std::uint32_t stream);
  std::expected<void, std::string> take_commit(std::uint32_t stream);
  std::expected<void, std::string> answered(Load load);
  void visible(Load load, Nanos when);
  std::expected<void, std::string> checkpoint(Nanos now);
  std::expected<void, std::string> commit_pending();
  void end_checkpoint_if_done(Nanos now);
  void schedule_wake(std::uint32_t stream, Nanos now);
  void watch(std::uint32_t stream);
  void sample(Nanos now);
  void print_progress(Nanos now);
  std::expected<void, std::string> judge_patience(Nanos now);
  bool is_over() const;
  bool is_two_phase() const { return wanted_.mode == LoadMode::TwoPhase; }

  const RunWanted& wanted_;
  StreamContext& context_;
  RunResult& result_;
  int epoll_ = -1;
  std::vector<std::unique_ptr<LoadStream>> streams_;
  std::vector<std::unique_ptr<Committer>> committers_;
  std::vector<bool> watches_writable_;
  std::deque<std::uint32_t> runnable_;
  std::vector<bool> is_runnable_;
  std::priority_queue<Wake, std::vector<Wake>, std::greater<>> wakes_;
  std::vector<Nanos> wake_of_;  // 0: none

  Nanos start_ = 0;
  Nanos last_visible_ = 0;
  bool is_finishing_ = false;

  Nanos tick_period_ = 0;
  Nanos next_tick_ = 0;
  Nanos tick_ = 0;  // of the checkpoint under way; 0: none
  std::vector<bool> takes_part_;
  std::uint64_t parts_left_ = 0;
  std::uint64_t commits_left_ = 0;
  std::vector<Load> pending_;  // precommitted

  Nanos next_sample_ = 0;
  Nanos sampled_at_ = 0;
  Nanos printed_at_ = 0;
  RunSample printed_;  // totals at the last line
  std::uint64_t sampled_bytes_ = 0;
  Histogram sample_freshness_;
  RunSample current_;
  std::uint64_t visible_bytes_ = 0;
  double fresh_max_since_print_ = 0;
  std::uint64_t moved_bytes_ = 0;  // for patience
  std::uint64_t moved_answers_ = 0;
  Nanos moved_at_ = 0;
  std::uint64_t answers_ = 0;
  std::vector<VisibleLoad> visible_loads_;
};

}  // namespace penstock::tools
