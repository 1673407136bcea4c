// UringKernel's accepting: one multishot accept a listener, handed out to Accept ops one by one.
#include <cerrno>

#include "core/base/check.hpp"
#include "core/kernel/uring_kernel.hpp"
#include "core/kernel/uring_user_data.hpp"

namespace penstock::core {
namespace {

constexpr Duration kPauseAfterFailure = std::chrono::milliseconds(50);

std::uint64_t user_data_of(const AcceptQueue& queue) {
  return reinterpret_cast<std::uintptr_t>(&queue) | kUserDataAccept;
}

// The connection died before we took it, or nothing happened: the next one is as good.
bool is_passing(std::int32_t error) {
  return error == ECONNABORTED || error == EINTR || error == EAGAIN || error == EPROTO || error == ECANCELED;
}
// The process or machine is short of something: later it may work, so do not spin on it.
bool is_shortage(std::int32_t error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

}  // namespace

AcceptQueue* UringKernel::accept_queue_of(int listener) {
  for (auto& queue : accept_queues_) {
    if (queue->listener == listener && listener >= 0) return queue.get();
  }
  return nullptr;
}

void UringKernel::accept(Op& op) {
  AcceptQueue* queue = accept_queue_of(op.handle);
  if (queue == nullptr) {
    queue = accept_queues_.emplace_back(std::make_unique<AcceptQueue>()).get();
    queue->listener = op.handle;
  }
  if (!queue->connections.empty()) {
    const int connection = queue->connections.front();
    queue->connections.pop_front();
    finish(op, connection);
  } else {
    op.kernel_state = kWaitsForConnection;
    queue->waiting.push(op);
  }
  if (!queue->armed && queue->connections.empty() && queue->retry_at <= clock_.monotonic) arm(*queue);
}

void UringKernel::arm(AcceptQueue& queue) {
  io_uring_sqe* const sqe = next_sqe();
  if (sqe == nullptr) return;  // tend_accept_queues tries again
  io_uring_prep_multishot_accept(sqe, queue.listener, nullptr, nullptr, SOCK_CLOEXEC);
  io_uring_sqe_set_data64(sqe, user_data_of(queue));
  queue.armed = true;
  queue.cancel_wanted = false;
  queue.cancel_sent = false;
}

void UringKernel::accepted(AcceptQueue& queue, std::int32_t result, std::uint32_t flags) {
  if ((flags & IORING_CQE_F_MORE) == 0) queue.armed = false;
  if (result >= 0) {
    if (queue.is_closed()) {
      ::close(result);
    } else if (Op* const op = queue.waiting.pop()) {
      op->result = result;
      complete(*op);
    } else {
      queue.connections.push_back(result);
      if (queue.connections.size() >= AcceptQueue::kPausedAt) queue.cancel_wanted = queue.armed;
    }
    return;
  }
  if (queue.is_closed() || is_passing(-result)) return;
  if (is_shortage(-result)) {
    queue.retry_at = clock_.monotonic + kPauseAfterFailure;
    if (Op* const op = queue.waiting.pop()) {
      op->result = result;
      complete(*op);
    }
    return;
  }
  // Not a listener: whoever waits hears of it. One turn each: a completion may submit the next Accept.
  OpList waiting = queue.waiting.take_all();
  while (Op* const op = waiting.pop()) finish(*op, result);
}

void UringKernel::close_accept_queue(AcceptQueue& queue) {
  OpList waiting = queue.waiting.take_all();
  while (Op* const op = waiting.pop()) finish(*op, -ECANCELED);
  queue.end();
}

// Arms, cancels and forgets, as each queue needs.
void UringKernel::tend_accept_queues() {
  for (std::size_t i = 0; i < accept_queues_.size();) {
    AcceptQueue& queue = *accept_queues_[i];
    if (queue.armed && queue.cancel_wanted && !queue.cancel_sent)
      queue.cancel_sent = send_cancel(user_data_of(queue));
    if (!queue.armed && !queue.is_closed() && !queue.waiting.is_empty() &&
        queue.retry_at <= clock_.monotonic) {
      arm(queue);
    }
    if (!queue.armed && queue.is_closed()) {
      accept_queues_.erase(accept_queues_.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      ++i;
    }
  }
}

// At the end of the Kernel: a multishot accept left behind would keep accepting until the ring is gone.
void UringKernel::drain_accept_queues() {
  for (auto& queue : accept_queues_) close_accept_queue(*queue);
  tend_accept_queues();
  for (int tries = 0; tries < 100 && !accept_queues_.empty(); ++tries) {
    enter(clock_.monotonic + std::chrono::milliseconds(20 * (tries + 1)));
    deliver_completions();
    tend_accept_queues();
  }
}

}  // namespace penstock::core
