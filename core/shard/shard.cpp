#include "core/shard/shard.hpp"

#include <algorithm>

namespace penstock::core {
namespace {
thread_local Shard* running = nullptr;

constexpr std::size_t kMailPerTurn = 256;
constexpr std::size_t kResumesPerTurn = 256;

// Makes `shard` the current one for as long as it lives.
class Running {
 public:
  explicit Running(Shard& shard)
      : before_(std::exchange(running, &shard)),
        queue_before_(exchange_current_ready_queue(&shard.ready())) {}
  ~Running() {
    running = before_;
    exchange_current_ready_queue(queue_before_);
  }

 private:
  Shard* before_;
  ReadyQueue* queue_before_;
};
}  // namespace

Shard& current_shard() {
  CHECK(running != nullptr);
  return *running;
}

Shard::Shard(ShardSet& set, ShardId id) : set_(set), id_(id) {}

void Shard::start(Task<void> task) {
  Running as_current(*this);
  spawn(std::move(task));
}

void Shard::destroy_newest_root() {
  CHECK(ready_.is_closed());
  Running as_current(*this);
  ready_.roots().destroy_newest();
}

bool Shard::has_mail() const {
  for (std::uint32_t from = 0; from < set_.count(); ++from) {
    if (from != id_.value && !set_.mailbox(ShardId(from), id_).is_empty()) return true;
  }
  return false;
}

bool Shard::has_overflow() const {
  for (std::uint32_t to = 0; to < set_.count(); ++to) {
    if (to != id_.value && set_.mailbox(id_, ShardId(to)).has_overflow()) return true;
  }
  return false;
}

void Shard::flush_overflow() {
  for (std::uint32_t to = 0; to < set_.count(); ++to) {
    if (to == id_.value) continue;
    Mailbox& box = set_.mailbox(id_, ShardId(to));
    if (box.has_overflow() && box.flush()) wake_if_asleep(ShardId(to));
  }
}

bool Shard::deliver_mail() {
  std::size_t delivered = 0;
  for (std::uint32_t from = 0; from < set_.count(); ++from) {
    if (from == id_.value) continue;
    Mailbox& box = set_.mailbox(ShardId(from), id_);
    Message message;
    for (std::size_t n = 0; n < kMailPerTurn && box.pop(message); ++n) {
      message.deliver(message.context);
      ++delivered;
    }
  }
  return delivered > 0;
}

bool Shard::turn(Instant sleep_deadline) {
  Running as_current(*this);
  bool worked = deliver_mail();
  worked |= ready_.run(kResumesPerTurn) > 0;
  flush_overflow();
  if (!ready_.is_empty()) {
    kernel_->poll(Instant{});  // only looks
    return true;
  }
  // Whoever runs the turns may want to know that the last task has ended.
  const Instant until = worked && scope_.live() == 0 ? Instant{} : sleep_deadline;
  if (busy_wait(until)) return true;
  poll_unless_mail(until);
  return worked || !ready_.is_empty() || has_mail();
}

// Mail is seen without anybody's Wake here. What has come already is looked at before the core is given away.
bool Shard::busy_wait(Instant deadline) {
  while (!has_mail() && !has_overflow() && now().monotonic < deadline && kernel_->expects_soon()) {
    kernel_->poll(Instant{});
    if (!ready_.is_empty()) return true;
    if (!has_mail()) kernel_->yield_core();
  }
  return false;
}

void Shard::poll_unless_mail(Instant sleep_deadline) {
  // A sender looks at sleeping_ after its push; we look at the mail after setting it: one of the two sees the other.
  sleeping_.store(true, std::memory_order_seq_cst);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  kernel_->poll(has_mail() || has_overflow() ? Instant{} : sleep_deadline);
  sleeping_.store(false, std::memory_order_relaxed);
}

void Shard::rest() {
  Running as_current(*this);
  poll_unless_mail(Instant::never());
}

void Shard::settle() {
  Running as_current(*this);
  while (std::find(wake_in_flight_.begin(), wake_in_flight_.end(), true) != wake_in_flight_.end()) {
    kernel_->poll(kernel_->now().monotonic + std::chrono::milliseconds(1));
  }
}

ShardSet::ShardSet(std::uint32_t count) {
  CHECK(count > 0);
  for (std::uint32_t i = 0; i < count; ++i) shards_.push_back(std::make_unique<Shard>(*this, ShardId(i)));
  for (std::uint32_t i = 0; i < count * count; ++i) mailboxes_.push_back(std::make_unique<Mailbox>());
  for (auto& shard : shards_) {
    shard->wake_ops_.resize(count);
    shard->wake_in_flight_.resize(count);
  }
}

ShardSet::~ShardSet() = default;

void ShardSet::post(ShardId source, ShardId target, Message message) {
  CHECK(source != target);
  mailbox(source, target).push(message);
  at(source).wake_if_asleep(target);
}

void Shard::wake_if_asleep(ShardId target) {  // after a push
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (wake_in_flight_[target.value]) return;  // its completion looks again
  // Who clears the flag wakes it. Until it has run and sleeps again it is asleep for nobody: a shard that waits for a core
  // would be sent one wake after the other, and wait the longer for it.
  if (set_.at(target).sleeping_.exchange(false, std::memory_order_seq_cst)) wake(target);
}

void Shard::wake(ShardId target) {
  Op& op = wake_ops_[target.value];
  op = Op{};
  op.kind = OpKind::Wake;
  op.target = &set_.at(target).kernel();
  op.length = target.value;
  op.complete = [](Op& done) {
    Shard& source = current_shard();
    const ShardId to(static_cast<std::uint32_t>(done.length));
    source.wake_in_flight_[to.value] = false;
    // Others rely on it, whosever mail it is that the target has: if it failed, nobody else will wake the target.
    if (done.result < 0) return source.wake(to);
    // What was posted while this wake was under way may have found the target asleep again.
    if (!source.set_.mailbox(source.id_, to).is_empty()) source.wake_if_asleep(to);
  };
  wake_in_flight_[target.value] = true;
  kernel_->submit(op);
}

}  // namespace penstock::core
