// What may not go wrong between the memory budget of a shard and loads that end.
#include <gtest/gtest.h>

#include "tests/crash/store_world.hpp"
#include "txn/decode/column_mapping.hpp"
#include "txn/decode/csv_decoder.hpp"

namespace penstock::txn {
namespace {

using core::Task;

std::unique_ptr<Load> make_load(Store& store, const BeganLoad& began) {
  CsvOptions options;
  options.block = store.limits().block;
  options.row_bytes_max = store.limits().row_bytes_max;
  auto mapping = map_columns(*began.table->schema, {});
  auto decoder = std::make_unique<CsvDecoder>(options, began.table->schema, *mapping, store.here().scratch());
  return std::make_unique<Load>(store.here(), began, std::move(decoder), 0.0);
}

Task<void> abort_and_destroy(std::unique_ptr<Load> load, bool* done) {
  co_await load->abort("client left");
  load.reset();
  *done = true;
}

Task<void> scene(Store* store, crash::Knowledge* knows) {
  co_await crash::create_table(store, knows, "t");
  const auto a = co_await store->begin({.database = "db", .table = "t", .label = "a"});
  const auto b = co_await store->begin({.database = "db", .table = "t", .label = "b"});
  const std::string rows = "1\tone\n2\ttwo\n3\tthree\n";
  auto first = make_load(*store, a.load);
  (void)co_await first->append(core::as_bytes(rows));
  bool done = false;
  core::current_shard().spawn(abort_and_destroy(std::move(first), &done));  // waits for shard 0's answer
  auto second = make_load(*store, b.load);
  (void)co_await second->append(core::as_bytes(rows));  // over the limit: the largest is written out
  while (!done) co_await core::current_shard().yield();
  co_await second->abort("end");
}

TEST(LoadMemory, a_load_that_is_being_aborted_is_not_written_out_for_another) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    StoreLimits limits = crash::tiny_limits();
    limits.load_memory_max = 1000;
    crash::StoreWorld world(seed, 1, limits);
    crash::Knowledge knows;
    std::string error;
    ASSERT_EQ(world.open(error), sim::RunStatus::Done);
    EXPECT_EQ(world.run(scene(&world.store(), &knows)), sim::RunStatus::Done);
    EXPECT_EQ(world.close(), sim::RunStatus::Done);
  }
}

}  // namespace
}  // namespace penstock::txn
