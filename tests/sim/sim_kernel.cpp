#include "tests/sim/sim_kernel.hpp"

#include <algorithm>
#include <cstring>

#include "core/base/check.hpp"

namespace penstock::sim {
namespace {

using core::Instant;
using core::Op;
using core::OpKind;

bool is_socket_kind(OpKind kind) {
  return kind == OpKind::Listen || kind == OpKind::Accept || kind == OpKind::Recv || kind == OpKind::Send ||
         kind == OpKind::Shutdown || kind == OpKind::Close;
}
bool is_name_kind(OpKind kind) {
  return kind == OpKind::OpenDir || kind == OpKind::Open || kind == OpKind::MakeDir ||
         kind == OpKind::Unlink || kind == OpKind::Rename || kind == OpKind::SyncDir || kind == OpKind::List;
}
// Kinds that wait for somebody else and can be called back at any time.
bool is_waiting_kind(OpKind kind) {
  return kind == OpKind::Accept || kind == OpKind::Recv || kind == OpKind::Send || kind == OpKind::Timer;
}

std::uint64_t digest_of(const std::byte* data, std::size_t size) {
  std::uint64_t hash = size;
  for (; size >= 8; data += 8, size -= 8) {
    std::uint64_t word;
    std::memcpy(&word, data, sizeof word);
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
  }
  for (; size > 0; ++data, --size) hash = (hash ^ static_cast<std::uint64_t>(*data)) * 0x100000001B3u;
  return hash;
}

}  // namespace

void SimScene::crash() {
  crashed = true;
  if (on_crash) on_crash();
}

// ---- SimHandles
// -------------------------------------------------------------------------------------------------------

int SimHandles::add(Entry entry) {
  if (entry.inode != nullptr) scene_.disk.opened(*entry.inode);
  std::size_t at = 0;
  while (at < entries_.size() && entries_[at].is_used()) ++at;
  if (at == entries_.size()) entries_.emplace_back();
  entries_[at] = std::move(entry);
  return static_cast<int>(at) + kFirstHandle;
}

const SimHandles::Entry* SimHandles::find(int handle) const {
  const std::size_t at = static_cast<std::size_t>(handle - kFirstHandle);
  return handle < kFirstHandle || at >= entries_.size() || !entries_[at].is_used() ? nullptr : &entries_[at];
}

std::int64_t SimHandles::lock(int handle) {
  const Entry* const entry = find(handle);
  if (entry == nullptr || entry->inode == nullptr) return -EBADF;
  std::uint64_t& holder = entry->inode->lock_owner;
  if (holder != 0 && holder != owner(handle)) return -EWOULDBLOCK;
  holder = owner(handle);
  return 0;
}

std::int64_t SimHandles::close(int handle) {
  if (find(handle) == nullptr) return -EBADF;
  close_entry(handle, false);
  return 0;
}

void SimHandles::close_entry(int handle, bool hard) {
  Entry& entry = entries_[static_cast<std::size_t>(handle - kFirstHandle)];
  if (entry.inode != nullptr) {
    if (entry.inode->lock_owner == owner(handle)) entry.inode->lock_owner = 0;
    scene_.disk.closed(*entry.inode);
  }
  if (entry.listener != nullptr) scene_.net.close(*entry.listener);
  if (entry.connection != nullptr) {
    // As Linux does: closing with unread bytes is a reset.
    const bool unread = entry.connection->readable() > 0;
    entry.connection->server_closed = true;
    SimNet::close(*entry.connection, hard || unread);
  }
  entry = {};
}

std::uint32_t SimHandles::open_count() const {
  return static_cast<std::uint32_t>(std::ranges::count_if(entries_, &Entry::is_used));
}

void SimHandles::close_all() {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].is_used()) close_entry(static_cast<int>(i) + kFirstHandle, true);
  }
}

// ---- SimKernel: submission and delivery
// ---------------------------------------------------------------------------------

SimKernel::SimKernel(SimScene& scene, SimHandles& handles, SimKernelOptions options,
                     std::function<void(core::BufferRing)> buffer_returned)
    : scene_(scene),
      handles_(handles),
      options_(options),
      buffer_returned_(std::move(buffer_returned)),
      now_(scene.clock()),
      rings_{{options.head_buffers, options.head_buffer_bytes},
             {options.body_buffers, options.body_buffer_bytes}} {}

SimKernel::~SimKernel() { CHECK_EQ(leases_out_, 0u); }  // a Buffer would outlive its owner

std::int64_t SimKernel::latency(const Op& op) {
  const OpKind kind = op.kind;
  std::int64_t most = options_.disk_nanos_max;
  if (kind == OpKind::Wake) {
    most = 2000;
  } else if (kind == OpKind::Sync || kind == OpKind::SyncDir || op.durable) {
    most = options_.sync_nanos_max;
  } else if (is_socket_kind(kind)) {
    most = options_.net_nanos_max;
  }
  std::int64_t nanos = 1 + static_cast<std::int64_t>(scene_.schedule.below(static_cast<std::uint64_t>(most)));
  const bool is_disk = kind != OpKind::Wake && !is_socket_kind(kind);
  if (is_disk && scene_.disk_dice.percent(scene_.disk.slow_percent)) nanos += scene_.disk.slow_nanos;
  return nanos;
}

void SimKernel::submit(Op& op) noexcept {
  CHECK(op.heap_index == SIZE_MAX);  // submitted already
  if (dead_ || scene_.crashed) return;
  const std::uint64_t index = ++scene_.ops;
  Slot slot{.op = &op, .due = op.deadline, .index = index, .place = scene_.disk.place()};
  if (op.kind != OpKind::Timer) slot.due = scene_.now + core::Duration(latency(op));
  if (const SimHandles::Entry* const entry = handles_.find(op.handle)) slot.target = *entry;
  if (options_.check_stable_buffers && (op.kind == OpKind::Write || op.kind == OpKind::Send)) {
    slot.digest = digest_of(op.data, op.length);
  }
  op.heap_index = slots_.size();
  slots_.push_back(std::move(slot));
  if (scene_.on_submit) scene_.on_submit(index, op);
  if (index == scene_.crash_at && scene_.crash_point == CrashPoint::Submit) scene_.crash();
}

void SimKernel::cancel(Op& op) noexcept {
  if (dead_ || scene_.crashed || op.heap_index >= slots_.size() || slots_[op.heap_index].op != &op) return;
  Slot& slot = slots_[op.heap_index];
  slot.cancelled = true;
  if (is_waiting_kind(op.kind)) slot.due = scene_.now;
}

// Whether it could be done now by its own means.
bool SimKernel::could_happen(const Slot& slot) const {
  const Op& op = *slot.op;
  switch (op.kind) {
    case OpKind::Timer:
      return op.deadline <= scene_.now;
    case OpKind::Accept:
      return slot.target.listener == nullptr || slot.target.listener->closed ||
             !slot.target.listener->backlog.empty();
    case OpKind::Recv: {
      const SimConnection* const connection = slot.target.connection.get();
      return connection == nullptr || connection->readable() > 0 || connection->client_ended ||
             connection->reset;
    }
    case OpKind::Send: {
      const SimConnection* const connection = slot.target.connection.get();
      return connection == nullptr || connection->reset || connection->server_ended ||
             connection->to_client.size() < connection->window;
    }
    default:
      return true;
  }
}

bool SimKernel::is_ready(const Slot& slot) const {
  return slot.due <= scene_.now && (slot.cancelled || could_happen(slot));
}

Instant SimKernel::next_event() const {
  Instant next = Instant::never();
  for (const Slot& slot : slots_) {
    if (slot.due > scene_.now) {
      next = std::min(next, slot.due);
    } else if (is_ready(slot)) {
      return scene_.now;
    }
  }
  return next;
}

void SimKernel::poll(Instant deadline) {
  if (dead_ || scene_.crashed) return;
  now_ = scene_.clock();
  if (deliver_due() || scene_.crashed || std::exchange(woken_, false)) return;
  const Instant until = std::min(deadline, next_event());
  if (until <= scene_.now || until == Instant::never()) return;
  scene_.advance_to(until);
  now_ = scene_.clock();
  (void)deliver_due();
  woken_ = false;
}

bool SimKernel::deliver_due() {
  due_.clear();
  for (const Slot& slot : slots_) {
    if (is_ready(slot)) due_.push_back(slot.op);
  }
  bool delivered = false;
  for (std::size_t left = due_.size(); left > 0; --left) {
    std::swap(due_[left - 1], due_[left == 1 ? 0 : scene_.schedule.below(left)]);
    const Op* const picked = due_[left - 1];
    if (picked->heap_index >= slots_.size() || slots_[picked->heap_index].op != picked)
      continue;  // done already
    if (!is_ready(slots_[picked->heap_index])) continue;
    const std::size_t index = first_in_line(picked->heap_index);
    Slot& slot = slots_[index];
    // A cancelled operation may still have happened; a timer is the kernel's own and never has.
    const bool happens =
        !slot.cancelled || (slot.op->kind != OpKind::Timer && could_happen(slot) && scene_.schedule.coin());
    const std::int64_t result = happens ? execute(slot) : -ECANCELED;
    finish(index, result);
    delivered = true;
    if (scene_.crashed) break;
  }
  return delivered;
}

// Timers go by their deadlines and the accepts of a listener by their submission; for all else the dice
// decide.
std::size_t SimKernel::first_in_line(std::size_t picked) const {
  const Slot& wanted = slots_[picked];
  const OpKind kind = wanted.op->kind;
  if (wanted.cancelled || (kind != OpKind::Timer && kind != OpKind::Accept)) return picked;
  std::size_t first = picked;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    if (slot.cancelled || slot.op->kind != kind || slot.target.listener != wanted.target.listener) continue;
    const Slot& best = slots_[first];
    const bool earlier = kind == OpKind::Timer
                             ? std::pair(slot.due, slot.index) < std::pair(best.due, best.index)
                             : slot.index < best.index;
    if (earlier) first = i;
  }
  return first;
}

void SimKernel::finish(std::size_t slot_index, std::int64_t result) {
  Op& op = *slots_[slot_index].op;
  const std::uint64_t index = slots_[slot_index].index;
  if (slots_[slot_index].digest != 0) {
    CHECK_EQ(digest_of(op.data, op.length),
             slots_[slot_index].digest);  // changed while the kernel was reading it
  }
  if (slot_index + 1 != slots_.size()) {
    slots_[slot_index] = std::move(slots_.back());
    slots_[slot_index].op->heap_index = slot_index;
  }
  slots_.pop_back();
  op.heap_index = SIZE_MAX;
  if (index == scene_.crash_at && scene_.crash_point == CrashPoint::Complete) {
    scene_.crash();
    return;
  }
  op.result = result;
  scene_.trace =
      mix64(scene_.trace ^ mix64(index) ^ (static_cast<std::uint64_t>(op.kind) << 56) ^
            static_cast<std::uint64_t>(op.handle)) +
      mix64(static_cast<std::uint64_t>(result) ^ mix64(static_cast<std::uint64_t>(scene_.now.nanos)));
  if (scene_.on_complete) scene_.on_complete(index, op);
  op.complete(op);
}

void SimKernel::die(std::vector<SimLostOp>& lost) {
  dead_ = true;
  for (const Slot& slot : slots_) {
    const Op& op = *slot.op;
    const bool of_file = op.kind == OpKind::Write || op.kind == OpKind::Allocate ||
                         op.kind == OpKind::Truncate || op.kind == OpKind::Sync;
    const bool of_name = is_name_kind(op.kind) && op.kind != OpKind::OpenDir && op.kind != OpKind::List;
    if (!of_file && !of_name) continue;
    if (slot.target.inode == nullptr && op.kind != OpKind::MakeDir) continue;
    if (of_file && (slot.target.inode->is_directory || !slot.target.write)) continue;
    SimLostOp& each = lost.emplace_back();
    each.kind = op.kind;
    each.open = op.open;
    each.inode = slot.target.inode;
    each.offset = op.offset;
    each.length = op.length;
    each.place = slot.place;
    if (op.kind == OpKind::Write) each.data.assign(op.data, op.data + op.length);
    if (op.path != nullptr) each.path = op.path;
    if (op.path_to != nullptr) each.path_to = op.path_to;
  }
  slots_.clear();
}

void SimKernel::give_back(std::uint32_t id) noexcept {
  Lease& lease = leases_[id];
  CHECK(lease.bytes != nullptr);
  lease.bytes.reset();
  free_leases_.push_back(id);
  --leases_out_;
  ++ring(lease.ring).free;
  if (!dead_ && buffer_returned_) buffer_returned_(lease.ring);
}

std::string SimKernel::listener_address(int handle) const {
  const SimHandles::Entry* const entry = handles_.find(handle);
  return entry == nullptr || entry->listener == nullptr ? "" : entry->listener->address;
}

}  // namespace penstock::sim
