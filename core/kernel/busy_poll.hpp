// BusyPoll: whether it pays to stay awake for a durable write.
//
// For a moment it does: such a write is there sooner than a halted core wakes. Whoever else wants the core is let on it
// meanwhile. If somebody keeps it for long then, one who computes, staying awake has cost more than it can gain (the scheduler
// gives a thread that yields its next turn when the other's is used up, in milliseconds): for a while the shard sleeps for
// its writes, and for twice as long each time it is no better after that.
//
// Journey:  UringKernel::prepare, completed, yield_core -> [BusyPoll] -> UringKernel::expects_soon.
// Shard:    one each.
// Promise:  pays() is false at the latest a window after the last write began.
// Failure:  none.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "core/base/units.hpp"

namespace penstock::core {

class BusyPoll {
 public:
  static constexpr Duration kYieldMax = std::chrono::milliseconds(1);
  static constexpr Duration kPauseMin = std::chrono::milliseconds(10);
  static constexpr Duration kPauseMax = std::chrono::milliseconds(320);

  explicit BusyPoll(Duration window) : window_(window) {}  // 0: it never pays

  void write_began(Instant now) {
    ++writes_;
    if (window_.count() > 0) until_ = now + window_;
  }
  void write_ended() { --writes_; }
  void yielded(Instant from, Instant to) {
    if (to - from <= kYieldMax) return;
    const bool is_still_contended = from - pause_until_ < pause_;
    pause_ = is_still_contended ? std::min(2 * pause_, kPauseMax) : kPauseMin;
    pause_until_ = to + pause_;
  }
  bool pays(Instant now) const { return writes_ > 0 && now < until_ && now >= pause_until_; }

 private:
  const Duration window_;
  std::size_t writes_ = 0;
  Instant until_{};
  Duration pause_{};
  Instant pause_until_{};
};

}  // namespace penstock::core
