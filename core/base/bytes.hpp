// Little-endian reading and writing of durable formats, with bounds.
//
// Journey:  every file format's writer and reader.
// Shard:    any; values.
// Promise:  a ByteReader never reads past its span; after the first short read it stays failed and yields zeros, so a
//           parser may read a whole structure and ask ok() once.
// Failure:  ok() turns false; what that means is the caller's to say (usually Errc::Corrupt).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace penstock::core {

using Bytes = std::span<const std::byte>;

inline Bytes as_bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class ByteWriter {
 public:
  explicit ByteWriter(std::vector<std::byte>& out) : out_(out) {}

  template <class T>
    requires std::is_integral_v<T> || std::is_enum_v<T>
  void put(T value) {
    put_raw(&value, sizeof value);
  }
  void put_bytes(Bytes bytes) { put_raw(bytes.data(), bytes.size()); }
  void put_text(std::string_view text) {  // u32 length, then the bytes
    put(static_cast<std::uint32_t>(text.size()));
    put_bytes(as_bytes(text));
  }
  void pad_to(std::size_t alignment) {
    while (out_.size() % alignment != 0) out_.push_back(std::byte{0});
  }
  template <class T>
  void patch(std::size_t at, T value) {
    std::memcpy(out_.data() + at, &value, sizeof value);
  }
  std::size_t size() const { return out_.size(); }

 private:
  void put_raw(const void* data, std::size_t size) {
    if (size == 0) return;
    const std::size_t at = out_.size();
    out_.resize(at + size);
    std::memcpy(out_.data() + at, data, size);
  }
  std::vector<std::byte>& out_;
};

class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

  template <class T>
    requires std::is_integral_v<T> || std::is_enum_v<T>
  T get() {
    T value{};
    if (!take(sizeof value)) return value;
    std::memcpy(&value, bytes_.data() + at_ - sizeof value, sizeof value);
    return value;
  }
  Bytes get_bytes(std::size_t size) {
    if (!take(size)) return {};
    return bytes_.subspan(at_ - size, size);
  }
  std::string get_text() {
    const auto size = get<std::uint32_t>();
    return std::string(as_text(get_bytes(size)));
  }
  // A count that must be followed by at least count * bytes_each bytes: hostile counts fail before anything is reserved.
  std::uint32_t get_count(std::size_t bytes_each) {
    const auto count = get<std::uint32_t>();
    if (!ok_ || static_cast<std::uint64_t>(count) * bytes_each > remaining()) {
      ok_ = false;
      return 0;
    }
    return count;
  }
  bool ok() const { return ok_; }
  void fail() { ok_ = false; }
  std::size_t position() const { return at_; }
  std::size_t remaining() const { return bytes_.size() - at_; }

 private:
  bool take(std::size_t size) {
    if (!ok_ || size > bytes_.size() - at_) {
      ok_ = false;
      return false;
    }
    at_ += size;
    return true;
  }
  Bytes bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace penstock::core
