#include "core/shard/mailbox.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace penstock::core {
namespace {

Message number(std::size_t n) { return Message{nullptr, reinterpret_cast<void*>(n)}; }
std::size_t number_of(const Message& message) { return reinterpret_cast<std::size_t>(message.context); }

TEST(Mailbox, delivers_in_order) {
  Mailbox box;
  EXPECT_TRUE(box.is_empty());
  for (std::size_t i = 0; i < 10; ++i) box.push(number(i));
  EXPECT_FALSE(box.is_empty());
  Message message;
  for (std::size_t i = 0; i < 10; ++i) {
    ASSERT_TRUE(box.pop(message));
    EXPECT_EQ(number_of(message), i);
  }
  EXPECT_FALSE(box.pop(message));
}

TEST(Mailbox, what_does_not_fit_keeps_its_place) {
  Mailbox box;
  const std::size_t count = 3 * Mailbox::kCapacity + 7;
  for (std::size_t i = 0; i < count; ++i) box.push(number(i));
  EXPECT_TRUE(box.has_overflow());
  EXPECT_FALSE(box.flush());  // still full
  Message message;
  std::size_t next = 0;
  ASSERT_TRUE(box.pop(message));
  EXPECT_EQ(number_of(message), next++);
  box.push(number(count));  // there is room, but others wait before it
  while (next <= count) {
    while (box.pop(message)) ASSERT_EQ(number_of(message), next++);
    EXPECT_EQ(box.flush(), next <= count);
  }
  EXPECT_FALSE(box.has_overflow());
  EXPECT_TRUE(box.is_empty());
}

TEST(Mailbox, two_threads_lose_and_reorder_nothing) {
  Mailbox box;
  constexpr std::size_t kCount = 200'000;
  std::thread source([&] {
    for (std::size_t i = 0; i < kCount; ++i) {
      box.push(number(i));
      if (i % 64 == 0) box.flush();
    }
    while (box.has_overflow()) box.flush();
  });
  Message message;
  for (std::size_t next = 0; next < kCount;) {
    if (box.pop(message)) {
      ASSERT_EQ(number_of(message), next++);
    } else {
      std::this_thread::yield();
    }
  }
  source.join();
  EXPECT_TRUE(box.is_empty());
}

}  // namespace
}  // namespace penstock::core
