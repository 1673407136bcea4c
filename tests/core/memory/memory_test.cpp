#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "core/base/units.hpp"
#include "core/memory/buffer.hpp"
#include "core/memory/page_arena.hpp"

namespace penstock::core {
namespace {

struct CountingOwner final : BufferOwner {
  void give_back(std::uint32_t id) noexcept override { returned.push_back(id); }
  std::vector<std::uint32_t> returned;
};

TEST(Buffer, goes_back_to_its_owner_exactly_once) {
  CountingOwner owner;
  std::byte memory[16] = {};
  {
    Buffer first(&owner, 3, memory, 8);
    EXPECT_EQ(first.bytes().size(), 8u);
    Buffer moved(std::move(first));
    EXPECT_TRUE(first.is_empty());  // NOLINT: a moved-from Buffer is an empty one
    EXPECT_EQ(moved.bytes().data(), memory);
    EXPECT_TRUE(owner.returned.empty());
  }
  EXPECT_EQ(owner.returned, std::vector<std::uint32_t>{3});
}

TEST(Buffer, assigning_gives_back_what_was_held) {
  CountingOwner owner;
  std::byte memory[16] = {};
  Buffer held(&owner, 1, memory, 8);
  held = Buffer(&owner, 2, memory + 8, 8);
  EXPECT_EQ(owner.returned, std::vector<std::uint32_t>{1});
  held = Buffer();
  EXPECT_EQ(owner.returned, (std::vector<std::uint32_t>{1, 2}));
  held = Buffer();
  EXPECT_EQ(owner.returned.size(), 2u);
}

TEST(PageArena, hands_out_each_buffer_to_one_holder) {
  PageArena arena(4, 2 * kPage);
  EXPECT_EQ(arena.memory().size(), 8 * kPage);
  std::vector<std::span<std::byte>> held;
  std::set<std::byte*> places;
  for (int i = 0; i < 4; ++i) {
    held.push_back(arena.acquire());
    ASSERT_EQ(held.back().size(), 2 * kPage);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(held.back().data()) % kPage, 0u);
    EXPECT_TRUE(places.insert(held.back().data()).second);
  }
  EXPECT_TRUE(arena.acquire().empty());
  EXPECT_EQ(arena.free_count(), 0u);
  arena.release(held[2]);
  EXPECT_EQ(arena.acquire().data(), held[2].data());
  for (auto& each : held) arena.release(each);
  EXPECT_EQ(arena.free_count(), 4u);
}

TEST(PageArenaDeathTest, a_stranger_is_not_taken_back) {
  PageArena arena(1, kPage);
  std::vector<std::byte> stranger(kPage);
  EXPECT_DEATH(arena.release(stranger), "");
}

}  // namespace
}  // namespace penstock::core
