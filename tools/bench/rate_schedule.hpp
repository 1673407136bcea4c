// RateSchedule: when each row is meant to be there, whatever the server does: row i at start + i / rate.
#pragma once

#include <cmath>
#include <cstdint>

#include "tools/bench/histogram.hpp"

namespace penstock::tools {

class RateSchedule {
 public:
  // Rate 0: no schedule, as fast as it goes.
  RateSchedule(Nanos start, double rows_per_second) : start_(start), rows_per_second_(rows_per_second) {}

  bool is_paced() const { return rows_per_second_ > 0; }
  // How many rows are meant to be there by `now`.
  std::uint64_t due(Nanos now) const {
    if (!is_paced()) return UINT64_MAX;
    if (now < start_) return 0;
    return static_cast<std::uint64_t>(
               std::floor(static_cast<double>(now - start_) / kSecond * rows_per_second_ + 1e-7)) +
           1;
  }
  Nanos intended(std::uint64_t row) const {
    return start_ + static_cast<Nanos>(std::ceil(static_cast<double>(row) / rows_per_second_ * kSecond));
  }

 private:
  Nanos start_;
  double rows_per_second_;
};

}  // namespace penstock::tools
