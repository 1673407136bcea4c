#include "core/kernel/recv_ring.hpp"

#include <fmt/format.h>
#include <liburing.h>

#include <bit>
#include <cstring>

#include "core/base/check.hpp"
#include "core/kernel/uring_probe.hpp"

namespace penstock::core {

RecvRing::RecvRing(BufferRing which, std::uint32_t count, std::uint32_t bytes_each, BufferReturned returned)
    : which_(which),
      count_(count),
      bytes_each_(bytes_each),
      stride_(round_up(bytes_each + Buffer::kSlack, 64)),
      entries_(std::bit_ceil(count)),
      returned_(returned) {}

RecvRing::~RecvRing() { CHECK_EQ(leased_, 0u); }

std::string RecvRing::open(io_uring& ring) {
  const std::size_t ring_bytes = round_up(entries_ * sizeof(io_uring_buf), kPage);
  const std::size_t bytes = round_up(count_ * stride_, kPage);
  memory_.reset(static_cast<std::byte*>(std::aligned_alloc(kPage, bytes)));
  ring_.reset(static_cast<io_uring_buf_ring*>(std::aligned_alloc(kPage, ring_bytes)));
  CHECK(memory_ != nullptr && ring_ != nullptr);
  std::memset(memory_.get(), 0, bytes);
  std::memset(ring_.get(), 0, ring_bytes);
  io_uring_buf_reg request{};
  request.ring_addr = reinterpret_cast<std::uintptr_t>(ring_.get());
  request.ring_entries = entries_;
  request.bgid = group();
  const int error = io_uring_register_buf_ring(&ring, &request, 0);
  if (error < 0) {
    return fmt::format("Registering a receive ring of {} buffers of {} bytes failed: {}.", count_,
                       bytes_each_, explain_pinning_failure(-error, ring_bytes));
  }
  io_uring_buf_ring_init(ring_.get());
  for (std::uint32_t id = 0; id < count_; ++id) add(id);
  return {};
}

void RecvRing::add(std::uint32_t id) {
  io_uring_buf_ring_add(ring_.get(), memory_.get() + id * stride_, bytes_each_,
                        static_cast<unsigned short>(id), io_uring_buf_ring_mask(entries_), 0);
  io_uring_buf_ring_advance(ring_.get(), 1);
}

Buffer RecvRing::lease(std::uint32_t id, std::uint32_t size) {
  CHECK_LT(id, count_);
  CHECK_LE(size, bytes_each_);
  ++leased_;
  return Buffer(this, id, memory_.get() + id * stride_, size);
}

void RecvRing::give_back(std::uint32_t id) noexcept {
  --leased_;
  add(id);
  if (returned_.function != nullptr) returned_.function(returned_.context, which_);
}

}  // namespace penstock::core
