#include "core/task/ready_queue.hpp"

#include <utility>

#include "core/base/check.hpp"

namespace penstock::core {
namespace {
thread_local ReadyQueue* current = nullptr;
thread_local std::uint64_t births = 0;
}  // namespace

std::size_t ReadyQueue::run(std::size_t max) {
  while (!later_.is_empty()) queue_.push(later_.pop());
  std::size_t done = 0;
  while (done < max && !queue_.is_empty()) {
    if (chooser_ != nullptr && queue_.size() > 1) {
      queue_.bring_to_front(chooser_(chooser_context_, queue_.size()));
    }
    queue_.pop().resume();
    ++done;
  }
  return done;
}

ReadyQueue& current_ready_queue() {
  CHECK(current != nullptr);
  return *current;
}

ReadyQueue* exchange_current_ready_queue(ReadyQueue* queue) { return std::exchange(current, queue); }

bool is_tearing_down() { return current != nullptr && current->is_closed(); }

std::uint64_t next_root_birth() { return ++births; }

}  // namespace penstock::core
