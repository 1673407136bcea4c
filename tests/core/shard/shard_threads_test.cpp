#include <unistd.h>

#include <array>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "core/io/file.hpp"
#include "tests/core/shard/uring_shards.hpp"

namespace penstock::core {
namespace {

using std::chrono::milliseconds;

Task<std::uint32_t> where_am_i() { co_return current_shard().id().value; }

struct WhereAmI {
  Task<std::uint32_t> operator()() { return where_am_i(); }
};

Task<int> plus_one(int value) { co_return value + 1; }
struct PlusOne {
  int value;
  Task<int> operator()() { return plus_one(value); }
};

Task<std::vector<int>> numbers_up_to(int count) {
  std::vector<int> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  co_return numbers;
}
struct NumbersUpTo {
  int count;
  Task<std::vector<int>> operator()() { return numbers_up_to(count); }
};

Task<void> ping_pong(Shard* shard, std::uint32_t target, int rounds) {
  int value = 0;
  for (int i = 0; i < rounds; ++i) value = co_await call_on(ShardId(target), PlusOne{value});
  EXPECT_EQ(value, rounds);
  EXPECT_EQ(&current_shard(), shard);
}

TEST(ShardThreads, a_call_runs_there_and_comes_back_here) {
  run_shards(3, [](Shard& shard) -> Task<void> {
    for (std::uint32_t target = 0; target < 3; ++target) {
      EXPECT_EQ(co_await call_on(ShardId(target), WhereAmI{}), target);
      EXPECT_EQ(&current_shard(), &shard);
    }
  });
}

Task<void> main_ping_pong_one_way(Shard* shard) {
  if (shard->id().value != 0) co_return;
  co_await ping_pong(shard, 1, 200);  // each message wakes a sleeper
  TaskScope scope;
  for (int lane = 0; lane < 100; ++lane) scope.spawn(ping_pong(shard, 1, 500));
  co_await scope.join();
}

TEST(ShardThreads, a_hundred_thousand_messages_go_to_and_fro) {
  run_shards(2, [](Shard& shard) { return main_ping_pong_one_way(&shard); });
}

Task<void> main_ping_pong_everywhere(Shard* shard) {
  TaskScope scope;
  for (std::uint32_t target = 0; target < 3; ++target) {
    for (int lane = 0; lane < 4; ++lane) scope.spawn(ping_pong(shard, target, 1000));
  }
  co_await scope.join();
}

TEST(ShardThreads, every_shard_calls_every_shard_at_once) {
  run_shards(3, [](Shard& shard) { return main_ping_pong_everywhere(&shard); });
}

Task<void> call_once(std::uint32_t target, int value, int* answers) {
  EXPECT_EQ(co_await call_on(ShardId(target), PlusOne{value}), value + 1);
  ++*answers;
}

Task<void> main_flood(Shard* shard) {
  constexpr int kCalls = 5 * static_cast<int>(Mailbox::kCapacity);
  int answers = 0;
  TaskScope scope;
  const std::uint32_t target = 1 - shard->id().value;
  for (int i = 0; i < kCalls; ++i) scope.spawn(call_once(target, i, &answers));
  co_await scope.join();
  EXPECT_EQ(answers, kCalls);
}

TEST(ShardThreads, more_calls_than_a_mailbox_holds_are_all_answered) {
  for (int round = 0; round < 5; ++round) {
    run_shards(2, [](Shard& shard) { return main_flood(&shard); });
  }
}

Task<void> main_wake_sleepers(Shard* shard) {
  if (shard->id().value != 0) co_return;  // asleep from now on
  for (int i = 0; i < 20; ++i) {
    co_await shard->sleep_for(milliseconds(i % 4));
    const Instant before = shard->now().monotonic;
    EXPECT_EQ(co_await call_on(ShardId(1), WhereAmI{}), 1u);
    EXPECT_EQ(co_await call_on(ShardId(2), WhereAmI{}), 2u);
    EXPECT_LT(shard->now().monotonic, before + std::chrono::seconds(20));
  }
}

TEST(ShardThreads, a_shard_whose_main_has_ended_is_woken_by_calls) {
  run_shards(3, [](Shard& shard) { return main_wake_sleepers(&shard); });
}

Task<void> main_values(Shard* shard) {
  const std::uint32_t target = (shard->id().value + 1) % shard->set().count();
  for (int i = 1; i < 300; ++i) {
    const std::vector<int> numbers = co_await call_on(ShardId(target), NumbersUpTo{i});
    EXPECT_EQ(std::accumulate(numbers.begin(), numbers.end(), 0), i * (i - 1) / 2);
  }
}

TEST(ShardThreads, what_a_call_made_is_seen_by_its_caller) {
  run_shards(3, [](Shard& shard) { return main_values(&shard); });
}

Task<void> write_durably(Shard* shard, File* file, int times) {
  static constexpr std::array<std::byte, 512> kBytes{};
  for (int i = 0; i < times; ++i) EXPECT_TRUE(co_await file->write_all(0, kBytes, File::Durable::Yes));
  EXPECT_EQ(&current_shard(), shard);
}

Task<void> main_write_and_call(Shard* shard, std::string folder) {
  auto directory = co_await Directory::open(shard->kernel(), folder);
  CHECK(directory.has_value());
  auto file = co_await directory->open_file(std::to_string(shard->id().value),
                                            {.write = true, .create_exclusive = true});
  CHECK(file.has_value());
  TaskScope scope;
  scope.spawn(write_durably(shard, &*file, 100));
  for (int lane = 0; lane < 4; ++lane) scope.spawn(ping_pong(shard, 1 - shard->id().value, 500));
  co_await scope.join();
  co_await file->close();
  co_await directory->close();
}

TEST(ShardThreads, calls_are_answered_by_a_shard_that_waits_awake_for_its_writes) {
  const std::string folder = testing::TempDir() + "penstock_busy_" + std::to_string(::getpid());
  ASSERT_TRUE(std::filesystem::create_directory(folder));
  run_shards(2, [&](Shard& shard) { return main_write_and_call(&shard, folder); }, std::chrono::hours(1));
  std::filesystem::remove_all(folder);
}

Task<void> nothing() { co_return; }

TEST(ShardThreads, mains_that_end_at_once_end_the_run) {
  for (int round = 0; round < 50; ++round) {
    run_shards(3, [](Shard&) { return nothing(); });
  }
}

Task<void> main_one_sleeps(Shard* shard) {
  if (shard->id().value == 1) co_await shard->sleep_for(milliseconds(2));
}

TEST(ShardThreads, the_last_main_to_end_ends_the_run_of_the_sleepers) {
  for (int round = 0; round < 30; ++round) {
    run_shards(3, [](Shard& shard) { return main_one_sleeps(&shard); });
  }
}

std::atomic<int> left_behind_ended{0};

Task<void> left_behind(Shard* shard) {
  co_await shard->sleep_for(milliseconds(3));
  EXPECT_EQ(co_await call_on(ShardId(0), WhereAmI{}), 0u);  // its main has long ended
  ++left_behind_ended;
}
Task<void> leave_something_behind() {
  current_shard().spawn(left_behind(&current_shard()));
  co_return;
}
struct LeaveSomethingBehind {
  Task<void> operator()() { return leave_something_behind(); }
};
Task<void> main_leaves_something(Shard* shard) {
  if (shard->id().value == 0) co_await call_on(ShardId(1), LeaveSomethingBehind{});
}

TEST(ShardThreads, a_task_left_on_another_shard_runs_to_its_end) {
  left_behind_ended = 0;
  for (int round = 0; round < 20; ++round) {
    run_shards(3, [](Shard& shard) { return main_leaves_something(&shard); });
  }
  EXPECT_EQ(left_behind_ended, 20);
}

TEST(ShardThreads, a_kernel_that_cannot_be_made_is_reported_and_nothing_runs) {
  ShardSet shards(3);
  std::atomic<int> mains{0};
  const std::string error = shards.run_threads(
      {.with_kernel = [](Shard& shard, const std::function<void(Kernel&)>& run_with) -> std::string {
         if (shard.id().value == 1) return "no kernel for this one";
         return with_small_kernel(shard, run_with);
       },
       .main =
           [&mains](Shard&) {
             ++mains;
             return nothing();
           }});
  EXPECT_EQ(error, "no kernel for this one");
  EXPECT_EQ(mains, 0);
}

}  // namespace
}  // namespace penstock::core
