// Result<T>: how functions report what the world did to them.
//
// Three kinds of failure, three tools. What may happen (a peer, a user, a full disk) is a Result; our own bug is a
// CHECK; a world that can no longer be trusted (a failed fdatasync) poisons the store. An Errc exists only where some
// caller reacts to it differently.
//
// Journey:  everywhere.
// Shard:    any; values.
// Promise:  an Error is 16 trivially copyable bytes; its context is a string literal.
// Failure:  none of its own.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

namespace penstock::core {

enum class Errc : std::uint16_t {
  InvalidArgument,  // the caller's value makes no sense; say which
  NotFound,
  AlreadyExists,
  Io,         // the device or file system failed; os_error says how
  NoSpace,    // the disk is full: the load fails, later ones may work
  NoBuffers,  // the receive ring is empty: wait for a buffer to come back, then try again
  Corrupt,    // bytes do not verify
  Closed,     // the peer or the file is gone
  Cancelled,
  TimedOut,
  TooLarge,  // a bound in Limits was met
  Unsupported,
  Overloaded,
  ShuttingDown,
};

const char* errc_name(Errc code);

struct [[nodiscard]] Error {
  Errc code = Errc::Io;
  std::int32_t os_error = 0;  // errno, 0 where there is none
  const char* context = "";   // string literal: what was being done

  std::string to_string() const;  // "writing a block: No space left on device (NoSpace)"
  friend bool operator==(const Error& a, const Error& b) {
    return a.code == b.code && a.os_error == b.os_error;
  }
};

template <class T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Errc code, const char* context, std::int32_t os_error = 0) {
  return std::unexpected<Error>(Error{code, os_error, context});
}

// The Error for a negative errno-style result.
Error error_from_os(std::int32_t os_error, const char* context);

}  // namespace penstock::core

#define PENSTOCK_CAT2(a, b) a##b
#define PENSTOCK_CAT(a, b) PENSTOCK_CAT2(a, b)

// TRY(auto x, f());  in a function; CO_TRY(auto x, co_await f());  in a coroutine. TRY_VOID / CO_TRY_VOID drop the value.
#define PENSTOCK_TRY_IMPL(ret, tmp, decl, ...) \
  auto tmp = (__VA_ARGS__);                    \
  if (!tmp) [[unlikely]]                       \
    ret std::unexpected(tmp.error());          \
  decl = std::move(*tmp)
#define TRY(decl, ...) PENSTOCK_TRY_IMPL(return, PENSTOCK_CAT(try_, __LINE__), decl, __VA_ARGS__)
#define CO_TRY(decl, ...) PENSTOCK_TRY_IMPL(co_return, PENSTOCK_CAT(try_, __LINE__), decl, __VA_ARGS__)
#define PENSTOCK_TRY_VOID_IMPL(ret, tmp, ...)      \
  if (auto tmp = (__VA_ARGS__); !tmp) [[unlikely]] \
  ret std::unexpected(tmp.error())
#define TRY_VOID(...) PENSTOCK_TRY_VOID_IMPL(return, PENSTOCK_CAT(try_, __LINE__), __VA_ARGS__)
#define CO_TRY_VOID(...) PENSTOCK_TRY_VOID_IMPL(co_return, PENSTOCK_CAT(try_, __LINE__), __VA_ARGS__)
