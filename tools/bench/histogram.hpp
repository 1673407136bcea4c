// Histogram: times with weights, exact to a thousandth, in a fixed 256 KiB.
//
// Journey:  LoadRun, the report -> [Histogram].
// Shard:    none; a value.
// Promise:  percentile(p) is no less than the smallest time that p percent of the weight do not exceed, and at most 0.1 %
//           more; the largest and the mean are exact. Weight that is spread over a stretch is as exact, or to 1/512 of
//           it, and costs a step for each bucket that it falls into, at most 512: whoever measures with it has no time for more.
// Failure:  none: times below 0 count as 0, times of more than some hours as the largest there is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::tools {

using Nanos = std::int64_t;
inline constexpr Nanos kMillisecond = 1'000'000;
inline constexpr Nanos kSecond = 1'000'000'000;

class Histogram {
 public:
  Histogram();

  void add(Nanos time, std::uint64_t weight = 1);
  // `weight` spread evenly over the times first .. last: rows that came one after the other and were served together.
  void add_spread(Nanos first, Nanos last, std::uint64_t weight);
  void add(const Histogram& other);
  void clear();

  std::uint64_t weight() const { return weight_; }
  Nanos max() const { return max_; }
  Nanos mean() const;
  Nanos percentile(double percent) const;  // 0 of nothing
  std::string to_json() const;             // milliseconds

 private:
  void add_shares(Nanos from, Nanos to, std::uint64_t weight);
  static std::size_t bucket_of(std::uint64_t micros);
  static std::uint64_t last_of(std::size_t bucket);  // micros

  std::vector<std::uint64_t> weights_;
  std::uint64_t weight_ = 0;
  double sum_ = 0;  // nanoseconds
  Nanos max_ = 0;
};

}  // namespace penstock::tools
