// Lane: which of a shard's two journals a record goes to.
//
// A load that fills blocks writes megabytes while it arrives; a sync of that file waits for all that is under way to it. Loads
// that end before they have filled one go to a file of their own, whose syncs are small: they never wait for a long load's.
//
// Journey:  Load::flush_block, Precommitter -> [Lane] -> the JournalWriter of that lane.
// Shard:    any; values.
// Promise:  the counter of a journal file made by this version tells its lane.
// Failure:  none.
#pragma once

#include <array>
#include <cstddef>

#include "txn/journal/file_name.hpp"

namespace penstock::txn {

enum class Lane : std::size_t { Bulk = 0, Small = 1 };
inline constexpr std::size_t kLanes = 2;
inline constexpr std::array kAllLanes = {Lane::Bulk, Lane::Small};

inline std::size_t index_of(Lane lane) { return static_cast<std::size_t>(lane); }
inline Lane lane_of(FileId journal) { return static_cast<Lane>(journal.counter() % kLanes); }

}  // namespace penstock::txn
