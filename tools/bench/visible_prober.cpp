#include "tools/bench/visible_prober.hpp"

#include <time.h>

#include <algorithm>

namespace penstock::tools {
namespace {

void sleep_until(Nanos when) {
  const timespec until{.tv_sec = when / kSecond, .tv_nsec = when % kSecond};
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

}  // namespace

void VisibleProber::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void VisibleProber::stop_blocking() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void VisibleProber::run(const std::stop_token& stop) {
  HttpClient client(target_);
  for (Nanos next = now_nanos();;) {
    // What was asked before the stop may miss the last rows: the last question comes behind it.
    const bool is_last = stop.stop_requested();
    const Nanos asked = now_nanos();
    const auto rows = client.count_blocking();
    if (!rows) {
      error_ = rows.error();
      return;
    }
    answers_.push_back({.asked = asked, .answered = now_nanos(), .rows = *rows});
    if (is_last) return;
    next = std::max(next + period_, now_nanos());
    if (!stop.stop_requested()) sleep_until(next);
  }
}

}  // namespace penstock::tools
