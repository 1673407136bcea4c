// A long load whose rows several shards read: what comes out is what one shard would have made of it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/crash/store_fixture.hpp"

namespace penstock::txn {
namespace {

using core::Task;
using sim::RunStatus;

struct Seen {
  LoadCounts counts;
  std::string error_log;
  std::string first_error;
  std::string failure;
  std::vector<std::int64_t> keys;  // in the order of a scan
  std::uint64_t segments = 0;      // that other shards have read
};

struct Scene {
  std::string body;
  std::size_t piece = 97;
  double max_filter_ratio = 1.0;
  bool two_phase = false;
  bool aborts = false;
};

Task<void> send(Store* store, BeganLoad began, const Scene* scene, Seen* seen) {
  auto load = crash::make_load(*store, began, scene->max_filter_ratio);
  std::expected<void, LoadError> result{};
  for (std::size_t at = 0; at < scene->body.size() && result; at += scene->piece) {
    result = co_await load->append(core::as_bytes(std::string_view(scene->body).substr(at, scene->piece)));
    co_await core::current_shard().yield();  // as a socket would
  }
  if (result && !scene->aborts) result = co_await load->finish();
  if (!result) seen->failure = result.error().message;
  co_await load->abort("it is over");
  seen->counts = load->counts();
  seen->error_log = load->error_log();
  seen->first_error = load->first_error();
}

Task<std::uint64_t> segments_there(StoreShard* shard) { co_return shard->segments(); }

Task<void> play(Store* store, crash::Knowledge* knows, const Scene* scene, Seen* seen) {
  co_await crash::create_table(store, knows, "t");
  const BeginResult began =
      co_await store->begin({.database = "db", .table = "t", .label = "long", .two_phase = scene->two_phase});
  CHECK(began.status == BeginResult::Status::Began);
  co_await core::call_on(began.load.shard, [&] { return send(store, began.load, scene, seen); });
  if (scene->two_phase && !scene->aborts) {
    const TxnAnswer answer = co_await store->operate(
        {.kind = TxnOperation::Kind::Commit, .database = "db", .txn = began.load.txn});
    EXPECT_TRUE(answer.done) << answer.text;
  }
  auto scan = co_await store->scan("db", "t");
  const ColumnId key = (*scan)->table().schema->columns.at(0).id;
  for (;;) {
    auto block = co_await (*scan)->next({key});
    CHECK(block.has_value());
    if (!*block) break;
    const ColumnView& view = *(*block)->find(key);
    for (std::uint32_t i = 0; i < view.rows; ++i) seen->keys.push_back(view.value<std::int64_t>(i));
  }
  co_await store->close_scan(**scan);
  for (const auto& shard : store->here().peers()) {
    StoreShard* const at = shard.get();
    seen->segments += co_await core::call_on(at->shard().id(), [at] { return segments_there(at); });
  }
}

class LoadSplit : public crash::StoreFixture {
 protected:
  static Seen run(std::uint64_t seed, std::uint32_t shards, const StoreLimits& limits, const Scene& scene) {
    crash::StoreWorld world(seed, shards, limits);
    open_well(world);
    crash::Knowledge knows;
    Seen seen;
    EXPECT_EQ(world.run(play(&world.store(), &knows, &scene, &seen)), RunStatus::Done);
    EXPECT_EQ(world.close(), RunStatus::Done);  // nothing runs on, and no pin keeps it
    return seen;
  }
  static StoreLimits unsplit() {
    StoreLimits limits = crash::tiny_limits();
    limits.split_segments = 0;
    return limits;
  }
};

std::string rows(int count, int bad_every) {
  std::string body;
  for (int i = 0; i < count; ++i) {
    const bool is_bad = bad_every != 0 && i % bad_every == bad_every - 1;
    body += fmt::format("{}\tvalue-{}\n", is_bad ? "bad" : std::to_string(i), i);
  }
  return body;
}

TEST_F(LoadSplit, rows_come_out_in_the_order_of_the_body_whoever_has_read_them) {
  std::uint64_t segments = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    const Scene scene{.body = rows(600, 0), .piece = 40 + seed * 13, .two_phase = seed % 3 == 0};
    const Seen seen = run(seed, 2 + seed % 3, crash::tiny_limits(), scene);
    EXPECT_EQ(seen.failure, "");
    EXPECT_EQ(seen.counts.loaded_rows, 600u);
    EXPECT_EQ(seen.counts.body_bytes, scene.body.size());
    ASSERT_EQ(seen.keys.size(), 600u);
    for (std::size_t i = 0; i < seen.keys.size(); ++i) ASSERT_EQ(seen.keys[i], static_cast<std::int64_t>(i));
    segments += seen.segments;
  }
  EXPECT_GT(segments, 100u);
}

TEST_F(LoadSplit, bad_rows_are_counted_and_shown_as_if_one_shard_had_read_all) {
  std::uint64_t segments = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    const Scene scene{.body = rows(500, 3 + static_cast<int>(seed)), .piece = 200};
    StoreLimits limits = crash::tiny_limits();
    limits.rejects.rows_max = 5 + seed;
    StoreLimits alone = limits;
    alone.split_segments = 0;
    const Seen split = run(seed, 3, limits, scene);
    const Seen whole = run(seed, 3, alone, scene);
    EXPECT_EQ(whole.segments, 0u);
    EXPECT_EQ(split.counts.total_rows, whole.counts.total_rows);
    EXPECT_EQ(split.counts.filtered_rows, whole.counts.filtered_rows);
    EXPECT_EQ(split.counts.loaded_rows, whole.counts.loaded_rows);
    EXPECT_EQ(split.first_error, whole.first_error);
    EXPECT_EQ(split.error_log, whole.error_log);
    EXPECT_EQ(split.keys, whole.keys);
    segments += split.segments;
  }
  EXPECT_GT(segments, 50u);
}

TEST_F(LoadSplit, too_many_bad_rows_fail_the_load_wherever_they_were_read) {
  const Scene scene{.body = rows(500, 50), .max_filter_ratio = 0.01};
  const Seen seen = run(1, 3, crash::tiny_limits(), scene);
  EXPECT_EQ(seen.failure, "too many filtered rows");
  EXPECT_GT(seen.segments, 0u);
  EXPECT_TRUE(seen.keys.empty());
}

TEST_F(LoadSplit, a_load_that_is_aborted_while_others_read_for_it_leaves_nothing) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Scene scene{.body = rows(300 + static_cast<int>(seed) * 7, 0), .aborts = true};
    const Seen seen = run(seed, 2, crash::tiny_limits(), scene);
    EXPECT_TRUE(seen.keys.empty());
    EXPECT_EQ(seen.failure, "");
  }
}

TEST_F(LoadSplit, rows_longer_than_a_segment_are_read_by_the_load_itself) {
  std::string body = rows(60, 0);
  for (int i = 60; i < 70; ++i) body += fmt::format("{}\t{}\n", i, std::string(i % 2 == 0 ? 1500 : 3, 'x'));
  const Seen seen = run(3, 2, crash::tiny_limits(), {.body = body, .piece = 333});
  EXPECT_EQ(seen.failure, "");
  EXPECT_EQ(seen.counts.loaded_rows, 70u);  // with their texts cut
  ASSERT_EQ(seen.keys.size(), 70u);
  EXPECT_TRUE(std::ranges::is_sorted(seen.keys));
}

TEST_F(LoadSplit, a_row_that_is_too_long_fails_the_load_and_is_named_by_its_place) {
  std::string body = rows(200, 0);
  const std::size_t place = body.size();
  body += "7\t" + std::string(5000, 'x') + "\n" + rows(50, 0);
  const Seen seen = run(5, 2, crash::tiny_limits(), {.body = body, .piece = 100});
  EXPECT_NE(seen.failure.find(fmt::format("it begins at byte {} ", place)), std::string::npos)
      << seen.failure;
  EXPECT_TRUE(seen.keys.empty());
}

TEST_F(LoadSplit, the_memory_budget_holds_with_segments_in_it) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    StoreLimits limits = crash::tiny_limits();
    limits.load_memory_max = 2000 + 400 * seed;
    const Seen seen = run(seed, 3, limits, {.body = rows(400, 0), .piece = 150});
    EXPECT_EQ(seen.failure, "");
    EXPECT_EQ(seen.keys.size(), 400u);
  }
}

}  // namespace
}  // namespace penstock::txn
