// TRUNCATE TABLE, with the process ended at every operation: its rows are all there or all gone, and never come back.
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "tests/crash/store_world.hpp"
#include "txn/schema/ddl_parser.hpp"

namespace penstock::crash {
namespace {

struct Story {
  Knowledge knows;
  Known truncated = Known::NotSent;
};

core::Task<void> truncate(txn::Store* store, Story* story) {
  auto statement = txn::parse_statement("TRUNCATE TABLE t");
  CHECK(statement.has_value());
  story->truncated = Known::InDoubt;
  auto done = co_await store->execute(std::move(*statement), "db");
  if (!done) story->knows.violate(done.error().message);
  story->truncated = Known::Acknowledged;
}

core::Task<void> tell(txn::Store* store, Story* story) {
  co_await create_table(store, &story->knows, "t");
  co_await load(store, &story->knows, {.number = 1, .rows = 3});
  co_await load(store, &story->knows, {.number = 2, .rows = 30});
  OpenLoad open;  // begun before, ended after: it succeeds, and its rows are gone with the others
  co_await open_load(store, &story->knows, {.number = 4, .rows = 20}, &open);
  co_await truncate(store, story);
  co_await end_load(&story->knows, &open);
  co_await load(store, &story->knows, {.number = 3, .rows = 5});
}

// Which loads are there; each must be there whole.
core::Task<void> read(txn::Store* store, Story* story, std::map<int, int>* rows_of) {
  auto scan = co_await store->scan("db", "t");
  if (!scan) co_return;
  const txn::ColumnId key = (*scan)->table().schema->columns.at(0).id;
  for (;;) {
    auto block = co_await (*scan)->next({key});
    CHECK(block.has_value());
    if (!*block) break;
    for (std::uint32_t row = 0; row < (*block)->rows(); ++row) {
      ++(*rows_of)[static_cast<int>((*block)->find(key)->value<std::int64_t>(row) / 1000)];
    }
  }
  co_await store->close_scan(**scan);
  for (const auto& [number, rows] : *rows_of) {
    if (rows != story->knows.plans.at(number).rows)
      story->knows.violate("load " + std::to_string(number) + " is there in part");
  }
}

void judge(Story& story, const std::map<int, int>& rows_of) {
  const auto acked = [&](int number) { return story.knows.loads[number] == Known::Acknowledged; };
  const auto there = [&](int number) { return rows_of.contains(number); };
  if (there(4)) story.knows.violate("a load that began before TRUNCATE is visible after it");
  if (story.truncated == Known::Acknowledged && (there(1) || there(2)))
    story.knows.violate("truncated rows are back");
  if (story.truncated == Known::NotSent && ((acked(1) && !there(1)) || (acked(2) && !there(2)))) {
    story.knows.violate("acknowledged rows are missing");
  }
  if (story.truncated == Known::InDoubt && there(1) != there(2))
    story.knows.violate("TRUNCATE was done in part");
  if (acked(3) && !there(3)) story.knows.violate("a load behind TRUNCATE is missing");
}

TEST(Truncate, is_all_or_nothing_with_an_end_at_every_operation) {
  std::uint64_t operations = 0;
  {
    Story story;
    StoreWorld world(1, 2);
    std::string error;
    ASSERT_EQ(world.open(error), sim::RunStatus::Done);
    ASSERT_EQ(world.run(tell(&world.store(), &story)), sim::RunStatus::Done);
    std::map<int, int> rows;
    ASSERT_EQ(world.run(read(&world.store(), &story, &rows)), sim::RunStatus::Done);
    judge(story, rows);
    ASSERT_EQ(story.knows.violation, "");
    EXPECT_EQ(rows, (std::map<int, int>{{3, 5}}));
    EXPECT_EQ(story.knows.loads[4], Known::Acknowledged);
    operations = world.world().op_count();
    ASSERT_EQ(world.close(), sim::RunStatus::Done);
  }
  for (std::uint64_t k = 1; k <= operations; ++k) {
    for (const auto pages : {sim::UnsyncedPolicy::KeepAll, sim::UnsyncedPolicy::Random}) {
      Story story;
      StoreWorld world(1, 2);
      std::string error;
      world.world().crash_at_op(k);
      if (world.open(error) == sim::RunStatus::Done) (void)world.run(tell(&world.store(), &story));
      world.lose_power(pages, sim::NamesPolicy::Random);
      std::map<int, int> first;
      for (int again = 0; again < 2; ++again) {
        ASSERT_EQ(world.open(error), sim::RunStatus::Done);
        ASSERT_EQ(error, "") << k;
        std::map<int, int> rows;
        ASSERT_EQ(world.run(read(&world.store(), &story, &rows)), sim::RunStatus::Done);
        judge(story, rows);
        ASSERT_EQ(story.knows.violation, "")
            << "ended at operation " << k << ", truncated: " << static_cast<int>(story.truncated);
        if (again == 0) first = rows;
        ASSERT_EQ(rows, first) << k;
        ASSERT_EQ(world.close(), sim::RunStatus::Done);
      }
    }
  }
}

}  // namespace
}  // namespace penstock::crash
