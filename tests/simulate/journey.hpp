// Journey: the last events of a simulated world, for whoever has to read what went wrong.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <deque>
#include <string>

#include "core/base/units.hpp"

namespace penstock::simulate {

class Journey {
 public:
  static constexpr std::size_t kKept = 50;

  template <class... Args>
  void note(core::Instant now, fmt::format_string<Args...> text, Args&&... args) {
    add(now, fmt::format(text, std::forward<Args>(args)...));
  }
  void add(core::Instant now, std::string text) {
    if (all_) fmt::print(stderr, "{}\n", line(now, text));
    events_.push_back(line(now, text));
    if (events_.size() > kKept) events_.pop_front();
  }
  void print_all(bool all) { all_ = all; }  // each as it comes, too
  std::string text() const {
    std::string out;
    for (const std::string& event : events_) out += "  " + event + "\n";
    return out;
  }

 private:
  static std::string line(core::Instant now, const std::string& text) {
    return fmt::format("{:>14.6f} s  {}", static_cast<double>(now.nanos) / 1e9, text);
  }
  std::deque<std::string> events_;
  bool all_ = false;
};

}  // namespace penstock::simulate
