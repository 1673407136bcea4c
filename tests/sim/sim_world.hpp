// SimWorld: a machine in a test. It owns the clock, the disk, the network and at most one process: a ShardSet
// whose shards each have a SimKernel, all run on this one thread in an order that the seed chooses.
//
//   SimWorld world({.seed = 7});
//   ShardSet& shards = world.start_process(2);
//   world.start(0, serve(&shards, ...));                        // a coroutine on shard 0
//   CHECK(world.run_until([&] { return is_done; }) == RunStatus::Done);
//   world.crash_at_op(world.op_count() + 17);                  // then run again: RunStatus::Crashed
//   world.lose_power(UnsyncedPolicy::Random, NamesPolicy::Random);   // or kill_process()
//   world.start_process(2);                                     // the next run over the same disk
//
// The same seed and the same calls give the same trace_hash(). To walk all crash points: run the scenario
// once, read op_count(), then run it again with crash_at_op(k) for each k.
//
// The end of a process reclaims its coroutines without resuming them: every root frame (what a TaskScope
// runs) is destroyed, the newest first, and with it the frames of all it awaits. Meanwhile the ready queue is
// a closed one, so a destructor that would wake somebody wakes nobody; the kernels live until the last frame
// is gone. Objects that the test itself holds must not be used by frames when it has destroyed them: end the
// process first.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/shard/shard.hpp"
#include "tests/sim/sim_disk.hpp"
#include "tests/sim/sim_kernel.hpp"
#include "tests/sim/sim_net.hpp"

namespace penstock::sim {

enum class RunStatus : std::uint8_t {
  Done,     // the predicate holds
  Crashed,  // crash_at_op was met; now lose_power() or kill_process()
  Stuck,    // nothing is ready, nothing is in flight that time could complete: a deadlock, or waiting for the
            // test
  StepLimit,  // too many turns
};
const char* run_status_name(RunStatus status);

class SimWorld {
 public:
  struct Options {
    std::uint64_t seed = 1;
    SimKernelOptions kernel;
    std::int64_t turn_nanos = 500;  // what a turn that worked costs in virtual time
    bool shuffle_ready = true;      // ready coroutines of a shard are resumed in an order of the dice
  };
  explicit SimWorld(Options options);
  SimWorld(Options options, const SimDisk& disk);  // on a copy of a disk
  explicit SimWorld(std::uint64_t seed = 1) : SimWorld(Options{.seed = seed}) {}
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;
  ~SimWorld();

  SimDisk& disk() { return scene_.disk; }
  SimNet& net() { return scene_.net; }
  SimClient connect(std::string_view address) { return scene_.net.connect(address); }

  // ---- The process
  // --------------------------------------------------------------------------------------------------
  core::ShardSet& start_process(std::uint32_t shards_count);
  bool has_process() const { return process_ != nullptr; }
  core::ShardSet& shards();
  core::Shard& shard(std::uint32_t index) { return shards().at(index); }
  core::Kernel& kernel(std::uint32_t index = 0);
  void start(std::uint32_t shard_index, core::Task<void> task);  // between turns; after a crash: not
  // Each ends the process; to begin again, start_process().
  void kill_process();  // kill -9
  void lose_power(UnsyncedPolicy pages, NamesPolicy names);
  void end_process();  // in order: CHECKs that no coroutine, handle or buffer is left
  std::uint32_t open_handles() const;
  std::size_t buffers_out() const;
  bool has_tasks() const;  // spawned coroutines that have not ended

  // ---- Running
  // ------------------------------------------------------------------------------------------------------
  template <class Predicate>
  RunStatus run_until(Predicate&& done, std::uint64_t max_steps = 1'000'000) {
    rouse();
    for (std::uint64_t step = 0;; ++step) {
      if (scene_.crashed) return RunStatus::Crashed;
      if (done()) return RunStatus::Done;
      if (step == max_steps) return RunStatus::StepLimit;
      if (!take_step())
        return scene_.crashed ? RunStatus::Crashed : done() ? RunStatus::Done : RunStatus::Stuck;
    }
  }
  // Until every spawned coroutine of the process has ended.
  RunStatus run_to_end(std::uint64_t max_steps = 1'000'000) {
    return run_until([this] { return !has_tasks(); }, max_steps);
  }
  // Until nothing moves without the test: Stuck, Crashed or StepLimit.
  RunStatus run_idle(std::uint64_t max_steps = 1'000'000) {
    return run_until([] { return false; }, max_steps);
  }
  // Until the predicate holds (Done), or virtual time has come to `end` (Stuck), even where nothing happens meanwhile.
  template <class Predicate>
  RunStatus run_until_or(core::Instant end, Predicate&& done, std::uint64_t max_steps = 1'000'000) {
    rouse();
    for (std::uint64_t step = 0; step < max_steps; ++step) {
      if (scene_.crashed) return RunStatus::Crashed;
      if (done()) return RunStatus::Done;
      if (scene_.now >= end) return RunStatus::Stuck;
      if (process_ != nullptr && take_turn()) continue;
      const core::Instant next = process_ == nullptr ? core::Instant::never() : next_event();
      scene_.advance_to(std::min(next, end));
      rouse();
    }
    return RunStatus::StepLimit;
  }
  // For so much virtual time: Done, Crashed or StepLimit. Time passes also where nothing happens.
  RunStatus run_for(core::Duration duration, std::uint64_t max_steps = 1'000'000);

  // ---- The clock
  // ----------------------------------------------------------------------------------------------------
  core::Clock now() const { return scene_.clock(); }
  void jump_wall(core::Duration by) { scene_.wall_offset_micros += by.count() / 1000; }

  // ---- Crashes and replay
  // -------------------------------------------------------------------------------------------
  std::uint64_t op_count() const {
    return scene_.ops;
  }  // operations submitted since the world began, all processes
  void crash_at_op(std::uint64_t k,
                   CrashPoint point = CrashPoint::Submit);  // the k-th, counted from 1; 0: never
  bool crashed() const { return scene_.crashed; }
  std::uint64_t trace_hash() const { return scene_.trace; }
  SimScene& scene() { return scene_; }  // dice, hooks on_submit and on_complete

 private:
  struct Process;
  void rouse();  // the test may have changed anything: every shard looks again
  core::Instant next_event() const;
  bool take_turn();  // of some shard that may have something to do; false: there is none
  void forget_process();
  bool take_step();  // one turn of some shard, or a move of the clock; false: nothing can happen
  void reclaim(std::vector<SimLostOp>& lost);

  const Options options_;
  SimScene scene_;
  std::unique_ptr<Process> process_;
};

}  // namespace penstock::sim
