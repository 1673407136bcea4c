#include "txn/rowset/block_lift.hpp"

#include <gtest/gtest.h>

#include "txn/column/sort_key.hpp"
#include "txn/column/value_format.hpp"
#include "txn/decode/column_decode.hpp"
#include "txn/decode/initial_value.hpp"
#include "txn/schema/ddl_parser.hpp"

namespace penstock::txn {
namespace {

ColumnDef column_of(std::uint32_t id, const Type& type, std::optional<std::string> initial = std::nullopt) {
  ColumnDef column;
  column.id = ColumnId{id};
  column.name = "c" + std::to_string(id);
  column.type = type;
  column.initial_value = std::move(initial);
  return column;
}

// The value of a text, as a load would take it.
FillValue value_of(const Type& type, const std::string& text) {
  ColumnDef column = column_of(1, type);
  if (text == "\\N") return {};
  column.default_kind = DefaultKind::Literal;
  column.default_value = text;
  const auto value = fill_value(column, {});
  EXPECT_TRUE(value.has_value()) << text << " of " << type_name(type);
  return value ? *value : FillValue{};
}

Block block_of(const Type& type, const std::vector<std::string>& texts) {
  auto schema = std::make_shared<TableSchema>();
  schema->id = SchemaId{1};
  schema->columns.push_back(column_of(1, type));
  BlockBuilder builder(schema);
  for (const std::string& text : texts) fill_column(value_of(type, text), 1, builder.column(0));
  std::vector<std::byte> bytes;
  encode_block(builder, BlockMeta{.table = TableId{1}}, bytes);
  auto block = decode_block(bytes);
  EXPECT_TRUE(block.has_value());
  return std::move(*block);
}

TableSchema schema_of(std::vector<ColumnDef> columns) { return {SchemaId{2}, std::move(columns)}; }

std::vector<std::string> cells(const Block& block, std::uint32_t id) {
  const ColumnView* const view = block.find(ColumnId{id});
  std::vector<std::string> out(block.rows());
  for (std::uint32_t row = 0; view != nullptr && row < block.rows(); ++row) append_cell(out[row], *view, row);
  return out;
}

struct Widening {
  Type from;
  std::vector<std::string> texts;
  Type to;
  std::vector<std::string> wanted;
};

TEST(BlockLift, narrower_values_are_read_as_the_wider_type) {
  const Type tiny = Type::of(TypeKind::TinyInt);
  const Type big = Type::of(TypeKind::BigInt);
  const Widening kAll[] = {
      {tiny, {"-128", "\\N", "127"}, Type::of(TypeKind::SmallInt), {"-128", "\\N", "127"}},
      {tiny, {"-128", "5"}, Type::of(TypeKind::LargeInt), {"-128", "5"}},
      {Type::of(TypeKind::SmallInt), {"-32768"}, Type::of(TypeKind::Float), {"-32768"}},
      {Type::of(TypeKind::Int), {"-2147483648", "2147483647"}, big, {"-2147483648", "2147483647"}},
      {Type::of(TypeKind::Int), {"-2147483648", "\\N"}, Type::of(TypeKind::Double), {"-2147483648", "\\N"}},
      {big, {"-9223372036854775808"}, Type::of(TypeKind::LargeInt), {"-9223372036854775808"}},
      {Type::of(TypeKind::Float),
       {"0.5", "-1e10", "\\N"},
       Type::of(TypeKind::Double),
       {"0.5", "-1e+10", "\\N"}},
      {Type::decimal(4, 2),
       {"-1.25", "99.99", "\\N"},
       Type::decimal(18, 6),
       {"-1.250000", "99.990000", "\\N"}},
      {Type::decimal(18, 0),
       {"-999999999999999999"},
       Type::decimal(38, 20),
       {"-999999999999999999.00000000000000000000"}},
      {Type::decimal(30, 10), {"1.5"}, Type::decimal(38, 12), {"1.500000000000"}},
      {Type::of(TypeKind::Date),
       {"2024-02-29", "\\N", "1969-12-31"},
       Type::date_time(3),
       {"2024-02-29T00:00", "\\N", "1969-12-31T00:00"}},
      {Type::date_time(0), {"2024-02-29 01:02:03"}, Type::date_time(6), {"2024-02-29T01:02:03"}},
      {Type::character(3), {"abc", "", "\\N"}, Type::varchar(9), {"abc", "", "\\N"}},
      {Type::varchar(3), {"x"}, Type::string(), {"x"}},
  };
  for (const Widening& each : kAll) {
    ASSERT_TRUE(can_widen(each.from, each.to));
    Block block = block_of(each.from, each.texts);
    const ColumnId wanted[] = {ColumnId{1}};
    ASSERT_TRUE(lift_block(block, schema_of({column_of(1, each.to)}), wanted).has_value());
    EXPECT_EQ(block.find(ColumnId{1})->type, each.to);
    EXPECT_EQ(cells(block, 1), each.wanted) << type_name(each.from) << " to " << type_name(each.to);
    // As what was loaded with the wider type sorts, too.
    Block direct = block_of(each.to, each.texts);
    for (std::uint32_t row = 0; row < block.rows(); ++row) {
      std::string a;
      std::string b;
      append_sort_key(a, block.find(ColumnId{1}), row, false);
      append_sort_key(b, direct.find(ColumnId{1}), row, false);
      EXPECT_EQ(a, b);
    }
  }
}

TEST(BlockLift, columns_that_came_later_have_their_initial_value_or_null_in_every_row) {
  Block block = block_of(Type::of(TypeKind::Int), {"1", "2", "3"});
  const TableSchema schema = schema_of(
      {column_of(1, Type::of(TypeKind::Int)), column_of(2, Type::varchar(9), "abc"),
       column_of(3, Type::string()), column_of(4, Type::decimal(9, 3), "1.500"),
       column_of(5, Type::date_time(3), "2024-01-02 03:04:05.600"),
       column_of(6, Type::array(Type::of(TypeKind::Int)), "[]"), column_of(7, Type::json(), "{\"a\":1}"),
       column_of(8, Type::array(Type::of(TypeKind::Int))), column_of(9, Type::string(), "")});
  std::vector<ColumnId> wanted;
  for (const ColumnDef& column : schema.columns) wanted.push_back(column.id);
  wanted.push_back(ColumnId{2});  // asked for twice
  wanted.push_back(ColumnId{77});
  ASSERT_TRUE(lift_block(block, schema, wanted).has_value());
  EXPECT_EQ(block.columns.size(), 9u);
  const auto all = [](const char* text) { return std::vector<std::string>(3, text); };
  EXPECT_EQ(cells(block, 1), (std::vector<std::string>{"1", "2", "3"}));
  EXPECT_EQ(cells(block, 2), all("abc"));
  EXPECT_EQ(cells(block, 3), all("\\N"));
  EXPECT_EQ(cells(block, 4), all("1.500"));
  EXPECT_EQ(cells(block, 5), all("2024-01-02T03:04:05.600"));
  EXPECT_EQ(cells(block, 6), all("[]"));
  EXPECT_EQ(cells(block, 7), all("{\"a\":1}"));
  EXPECT_EQ(cells(block, 8), all("\\N"));
  EXPECT_EQ(cells(block, 9), all(""));
  EXPECT_EQ(block.find(ColumnId{77}), nullptr);
  EXPECT_EQ(block.find(ColumnId{2})->text_bytes(), 3u) << "one value, whatever the number of rows";
  EXPECT_EQ(block.find(ColumnId{3})->null_count, 3u);
}

TEST(BlockLift, a_type_that_the_table_never_had_is_damage) {
  Block block = block_of(Type::of(TypeKind::BigInt), {"1"});
  const ColumnId wanted[] = {ColumnId{1}};
  const auto lifted = lift_block(block, schema_of({column_of(1, Type::of(TypeKind::Int))}), wanted);
  ASSERT_FALSE(lifted.has_value());
  EXPECT_EQ(lifted.error().code, core::Errc::Corrupt);
}

// ---- initial values ---------------------------------------------------------------------------------------------------

std::string initial(const std::string& column, std::string_view zone = "+00:00") {
  auto statement = parse_statement("ALTER TABLE t ADD COLUMN c " + column);
  if (!statement) return "error: " + statement.error().message;
  constexpr std::int64_t kNow = 1'709'208'123'456'789;  // 2024-02-29 12:02:03.456789 UTC
  const auto set = set_initial_values(*statement, kNow, *core::TimeZone::find(zone));
  if (!set) return "error: " + set.error().message;
  const auto& add = std::get<AddColumns>(std::get<AlterTableStatement>(*statement).clauses.at(0));
  return add.columns.at(0).initial_value.value_or("none");
}

TEST(InitialValue, is_the_value_and_not_how_it_was_written) {
  EXPECT_EQ(initial("INT"), "none");
  EXPECT_EQ(initial("INT DEFAULT NULL"), "none");
  EXPECT_EQ(initial("INT DEFAULT '007'"), "7");
  EXPECT_EQ(initial("DECIMAL(6,2) DEFAULT '1.5'"), "1.50");
  EXPECT_EQ(initial("DATETIME DEFAULT CURRENT_TIMESTAMP"), "2024-02-29 12:02:03");
  EXPECT_EQ(initial("DATETIME(3) DEFAULT CURRENT_TIMESTAMP(3)", "+08:00"), "2024-02-29 20:02:03.456");
  EXPECT_EQ(initial("DATE DEFAULT CURRENT_DATE", "+14:00"), "2024-03-01");
  EXPECT_EQ(initial("DATETIME DEFAULT '2024-01-01 00:00:00+02:00'"), "2023-12-31 22:00:00");
  EXPECT_EQ(initial("STRING DEFAULT 'a\tb'"), "a\tb");
  EXPECT_EQ(initial("VARCHAR(3) DEFAULT ''"), "");
  EXPECT_EQ(initial("ARRAY<INT> DEFAULT '[]'"), "[]");
  EXPECT_EQ(initial("BOOLEAN DEFAULT 1"), "true");
  EXPECT_EQ(initial("VARCHAR(3) DEFAULT 'long'"), "error: default value 'long' does not fit column: c");
  EXPECT_EQ(initial("INT DEFAULT 'x'"), "error: default value 'x' does not fit column: c");
}

TEST(InitialValue, reads_back_as_the_same_value_also_as_a_wider_type) {
  struct Case {
    const char* column;
    Type type;
    Type wider;
  };
  const Case kCases[] = {
      {"FLOAT DEFAULT '0.1'", Type::of(TypeKind::Float), Type::of(TypeKind::Double)},
      {"FLOAT DEFAULT '-3.4e38'", Type::of(TypeKind::Float), Type::of(TypeKind::Double)},
      {"DECIMAL(6,2) DEFAULT '1.005'", Type::decimal(6, 2), Type::decimal(20, 5)},
      {"SMALLINT DEFAULT '-7'", Type::of(TypeKind::SmallInt), Type::of(TypeKind::Double)},
      {"DATE DEFAULT '2024-02-29'", Type::of(TypeKind::Date), Type::date_time(6)},
      {"DATETIME(3) DEFAULT '2024-02-29 01:02:03.5'", Type::date_time(3), Type::date_time(6)},
      {"CHAR(3) DEFAULT 'ab'", Type::character(3), Type::string()},
      {"LARGEINT DEFAULT '170141183460469231731687303715884105727'", Type::of(TypeKind::LargeInt),
       Type::of(TypeKind::LargeInt)},
      {"BOOLEAN DEFAULT 'true'", Type::of(TypeKind::Boolean), Type::of(TypeKind::Boolean)},
      {"IPV6 DEFAULT '::1'", Type::of(TypeKind::IpV6), Type::of(TypeKind::IpV6)},
      {"JSON DEFAULT '{\"a\": 1}'", Type::json(), Type::json()},
  };
  for (const Case& each : kCases) {
    const std::string text = initial(each.column);
    // A row that was loaded with it, and a row that was there before.
    Block loaded = block_of(each.type, {text});
    const ColumnId first[] = {ColumnId{1}};
    ASSERT_TRUE(lift_block(loaded, schema_of({column_of(1, each.wider)}), first).has_value());
    Block there = block_of(Type::of(TypeKind::Int), {"1"});
    const ColumnId second[] = {ColumnId{2}};
    ASSERT_TRUE(lift_block(there, schema_of({column_of(2, each.wider, text)}), second).has_value());
    EXPECT_EQ(cells(there, 2), cells(loaded, 1)) << each.column << ": " << text;
  }
}

}  // namespace
}  // namespace penstock::txn
