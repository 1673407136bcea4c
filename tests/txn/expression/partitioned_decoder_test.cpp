#include "txn/expression/partitioned_decoder.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "txn/column/value_format.hpp"
#include "txn/decode/csv_decoder.hpp"
#include "txn/expression/row_copy.hpp"

namespace penstock::txn {
namespace {

// k INT, s VARCHAR; partitions [10, 20), [20, 30) and [50, 60) of k.
Table ranged_table() {
  auto schema = std::make_shared<TableSchema>();
  schema->id = SchemaId(1);
  schema->columns.push_back({.id = ColumnId(1), .name = "k", .type = Type::of(TypeKind::Int)});
  schema->columns.push_back({.id = ColumnId(2), .name = "s", .type = Type::varchar(20)});
  Table table;
  table.name = "t";
  table.partitioning = {
      .kind = PartitionKind::Range, .clause = "PARTITION BY RANGE(k)", .columns = {ColumnId(1)}};
  for (const int begin : {10, 20, 50}) {
    table.partitioning.partitions.push_back({.name = "p" + std::to_string(begin),
                                             .lower = {PartitionValue::of(begin)},
                                             .upper = {PartitionValue::of(begin + 10)}});
  }
  table.schema = std::move(schema);
  return table;
}

// Blocks, counts and reasons of a load whose body comes in pieces of `piece` bytes.
std::string run(const Table& table, const std::string& body, std::size_t piece, std::size_t rows_max) {
  DecodeScratch scratch;
  CsvOptions options;
  options.block = {.rows_max = rows_max, .input_bytes_max = 64, .memory_bytes_max = core::kMiB};
  auto filter = PartitionFilter::make(table, {});
  if (!filter) return filter.error();
  const auto mapping = map_columns(*table.schema, {});
  PartitionedDecoder decoder(std::make_unique<CsvDecoder>(options, table.schema, *mapping, scratch),
                             std::move(*filter), options.rejects);
  BlockBuilder builder(table.schema);
  std::string out;
  const auto print_block = [&] {
    if (builder.rows() != 0) out += "block\n";
    for (std::size_t row = 0; row < builder.rows(); ++row) {
      append_cell(out, builder.view(0), row);
      out += '|';
      append_cell(out, builder.view(1), row);
      out += '\n';
    }
    builder.clear();
  };
  for (std::size_t at = 0; at < body.size();) {
    const std::vector<char> bytes(
        body.begin() + static_cast<std::ptrdiff_t>(at),
        body.begin() + static_cast<std::ptrdiff_t>(std::min(body.size(), at + piece)));
    const FeedResult fed =
        decoder.feed(core::as_bytes(std::string_view(bytes.data(), bytes.size())), builder);
    at += fed.consumed;
    if (fed.state == FeedResult::State::BlockFull) print_block();
  }
  while (decoder.finish(builder) == FeedResult::State::BlockFull) print_block();
  print_block();
  return out + "total " + std::to_string(decoder.total_rows()) + " loaded " +
         std::to_string(decoder.loaded_rows()) + " filtered " + std::to_string(decoder.filtered_rows()) +
         "\n" + decoder.rejects().log();
}

TEST(PartitionedDecoder, filters_rows_without_a_place_and_counts_them_beside_the_others) {
  EXPECT_EQ(
      run(ranged_table(), "9\ta\n10\tb\n29\tc\n30\td\n1\t2\t3\n55\t\\N\n\\N\te\n", 1000, 100),
      "block\n10|b\n29|c\n55|\\N\n"
      "total 7 loaded 3 filtered 4\n"
      "Reason: actual column number in csv file is  more than  schema column number.actual number: 3, schema "
      "column number: 2; line delimiter: [\n], column separator: [\t], result values:[1, 2, 3, ]. src line "
      "[1\t2\t3]; \n"
      "Reason: no partition for this tuple. tuple={k: 9, s: a}. src line []; \n"
      "Reason: no partition for this tuple. tuple={k: 30, s: d}. src line []; \n"
      "Reason: no partition for this tuple. tuple={k: \\N, s: e}. src line []; \n");
}

TEST(PartitionedDecoder, the_outcome_does_not_depend_on_where_the_body_was_cut) {
  std::string body;
  for (int i = 0; i < 200; ++i) body += std::to_string(i * 37 % 70) + "\trow " + std::to_string(i) + "\n";
  for (const std::size_t rows_max : {1UL, 3UL, 8UL, 1000UL}) {
    const std::string whole = run(ranged_table(), body, body.size(), rows_max);
    EXPECT_NE(whole.find("loaded 83 filtered 117"), std::string::npos) << whole;
    for (const std::size_t piece : {1UL, 2UL, 7UL, 64UL, 65UL, 300UL})
      ASSERT_EQ(run(ranged_table(), body, piece, rows_max), whole) << piece;
  }
}

TEST(PartitionFilter, none_is_made_where_every_row_has_a_place) {
  Table table = ranged_table();
  EXPECT_NE(*PartitionFilter::make(table, {}), nullptr);
  table.partitioning.is_automatic = true;
  EXPECT_EQ(*PartitionFilter::make(table, {}), nullptr);
  EXPECT_NE(*PartitionFilter::make(table, std::vector<std::string>{"P10"}), nullptr);
  table.partitioning = {};
  EXPECT_EQ(*PartitionFilter::make(table, {}), nullptr);
  EXPECT_EQ(PartitionFilter::make(table, std::vector<std::string>{"q"}).error(),
            "unknown partition q in table t");
}

TEST(PartitionFilter, finds_every_key_among_many_ranges) {
  Table table = ranged_table();
  table.partitioning.partitions.clear();
  for (int i = 0; i < 300; ++i) {  // every third number is left out
    table.partitioning.partitions.push_back({.name = "p" + std::to_string(i),
                                             .lower = {PartitionValue::of(3 * i)},
                                             .upper = {PartitionValue::of(3 * i + 2)}});
  }
  auto filter = PartitionFilter::make(table, {});
  ColumnBuilder column(Type::of(TypeKind::Int));
  for (int i = -5; i < 910; ++i) column.append_value<std::int32_t>((i * 7919 % 910 + 910) % 910 - 5);
  const std::vector<ColumnView> views = {column.view()};
  for (std::size_t row = 0; row < column.rows(); ++row) {
    const auto key = views[0].value<std::int32_t>(row);
    ASSERT_EQ((*filter)->has_place(views, row), key >= 0 && key < 900 && key % 3 != 2) << key;
  }
}

TEST(PartitionFilter, ranges_that_are_open_take_the_ends_of_the_type_and_only_below_null) {
  Table table = ranged_table();
  auto schema = std::make_shared<TableSchema>(*table.schema);
  schema->columns[0].type = Type::of(TypeKind::LargeInt);
  table.schema = schema;
  const Int128 least = partition_numbers(schema->columns[0].type).least;
  const Int128 most = partition_numbers(schema->columns[0].type).most;
  ColumnBuilder column(schema->columns[0].type);
  for (const Int128 number : {least, Int128{-1}, Int128{0}, Int128{9}, Int128{10}, most})
    column.append_value(number);
  column.append_null();
  const std::vector<ColumnView> views = {column.view()};
  const auto places = [&](PartitionKey lower, PartitionKey upper) {
    table.partitioning.partitions = {{.name = "p", .lower = std::move(lower), .upper = std::move(upper)}};
    auto filter = PartitionFilter::make(table, {});
    std::string out;
    for (std::size_t row = 0; row < column.rows(); ++row) out += (*filter)->has_place(views, row) ? '1' : '0';
    return out;
  };
  const PartitionKey zero = {PartitionValue::of(0)};
  const PartitionKey ten = {PartitionValue::of(10)};
  const PartitionKey highest = {PartitionValue::word(PartitionValue::Kind::Max)};
  EXPECT_EQ(places(zero, ten), "0011000");
  EXPECT_EQ(places({}, ten), "1111001");
  EXPECT_EQ(places(zero, highest), "0011110");
  EXPECT_EQ(places({}, highest), "1111111");
  EXPECT_EQ(places({}, {PartitionValue::of(least)}), "0000001");
  EXPECT_EQ(places({PartitionValue::of(most)}, highest), "0000010");
}

TEST(RowCopy, nested_rows_are_copied_with_all_they_hold) {
  const Type type = Type::array(Type::structure({"a", "b"}, {Type::of(TypeKind::Int), Type::varchar(10)}));
  ColumnBuilder from(type);
  for (int row = 0; row < 40; ++row) {
    if (row % 7 == 3) {
      from.append_null();
      continue;
    }
    ColumnBuilder& element = from.children()[0];
    for (int i = 0; i < row % 4; ++i) {
      element.children()[0].append_value<std::int32_t>(row * 10 + i);
      if (i == 1) {
        element.children()[1].append_null();
      } else {
        element.children()[1].append_text("t" + std::to_string(row));
      }
      element.end_nested();
    }
    from.end_nested();
  }
  const auto cells = [](const ColumnBuilder& column, std::size_t row) {
    const ColumnView view = column.view();
    std::string out = view.is_null(row) ? "NULL" : "[";
    for (std::uint32_t at = view.offsets[row]; at < view.offsets[row + 1]; ++at) {
      const ColumnView& element = view.children[0];
      out += std::to_string(element.children[0].value<std::int32_t>(at)) + "/";
      out += element.children[1].is_null(at) ? "NULL" : std::string(element.children[1].text_at(at));
      out += " ";
    }
    return out;
  };
  for (const std::uint32_t step : {1U, 2U, 3U}) {
    std::vector<std::uint32_t> rows;
    for (std::uint32_t row = 0; row + 5 < 40; row += step) rows.push_back(row);
    ColumnBuilder to(type);
    append_rows(from.view(), 5, rows, to);
    append_rows(from.view(), 0, rows, to);
    ASSERT_EQ(to.rows(), 2 * rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      ASSERT_EQ(cells(to, i), cells(from, 5 + rows[i]));
      ASSERT_EQ(cells(to, rows.size() + i), cells(from, rows[i]));
    }
  }
}

}  // namespace
}  // namespace penstock::txn
