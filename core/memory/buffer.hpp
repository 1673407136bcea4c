// Buffer: a leased piece of receive memory.
//
// A recv completes with a Buffer; destroying it gives the memory back to the ring it came from, and that is the whole
// back-pressure: who holds a Buffer holds one of the shard's few receive slots.
//
// Journey:  Kernel (Recv completes) -> [Buffer] -> http body -> decoder, then back.
// Shard:    the shard whose kernel made it; never moves to another shard.
// Promise:  bytes() stays readable, and kSlack more bytes behind it may be read (not meant), until it is destroyed.
// Failure:  none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace penstock::core {

class BufferOwner {
 public:
  virtual void give_back(std::uint32_t id) noexcept = 0;

 protected:
  ~BufferOwner() = default;
};

class Buffer {
 public:
  static constexpr std::size_t kSlack = 64;  // simdjson reads up to 64 bytes past the end

  Buffer() = default;
  Buffer(BufferOwner* owner, std::uint32_t id, std::byte* data, std::uint32_t size)
      : owner_(owner), data_(data), id_(id), size_(size) {}
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer moved(std::move(other));
    swap(moved);
    return *this;
  }
  ~Buffer() {
    if (owner_ != nullptr) owner_->give_back(id_);
  }

  bool is_empty() const { return size_ == 0; }
  std::span<std::byte> bytes() { return {data_, size_}; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  void swap(Buffer& other) noexcept {
    std::swap(owner_, other.owner_);
    std::swap(data_, other.data_);
    std::swap(id_, other.id_);
    std::swap(size_, other.size_);
  }
  BufferOwner* owner_ = nullptr;
  std::byte* data_ = nullptr;
  std::uint32_t id_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace penstock::core
