// What may not go wrong between the memory budget of a shard and loads that end.
#include <gtest/gtest.h>

#include "tests/crash/store_world.hpp"
#include "txn/decode/column_mapping.hpp"
#include "txn/decode/csv_decoder.hpp"
#include "txn/expression/deriving_decoder.hpp"

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

Task<void> append_all(Load* load, std::string text, bool* done) {
  (void)co_await load->append(core::as_bytes(text));
  *done = true;
}

// `first` holds a row that is longer than the budget and is being written out for its rows before that: busy. Whoever
// comes then holds nothing that would help, and is not to blame.
Task<void> innocent_scene(Store* store, crash::Knowledge* knows, std::size_t* failed) {
  co_await crash::create_table(store, knows, "t");
  const auto a = co_await store->begin({.database = "db", .table = "t", .label = "a"});
  const auto b = co_await store->begin({.database = "db", .table = "t", .label = "b"});
  auto first = make_load(*store, a.load);
  auto second = make_load(*store, b.load);
  bool done = false;
  core::current_shard().spawn(append_all(first.get(), "1\tone\n2\ttwo\n3\t" + std::string(3000, 'x'), &done));
  const auto added = co_await second->append(core::as_bytes(std::string_view("4\tfour\n")));
  if (!added) {
    ++*failed;
    ADD_FAILURE() << added.error().message;
  }
  while (!done) co_await core::current_shard().yield();
  co_await second->abort("end");
  co_await first->abort("end");
}

TEST(LoadMemory, a_load_without_unfinished_rows_does_not_fail_for_those_of_a_busy_one) {
  std::size_t failed = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    StoreLimits limits = crash::tiny_limits();
    limits.load_memory_max = 1000;
    crash::StoreWorld world(seed, 1, limits);
    crash::Knowledge knows;
    std::string error;
    ASSERT_EQ(world.open(error), sim::RunStatus::Done);
    EXPECT_EQ(world.run(innocent_scene(&world.store(), &knows, &failed)), sim::RunStatus::Done);
    EXPECT_EQ(world.close(), sim::RunStatus::Done);
  }
  EXPECT_EQ(failed, 0u);
}

// A load whose rows cost 200 KB of work each.
std::unique_ptr<Load> make_busy_load(Store& store, const BeganLoad& began) {
  CsvOptions options;
  options.block = store.limits().block;
  const auto& schema = began.table->schema;
  const std::string columns =
      "x, " + schema->columns[0].name + " = x, " + schema->columns[1].name + " = length(repeat(x, 200000))";
  auto shape = shape_load(schema, {.columns = columns, .where = "", .expressions = {}});
  CHECK(shape.has_value());
  auto mapping = map_columns(*shape->schema, {.columns = shape->columns});
  auto inside = std::make_unique<CsvDecoder>(options, shape->schema, *mapping, store.here().scratch());
  auto decoder = std::make_unique<DerivingDecoder>(
      std::move(inside), std::move(shape->derivation),
      DerivingDecoder::Options{options.cells, options.block, options.rejects}, store.here().scratch());
  return std::make_unique<Load>(store.here(), began, std::move(decoder), 0.0);
}

Task<void> count_turns(const bool* done, std::size_t* turns) {
  while (!*done) {
    ++*turns;
    co_await core::current_shard().yield();
  }
}

enum class Work { Finish, Shrink };

Task<void> busy_scene(Store* store, crash::Knowledge* knows, Work work, std::size_t* turns) {
  co_await crash::create_table(store, knows, "t");
  const auto began = co_await store->begin({.database = "db", .table = "t", .label = "a"});
  auto load = make_busy_load(*store, began.load);
  std::string rows;
  for (int i = 0; i < 600; ++i) rows += "1\n";
  bool done = false;
  core::current_shard().spawn(count_turns(&done, turns));
  EXPECT_TRUE((co_await load->append(core::as_bytes(rows))).has_value());
  EXPECT_TRUE((co_await load->append(core::as_bytes(rows))).has_value());
  done = true;  // what comes now waits for the disk as well
  if (work == Work::Shrink) {
    co_await load->shrink();
    EXPECT_EQ(load->builder_memory(), 0u);
  }
  EXPECT_TRUE((co_await load->finish()).has_value());
  EXPECT_EQ(load->counts().loaded_rows, 1200u);
}

TEST(LoadMemory, others_have_their_turn_while_expressions_are_computed) {
  for (const Work work : {Work::Finish, Work::Shrink}) {
    StoreLimits limits = crash::tiny_limits();
    limits.load_memory_max = 64 * core::kMiB;
    limits.block = {};
    crash::StoreWorld world(7, 1, limits);
    crash::Knowledge knows;
    std::string error;
    std::size_t turns = 0;
    ASSERT_EQ(world.open(error), sim::RunStatus::Done);
    EXPECT_EQ(world.run(busy_scene(&world.store(), &knows, work, &turns)), sim::RunStatus::Done);
    EXPECT_GE(turns, 35u) << static_cast<int>(work);
    EXPECT_EQ(world.close(), sim::RunStatus::Done);
  }
}

}  // namespace
}  // namespace penstock::txn
