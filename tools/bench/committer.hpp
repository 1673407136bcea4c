// Committer: commits a stream's precommitted transactions, one after the other, over a connection of its own, as the
// committer of a Flink job does.
//
// Journey:  LoadRun -> [Committer] -> a socket that does not block.
// Shard:    none; the run's thread.
// Promise:  loads come back in the order in which they were given, when their commit was answered with Success.
// Failure:  a text; the run ends.
#pragma once

#include <deque>
#include <expected>
#include <string>

#include "tools/bench/load_stream.hpp"

namespace penstock::tools {

class Committer {
 public:
  explicit Committer(const BenchTarget& target) : target_(target) {}
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  std::expected<void, std::string> open_blocking();
  int socket() const { return socket_; }
  std::size_t waiting() const { return loads_.size(); }

  std::expected<void, std::string> commit(Load load);
  // Reads; a load whose commit was answered, if there is one now.
  std::expected<bool, std::string> receive(Load& committed);

 private:
  std::expected<void, std::string> ask();

  const BenchTarget& target_;
  int socket_ = -1;
  std::deque<Load> loads_;  // the first is being committed
  ReplyParser parser_;
  std::string reply_;
};

}  // namespace penstock::tools
