#include "txn/column/column_builder.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "txn/column/block_builder.hpp"
#include "txn/column/value_format.hpp"

namespace penstock::txn {
namespace {

std::string cell(const ColumnView& view, std::size_t row) {
  std::string out;
  append_cell(out, view, row);
  return out;
}

std::shared_ptr<const TableSchema> two_columns() {
  auto schema = std::make_shared<TableSchema>();
  schema->id = SchemaId(7);
  schema->columns = {ColumnDef{.id = ColumnId(1), .name = "a", .type = Type::of(TypeKind::Int)},
                     ColumnDef{.id = ColumnId(2), .name = "b", .type = Type::varchar(20)}};
  return schema;
}

TEST(ColumnBuilder, has_no_bitmap_until_the_first_null) {
  ColumnBuilder column(Type::of(TypeKind::Int));
  for (int i = 0; i < 20; ++i) column.append_value<std::int32_t>(i);
  EXPECT_EQ(column.view().validity, nullptr);
  column.append_null();
  column.append_value<std::int32_t>(99);
  const ColumnView view = column.view();
  ASSERT_NE(view.validity, nullptr);
  EXPECT_EQ(view.null_count, 1u);
  EXPECT_EQ(cell(view, 19), "19");
  EXPECT_EQ(cell(view, 20), "\\N");
  EXPECT_EQ(cell(view, 21), "99");
}

TEST(ColumnBuilder, truncate_takes_rows_back_whatever_was_done_before) {
  std::mt19937 random(1);
  for (const Type& type : {Type::of(TypeKind::SmallInt), Type::string()}) {
    ColumnBuilder column(type);
    std::vector<std::string> expected;
    for (int step = 0; step < 3000; ++step) {
      const auto choice = random() % 10;
      if (choice < 5) {
        const auto value = static_cast<std::int16_t>(random());
        if (is_string(type)) {
          column.append_text(std::to_string(value));
        } else {
          column.append_value(value);
        }
        expected.push_back(std::to_string(value));
      } else if (choice < 8) {
        column.append_null();
        expected.emplace_back("\\N");
      } else if (!expected.empty()) {
        expected.resize(expected.size() - random() % std::min<std::size_t>(expected.size(), 12));
        column.truncate(expected.size());
      }
      ASSERT_EQ(column.rows(), expected.size());
      if (step % 50 != 0) continue;
      const ColumnView view = column.view();
      std::size_t nulls = 0;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_EQ(cell(view, i), expected[i]);
        nulls += expected[i] == "\\N";
      }
      ASSERT_EQ(view.null_count, nulls);
    }
  }
}

TEST(ColumnBuilder, append_all_joins_columns_with_and_without_nulls) {
  for (const Type& type : {Type::of(TypeKind::BigInt), Type::varchar(100)}) {
    std::vector<ColumnBuilder> parts;
    for (int part = 0; part < 4; ++part) {
      ColumnBuilder& column = parts.emplace_back(type);
      for (int i = 0; i < 13; ++i) {
        if (part % 2 == 1 && i % 3 == 0) {
          column.append_null();
        } else if (is_string(type)) {
          column.append_text(std::to_string(part * 100 + i));
        } else {
          column.append_value<std::int64_t>(part * 100 + i);
        }
      }
    }
    ColumnBuilder all(type);
    for (const ColumnBuilder& part : parts) all.append_all(part.view());
    ASSERT_EQ(all.rows(), 52u);
    for (std::size_t i = 0; i < 52; ++i) EXPECT_EQ(cell(all.view(), i), cell(parts[i / 13].view(), i % 13));
  }
}

TEST(BlockBuilder, an_empty_builder_costs_less_than_a_kibibyte) {
  const auto schema = two_columns();
  BlockBuilder builder(schema);
  EXPECT_LT(sizeof builder + builder.reserved_bytes(), core::kKiB);
  EXPECT_EQ(builder.rows(), 0u);
  EXPECT_EQ(builder.view(1).rows, 0u);
  EXPECT_FALSE(builder.is_full(BlockLimits{.rows_max = 0, .input_bytes_max = 0, .memory_bytes_max = 0}));
}

TEST(BlockBuilder, clear_keeps_memory_and_release_gives_it_back) {
  BlockBuilder builder(two_columns());
  for (int i = 0; i < 100; ++i) {
    builder.column(0).append_value<std::int32_t>(i);
    builder.column(1).append_text("some text");
  }
  const std::size_t reserved = builder.reserved_bytes();
  EXPECT_GE(builder.bytes(), 100u * (4 + 4 + 9));
  builder.clear();
  EXPECT_EQ(builder.rows(), 0u);
  EXPECT_EQ(builder.bytes(), 0u);
  EXPECT_EQ(builder.reserved_bytes(), reserved);
  builder.release_memory();
  EXPECT_EQ(builder.reserved_bytes(), 0u);
}

TEST(BlockBuilder, is_full_by_rows_by_input_and_by_memory) {
  BlockBuilder builder(two_columns());
  builder.column(0).append_value<std::int32_t>(1);
  builder.column(1).append_text("x");
  builder.set_input(10, 500);
  EXPECT_FALSE(builder.is_full(BlockLimits{}));
  EXPECT_TRUE(builder.is_full(BlockLimits{.rows_max = 1}));
  EXPECT_TRUE(builder.is_full(BlockLimits{.input_bytes_max = 500}));
  EXPECT_TRUE(builder.is_full(BlockLimits{.memory_bytes_max = 10}));
}

TEST(BlockBuilder, small_loads_share_a_block) {
  const auto schema = two_columns();
  BlockBuilder shared(schema);
  for (int load = 0; load < 5; ++load) {
    BlockBuilder rows(schema);
    rows.column(0).append_value<std::int32_t>(load);
    rows.column(1).append_null();
    rows.set_input(static_cast<std::uint64_t>(3 + load), 100);
    shared.append_all(rows);
  }
  EXPECT_EQ(shared.rows(), 5u);
  EXPECT_EQ(shared.input_bytes(), 500u);
  EXPECT_EQ(shared.first_row_offset(), 3u);
  EXPECT_EQ(cell(shared.view(0), 4), "4");
  EXPECT_EQ(cell(shared.view(1), 4), "\\N");
}

}  // namespace
}  // namespace penstock::txn
