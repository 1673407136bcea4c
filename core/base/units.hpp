// Strong ids and units: a number that crosses a function boundary says what it counts.
//
// Journey:  everywhere.   Shard: any; values.   Promise: ids of different kinds never mix.   Failure: none.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

#include <fmt/format.h>

namespace penstock::core {

template <class Tag, class Rep = std::uint64_t>
struct StrongId {
  Rep value{};
  constexpr StrongId() = default;
  constexpr explicit StrongId(Rep v) : value(v) {}
  friend constexpr auto operator<=>(StrongId, StrongId) = default;
};

using Duration = std::chrono::nanoseconds;

// A moment on the shard's monotonic clock (never a wall time), in nanoseconds.
struct Instant {
  std::int64_t nanos = 0;
  static constexpr Instant never() { return {INT64_MAX}; }
  friend constexpr auto operator<=>(Instant, Instant) = default;
  friend constexpr Instant operator+(Instant a, Duration d) {
    if (a.nanos > INT64_MAX - d.count()) return never();
    return {a.nanos + d.count()};
  }
  friend constexpr Duration operator-(Instant a, Instant b) { return Duration(a.nanos - b.nanos); }
};

// What Kernel::now() returns: both clocks, frozen between two polls.
struct Clock {
  Instant monotonic;
  std::int64_t wall_micros = 0;  // microseconds since 1970, may jump
};

inline std::int64_t to_millis(Duration d) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}

using ShardId = StrongId<struct ShardTag, std::uint32_t>;

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * 1024;
inline constexpr std::size_t kPage = 4096;  // the unit of direct I/O

constexpr std::uint64_t round_up(std::uint64_t n, std::uint64_t to) { return (n + to - 1) / to * to; }

}  // namespace penstock::core

template <class Tag, class Rep>
struct std::hash<penstock::core::StrongId<Tag, Rep>> {
  std::size_t operator()(penstock::core::StrongId<Tag, Rep> id) const noexcept {
    return std::hash<Rep>()(id.value);
  }
};
template <class Tag, class Rep>
struct fmt::formatter<penstock::core::StrongId<Tag, Rep>> : fmt::formatter<Rep> {
  template <class Context>
  auto format(penstock::core::StrongId<Tag, Rep> id, Context& context) const {
    return fmt::formatter<Rep>::format(id.value, context);
  }
};
