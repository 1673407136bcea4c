// The Kernel contract, files and directories. Included by kernel_contract.hpp only.
//
// Journey:  kernel_contract.hpp -> [cases].   Shard: one.   Promise: see op.hpp.   Failure: a failed
// expectation.
#pragma once

#include <cerrno>
#include <cstring>

#include "tests/core/kernel/kernel_contract.hpp"

namespace penstock::core {

TEST_P(KernelContract, every_op_completes_exactly_once_and_only_from_poll) {
  const int dir = open_dir();
  ASSERT_GE(dir, 0);
  const int file = create(dir, "many");
  std::vector<std::byte> page(4096);
  std::vector<std::unique_ptr<CountedOp>> ops;
  for (std::uint64_t i = 0; i < 300; ++i) {
    ops.push_back(std::make_unique<CountedOp>(Op{.kind = OpKind::Write,
                                                 .handle = file,
                                                 .offset = i * 4096,
                                                 .length = page.size(),
                                                 .data = page.data()}));
    ops.push_back(std::make_unique<CountedOp>(Op{.kind = OpKind::Size, .handle = file}));
    ops.push_back(std::make_unique<CountedOp>(Op{.kind = OpKind::Timer, .deadline = now()}));
    ops.push_back(std::make_unique<CountedOp>(Op{.kind = OpKind::Unlink, .handle = dir, .path = "nothing"}));
  }
  for (auto& op : ops) kernel().submit(*op);
  for (auto& op : ops) ASSERT_EQ(op->completions, 0);
  const auto all_done = [&] {
    for (auto& op : ops) {
      if (!op->is_done()) return false;
    }
    return true;
  };
  EXPECT_TRUE(pump_until(all_done));
  for (int i = 0; i < 5; ++i) world().pump();
  for (auto& op : ops) EXPECT_EQ(op->completions, 1);
  EXPECT_EQ(size(file), 300 * 4096);
  EXPECT_EQ(close(file), 0);
  EXPECT_EQ(close(dir), 0);
}

TEST_P(KernelContract, an_op_submitted_inside_a_completion_completes_too) {
  struct Chain : Op {
    Kernel* kernel = nullptr;
    int left = 0;
  } chain;
  chain.kind = OpKind::Timer;
  chain.kernel = &kernel();
  chain.left = 20;
  chain.complete = [](Op& op) {
    auto& self = static_cast<Chain&>(op);
    if (--self.left > 0) self.kernel->submit(self);
  };
  kernel().submit(chain);
  EXPECT_TRUE(pump_until([&] { return chain.left == 0; }));
}

TEST_P(KernelContract, what_was_written_reads_back) {
  const int dir = open_dir();
  const int file = create(dir, "f");
  ASSERT_GE(file, 0);
  EXPECT_EQ(write(file, 0, "hello world"), 11);
  EXPECT_EQ(write(file, 6, "there"), 5);
  EXPECT_EQ(read(file, 0, 11), "hello there");
  EXPECT_EQ(read(file, 4, 3), "o t");
  EXPECT_EQ(size(file), 11);
  EXPECT_EQ(run(Op{.kind = OpKind::Sync, .handle = file}), 0);
  EXPECT_EQ(close(file), 0);
  const int again = static_cast<int>(open(dir, "f", {}));
  EXPECT_EQ(read(again, 0, 100), "hello there");
  close(again);
  close(dir);
}

TEST_P(KernelContract, a_write_behind_the_end_leaves_zeros) {
  const int dir = open_dir();
  const int file = create(dir, "sparse");
  EXPECT_EQ(write(file, 3, "x"), 1);
  EXPECT_EQ(read(file, 0, 10), std::string("\0\0\0x", 4));
  close(file);
  close(dir);
}

TEST_P(KernelContract, truncate_cuts_and_grows_with_zeros) {
  const int dir = open_dir();
  const int file = create(dir, "f");
  write(file, 0, "abcdef");
  EXPECT_EQ(run(Op{.kind = OpKind::Truncate, .handle = file, .length = 2}), 0);
  EXPECT_EQ(size(file), 2);
  EXPECT_EQ(run(Op{.kind = OpKind::Truncate, .handle = file, .length = 4}), 0);
  EXPECT_EQ(read(file, 0, 10), std::string("ab\0\0", 4));
  close(file);
  close(dir);
}

TEST_P(KernelContract, allocate_grows_the_size_and_keeps_the_bytes) {
  const int dir = open_dir();
  const int file = create(dir, "f");
  write(file, 0, "abc");
  EXPECT_EQ(run(Op{.kind = OpKind::Allocate, .handle = file, .offset = 0, .length = 8192}), 0);
  EXPECT_EQ(size(file), 8192);
  EXPECT_EQ(read(file, 0, 4), std::string("abc\0", 4));
  EXPECT_EQ(run(Op{.kind = OpKind::Allocate, .handle = file, .offset = 0, .length = 100}), 0);
  EXPECT_EQ(size(file), 8192);  // never smaller
  close(file);
  close(dir);
}

TEST_P(KernelContract, create_exclusive_refuses_an_existing_name) {
  const int dir = open_dir();
  const int file = create(dir, "once");
  ASSERT_GE(file, 0);
  EXPECT_EQ(open(dir, "once", {.write = true, .create_exclusive = true}), -EEXIST);
  close(file);
  close(dir);
}

TEST_P(KernelContract, a_missing_name_is_enoent) {
  const int dir = open_dir();
  EXPECT_EQ(open(dir, "missing", {}), -ENOENT);
  EXPECT_EQ(open(dir, "missing", {.write = true}), -ENOENT);
  EXPECT_EQ(run(Op{.kind = OpKind::Unlink, .handle = dir, .path = "missing"}), -ENOENT);
  EXPECT_EQ(run(Op{.kind = OpKind::Rename, .handle = dir, .path = "missing", .path_to = "other"}), -ENOENT);
  const std::string path = world().temp_dir_path() + "/missing";
  EXPECT_EQ(run(Op{.kind = OpKind::OpenDir, .path = path.c_str()}), -ENOENT);
  close(dir);
}

TEST_P(KernelContract, reading_past_the_end_is_short) {
  const int dir = open_dir();
  const int file = create(dir, "f");
  write(file, 0, "abc");
  EXPECT_EQ(read(file, 1, 100), "bc");
  EXPECT_EQ(read(file, 3, 100), "");
  EXPECT_EQ(read(file, 1000, 100), "");
  close(file);
  close(dir);
}

TEST_P(KernelContract, list_is_sorted_and_without_dots) {
  const int dir = open_dir();
  EXPECT_TRUE(list(dir).empty());
  for (const char* name : {"b", "a10", "c", "a9"}) close(create(dir, name));
  EXPECT_EQ(list(dir), (std::vector<std::string>{"a10", "a9", "b", "c"}));
  EXPECT_EQ(list(dir), (std::vector<std::string>{"a10", "a9", "b", "c"}));  // again, from the start
  close(dir);
}

TEST_P(KernelContract, an_unlinked_name_is_gone_and_an_open_file_stays_readable) {
  const int dir = open_dir();
  const int file = create(dir, "f");
  write(file, 0, "abc");
  EXPECT_EQ(run(Op{.kind = OpKind::Unlink, .handle = dir, .path = "f"}), 0);
  EXPECT_TRUE(list(dir).empty());
  EXPECT_EQ(read(file, 0, 3), "abc");
  EXPECT_GE(close(create(dir, "f")), 0);  // the name is free again
  EXPECT_EQ(read(file, 0, 3), "abc");
  close(file);
  close(dir);
}

TEST_P(KernelContract, rename_replaces) {
  const int dir = open_dir();
  const int old_file = create(dir, "old");
  const int new_file = create(dir, "new");
  write(old_file, 0, "old");
  write(new_file, 0, "new!");
  EXPECT_EQ(run(Op{.kind = OpKind::Rename, .handle = dir, .path = "old", .path_to = "new"}), 0);
  EXPECT_EQ(run(Op{.kind = OpKind::SyncDir, .handle = dir}), 0);
  EXPECT_EQ(list(dir), std::vector<std::string>{"new"});
  EXPECT_EQ(read(new_file, 0, 10), "new!");  // the replaced file lives on in its handle
  close(old_file);
  close(new_file);
  const int again = static_cast<int>(open(dir, "new", {}));
  EXPECT_EQ(read(again, 0, 10), "old");
  close(again);
  close(dir);
}

TEST_P(KernelContract, making_a_directory_twice_is_fine) {
  const int dir = open_dir();
  EXPECT_EQ(run(Op{.kind = OpKind::MakeDir, .handle = dir, .path = "sub"}), 0);
  EXPECT_EQ(run(Op{.kind = OpKind::MakeDir, .handle = dir, .path = "sub"}), 0);
  EXPECT_EQ(list(dir), std::vector<std::string>{"sub"});
  const std::string path = world().temp_dir_path() + "/sub";
  EXPECT_EQ(run(Op{.kind = OpKind::MakeDir, .path = path.c_str()}), 0);
  const int sub = static_cast<int>(run(Op{.kind = OpKind::OpenDir, .path = path.c_str()}));
  EXPECT_GE(close(create(sub, "inside")), 0);
  EXPECT_EQ(list(sub), std::vector<std::string>{"inside"});
  close(sub);
  close(dir);
}

TEST_P(KernelContract, a_lock_is_refused_while_another_handle_holds_it) {
  const int dir = open_dir();
  const int first = create(dir, "lock");
  const int second = static_cast<int>(open(dir, "lock", {.write = true}));
  EXPECT_EQ(run(Op{.kind = OpKind::Lock, .handle = first}), 0);
  EXPECT_EQ(run(Op{.kind = OpKind::Lock, .handle = second}), -EWOULDBLOCK);
  close(first);
  EXPECT_EQ(run(Op{.kind = OpKind::Lock, .handle = second}), 0);
  close(second);
  close(dir);
}

TEST_P(KernelContract, direct_writes_of_whole_pages_from_the_arena_read_back) {
  const int dir = open_dir();
  const int file =
      static_cast<int>(open(dir, "direct", {.write = true, .create_exclusive = true, .direct = true}));
  ASSERT_GE(file, 0);
  const std::span<std::byte> arena = world().write_arena();
  ASSERT_GE(arena.size(), 4 * kPage);
  for (std::size_t i = 0; i < 2 * kPage; ++i) arena[i] = std::byte(i * 31 + i / kPage);
  EXPECT_EQ(
      run(Op{
          .kind = OpKind::Write, .handle = file, .offset = kPage, .length = 2 * kPage, .data = arena.data()}),
      static_cast<std::int64_t>(2 * kPage));
  EXPECT_EQ(run(Op{.kind = OpKind::Sync, .handle = file}), 0);
  EXPECT_EQ(size(file), static_cast<std::int64_t>(3 * kPage));
  const auto into = arena.subspan(2 * kPage, 2 * kPage);
  EXPECT_EQ(
      run(Op{
          .kind = OpKind::Read, .handle = file, .offset = kPage, .length = into.size(), .data = into.data()}),
      static_cast<std::int64_t>(into.size()));
  EXPECT_EQ(std::memcmp(arena.data(), into.data(), into.size()), 0);
  close(file);
  close(dir);
}

TEST_P(KernelContract, a_durable_write_reads_back_over_reserved_space_and_over_bytes_that_were_there) {
  const int dir = open_dir();
  const std::span<std::byte> arena = world().write_arena().first(4 * kPage);
  for (const bool direct : {true, false}) {
    const int file = reserved_file(dir, direct);
    ASSERT_GE(file, 0);
    for (unsigned turn = 1; turn <= 3; ++turn) {
      std::fill(arena.begin(), arena.begin() + 2 * kPage, std::byte(turn));
      EXPECT_EQ(write_durably(file, turn / 3 * kPage, arena.first(2 * kPage)),
                static_cast<std::int64_t>(2 * kPage));
    }
    EXPECT_EQ(size(file), static_cast<std::int64_t>(8 * kPage));
    const auto into = arena.subspan(2 * kPage, 2 * kPage);
    for (const unsigned page : {0u, 1u}) {
      ASSERT_EQ(run(Op{.kind = OpKind::Read,
                       .handle = file,
                       .offset = page * kPage,
                       .length = into.size(),
                       .data = into.data()}),
                static_cast<std::int64_t>(into.size()));
      EXPECT_EQ(into.front(), std::byte(page == 0 ? 2 : 3)) << direct;
      EXPECT_EQ(into.back(), std::byte(3)) << direct;
    }
    std::byte more[3] = {std::byte('x'), std::byte('y'), std::byte('z')};
    if (!direct) {
      EXPECT_EQ(write_durably(file, 8 * kPage, more), 3);
      EXPECT_EQ(size(file), static_cast<std::int64_t>(8 * kPage + 3));
    }
    close(file);
  }
  close(dir);
}

TEST_P(KernelContract, a_write_that_may_block_writes_what_any_other_does) {
  const int dir = open_dir();
  const std::span<std::byte> arena = world().write_arena().first(4 * kPage);
  for (const bool direct : {true, false}) {
    const int file = reserved_file(dir, direct);
    ASSERT_GE(file, 0);
    for (const bool durable : {false, true}) {
      std::fill(arena.begin(), arena.begin() + 2 * kPage, durable ? std::byte('d') : std::byte('w'));
      EXPECT_EQ(run(Op{.kind = OpKind::Write,
                       .durable = durable,
                       .may_block = true,
                       .handle = file,
                       .offset = durable ? 2 * kPage : 0,
                       .length = 2 * kPage,
                       .data = arena.data()}),
                static_cast<std::int64_t>(2 * kPage));
    }
    ASSERT_EQ(run(Op{.kind = OpKind::Read, .handle = file, .length = 4 * kPage, .data = arena.data()}),
              static_cast<std::int64_t>(4 * kPage));
    EXPECT_EQ(arena[0], std::byte('w'));
    EXPECT_EQ(arena[2 * kPage - 1], std::byte('w'));
    EXPECT_EQ(arena[2 * kPage], std::byte('d'));
    EXPECT_EQ(arena[4 * kPage - 1], std::byte('d'));
    close(file);
    std::byte one{};
    EXPECT_EQ(run(Op{.kind = OpKind::Write, .may_block = true, .handle = file, .length = 1, .data = &one}),
              -EBADF);
  }
  close(dir);
}

TEST_P(KernelContract, dropping_a_files_cache_loses_no_byte) {
  const int dir = open_dir();
  const int file = create(dir, "f");
  write(file, 0, "not synced yet");
  EXPECT_EQ(run(Op{.kind = OpKind::DropCache, .handle = file}), 0);
  EXPECT_EQ(read(file, 0, 20), "not synced yet");
  EXPECT_EQ(run(Op{.kind = OpKind::Sync, .handle = file}), 0);
  EXPECT_EQ(run(Op{.kind = OpKind::DropCache, .handle = file}), 0);
  EXPECT_EQ(read(file, 0, 20), "not synced yet");
  close(file);
  EXPECT_EQ(run(Op{.kind = OpKind::DropCache, .handle = file}), -EBADF);
  close(dir);
}

TEST_P(KernelContract, a_size_that_no_file_can_have_is_refused_and_changes_nothing) {
  const int dir = open_dir();
  const int file = create(dir, "f");
  write(file, 0, "abc");
  EXPECT_EQ(run(Op{.kind = OpKind::Truncate, .handle = file, .length = UINT64_MAX}), -EFBIG);
  EXPECT_EQ(size(file), 3);
  close(file);
  EXPECT_EQ(run(Op{.kind = OpKind::Truncate, .handle = file, .length = 1}), -EBADF);
  close(dir);
}

TEST_P(KernelContract, a_bad_handle_is_ebadf) {
  const int dir = open_dir();
  const int file = create(dir, "f");
  close(file);
  std::byte one{};
  EXPECT_EQ(run(Op{.kind = OpKind::Read, .handle = file, .length = 1, .data = &one}), -EBADF);
  EXPECT_EQ(run(Op{.kind = OpKind::Size, .handle = file}), -EBADF);
  close(dir);
}

}  // namespace penstock::core
