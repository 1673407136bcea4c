#include <gtest/gtest.h>

#include "tests/crash/store_world.hpp"

namespace penstock::crash {
namespace {

core::Task<void> whole_story(txn::Store* store, Knowledge* knows) {
  co_await create_table(store, knows, "t");
  co_await load(store, knows, {.number = 1, .rows = 3});
  co_await load(store, knows, {.number = 2, .rows = 30});
  co_await loads_together(store, knows,
                          {{.number = 3, .rows = 2}, {.number = 4, .rows = 0}, {.number = 5, .rows = 20}});
  co_await look(store, knows);
}

TEST(Store, rows_survive_an_orderly_restart_with_any_number_of_shards) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Knowledge knows;
    StoreWorld world(seed, 2);
    std::string error;
    ASSERT_EQ(world.open(error), sim::RunStatus::Done);
    ASSERT_EQ(error, "");
    ASSERT_EQ(world.run(whole_story(&world.store(), &knows)), sim::RunStatus::Done) << seed;
    ASSERT_EQ(knows.violation, "");
    ASSERT_EQ(knows.seen_visible.size(), 5u);
    ASSERT_EQ(world.close(), sim::RunStatus::Done);
    for (const std::uint32_t shards : {1u, 3u, 2u}) {
      ASSERT_EQ(world.open(error, shards), sim::RunStatus::Done);
      ASSERT_EQ(error, "");
      ASSERT_EQ(world.run(look(&world.store(), &knows)), sim::RunStatus::Done);
      ASSERT_EQ(knows.violation, "") << "seed " << seed << " shards " << shards;
      ASSERT_EQ(world.close(), sim::RunStatus::Done);
    }
  }
}

}  // namespace
}  // namespace penstock::crash
