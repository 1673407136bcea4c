#include "txn/expression/deriving_decoder.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "txn/column/value_format.hpp"
#include "txn/decode/csv_decoder.hpp"

namespace penstock::txn {
namespace {

using Pieces = std::vector<std::size_t>;

struct LoadSetup {
  std::shared_ptr<const TableSchema> schema;
  std::string columns;
  std::string where;
  bool strict = false;
  BlockLimits block = {};
};

std::shared_ptr<const TableSchema> schema_of(std::vector<ColumnDef> columns) {
  auto schema = std::make_shared<TableSchema>();
  schema->id = SchemaId(1);
  std::uint32_t id = 0;
  for (ColumnDef& column : columns) column.id = ColumnId(++id);
  schema->columns = std::move(columns);
  return schema;
}
ColumnDef column(std::string name, Type type, bool nullable = true) {
  return ColumnDef{.id = ColumnId(1), .name = std::move(name), .type = type, .nullable = nullable};
}
const Type kInt = Type::of(TypeKind::Int);

// The rows, counts and reasons of a load. `blocks`: where blocks begin as well.
std::string run(const LoadSetup& setup, std::string_view body, const Pieces& cuts, bool blocks = false) {
  const ExpressionOptions expressions{.now_micros = 1'709'211'845'000'000, .zone = {}};
  auto shape =
      shape_load(setup.schema, {.columns = setup.columns, .where = setup.where, .expressions = expressions});
  if (!shape) return shape.error();
  const auto mapping = map_columns(*shape->schema, {.columns = shape->columns});
  if (!mapping) return mapping.error();
  DecodeScratch scratch;
  CsvOptions options;
  options.column_separator = ",";
  options.cells.strict = setup.strict;
  options.block = setup.block;
  std::unique_ptr<BodyDecoder> decoder =
      std::make_unique<CsvDecoder>(options, shape->schema, *mapping, scratch);
  if (shape->derivation != nullptr) {
    decoder = std::make_unique<DerivingDecoder>(
        std::move(decoder), std::move(shape->derivation),
        DerivingDecoder::Options{options.cells, options.block, options.rejects}, scratch);
  }
  BlockBuilder builder(setup.schema);
  std::string out;
  const auto print_block = [&] {
    if (blocks && builder.rows() != 0) out += "block at " + std::to_string(builder.first_row_offset()) + "\n";
    for (std::size_t row = 0; row < builder.rows(); ++row) {
      for (std::size_t i = 0; i < setup.schema->columns.size(); ++i) {
        if (i != 0) out += '|';
        append_cell(out, builder.view(i), row);
      }
      out += '\n';
    }
    builder.clear();
  };
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const std::size_t end = i == cuts.size() ? body.size() : cuts[i];
    // A copy of its own, so that the sanitizer sees every read behind a piece.
    const std::vector<char> piece(body.begin() + static_cast<std::ptrdiff_t>(begin),
                                  body.begin() + static_cast<std::ptrdiff_t>(end));
    std::string_view rest(piece.data(), piece.size());
    while (!rest.empty()) {
      const FeedResult result = decoder->feed(core::as_bytes(rest), builder);
      if (result.state == FeedResult::State::Failed) return out + decoder->error();
      rest.remove_prefix(result.consumed);
      if (result.state == FeedResult::State::BlockFull) print_block();
    }
    begin = end;
  }
  for (;;) {
    const FeedResult::State state = decoder->finish(builder);
    if (state == FeedResult::State::Failed) return out + decoder->error();
    print_block();
    if (state == FeedResult::State::NeedInput) break;
  }
  return out + "total " + std::to_string(decoder->total_rows()) + " loaded " +
         std::to_string(decoder->loaded_rows()) + " filtered " + std::to_string(decoder->filtered_rows()) +
         " unselected " + std::to_string(decoder->unselected_rows()) + "\n" + decoder->rejects().log();
}
std::string run(const LoadSetup& setup, std::string_view body) { return run(setup, body, {}); }

TEST(DerivingDecoder, parts_of_a_date_from_a_temporary_field) {
  const LoadSetup setup{schema_of({column("id", kInt), column("name", Type::varchar(10)),
                                   column("year", kInt), column("month", kInt), column("day", kInt)}),
                        "id, name, tmp_c3, year = year(tmp_c3), month = month(tmp_c3), day = day(tmp_c3)",
                        ""};
  EXPECT_EQ(run(setup, "10000,aa,2017-10-01\n10001,bb,2017-11-02\n10002,cc,x\n"),
            "10000|aa|2017|10|1\n10001|bb|2017|11|2\n10002|cc|\\N|\\N|\\N\n"
            "total 3 loaded 3 filtered 0 unselected 0\n");
}

TEST(DerivingDecoder, the_tables_own_columns_are_the_fields_where_none_is_named) {
  const LoadSetup setup{schema_of({column("id", kInt), column("code", kInt)}), "id = id * 10", ""};
  EXPECT_EQ(run(setup, "1,5\n2,6\n"), "10|5\n20|6\ntotal 2 loaded 2 filtered 0 unselected 0\n");
}

TEST(DerivingDecoder, earlier_results_can_be_used_with_the_type_of_their_column) {
  const LoadSetup setup{schema_of({column("a", kInt), column("b", kInt), column("c", Type::varchar(20))}),
                        "x, a = x / 2, `tmp` = a + 1, b = tmp * 10, c = concat(a, '/', tmp, '/', x)", ""};
  EXPECT_EQ(run(setup, "5\n8\n"), "2|30|2/3/5\n4|50|4/5/8\ntotal 2 loaded 2 filtered 0 unselected 0\n");
}

TEST(DerivingDecoder, a_field_may_feed_its_column_and_an_expression) {
  const LoadSetup setup{schema_of({column("k", kInt, false), column("v", kInt)}), "k, v = k + 1", ""};
  EXPECT_EQ(run(setup, "1\nx\n\\N\n"),
            "1|2\ntotal 3 loaded 1 filtered 2 unselected 0\n"
            "Reason: column(k) values is null while columns is not nullable. src line [x]; \n"
            "Reason: column(k) values is null while columns is not nullable. src line [\\N]; \n");
  LoadSetup strict{schema_of({column("k", kInt), column("v", kInt)}), "k, v = k + 1", ""};
  strict.strict = true;
  EXPECT_EQ(
      run(strict, "1\nx\n\\N\n"),
      "1|2\n\\N|\\N\ntotal 3 loaded 2 filtered 1 unselected 0\n"
      "Reason: column(k) value is incorrect while strict mode is true, src value is x. src line [x]; \n");
}

TEST(DerivingDecoder, strict_mode_is_not_about_what_is_computed) {
  LoadSetup setup{schema_of({column("k", kInt), column("v", Type::of(TypeKind::BigInt))}), "k, t, v = t", ""};
  setup.strict = true;
  EXPECT_EQ(run(setup, "1,x\n2,12\n"), "1|\\N\n2|12\ntotal 2 loaded 2 filtered 0 unselected 0\n");
}

TEST(DerivingDecoder, results_are_converted_to_every_kind_of_column) {
  const LoadSetup setup{
      schema_of({column("a", Type::of(TypeKind::TinyInt)), column("b", Type::of(TypeKind::BigInt)),
                 column("c", Type::of(TypeKind::Double)), column("d", Type::decimal(20, 3)),
                 column("e", Type::of(TypeKind::Date)), column("f", Type::date_time(0)),
                 column("g", Type::string()), column("h", Type::of(TypeKind::Boolean)),
                 column("i", Type::varchar(3))}),
      "x, a = x * 100, b = x * 100, c = x / 3, d = cast(x as int) / 3.0, e = date_add('2024-01-31', x), "
      "f = str_to_date(concat('2024-02-0', x), '%Y-%m-%d'), g = x + 0.5, h = x > 1, i = repeat('ab', x)",
      ""};
  EXPECT_EQ(run(setup, "1\n2\n"),
            "100|100|0.3333333333333333|0.333|2024-02-01|2024-02-01T00:00|1.5|false|ab\n"
            "\\N|200|0.6666666666666666|0.667|2024-02-02|2024-02-02T00:00|2.5|true|aba\n"
            "total 2 loaded 2 filtered 0 unselected 0\n");
}

TEST(DerivingDecoder, where_sees_the_columns_after_the_mapping) {
  const LoadSetup setup{schema_of({column("id", kInt), column("code", kInt, false)}), "id = id * 10",
                        "id > 20"};
  const std::string out = run(setup, "1,1\n2,2\n3,3\n4,x\n5,5\n\\N,6\nfew\n");
  EXPECT_TRUE(out.starts_with("30|3\n50|5\ntotal 7 loaded 2 filtered 2 unselected 3\n")) << out;
  const LoadSetup plain{schema_of({column("id", kInt), column("s", Type::string())}), "",
                        "s like 'a%' or id is null"};
  EXPECT_EQ(run(plain, "1,abc\n2,b\n\\N,c\n4,\\N\n"),
            "1|abc\n\\N|c\ntotal 4 loaded 2 filtered 0 unselected 2\n");
}

TEST(DerivingDecoder, constants_and_nothing_else) {
  const LoadSetup setup{schema_of({column("a", kInt), column("b", Type::date_time(0))}),
                        "x, a = 7, b = now()", ""};
  EXPECT_EQ(run(setup, "1\n2\n"),
            "7|2024-02-29T13:04:05\n7|2024-02-29T13:04:05\ntotal 2 loaded 2 filtered 0 unselected 0\n");
}

TEST(DerivingDecoder, mistakes_in_the_headers_are_named) {
  const auto schema = schema_of({column("a", kInt), column("b", kInt)});
  EXPECT_EQ(run({schema, "a, b = nope + 1", ""}, ""), "unknown reference column, column=b, reference=nope");
  EXPECT_EQ(run({schema, "x, a = b, b = x", ""}, ""), "unknown reference column, column=a, reference=b");
  EXPECT_EQ(run({schema, "a, b = sum(a)", ""}, ""), "Don't support aggregation function in load expression");
  EXPECT_EQ(run({schema, "a, b = 1, b = 2", ""}, ""), "columns: 'b' is set twice");
  EXPECT_EQ(run({schema, "a, b", "c > 1"}, ""), "unknown reference column in WHERE clause: c");
  EXPECT_EQ(run({schema, "a, b", "a + 1"}, ""), "where statement is not a valid statement return bool");
  EXPECT_TRUE(run({schema, "a, b", "a >"}, "").starts_with("where: unexpected end"));
  EXPECT_TRUE(run({schema, "a, b = f(", ""}, "").starts_with("columns: unexpected end"));
}

TEST(DerivingDecoder, a_value_beyond_all_bounds_filters_its_row) {
  const LoadSetup setup{schema_of({column("k", kInt), column("n", kInt)}), "k, n = length(repeat('x', k))",
                        ""};
  EXPECT_EQ(
      run(setup, "3\n1000000000\n4\n"),
      "3|3\n4|4\ntotal 3 loaded 2 filtered 1 unselected 0\n"
      "Reason: the values of its expressions are longer than 33554432 bytes. src line [1000000000]; \n");
}

TEST(DerivingDecoder, without_expressions_there_is_nothing_to_derive) {
  const auto shape = shape_load(schema_of({column("a", kInt)}), {.columns = "a,`b=c`", .where = "  "});
  ASSERT_TRUE(shape.has_value());
  EXPECT_EQ(shape->derivation, nullptr);
  EXPECT_EQ(shape->columns, "a,`b=c`");
}

LoadSetup busy_setup() {
  LoadSetup setup{
      schema_of({column("k", kInt, false), column("s", Type::varchar(12)),
                 column("d", Type::of(TypeKind::Date)), column("n", Type::of(TypeKind::BigInt))}),
      "k, t, u, s = concat(upper(t), '-', k), d = date_add(date '2020-01-01', u), n = if(u > 500, u * 2, -1)",
      "k % 3 <> 0 or d is null"};
  setup.block.rows_max = 700;
  setup.block.memory_bytes_max = 16 * 1024;
  return setup;
}

TEST(DerivingDecoder, the_outcome_does_not_depend_on_where_the_body_was_cut) {
  std::string small;
  for (int i = 0; i < 40; ++i) {
    small += std::to_string(i) + ",t" + std::to_string(i * 7) + "," +
             (i % 5 == 0 ? "x" : std::to_string(i * 31)) + "\n";
    if (i % 9 == 0) small += "bad,t,1\n";
    if (i % 11 == 0) small += "few\n";
  }
  const std::string expected = run(busy_setup(), small, {}, true);
  Pieces bytes;
  for (std::size_t cut = 1; cut < small.size(); ++cut) {
    EXPECT_EQ(run(busy_setup(), small, {cut}, true), expected);
    bytes.push_back(cut);
  }
  EXPECT_EQ(run(busy_setup(), small, bytes, true), expected);

  std::string large;
  for (int i = 0; i < 5000; ++i) {
    large += std::to_string(i) + ",text" + std::to_string(i) + "," + std::to_string(i % 1000) + "\n";
  }
  const std::string all = run(busy_setup(), large, {}, true);
  EXPECT_NE(all.find("total 5000 loaded 3333 filtered 0 unselected 1667"), std::string::npos);
  std::mt19937 random(3);
  for (int round = 0; round < 10; ++round) {
    Pieces cuts;
    for (std::size_t at = random() % 3000; at < large.size(); at += 1 + random() % 9000) cuts.push_back(at);
    EXPECT_EQ(run(busy_setup(), large, cuts, true), all);
  }
}

TEST(DerivingDecoder, nested_columns_are_copied_and_made_of_text) {
  const Type integers = Type::array(kInt);
  const Type point = Type::structure({"x", "y"}, {kInt, Type::map(Type::string(), integers)});
  const LoadSetup setup{
      schema_of({column("k", kInt), column("a", integers), column("p", point), column("b", integers)}),
      "k, a, p, t, b = concat('[', replace(t, ';', ','), ']')", "k % 2 = 1"};
  std::string body;
  std::string expected;
  for (int i = 0; i < 1200; ++i) {
    const std::string n = std::to_string(i);
    body += n + ",[" + n + "],{" + n + ";{}},7;" + n + "\n";
    body += n + ",\\N,\\N,x\n";
  }
  // The separator stands in nested values as well, so that another is used inside.
  const std::string out = run(setup, body, {});
  EXPECT_NE(out.find("1|[1]|"), std::string::npos) << out.substr(0, 300);
  EXPECT_NE(out.find("|[7, 1]\n"), std::string::npos) << out.substr(0, 300);
  EXPECT_NE(out.find("1199|[1199]|"), std::string::npos);
  EXPECT_NE(out.find("1199|\\N|\\N|[null]"), std::string::npos);
}

}  // namespace
}  // namespace penstock::txn
