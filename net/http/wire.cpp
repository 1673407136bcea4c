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

Wire::Wire(HttpContext& context, int handle, Carry rest)
    : context_(context),
      stream_(context.shard.kernel(), context.shard.recv_turns(), handle),
      carry_(std::move(rest)) {
  context_.deadlines.add(*this);
}

Wire::~Wire() {
  context_.deadlines.remove(*this);
  give_up_budget();
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
  is_receiving_ = true;
  arm(deadline);
  core::Result<core::Buffer> received = co_await stream_.recv(ring);
  disarm();
  is_receiving_ = false;
  if (!received) {
    if (has_expired_ && !stream_.is_cancelled()) co_return core::fail(core::Errc::TimedOut, "receiving");
    peer_is_gone_ = true;
    co_return std::unexpected(received.error());
  }
  if (received->is_empty()) {
    peer_is_gone_ = true;
    co_return false;
  }
  buffer_ = std::move(*received);
  buffered_ = buffer_.bytes();
  co_return true;
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
