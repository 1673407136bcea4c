// GrowBuffer: bytes that grow, keep their capacity when emptied, and may be overrun by a little.
//
// Hot loops store 16 or 32 bytes where they need fewer and let the next store overwrite the rest: every
// buffer has kSlack bytes behind its capacity that may be written (and read) without being part of it.
// Nothing is zeroed.
//
// Journey:  ColumnBuilder, Block, the decoder's unfinished row -> [GrowBuffer] -> malloc.
// Shard:    one; moved, never shared.
// Promise:  data() is valid for size() + kSlack bytes once anything was reserved; an unused buffer holds no
// memory. Failure:  abort when memory is gone; bounds are the owners' duty.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/base/bytes.hpp"
#include "core/base/check.hpp"

namespace penstock::txn {

class GrowBuffer {
 public:
  static constexpr std::size_t kSlack = 64;

  GrowBuffer() = default;
  GrowBuffer(GrowBuffer&& other) noexcept { swap(other); }
  GrowBuffer& operator=(GrowBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~GrowBuffer() { std::free(data_); }

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  template <class T>
  T* as() {
    return reinterpret_cast<T*>(data_);
  }
  template <class T>
  const T* as() const {
    return reinterpret_cast<const T*>(data_);
  }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  core::Bytes bytes() const { return {data_, size_}; }

  void reserve(std::size_t size) {
    if (size > capacity_) [[unlikely]]
      grow(size);
  }
  // Makes it `count` bytes longer and returns where they begin; what is in them is for the caller to write.
  std::byte* extend(std::size_t count) {
    reserve(size_ + count);
    std::byte* at = data_ + size_;
    size_ += count;
    return at;
  }
  void append(const void* bytes, std::size_t count) {
    if (count != 0) std::memcpy(extend(count), bytes, count);
  }
  // For a writer that kept its own cursor below capacity(), or takes bytes back.
  void set_size(std::size_t size) {
    CHECK_LE(size, capacity_);
    size_ = size;
  }
  void clear() { size_ = 0; }
  void release() {
    std::free(data_);
    data_ = nullptr;
    size_ = capacity_ = 0;
  }
  void swap(GrowBuffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

 private:
  [[gnu::noinline]] void grow(std::size_t size) {
    std::size_t capacity = capacity_ + capacity_ / 2;
    if (capacity < size) capacity = size;
    if (capacity < 192) capacity = 192;
    auto* data = static_cast<std::byte*>(std::realloc(data_, capacity + kSlack));
    CHECK(data != nullptr);
    data_ = data;
    capacity_ = capacity;
  }

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace penstock::txn
