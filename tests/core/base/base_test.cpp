#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/check.hpp"
#include "core/base/checksum.hpp"
#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "core/base/units.hpp"

namespace penstock::core {
namespace {

TEST(Bytes, what_was_written_reads_back) {
  std::vector<std::byte> out;
  ByteWriter writer(out);
  writer.put(std::uint8_t{7});
  writer.put(std::uint64_t{0x0123456789abcdef});
  writer.put(std::int32_t{-5});
  writer.put_text("label");
  writer.pad_to(16);
  EXPECT_EQ(out.size() % 16, 0u);
  EXPECT_EQ(out[1], std::byte{0xef});  // little-endian
  ByteReader reader(out);
  EXPECT_EQ(reader.get<std::uint8_t>(), 7);
  EXPECT_EQ(reader.get<std::uint64_t>(), 0x0123456789abcdefu);
  EXPECT_EQ(reader.get<std::int32_t>(), -5);
  EXPECT_EQ(reader.get_text(), "label");
  EXPECT_TRUE(reader.ok());
}

TEST(Bytes, a_patch_replaces_in_place) {
  std::vector<std::byte> out;
  ByteWriter writer(out);
  writer.put(std::uint32_t{0});
  writer.put_text("x");
  writer.patch(0, std::uint32_t{42});
  ByteReader reader(out);
  EXPECT_EQ(reader.get<std::uint32_t>(), 42u);
  EXPECT_EQ(reader.get_text(), "x");
}

TEST(Bytes, a_reader_never_passes_its_end_and_stays_failed) {
  const std::vector<std::byte> three(3, std::byte{1});
  ByteReader reader(three);
  EXPECT_EQ(reader.get<std::uint32_t>(), 0u);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.get<std::uint8_t>(), 0);  // though one byte would be there
  EXPECT_TRUE(reader.get_bytes(1).empty());
}

TEST(Bytes, a_hostile_length_fails_before_anything_is_reserved) {
  std::vector<std::byte> out;
  ByteWriter writer(out);
  writer.put(std::uint32_t{0xffffffff});
  writer.put(std::uint32_t{0});
  ByteReader count(out);
  EXPECT_EQ(count.get_count(8), 0u);
  EXPECT_FALSE(count.ok());
  ByteReader text(out);
  EXPECT_EQ(text.get_text(), "");
  EXPECT_FALSE(text.ok());
  ByteReader bytes(out);
  EXPECT_TRUE(bytes.get_bytes(SIZE_MAX).empty());
  EXPECT_FALSE(bytes.ok());
}

TEST(Checksum, depends_on_every_part_of_its_place) {
  const Bytes bytes = as_bytes("the same bytes");
  DomainTag tag;
  tag.epoch = 1;
  const std::uint64_t sum = checksum(tag, bytes);
  EXPECT_EQ(checksum(tag, bytes), sum);
  DomainTag other = tag;
  other.store[3] = std::byte{1};
  EXPECT_NE(checksum(other, bytes), sum);
  other = tag;
  other.epoch = 2;
  EXPECT_NE(checksum(other, bytes), sum);
  other = tag;
  other.kind = 1;
  EXPECT_NE(checksum(other, bytes), sum);
  other = tag;
  other.file = 1;
  EXPECT_NE(checksum(other, bytes), sum);
  other = tag;
  other.offset = 4096;
  EXPECT_NE(checksum(other, bytes), sum);
  EXPECT_NE(checksum(tag, as_bytes("the same bytez")), sum);
}

Result<int> half_of(int value) {
  if (value % 2 != 0) return fail(Errc::InvalidArgument, "halving an odd number");
  return value / 2;
}
Result<int> quarter_of(int value) {
  TRY(const int half, half_of(value));
  TRY(const int quarter, half_of(half));
  return quarter;
}

TEST(Result, try_passes_the_error_up) {
  EXPECT_EQ(quarter_of(12).value(), 3);
  ASSERT_FALSE(quarter_of(6));
  EXPECT_EQ(quarter_of(6).error().code, Errc::InvalidArgument);
  EXPECT_EQ(quarter_of(6).error().to_string(), "halving an odd number (InvalidArgument)");
}

TEST(Result, an_os_error_keeps_its_number_and_says_what_was_done) {
  const Error error = error_from_os(ENOSPC, "writing a block");
  EXPECT_EQ(error.code, Errc::NoSpace);
  EXPECT_EQ(error.os_error, ENOSPC);
  EXPECT_EQ(error.to_string(), "writing a block: No space left on device (NoSpace)");
  EXPECT_EQ(error_from_os(ECONNRESET, "").code, Errc::Closed);
  EXPECT_EQ(error_from_os(ENOBUFS, "").code, Errc::NoBuffers);
  EXPECT_EQ(error_from_os(EIO, "").code, Errc::Io);
  static_assert(sizeof(Error) == 16 && std::is_trivially_copyable_v<Error>);
}

TEST(CheckDeathTest, names_the_condition_and_the_operands) {
  EXPECT_DEATH(CHECK_EQ(1 + 1, 3), "2 v 3");
  EXPECT_DEATH(CHECK(2 < 1), "2 < 1");
}

TEST(Log, outside_bytes_cannot_forge_a_line) {
  std::vector<std::string> lines;
  set_log_sink([&lines](LogLevel, std::string_view line) { lines.emplace_back(line); });
  log_info("load_visible", "label", "a\nlevel=error \"x\"", "rows", 3);
  set_log_sink({});
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].find('\n'), std::string::npos);
  EXPECT_NE(lines[0].find("load_visible"), std::string::npos);
  EXPECT_NE(lines[0].find("rows=3"), std::string::npos);
}

TEST(Units, an_instant_does_not_overflow) {
  EXPECT_EQ(Instant::never() + std::chrono::hours(1), Instant::never());
  EXPECT_EQ((Instant{INT64_MAX - 5} + Duration(10)), Instant::never());
  EXPECT_EQ((Instant{10} - Instant{3}), Duration(7));
  EXPECT_EQ(round_up(4097, kPage), 2 * kPage);
  EXPECT_EQ(round_up(0, kPage), 0u);
}

}  // namespace
}  // namespace penstock::core
