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

// ---- beside others, under a budget ---------------------------------------------------------------------------------------

Task<void> feed_slowly(Load* load, std::string body, std::size_t piece) {
  for (std::size_t at = 0; at < body.size(); at += piece) {
    if (!co_await load->append(core::as_bytes(std::string_view(body).substr(at, piece)))) co_return;
    co_await core::current_shard().yield();
  }
}

Task<void> unfinished_rows_there(Store* store, const std::vector<BeganLoad>* began, std::size_t* failed) {
  std::vector<std::unique_ptr<Load>> loads;
  for (const BeganLoad& each : *began) {
    loads.push_back(crash::make_load(*store, each, 1.0));
    (void)co_await loads.back()->append(core::as_bytes(std::string_view("1\tunfinished")));
  }
  for (const auto& load : loads) *failed += load->has_failed();
  for (auto& load : loads) co_await load->abort("end");
}

struct Fed {
  std::string failure;
  std::size_t others_failed = 0;
  std::uint64_t loaded = 0;
  std::uint64_t segments = 0;
};

// A split load is silent while the shard that has helped it fills its memory with others' unfinished rows.
Task<void> crowd_beside_a_part(Store* store, crash::Knowledge* knows, Fed* fed) {
  co_await crash::create_table(store, knows, "t");
  const BeginResult began = co_await store->begin({.database = "db", .table = "t", .label = "a"});
  CHECK(began.load.shard == core::ShardId(0));
  auto load = crash::make_load(*store, began.load);
  co_await feed_slowly(load.get(), rows(400, 0), 50);
  for (int i = 0; i < 100; ++i) co_await core::current_shard().yield();
  std::vector<BeganLoad> others;
  for (int i = 0; i < 60; ++i) {
    const std::string label = fmt::format("b{}", i);
    others.push_back((co_await store->begin({.database = "db", .table = "t", .label = label})).load);
  }
  co_await core::call_on(core::ShardId(1),
                         [&] { return unfinished_rows_there(store, &others, &fed->others_failed); });
  const auto result = co_await load->finish();
  if (!result) fed->failure = result.error().message;
  fed->loaded = load->counts().loaded_rows;
  co_await load->abort("over");
  StoreShard* const helper = store->here().peers()[1].get();
  fed->segments = co_await core::call_on(core::ShardId(1), [helper] { return segments_there(helper); });
}

Task<void> count_rows(Store* store, std::size_t* count) {
  auto scan = co_await store->scan("db", "t");
  CHECK(scan.has_value());
  for (;;) {
    auto block = co_await (*scan)->next({(*scan)->table().schema->columns.at(0).id});
    CHECK(block.has_value());
    if (!*block) break;
    *count += (*block)->rows();
  }
  co_await store->close_scan(**scan);
}

TEST_F(LoadSplit, what_a_part_has_written_survives_whatever_its_shard_does_to_others_for_memory) {
  StoreLimits limits = crash::tiny_limits();
  limits.load_memory_max = 6000;
  crash::StoreWorld world(1, 2, limits);
  open_well(world);
  crash::Knowledge knows;
  Fed fed;
  EXPECT_EQ(world.run(crowd_beside_a_part(&world.store(), &knows, &fed)), RunStatus::Done);
  EXPECT_GT(fed.segments, 0u);
  EXPECT_GT(fed.others_failed, 0u);  // the budget was met
  EXPECT_EQ(fed.failure, "");
  EXPECT_EQ(fed.loaded, 400u);
  world.lose_power(sim::UnsyncedPolicy::DropAll, sim::NamesPolicy::DropAll);
  open_well(world);
  std::size_t count = 0;
  EXPECT_EQ(world.run(count_rows(&world.store(), &count)), RunStatus::Done);
  EXPECT_EQ(count, 400u);
  EXPECT_EQ(world.close(), RunStatus::Done);
}

// A load that was aborted by another request, with bytes for a segment in hand, has nothing to give to the budget.
Task<void> abort_with_bytes_in_hand(Store* store, crash::Knowledge* knows) {
  co_await crash::create_table(store, knows, "t");
  const BeginResult a = co_await store->begin({.database = "db", .table = "t", .label = "a"});
  const BeginResult b = co_await store->begin({.database = "db", .table = "t", .label = "b"});
  auto first = crash::make_load(*store, a.load);
  co_await feed_slowly(first.get(), rows(23, 0), 30);  // ends in the middle of a segment, or of a block
  (void)store->here().abort_open(a.load.txn, "somebody said so");
  auto second = crash::make_load(*store, b.load);
  co_await feed_slowly(second.get(), rows(8, 0), 40);
  co_await feed_slowly(second.get(), "5\t" + std::string(1500, 'x'), 700);
  co_await second->abort("end");
  co_await first->abort("end");
}

TEST_F(LoadSplit, a_load_that_was_aborted_with_bytes_in_hand_holds_nobody_up) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    StoreLimits limits = crash::tiny_limits();
    limits.block.rows_max = 4;
    limits.load_memory_max = 3000 + 50 * seed;
    crash::StoreWorld world(seed, 2, limits);
    open_well(world);
    crash::Knowledge knows;
    EXPECT_EQ(world.run(abort_with_bytes_in_hand(&world.store(), &knows)), RunStatus::Done);
    EXPECT_EQ(world.close(), RunStatus::Done);
  }
}

// Parts fail in the middle of a load, with more segments under way, while the helper's own loads fight for memory.
Task<void> press(Store* store, const BeganLoad* began, const bool* is_over) {
  auto load = crash::make_load(*store, *began, 1.0);
  for (int i = 0; i < 200 && !*is_over && !load->has_failed(); ++i) {
    (void)co_await load->append(core::as_bytes(rows(4, 0) + "7\t" + std::string(60, 'z')));
    co_await core::current_shard().yield();
  }
  co_await load->abort("end");
}
Task<void> press_there(Store* store, BeganLoad began, const bool* is_over, core::Countdown* countdown) {
  co_await core::call_on(began.shard, [&] { return press(store, &began, is_over); });
  countdown->one_done();
}

Task<void> fail_in_a_part(Store* store, crash::Knowledge* knows, std::string* failure,
                          std::uint64_t* segments) {
  co_await crash::create_table(store, knows, "t");
  const BeginResult began = co_await store->begin({.database = "db", .table = "t", .label = "a"});
  std::vector<BeganLoad> others;
  for (int i = 0; i < 6; ++i) {
    const std::string label = fmt::format("b{}", i);
    const BeginResult other = co_await store->begin({.database = "db", .table = "t", .label = label});
    if (other.load.shard != began.load.shard) {
      others.push_back(other.load);
    } else {
      co_await store->abort(other.load.txn, "not needed");
    }
  }
  auto load = crash::make_load(*store, began.load, 1.0);
  co_await feed_slowly(load.get(), rows(200, 0), 50);
  bool is_over = false;
  core::Countdown countdown(others.size());
  for (const BeganLoad& other : others)
    core::current_shard().spawn(press_there(store, other, &is_over, &countdown));
  std::string bad;
  for (int i = 0; i < 6; ++i) bad += rows(30, 0) + "3\t" + std::string(150, 'x') + "\n";
  co_await feed_slowly(load.get(), bad, 400);
  const auto result = co_await load->finish();
  if (!result) *failure = result.error().message;
  co_await load->abort("it is over");
  is_over = true;
  co_await countdown.wait();
  for (const auto& shard : store->here().peers()) {
    StoreShard* const at = shard.get();
    *segments += co_await core::call_on(at->shard().id(), [at] { return segments_there(at); });
  }
}

TEST_F(LoadSplit, a_part_that_fails_under_pressure_fails_its_load_and_nothing_else) {
  std::uint64_t segments = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    StoreLimits limits = crash::tiny_limits();
    limits.row_bytes_max = 100;
    limits.write_buffers = 2;
    limits.load_memory_max = 6000 + 64 * (seed % 200);
    crash::StoreWorld world(seed, 2, limits);
    open_well(world);
    crash::Knowledge knows;
    std::string failure;
    EXPECT_EQ(world.run(fail_in_a_part(&world.store(), &knows, &failure, &segments)), RunStatus::Done);
    EXPECT_NE(failure.find("longer than row_bytes_max"), std::string::npos) << failure;
    EXPECT_EQ(world.close(), RunStatus::Done);
  }
  EXPECT_GT(segments, 300u);
}

}  // namespace
}  // namespace penstock::txn
