// RowSource: the rows of a run, in the order in which streams take them, each under a key of its own.
//
// Compressed rows are made once, so a member that comes round again has the keys that it had: the sums count them as often
// as they are sent.
//
// Journey:  LoadStream -> [RowSource] -> RowRing.
// Shard:    none; one thread's.
// Promise:  keys() are those of all rows that were taken.
// Failure:  taking nothing: the room is too small for a row, or the keys are used up.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tools/bench/key_sum.hpp"
#include "tools/bench/row_ring.hpp"

namespace penstock::tools {

class RowSource {
 public:
  struct Taken {
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;       // of rows
    std::uint64_t body_bytes = 0;  // as they are sent
  };

  // `member_rows` 0: not compressed; otherwise gzip members of exactly so many rows each.
  RowSource(std::unique_ptr<RowRing> ring, std::uint64_t first_key, std::uint64_t member_rows);

  // Appends at most `rows_max` rows to `out`, whose room (in bytes of rows) is what matters only where they are not packed.
  Taken take(std::string& out, std::uint64_t room, std::uint64_t rows_max);

  const RowRing& ring() const { return *ring_; }
  const KeySum& keys() const { return keys_; }
  std::uint64_t member_rows() const { return member_rows_; }
  // After so many rows the same come again: under new keys if they are not packed.
  std::uint64_t distinct_rows() const {
    return member_rows_ == 0 ? ring_->rows() : members_.size() * member_rows_;
  }

 private:
  struct Member {
    std::string packed;
    std::uint64_t bytes = 0;
    std::uint64_t first_key = 0;
  };
  void pack();

  std::unique_ptr<RowRing> ring_;
  const std::uint64_t first_key_;
  const std::uint64_t member_rows_;
  std::vector<Member> members_;
  std::uint64_t at_ = 0;  // rows, or members, taken
  KeySum keys_;
};

}  // namespace penstock::tools
