// RecvRing: one ring of receive buffers that the kernel picks from (IORING_REGISTER_PBUF_RING), leased out as
// Buffers.
//
// Journey:  UringKernel (a Recv completes) -> [RecvRing] -> Buffer -> give_back -> the ring again.
// Shard:    one shard's; all memory is allocated by open().
// Promise:  a buffer is either in the ring or in exactly one Buffer; Buffer::kSlack readable bytes follow
// each. Failure:  open() says what failed.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "core/kernel/op.hpp"
#include "core/memory/buffer.hpp"

struct io_uring;
struct io_uring_buf_ring;

namespace penstock::core {

// Told when a Buffer came back, so that who waits for one may try again.
struct BufferReturned {
  void (*function)(void* context, BufferRing ring) = nullptr;
  void* context = nullptr;
};

class RecvRing final : public BufferOwner {
 public:
  RecvRing(BufferRing which, std::uint32_t count, std::uint32_t bytes_each, BufferReturned returned);
  RecvRing(const RecvRing&) = delete;
  RecvRing& operator=(const RecvRing&) = delete;
  ~RecvRing();

  std::string open(io_uring& ring);  // empty, or what failed
  std::uint16_t group() const { return static_cast<std::uint16_t>(which_); }
  // The kernel has filled `id` with `size` bytes.
  Buffer lease(std::uint32_t id, std::uint32_t size);
  void give_back(std::uint32_t id) noexcept override;
  std::uint32_t leased() const { return leased_; }

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  void add(std::uint32_t id);

  const BufferRing which_;
  const std::uint32_t count_;
  const std::uint32_t bytes_each_;
  const std::size_t stride_;
  const std::uint32_t entries_;  // a power of two, at least count_
  const BufferReturned returned_;
  std::unique_ptr<std::byte, Free> memory_;
  std::unique_ptr<io_uring_buf_ring, Free> ring_;
  std::uint32_t leased_ = 0;
};

}  // namespace penstock::core
