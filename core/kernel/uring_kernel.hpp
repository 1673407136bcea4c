// UringKernel: the Kernel over Linux io_uring. Completion entries and raw callbacks live behind this header
// only.
//
// One ring for one shard, made on the shard's own thread (SINGLE_ISSUER, DEFER_TASKRUN): the kernel runs our
// completions only when poll() asks, so nothing interrupts a turn. What a turn submits goes out with one
// io_uring_enter, the one that also waits; a poll that has nothing to submit, nothing to collect and no
// reason to sleep makes no system call.
//
// Journey:  core/io and core/shard -> [UringKernel] -> Linux.
// Shard:    one each; only `Wake` of another shard's Kernel reads this one's ring descriptor.
// Promise:  op.hpp's and kernel.hpp's. Buffers must be given back, and every Op completed, before it is
// destroyed. Failure:  make() says what failed, the value found, and what to change.
#pragma once

#include <liburing.h>

#include <array>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/kernel/accept_queue.hpp"
#include "core/kernel/busy_poll.hpp"
#include "core/kernel/fixed_files.hpp"
#include "core/kernel/kernel.hpp"
#include "core/kernel/op_list.hpp"
#include "core/kernel/recv_ring.hpp"
#include "core/kernel/socket_calls.hpp"
#include "core/kernel/timer_heap.hpp"
#include "core/kernel/uring_probe.hpp"

namespace penstock::core {

struct UringOptions {
  std::uint32_t entries =
      1024;  // of the submission queue; more than that in one turn are submitted in pieces
  std::uint32_t body_buffers = 8;
  std::uint32_t body_buffer_bytes = 128 * kKiB;
  std::uint32_t head_buffers = 128;
  std::uint32_t head_buffer_bytes = 16 * kKiB;
  std::span<std::byte> write_arena;  // page aligned; registered with the kernel; must outlive the UringKernel
  BufferReturned buffer_returned;
  KeepAlive keep_alive;  // of connections that its listeners accept
  Duration busy_poll{};  // so long after the last durable write began, while any is under way; 0: never
};

struct UringStats {
  std::uint64_t enters = 0;  // io_uring_enter calls
  std::uint64_t sleeps = 0;  // of these: with leave to wait
  std::uint64_t sqes = 0;
  std::uint64_t completions = 0;
  std::uint64_t yields = 0;  // of the core, in place of sleeps
};

class UringKernel final : public Kernel {
 public:
  static std::expected<std::unique_ptr<UringKernel>, std::string> make(const UringOptions& options);
  UringKernel(const UringKernel&) = delete;
  UringKernel& operator=(const UringKernel&) = delete;
  ~UringKernel();

  void submit(Op& op) noexcept override;
  void cancel(Op& op) noexcept override;
  void poll(Instant deadline) override;
  bool expects_soon() const noexcept override;
  void yield_core() noexcept override;
  Clock now() const noexcept override { return clock_; }
  std::uint64_t entropy() noexcept override;

  const UringFeatures& features() const { return features_; }
  const UringStats& stats() const { return stats_; }

 private:
  explicit UringKernel(const UringOptions& options);
  std::string open(const UringOptions& options);
  std::string open_ring(std::uint32_t entries);
  void register_write_arena(std::span<std::byte> arena);

  io_uring_sqe* next_sqe();
  void start(Op& op);
  void prepare(io_uring_sqe& sqe, Op& op);
  void finish(Op& op, std::int64_t result);  // completes from the next poll
  void complete(Op& op);
  bool send_cancel(std::uint64_t user_data);
  void retry_waiting();

  void enter(Instant until);
  void deliver_finished();
  void deliver_completions();
  void deliver_timers();
  void completed(Op& op, std::int32_t result, std::uint32_t flags);

  // uring_accept.cpp
  void accept(Op& op);
  AcceptQueue* accept_queue_of(int listener);
  void arm(AcceptQueue& queue);
  void close_accept_queue(AcceptQueue& queue);
  void accepted(AcceptQueue& queue, std::int32_t result, std::uint32_t flags);
  void tend_accept_queues();
  void drain_accept_queues();

  io_uring ring_{};
  bool ring_is_open_ = false;
  Clock clock_;
  TimerHeap timers_;
  OpList finished_;           // done at submit or cancelled: to be completed from the next poll
  OpList waiting_;            // found no room in the submission queue
  std::vector<Op*> cancels_;  // likewise, cancellations
  std::size_t live_ = 0;      // submitted and not completed
  BusyPoll busy_poll_;
  const KeepAlive keep_alive_;
  std::array<RecvRing, 2> recv_rings_;
  std::vector<std::unique_ptr<AcceptQueue>> accept_queues_;
  std::span<std::byte> registered_arena_;
  FixedFiles fixed_files_;
  std::array<std::uint64_t, 32> random_{};
  std::size_t random_left_ = 0;
  UringFeatures features_;
  UringStats stats_;
};

}  // namespace penstock::core
