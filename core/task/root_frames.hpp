// RootFrames: the coroutines of a shard that nobody awaits, so that a shard can be taken down without running
// them.
//
// Every coroutine frame owns the Task it awaits, so destroying a root destroys everything below it. The
// newest root goes first: what a root refers to without owning it was there before it. Destructors that run
// meanwhile see a closed ReadyQueue (is_tearing_down()): whom they would wake stays asleep.
//
// Journey:  TaskScope adds each root -> [RootFrames] <- the simulator, when a process dies.
// Shard:    one per shard, inside its ReadyQueue.
// Promise:  a root is here from its start to its end; two pointers a root, no allocation.
// Failure:  none.
#pragma once

#include <coroutine>
#include <cstdint>

namespace penstock::core {

class RootFrames {
 public:
  struct Link {
    Link() = default;
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    ~Link() {
      if (older == nullptr) return;
      older->newer = newer;
      newer->older = older;
    }
    Link* older = nullptr;
    Link* newer = nullptr;
    std::uint64_t birth = 0;
    std::coroutine_handle<> frame;
  };

  RootFrames() { ends_.older = ends_.newer = &ends_; }

  void add(Link& link, std::coroutine_handle<> frame, std::uint64_t birth) {
    link.frame = frame;
    link.birth = birth;
    link.older = ends_.older;
    link.newer = &ends_;
    ends_.older->newer = &link;
    ends_.older = &link;
  }
  bool is_empty() const { return ends_.older == &ends_; }
  std::uint64_t newest_birth() const { return ends_.older->birth; }  // 0 when empty
  // Its Link takes itself out. Only between turns, with a closed ReadyQueue as the current one.
  void destroy_newest() { ends_.older->frame.destroy(); }

 private:
  Link ends_;  // older: the newest root; newer: the oldest
};

}  // namespace penstock::core
