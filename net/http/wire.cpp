#include "net/http/wire.hpp"

#include <algorithm>

namespace penstock::net {
namespace {
constexpr std::size_t kFreeCarry = 16 * core::kKiB;
constexpr std::size_t kSendSlice = 64 * core::kKiB;
}  // namespace

void Carry::assign(core::Bytes bytes) {
  data_ = std::make_unique_for_overwrite<std::byte[]>(bytes.size() + core::Buffer::kSlack);
  if (!bytes.empty()) std::memcpy(data_.get(), bytes.data(), bytes.size());
  std::memset(data_.get() + bytes.size(), 0, core::Buffer::kSlack);
  begin_ = 0;
  end_ = bytes.size();
}

void Carry::clear() {
  data_.reset();
  begin_ = end_ = 0;
}

std::span<std::byte> Carry::make_room(std::size_t size) {
  data_ = std::make_unique_for_overwrite<std::byte[]>(size + core::Buffer::kSlack);
  begin_ = 0;
  end_ = size;
  return {data_.get(), size};
}

void Carry::set_filled(std::size_t size) {
  CHECK_LE(size, end_);
  const bool is_sparse = size < end_ / 2;
  end_ = size;
  if (is_sparse) {  // it may be held for long
    const std::unique_ptr<std::byte[]> larger = std::move(data_);
    assign({larger.get(), size});
    return;
  }
  std::memset(data_.get() + size, 0, core::Buffer::kSlack);
}

Wire::Wire(HttpContext& context, int handle, Carry rest)
    : context_(context),
      stream_(context.shard.kernel(), context.shard.recv_turns(), handle),
      carry_(std::move(rest)) {
  context_.deadlines.add(*this);
}

Wire::~Wire() {
  context_.deadlines.remove(*this);
  give_up_budget();
  drop_held();
}

void Wire::give_up_budget() { context_.pipelined_bytes -= std::exchange(budget_taken_, 0); }

void Wire::consume(std::size_t size) {
  if (!carry_.holds_memory()) {
    buffered_ = buffered_.subspan(size);
    return;
  }
  carry_.consume(size);
  // The memory itself stays until the next receive or put_down: the caller may still look at what it
  // consumed.
}

core::Task<core::Result<bool>> Wire::receive(core::BufferRing ring, core::Instant deadline) {
  CHECK(rest().empty());
  carry_.clear();
  give_up_budget();
  buffered_ = {};
  buffer_ = core::Buffer();
  has_expired_ = false;
  for (;;) {
    if (!held_.empty()) {
      carry_ = std::move(held_.front());
      held_.pop_front();
      context_.read_on_bytes -= carry_.rest().size();
      co_return true;
    }
    if (held_end_) {
      peer_is_gone_ = true;
      co_return *held_end_;
    }
    if (is_taken_over_) {
      co_await held_changed_.wait();
      const bool has_come = !held_.empty() || held_end_;
      if (!has_come && deadline <= context_.now()) co_return core::fail(core::Errc::TimedOut, "receiving");
      continue;
    }
    is_receiving_ = true;
    arm(deadline);
    core::Result<core::Buffer> received = co_await stream_.recv(ring);
    disarm();
    is_receiving_ = false;
    recv_ended_.notify_all();
    if (!received) {
      if (has_expired_ && !stream_.is_cancelled()) co_return core::fail(core::Errc::TimedOut, "receiving");
      if (is_taken_over_ && received.error().code == core::Errc::Cancelled && !stream_.is_cancelled())
        continue;
      peer_is_gone_ = true;
      co_return std::unexpected(received.error());
    }
    if (received->is_empty()) {
      peer_is_gone_ = true;
      co_return false;
    }
    buffer_ = std::move(*received);
    buffered_ = buffer_.bytes();
    bytes_received_ += buffered_.size();
    co_return true;
  }
}

core::Task<void> Wire::take_over() {
  CHECK(!is_taken_over_);
  is_taken_over_ = true;
  if (is_receiving_) stream_.cancel_recv();
  while (is_receiving_) co_await recv_ended_.wait();
}

core::Task<core::Result<Carry>> Wire::receive_own(std::size_t bytes_max) {
  CHECK(is_taken_over_);
  Carry bytes;
  CO_TRY(const std::size_t size, co_await stream_.recv_into(bytes.make_room(bytes_max)));
  bytes.set_filled(size);
  bytes_received_ += size;
  co_return bytes;
}

void Wire::hold(Carry bytes) {
  context_.read_on_bytes += bytes.rest().size();
  held_.push_back(std::move(bytes));
  held_changed_.notify_all();
}

void Wire::hold_end(core::Result<bool> end) {
  held_end_ = std::move(end);
  held_changed_.notify_all();
}

void Wire::drop_held() {
  for (const Carry& each : held_) context_.read_on_bytes -= each.rest().size();
  held_.clear();
}

void Wire::hand_back() {
  is_taken_over_ = false;
  held_changed_.notify_all();
}

bool Wire::put_down() {
  if (carry_.holds_memory()) {
    if (carry_.rest().empty()) {
      carry_.clear();
      give_up_budget();
    }
    return true;
  }
  bool kept = true;
  if (!buffered_.empty()) {
    if (buffered_.size() > kFreeCarry) {
      kept = context_.pipelined_bytes + buffered_.size() <= context_.options.pipelined_bytes_max;
      if (kept) {
        budget_taken_ = buffered_.size();
        context_.pipelined_bytes += budget_taken_;
      }
    }
    if (kept) carry_.assign(buffered_);
  }
  buffered_ = {};
  buffer_ = core::Buffer();
  return kept;
}

core::Task<core::Result<>> Wire::send(core::Bytes bytes) {
  while (!bytes.empty()) {
    const core::Bytes slice = bytes.first(std::min(bytes.size(), kSendSlice));
    arm(context_.now() + context_.options.send_time_max);
    core::Result<> sent = co_await stream_.send_all(slice);
    disarm();
    if (!sent) {
      peer_is_gone_ = true;
      co_return sent;
    }
    bytes = bytes.subspan(slice.size());
  }
  co_return core::Result<>{};
}

core::Task<void> Wire::close() {
  carry_.clear();
  give_up_budget();
  buffered_ = {};
  buffer_ = core::Buffer();
  return stream_.close();
}

Wire::Departure Wire::depart() {
  (void)put_down();
  give_up_budget();
  return Departure{stream_.release(), std::move(carry_)};
}

void Wire::expire() {
  has_expired_ = true;
  if (is_receiving_) {
    stream_.cancel_recv();
  } else {
    stream_.cancel();  // a reply that is not read: nothing can be said any more
  }
}

}  // namespace penstock::net
