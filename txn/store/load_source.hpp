// LoadSource: where a load's body comes from, for whoever must know at once whether more of it can come.
//
// A load that waits for memory or the disk does not look at its connection. Real clients take RUNNING for done, so before
// that is said of a load its source is read on, past the budgets.
//
// Journey:  Coordinator::begin -> StoreShard::look_at_open -> [LoadSource] (net/load) -> BodyReader::read_on.
// Shard:    the load's.
// Promise:  what was read so is not lost: the load gets it in its turn.
// Failure:  End::Cut.
#pragma once

#include <cstdint>

#include "core/task/task.hpp"

namespace penstock::txn {

class LoadSource {
 public:
  enum class End : std::uint8_t {
    Open,       // it was looked at, and more may come
    Whole,      // all of the body has come
    Cut,        // the connection ended before the body did
    NotLooked,  // nobody knows
  };
  virtual ~LoadSource() = default;
  // Returns when it knows, or at limits of its own, soon. The load may be gone by then.
  virtual core::Task<End> read_on() = 0;
};

}  // namespace penstock::txn
