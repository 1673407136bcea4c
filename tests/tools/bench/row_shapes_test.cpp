#include "tools/bench/row_shapes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <string>
#include <vector>

#include "tools/bench/gzip_member.hpp"
#include "tools/bench/key_sum.hpp"
#include "tools/bench/row_ring.hpp"
#include "txn/decode/inflate.hpp"

namespace penstock::tools {
namespace {

constexpr Shape kShapes[] = {Shape::Log, Shape::LineItem, Shape::Wide, Shape::Metric};
constexpr RowFormat kFormats[] = {RowFormat::Csv, RowFormat::Json};

// Rows `first` .. of a ring, in pieces of at most `room` bytes, over the ring's end where need be.
std::string rows_of(const RowRing& ring, std::uint64_t rows, std::uint64_t first_key, std::uint64_t room) {
  std::string all;
  std::string piece(room, '\0');
  for (std::uint64_t done = 0; done < rows;) {
    const std::uint64_t fit = ring.rows_within(done, room, rows - done);
    EXPECT_GT(fit, 0u);
    if (fit == 0) break;
    const std::uint64_t size = ring.copy(piece.data(), done, fit, first_key + done);
    EXPECT_EQ(size, ring.bytes_of(done, fit));
    EXPECT_LE(size, room);
    all.append(piece, 0, size);
    done += fit;
  }
  return all;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::uint64_t key_of(std::string_view line, Shape shape, RowFormat format) {
  std::uint64_t key = 0;
  const char* const begin = line.data() + key_offset(shape, format);
  std::from_chars(begin, begin + kKeyDigits, key);
  return key;
}

TEST(row_shapes, the_same_seed_gives_the_same_bytes_and_another_seed_others) {
  for (const Shape shape : kShapes) {
    for (const RowFormat format : kFormats) {
      const RowRing ring(shape, format, 7, 300'000);
      const RowRing again(shape, format, 7, 900'000);
      const RowRing other(shape, format, 8, 300'000);
      const std::string rows = rows_of(ring, 200, kFirstKey, 64 << 10);
      EXPECT_EQ(rows, rows_of(again, 200, kFirstKey, 5000)) << shape_name(shape);
      EXPECT_NE(rows, rows_of(other, 200, kFirstKey, 64 << 10)) << shape_name(shape);
    }
  }
}

TEST(row_shapes, a_row_has_as_many_cells_as_its_table_has_columns) {
  for (const Shape shape : kShapes) {
    const RowRing ring(shape, RowFormat::Csv, 1, 200'000);
    const std::string text = rows_of(ring, ring.rows(), kFirstKey, 64 << 10);
    for (const std::string_view line : lines_of(text)) {
      ASSERT_EQ(std::ranges::count(line, '\t') + 1, std::ssize(shape_columns(shape))) << line;
    }
    const std::string schema = create_table(shape, "db.t", 3);
    EXPECT_EQ(std::ranges::count(schema, '\n') - 2, std::ssize(shape_columns(shape))) << schema;
  }
}

TEST(row_shapes, an_object_names_every_column_once) {
  for (const Shape shape : kShapes) {
    const RowRing ring(shape, RowFormat::Json, 1, 200'000);
    const std::string text = rows_of(ring, 20, kFirstKey, 64 << 10);
    for (const std::string_view line : lines_of(text)) {
      EXPECT_TRUE(line.starts_with('{') && line.ends_with('}')) << line;
      for (const ShapeColumn& column : shape_columns(shape)) {
        const std::string name = '"' + std::string(column.name) + "\":";
        const std::size_t at = line.find(name);
        ASSERT_NE(at, std::string_view::npos) << name;
        EXPECT_EQ(line.find(name, at + 1), std::string_view::npos) << name;
      }
    }
  }
}

TEST(row_shapes, rows_are_as_long_as_the_shape_says) {
  EXPECT_NEAR(RowRing(Shape::Log, RowFormat::Csv, 1, 1 << 20).row_bytes(), 155, 4);
  EXPECT_NEAR(RowRing(Shape::LineItem, RowFormat::Csv, 1, 1 << 20).row_bytes(), 134, 4);
  EXPECT_NEAR(RowRing(Shape::Wide, RowFormat::Csv, 1, 1 << 20).row_bytes(), 439, 10);
  EXPECT_NEAR(RowRing(Shape::Metric, RowFormat::Csv, 1, 1 << 20).row_bytes(), 37.8, 1);
}

TEST(row_shapes, keys_count_up_also_where_the_ring_begins_again) {
  for (const Shape shape : kShapes) {
    for (const RowFormat format : kFormats) {
      const RowRing ring(shape, format, 1, 50'000);
      const std::uint64_t rows = 3 * ring.rows() + 5;
      const std::uint64_t first = 1'999'999'990;  // all digits change
      KeySum keys;
      std::uint64_t expected = first;
      const std::string text = rows_of(ring, rows, first, 6000);
      std::set<std::string_view> contents;
      for (const std::string_view line : lines_of(text)) {
        ASSERT_EQ(key_of(line, shape, format), expected++);
        keys.add(expected - 1);
        contents.insert(line.substr(key_offset(shape, format) + kKeyDigits));
      }
      KeySum wanted;
      wanted.add_range(first, rows);
      EXPECT_EQ(keys, wanted);
      EXPECT_EQ(keys.count, rows);
      EXPECT_GT(contents.size(), ring.rows() * 9 / 10) << "rows of one ring are distinct";
      EXPECT_LE(contents.size(), ring.rows());
    }
  }
}

TEST(row_shapes, times_are_civil_dates) {
  Random chance(1);
  std::string row;
  append_row(row, Shape::Log, RowFormat::Csv, kFirstKey, 0, chance);
  EXPECT_EQ(row.substr(11, 23), "2026-11-01 00:00:00.000");
  row.clear();
  append_row(row, Shape::Log, RowFormat::Csv, kFirstKey, 86'400'000 / 7 * 61 + 100,
             chance);  // 61 days, nearly
  EXPECT_EQ(row.substr(11, 10), "2027-01-01");
}

TEST(row_shapes, gzip_members_behind_one_another_are_one_body) {
  const RowRing ring(Shape::Log, RowFormat::Csv, 1, 200'000);
  const std::string rows = rows_of(ring, ring.rows(), kFirstKey, 200'000 + 4096);
  std::string packed;
  append_gzip_member(packed, std::string_view(rows).substr(0, 70'000));
  append_gzip_member(packed, std::string_view(rows).substr(70'000));
  EXPECT_LT(packed.size(), rows.size() / 2);
  txn::Inflater inflater(txn::Compression::Gzip);
  inflater.give(std::as_bytes(std::span(packed)));
  std::string out;
  for (;;) {
    const auto piece = inflater.next();
    ASSERT_TRUE(piece) << piece.error();
    if (piece->empty()) break;
    out.append(reinterpret_cast<const char*>(piece->data()), piece->size());
  }
  EXPECT_TRUE(inflater.finish());
  EXPECT_EQ(out, rows);
}

TEST(key_sum, ranges_are_what_single_keys_are) {
  for (const std::uint64_t first : {0ULL, 1ULL, 2ULL, 3ULL, 1'000'000'001ULL}) {
    KeySum single;
    for (std::uint64_t keys = 0; keys < 40; ++keys) {
      KeySum range;
      range.add_range(first, keys);
      EXPECT_EQ(single, range) << first << " " << keys;
      single.add(first + keys);
    }
  }
  KeySum all;
  all.add_range(10, 90);
  KeySum before;
  before.add_range(10, 30);
  KeySum rest;
  rest.add_range(40, 60);
  EXPECT_EQ(all.since(before), rest);
  EXPECT_EQ(to_text(static_cast<Sum128>(UINT64_MAX) * 10), "184467440737095516150");
}

}  // namespace
}  // namespace penstock::tools
