// Loads that stay open while their table is altered, as clients of a StoreWorld.
//
// Journey:  tests -> [FollowingLoad] -> the production store.
// Shard:    shard 0; a load's own calls go to its shard.
// Promise:  as the server makes them: JSON rows follow their table, CSV rows keep the columns that the load began with.
// Failure:  the text of whatever refused.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/crash/store_world.hpp"

namespace penstock::crash {

struct FollowingLoad {
  txn::BeganLoad began;
  std::unique_ptr<txn::Load> load;
};

enum class BodyFormat { Csv, Json };

// Empty texts: done.
core::Task<std::string> statement(txn::Store* store, std::string text);
core::Task<std::string> begin_following(txn::Store* store, std::string label, bool two_phase,
                                        BodyFormat format, FollowingLoad* load);
core::Task<std::string> send_more(FollowingLoad* load, std::string text);
core::Task<std::string> end_following(FollowingLoad* load);
core::Task<void> abandon(FollowingLoad* load);

// All cells of t as text, rows in the order in which they became visible, a row's cells joined by |. Nothing: no table.
core::Task<std::optional<std::vector<std::string>>> read_rows(txn::Store* store);

}  // namespace penstock::crash
