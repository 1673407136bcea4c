#include "tools/bench/histogram.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace penstock::tools {
namespace {

constexpr std::size_t kSubBits = 10;
constexpr std::size_t kSubs = 1 << kSubBits;  // buckets for each doubling
constexpr std::size_t kDoublings = 30;
constexpr std::size_t kBuckets = kSubs * (kDoublings + 1);
constexpr std::uint64_t kOneEachMax = 64;  // so few are counted one by one
constexpr Nanos kStepsMax = 512;           // for more

}  // namespace

Histogram::Histogram() : weights_(kBuckets) {}

std::size_t Histogram::bucket_of(std::uint64_t micros) {
  if (micros < kSubs) return micros;
  const std::size_t shift = static_cast<std::size_t>(std::bit_width(micros)) - kSubBits - 1;
  return std::min(kSubs * shift + (micros >> shift), kBuckets - 1);
}

std::uint64_t Histogram::last_of(std::size_t bucket) {
  if (bucket < 2 * kSubs) return bucket;
  const std::size_t shift = bucket / kSubs - 1;
  return ((bucket % kSubs + kSubs + 1) << shift) - 1;
}

void Histogram::add(Nanos time, std::uint64_t weight) {
  if (weight == 0) return;
  const Nanos from_zero = std::max<Nanos>(time, 0);
  weights_[bucket_of(static_cast<std::uint64_t>(from_zero) / 1000)] += weight;
  weight_ += weight;
  sum_ += static_cast<double>(from_zero) * static_cast<double>(weight);
  max_ = std::max(max_, from_zero);
}

void Histogram::add_spread(Nanos first, Nanos last, std::uint64_t weight) {
  if (weight <= 1 || first == last) return add(std::max(first, last), weight);
  if (weight <= kOneEachMax) {
    for (std::uint64_t i = 0; i < weight; ++i) {
      const double part = static_cast<double>(i) / static_cast<double>(weight - 1);
      add(first + static_cast<Nanos>(static_cast<double>(last - first) * part));
    }
  } else {
    add_shares(std::min(first, last), std::max(first, last), weight);
  }
  max_ = std::max({max_, first, last});
}

// A step is a bucket, or a part of the stretch if that is more: one or two steps are usual. A step's share goes where its
// middle is: at its end it would move the percentiles.
void Histogram::add_shares(Nanos from, Nanos to, std::uint64_t weight) {
  const Nanos stride = (to - from) / kStepsMax + 1;
  const double per_nano = static_cast<double>(weight) / static_cast<double>(to - from);
  std::uint64_t given = 0;
  for (Nanos at = from; at < to;) {
    const Nanos middle = std::max<Nanos>(at + stride / 2, 0);
    const std::size_t bucket = bucket_of(static_cast<std::uint64_t>(middle) / 1000);
    const Nanos end = std::min(to, std::max(at + stride, static_cast<Nanos>(last_of(bucket) + 1) * 1000));
    const auto rounded = static_cast<std::uint64_t>(static_cast<double>(end - from) * per_nano + 0.5);
    const std::uint64_t until = end == to ? weight : std::min(weight, rounded);
    weights_[bucket] += until - given;
    given = until;
    const auto low = static_cast<double>(std::max<Nanos>(at, 0));
    const auto high = static_cast<double>(std::max<Nanos>(end, 0));
    sum_ += (high - low) * per_nano * (high + low) / 2;
    at = end;
  }
  weight_ += weight;
}

void Histogram::add(const Histogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) weights_[i] += other.weights_[i];
  weight_ += other.weight_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

void Histogram::clear() {
  std::ranges::fill(weights_, 0);
  weight_ = 0;
  sum_ = 0;
  max_ = 0;
}

Nanos Histogram::mean() const {
  return weight_ == 0 ? 0 : static_cast<Nanos>(sum_ / static_cast<double>(weight_));
}

Nanos Histogram::percentile(double percent) const {
  if (weight_ == 0) return 0;
  const auto wanted = std::clamp<std::uint64_t>(
      static_cast<std::uint64_t>(std::ceil(percent / 100 * static_cast<double>(weight_))), 1, weight_);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    below += weights_[i];
    if (below >= wanted) return std::min(static_cast<Nanos>(last_of(i) + 1) * 1000, max_);
  }
  return max_;
}

std::string Histogram::to_json() const {
  const auto millis = [](Nanos time) { return static_cast<double>(time) / kMillisecond; };
  return fmt::format(
      R"({{"weight":{},"mean_ms":{:.3f},"p50_ms":{:.3f},"p90_ms":{:.3f},"p99_ms":{:.3f},"p999_ms":{:.3f},"max_ms":{:.3f}}})",
      weight_, millis(mean()), millis(percentile(50)), millis(percentile(90)), millis(percentile(99)),
      millis(percentile(99.9)), millis(max_));
}

}  // namespace penstock::tools
