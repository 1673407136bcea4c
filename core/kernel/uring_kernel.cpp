#include "core/kernel/uring_kernel.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/check.hpp"
#include "core/kernel/file_calls.hpp"
#include "core/kernel/socket_calls.hpp"
#include "core/kernel/uring_user_data.hpp"

namespace penstock::core {
namespace {

constexpr std::uint64_t kTransferMax = 1024 * kMiB;  // what one read, write or send may ask for
constexpr std::size_t kArenaMax = 1024 * kMiB;       // what one registered buffer may span

std::int64_t nanos_of(clockid_t which) {
  timespec time{};
  ::clock_gettime(which, &time);
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

Instant read_monotonic() { return Instant{nanos_of(CLOCK_MONOTONIC)}; }
Clock read_clock() { return Clock{read_monotonic(), nanos_of(CLOCK_REALTIME) / 1000}; }

unsigned transfer_length(const Op& op) { return static_cast<unsigned>(std::min(op.length, kTransferMax)); }
std::uint64_t user_data_of(const Op& op) { return reinterpret_cast<std::uintptr_t>(&op); }
int directory_of(const Op& op) { return op.handle < 0 ? AT_FDCWD : op.handle; }

}  // namespace

std::expected<std::unique_ptr<UringKernel>, std::string> UringKernel::make(const UringOptions& options) {
  std::unique_ptr<UringKernel> kernel(new UringKernel(options));
  if (std::string error = kernel->open(options); !error.empty()) return std::unexpected(std::move(error));
  return kernel;
}

UringKernel::UringKernel(const UringOptions& options)
    : clock_(read_clock()),
      busy_poll_(options.busy_poll),
      keep_alive_(options.keep_alive),
      recv_rings_{RecvRing(BufferRing::Head, options.head_buffers, options.head_buffer_bytes,
                           options.buffer_returned),
                  RecvRing(BufferRing::Body, options.body_buffers, options.body_buffer_bytes,
                           options.buffer_returned)} {}

UringKernel::~UringKernel() {
  if (!ring_is_open_) return;
  CHECK_EQ(live_, 0u);
  drain_accept_queues();
  io_uring_queue_exit(&ring_);
}

std::string UringKernel::open(const UringOptions& options) {
  if (std::string error = open_ring(options.entries); !error.empty()) return error;
  for (RecvRing& each : recv_rings_) {
    if (std::string error = each.open(ring_); !error.empty()) return error;
  }
  register_write_arena(options.write_arena);
  features_.registered_files = fixed_files_.open(ring_);
  return {};
}

std::string UringKernel::open_ring(std::uint32_t entries) {
  features_.release = running_release();
  const auto version = check_kernel_version(features_.release);
  if (!version) return version.error();
  features_.version = *version;

  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
                 IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
  params.cq_entries = entries * 4;
  if (const int error = io_uring_queue_init_params(entries, &ring_, &params); error < 0) {
    return explain_setup_failure(-error, features_.release, io_uring_disabled_setting());
  }
  ring_is_open_ = true;
  features_.sq_entries = params.sq_entries;
  features_.cq_entries = params.cq_entries;
  (void)io_uring_ring_dontfork(&ring_);
  features_.registered_ring = io_uring_register_ring_fd(&ring_) == 1;

  io_uring_probe* const probe = io_uring_get_probe_ring(&ring_);
  if (probe == nullptr)
    return "io_uring does not say which operations it has (IORING_REGISTER_PROBE failed).";
  const std::string missing = missing_operations(*probe);
  features_.truncates_elsewhere = io_uring_opcode_supported(probe, kOpFtruncate) != 0;
  io_uring_free_probe(probe);
  if (missing.empty()) return {};
  return fmt::format("The io_uring of Linux {} lacks{}: a sandbox restricts it; run outside of it.",
                     features_.release, missing);
}

void UringKernel::register_write_arena(std::span<std::byte> arena) {
  if (arena.empty()) {
    features_.write_buffers_why = "no write arena was given";
    return;
  }
  if (arena.size() > kArenaMax) {
    features_.write_buffers_why =
        fmt::format("the write arena of {} bytes is larger than 1 GiB", arena.size());
    return;
  }
  const iovec memory{arena.data(), arena.size()};
  if (const int error = io_uring_register_buffers(&ring_, &memory, 1); error < 0) {
    features_.write_buffers_why = explain_pinning_failure(-error, arena.size());
    return;
  }
  registered_arena_ = arena;
  features_.registered_write_buffers = true;
}

std::uint64_t UringKernel::entropy() noexcept {
  if (random_left_ == 0) {
    CHECK_EQ(::getrandom(random_.data(), sizeof random_, 0), static_cast<ssize_t>(sizeof random_));
    random_left_ = random_.size();
  }
  return std::exchange(random_[--random_left_], 0);
}

// --- submitting ---

void UringKernel::submit(Op& op) noexcept {
  ++live_;
  op.result = 0;
  op.kernel_state = 0;
  switch (op.kind) {
    case OpKind::Timer:
      timers_.push(op);
      return;
    case OpKind::Accept:
      accept(op);
      return;
    case OpKind::Listen:
      finish(op, listen_on(op.path, keep_alive_));
      return;
    case OpKind::Shutdown:
      finish(op, ::shutdown(op.handle, SHUT_WR) == 0 ? 0 : -errno);
      return;
    case OpKind::OpenDir:
      finish(op, open_directory(op.handle, op.path));
      return;
    case OpKind::MakeDir:
      finish(op, make_directory(op.handle, op.path));
      return;
    case OpKind::List:
      finish(op, list_directory(op.handle, *op.names));
      return;
    case OpKind::Lock:
      fixed_files_.remove(op.handle);  // a killed process's ring outlives it: its lock must not
      finish(op, lock_file(op.handle));
      return;
    case OpKind::Size:
      finish(op, file_size(op.handle));
      return;
    case OpKind::Truncate:
      if (features_.truncates_elsewhere && op.length <= static_cast<std::uint64_t>(INT64_MAX)) break;
      finish(op, truncate_file(op.handle, op.length));
      return;
    case OpKind::Wake:
      if (op.target == this) {
        finish(op, 0);
        return;
      }
      break;
    case OpKind::Close:
      fixed_files_.remove(op.handle);
      if (AcceptQueue* const queue = accept_queue_of(op.handle)) {
        close_accept_queue(*queue);
        tend_accept_queues();  // the cancellation goes out before the close
      }
      break;
    default:
      break;
  }
  start(op);
}

void UringKernel::start(Op& op) {
  io_uring_sqe* const sqe = waiting_.is_empty() ? next_sqe() : nullptr;
  if (sqe == nullptr) {
    op.kernel_state |= kWaitsForRoom;
    waiting_.push(op);
    return;
  }
  op.kernel_state |= kInRing;
  prepare(*sqe, op);
}

io_uring_sqe* UringKernel::next_sqe() {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  if (sqe == nullptr) {
    ++stats_.enters;
    (void)io_uring_submit(&ring_);  // what it does not take stays queued
    sqe = io_uring_get_sqe(&ring_);
  }
  if (sqe != nullptr) ++stats_.sqes;
  return sqe;
}

void UringKernel::prepare(io_uring_sqe& sqe, Op& op) {
  const bool is_registered =
      !registered_arena_.empty() && op.data >= registered_arena_.data() &&
      op.data < registered_arena_.data() + registered_arena_.size() &&
      op.length <= static_cast<std::uint64_t>(registered_arena_.data() + registered_arena_.size() - op.data);
  switch (op.kind) {
    case OpKind::Recv:
      if (op.data != nullptr) {
        io_uring_prep_recv(&sqe, op.handle, op.data, transfer_length(op), 0);
        break;
      }
      io_uring_prep_recv(&sqe, op.handle, nullptr, 0, 0);
      sqe.flags |= IOSQE_BUFFER_SELECT;
      sqe.buf_group = recv_rings_[static_cast<std::size_t>(op.buffers)].group();
      if ((op.kernel_state & kSecondTry) != 0) sqe.ioprio |= IORING_RECVSEND_POLL_FIRST;
      break;
    case OpKind::Send:
      io_uring_prep_send(&sqe, op.handle, op.data, transfer_length(op), MSG_NOSIGNAL | MSG_WAITALL);
      break;
    case OpKind::Close:
      io_uring_prep_close(&sqe, op.handle);
      break;
    case OpKind::Open: {
      OpenFlags flags = op.open;
      int more = 0;
      if ((op.kernel_state & kSecondTry) != 0) {
        // The refused O_DIRECT may have left the new, empty name behind: it is ours, so do not insist on
        // making it.
        flags.direct = false;
        if (std::exchange(flags.create_exclusive, false)) more = O_CREAT;
      }
      io_uring_prep_openat(&sqe, directory_of(op), op.path, open_flags_of(flags) | more, 0640);
      break;
    }
    case OpKind::Read:
      if (is_registered) {
        io_uring_prep_read_fixed(&sqe, op.handle, op.data, transfer_length(op), op.offset, 0);
      } else {
        io_uring_prep_read(&sqe, op.handle, op.data, transfer_length(op), op.offset);
      }
      break;
    case OpKind::Write:
      if (is_registered) {
        io_uring_prep_write_fixed(&sqe, op.handle, op.data, transfer_length(op), op.offset, 0);
      } else {
        io_uring_prep_write(&sqe, op.handle, op.data, transfer_length(op), op.offset);
      }
      if (op.durable) {
        sqe.rw_flags = RWF_DSYNC;
        busy_poll_.write_began(read_monotonic());
      }
      if (op.may_block) sqe.flags |= IOSQE_ASYNC;
      break;
    case OpKind::Sync:
      io_uring_prep_fsync(&sqe, op.handle, IORING_FSYNC_DATASYNC);
      break;
    case OpKind::SyncDir:
      io_uring_prep_fsync(&sqe, op.handle, 0);
      break;
    case OpKind::Allocate:
      io_uring_prep_fallocate(&sqe, op.handle, 0, static_cast<off_t>(op.offset),
                              static_cast<off_t>(op.length));
      break;
    case OpKind::Truncate:
      io_uring_prep_nop(&sqe);
      sqe.opcode = kOpFtruncate;
      sqe.fd = op.handle;
      sqe.off = op.length;
      break;
    case OpKind::DropCache:
      io_uring_prep_fadvise(&sqe, op.handle, 0, 0, POSIX_FADV_DONTNEED);
      break;
    case OpKind::Unlink:
      io_uring_prep_unlinkat(&sqe, directory_of(op), op.path, 0);
      break;
    case OpKind::Rename:
      io_uring_prep_renameat(&sqe, directory_of(op), op.path, directory_of(op), op.path_to, 0);
      break;
    case OpKind::Wake:
      io_uring_prep_msg_ring(&sqe, static_cast<UringKernel*>(op.target)->ring_.ring_fd, 0, kUserDataWake, 0);
      break;
    default:
      CHECK(false);
  }
  if (op.kind == OpKind::Read || op.kind == OpKind::Write || op.kind == OpKind::Sync ||
      op.kind == OpKind::Allocate || op.kind == OpKind::Truncate) {
    fixed_files_.use(sqe, op.handle);
  }
  io_uring_sqe_set_data64(&sqe, user_data_of(op));
}

void UringKernel::cancel(Op& op) noexcept {
  if (op.kind == OpKind::Timer) {
    if (op.heap_index == TimerHeap::kOut) return;  // its completion is on the way
    timers_.remove(op);
    finish(op, -ECANCELED);
    return;
  }
  if ((op.kernel_state & kWaitsForConnection) != 0) {
    AcceptQueue* const queue = accept_queue_of(op.handle);
    CHECK(queue != nullptr && queue->waiting.remove(op));
    finish(op, -ECANCELED);
  } else if ((op.kernel_state & kWaitsForRoom) != 0) {
    CHECK(waiting_.remove(op));
    finish(op, -ECANCELED);
  } else if ((op.kernel_state & kInRing) != 0 && (op.kernel_state & kCancelAsked) == 0) {
    op.kernel_state |= kCancelAsked;
    if (!send_cancel(user_data_of(op))) {
      op.kernel_state |= kCancelUnsent;
      cancels_.push_back(&op);
    }
  }
}

bool UringKernel::send_cancel(std::uint64_t user_data) {
  io_uring_sqe* const sqe = next_sqe();
  if (sqe == nullptr) return false;
  io_uring_prep_cancel64(sqe, user_data, 0);
  io_uring_sqe_set_data64(sqe, kUserDataIgnored);
  return true;
}

void UringKernel::finish(Op& op, std::int64_t result) {
  op.kernel_state = 0;
  op.result = result;
  finished_.push(op);
}

void UringKernel::complete(Op& op) {
  if (op.kind != OpKind::Timer && (op.kernel_state & kCancelUnsent) != 0) std::erase(cancels_, &op);
  op.kernel_state = 0;
  --live_;
  ++stats_.completions;
  op.complete(op);  // may submit or destroy it
}

// --- polling ---

void UringKernel::poll(Instant deadline) {
  retry_waiting();
  Instant until = std::min(deadline, timers_.first());
  for (const auto& queue : accept_queues_) {
    if (!queue->armed && !queue->waiting.is_empty()) until = std::min(until, queue->retry_at);
  }
  if (!finished_.is_empty() || !waiting_.is_empty() || io_uring_cq_ready(&ring_) > 0) until = Instant{};
  enter(until);
  clock_ = read_clock();
  deliver_finished();
  deliver_completions();
  deliver_timers();
  if (!accept_queues_.empty()) tend_accept_queues();
}

bool UringKernel::expects_soon() const noexcept { return busy_poll_.pays(clock_.monotonic); }

void UringKernel::yield_core() noexcept {
  ++stats_.yields;
  const Instant from = read_monotonic();
  (void)::sched_yield();
  busy_poll_.yielded(from, read_monotonic());
}

// What found no room in the submission queue goes first.
void UringKernel::retry_waiting() {
  while (!waiting_.is_empty()) {
    io_uring_sqe* const sqe = next_sqe();
    if (sqe == nullptr) return;
    Op& op = *waiting_.pop();
    op.kernel_state = (op.kernel_state & ~kWaitsForRoom) | kInRing;
    prepare(*sqe, op);
  }
  while (!cancels_.empty() && send_cancel(user_data_of(*cancels_.back()))) {
    cancels_.back()->kernel_state &= ~kCancelUnsent;
    cancels_.pop_back();
  }
}

void UringKernel::enter(Instant until) {
  int result = 0;
  if (until.nanos > 0) {
    const Duration wait = until == Instant::never() ? Duration::max() : until - read_monotonic();
    if (wait.count() > 0) {
      __kernel_timespec time{};
      time.tv_sec = wait.count() / 1'000'000'000;
      time.tv_nsec = wait.count() % 1'000'000'000;
      io_uring_cqe* first = nullptr;
      ++stats_.enters;
      ++stats_.sleeps;
      result = io_uring_submit_and_wait_timeout(&ring_, &first, 1,
                                                until == Instant::never() ? nullptr : &time, nullptr);
      // -EBUSY, -EAGAIN: not all was taken; it stays queued, and the completions below make room.
      CHECK(result >= 0 || result == -ETIME || result == -EINTR || result == -EBUSY || result == -EAGAIN);
      return;
    }
  }
  if (io_uring_sq_ready(&ring_) > 0) {
    ++stats_.enters;
    result = io_uring_submit_and_get_events(&ring_);
  } else if ((__atomic_load_n(ring_.sq.kflags, __ATOMIC_ACQUIRE) &
              (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0) {
    ++stats_.enters;
    result = io_uring_get_events(&ring_);
  }
  CHECK(result >= 0 || result == -EINTR || result == -EBUSY || result == -EAGAIN);
}

void UringKernel::deliver_finished() {
  OpList finished = finished_.take_all();  // what the completions finish waits for the next poll
  while (Op* const op = finished.pop()) complete(*op);
}

void UringKernel::deliver_completions() {
  struct Completion {
    std::uint64_t user_data;
    std::int32_t result;
    std::uint32_t flags;
  };
  std::array<Completion, 64> batch;
  // Bounded: completions may submit, and a full submission queue makes the kernel complete more.
  for (unsigned left = features_.cq_entries; left > 0;) {
    unsigned count = 0;
    unsigned head = 0;
    io_uring_cqe* cqe = nullptr;
    io_uring_for_each_cqe(&ring_, head, cqe) {
      if (count == batch.size() || count == left) break;
      batch[count++] = Completion{cqe->user_data, cqe->res, cqe->flags};
    }
    if (count == 0) return;
    io_uring_cq_advance(&ring_, count);  // before the callbacks: they may need the room
    left -= count;
    for (unsigned i = 0; i < count; ++i) {
      const auto [user_data, result, flags] = batch[i];
      if (user_data == kUserDataWake || user_data == kUserDataIgnored) continue;
      if ((user_data & kUserDataAccept) != 0) {
        accepted(*reinterpret_cast<AcceptQueue*>(user_data & ~kUserDataAccept), result, flags);
      } else {
        completed(*reinterpret_cast<Op*>(user_data), result, flags);
      }
    }
  }
}

void UringKernel::completed(Op& op, std::int32_t result, std::uint32_t flags) {
  op.kernel_state &= ~kInRing;
  if (op.kind == OpKind::Write && op.durable) busy_poll_.write_ended();
  const bool was_cancelled = (op.kernel_state & kCancelAsked) != 0;
  const bool is_first_try = (op.kernel_state & kSecondTry) == 0;
  bool again = false;
  if (op.kind == OpKind::Recv) {
    if ((flags & IORING_CQE_F_BUFFER) != 0) {
      Buffer buffer = recv_rings_[static_cast<std::size_t>(op.buffers)].lease(
          flags >> IORING_CQE_BUFFER_SHIFT, static_cast<std::uint32_t>(std::max(result, 0)));
      if (result > 0) op.buffer = std::move(buffer);  // else it goes straight back
    }
    // The kernel looks for a buffer before it looks for bytes. Try again the other way round: -ENOBUFS is
    // passed up only when there is something to receive (op.hpp).
    again = result == -ENOBUFS && is_first_try && op.data == nullptr;
  } else if (op.kind == OpKind::Open && result == -EINVAL && op.open.direct && is_first_try) {
    again = true;
  } else if (op.kind == OpKind::Wake && result == -EOVERFLOW) {
    result = 0;  // its completion queue is full: it is not asleep
  }
  if (again && !was_cancelled) {
    op.kernel_state |= kSecondTry;
    start(op);
    return;
  }
  if (op.kind == OpKind::Open && result >= 0 && !is_first_try) features_.direct_io_refused = true;
  if (op.kind == OpKind::Open && result >= 0 && op.open.write) fixed_files_.add(result);
  if (was_cancelled && (again || result == -EINTR)) result = -ECANCELED;
  op.result = result;
  complete(op);
}

void UringKernel::deliver_timers() {
  OpList due;  // taken out first: a completion may submit a Timer that is due at once
  while (Op* const op = timers_.pop_due(clock_.monotonic)) due.push(*op);
  while (Op* const op = due.pop()) {
    op->result = 0;
    complete(*op);
  }
}

}  // namespace penstock::core
