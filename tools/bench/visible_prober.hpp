// VisibleProber: asks the server over and over how many rows it shows, from a thread of its own.
//
// count(*) without a predicate is the cheapest question there is: it reads no rows.
//
// Journey:  LoadRun -> [VisibleProber] -> HttpClient.
// Shard:    none; a thread.
// Promise:  answers() after stop_blocking(): one that was asked for behind everything that was visible before.
// Failure:  error() after stop_blocking().
#pragma once

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tools/bench/http_client.hpp"
#include "tools/bench/load_stream.hpp"

namespace penstock::tools {

class VisibleProber {
 public:
  struct Answer {
    Nanos asked = 0;
    Nanos answered = 0;
    std::uint64_t rows = 0;
  };

  VisibleProber(const BenchTarget& target, Nanos period) : target_(target), period_(period) {}

  void start();
  void stop_blocking();  // asks once more before it ends

  const std::vector<Answer>& answers() const { return answers_; }
  const std::string& error() const { return error_; }

 private:
  void run(const std::stop_token& stop);

  const BenchTarget& target_;
  const Nanos period_;
  std::vector<Answer> answers_;
  std::string error_;
  std::jthread thread_;
};

}  // namespace penstock::tools
