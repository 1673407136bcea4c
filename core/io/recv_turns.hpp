// RecvTurns: who waits for a receive buffer, first come first served.
//
// A recv that has something to receive and finds its ring empty fails with NoBuffers; its Stream then waits
// here until some Buffer has come back. The Kernel's rings tell by calling buffer_returned().
//
// Journey:  Stream::recv -> [RecvTurns] <- the Kernel's rings when a Buffer is given back.
// Shard:    one per shard.
// Promise:  one waiter goes on for each buffer that comes back, also for one that came back between the
// failed recv and
//           the wait: that is what moment() is for. A cancelled waiter goes on too and finds out itself.
// Failure:  none.
#pragma once

#include <array>
#include <cstdint>

#include "core/kernel/op.hpp"
#include "core/task/sync.hpp"

namespace penstock::core {

class RecvTurns {
 public:
  struct Wait {
    WaitList& list;
    bool has_passed;
    bool await_ready() const { return has_passed; }
    void await_suspend(std::coroutine_handle<> handle) { list.wait().await_suspend(handle); }
    void await_resume() const {}
  };
  // Ask for the moment before the recv; if anything has come back since, wait() does not wait.
  std::uint64_t moment(BufferRing ring) const { return turns_[static_cast<std::size_t>(ring)].moment; }
  Wait wait(BufferRing ring, std::uint64_t since) {
    return Wait{turn(ring).waiting, turn(ring).moment != since};
  }

  void buffer_returned(BufferRing ring) {
    ++turn(ring).moment;
    turn(ring).waiting.notify_one();
  }
  // Whoever had a turn and took no buffer gives the turn to the next: a buffer that is free tells nobody.
  void pass_on(BufferRing ring) { turn(ring).waiting.notify_one(); }
  void wake_all() {
    for (Turns& each : turns_) {
      ++each.moment;
      each.waiting.notify_all();
    }
  }

 private:
  struct Turns {
    std::uint64_t moment = 0;
    WaitList waiting;
  };
  Turns& turn(BufferRing ring) { return turns_[static_cast<std::size_t>(ring)]; }
  std::array<Turns, 2> turns_;
};

}  // namespace penstock::core
