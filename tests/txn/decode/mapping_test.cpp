#include <gtest/gtest.h>

#include <cstring>

#include "txn/column/value_format.hpp"
#include "txn/decode/column_mapping.hpp"
#include "txn/decode/row_rejects.hpp"
#include "txn/decode/separator.hpp"

namespace penstock::txn {
namespace {

std::string separator(std::string_view text) {
  const auto bytes = parse_column_separator(text);
  return bytes ? *bytes : "error: " + bytes.error();
}

TEST(Separator, hexadecimal_forms) {
  EXPECT_EQ(separator("\\x01"), "\x01");
  EXPECT_EQ(separator("\\X01"), "\x01");
  EXPECT_EQ(separator("\\x01\\x02"), "\x01\x02");
  EXPECT_EQ(separator("\\x0102"), "\x01\x02");
  EXPECT_EQ(separator("\\x7C7c"), "||");
  EXPECT_EQ(separator("\\x"), "error: Hex str is empty");
  EXPECT_EQ(separator("\\x1"), "error: Hex str length error");
  EXPECT_EQ(separator("\\xzz"), "error: Hex str format error");
}

TEST(Separator, text_with_escapes) {
  EXPECT_EQ(separator(","), ",");
  EXPECT_EQ(separator("\\t"), "\t");
  EXPECT_EQ(separator("\\r\\n"), "\r\n");
  EXPECT_EQ(separator("\\\\"), "\\");
  EXPECT_EQ(separator("\\'\\\""), "'\"");
  EXPECT_EQ(separator("\\a"), "\\a");
  EXPECT_EQ(separator("|\\"), "|\\");
  EXPECT_EQ(separator("5b18511e"), "5b18511e");
  EXPECT_EQ(separator(""), "error: Column separator is null or empty");
  EXPECT_EQ(parse_line_delimiter("").error(), "Line delimiter is null or empty");
  EXPECT_EQ(separator(std::string(256, 'x')), "error: Column separator is too long");
}

TableSchema schema() {
  TableSchema schema;
  schema.id = SchemaId(1);
  schema.columns = {
      ColumnDef{.id = ColumnId(1), .name = "id", .type = Type::of(TypeKind::Int), .nullable = false},
      ColumnDef{.id = ColumnId(2), .name = "Name", .type = Type::varchar(10)},
      ColumnDef{.id = ColumnId(3),
                .name = "age",
                .type = Type::of(TypeKind::Int),
                .nullable = false,
                .default_kind = DefaultKind::Literal,
                .default_value = "20"},
      ColumnDef{.id = ColumnId(4),
                .name = "city",
                .type = Type::varchar(10),
                .default_kind = DefaultKind::Literal,
                .default_value = "beijing"},
      ColumnDef{.id = ColumnId(5),
                .name = "at",
                .type = Type::date_time(3),
                .default_kind = DefaultKind::CurrentTimestamp,
                .default_precision = 3}};
  return schema;
}

std::string error_of(std::string_view columns) {
  const auto mapping = map_columns(schema(), {.columns = columns});
  return mapping ? "no error" : mapping.error();
}

TEST(ColumnMapping, without_a_header_fields_are_the_columns_in_order) {
  const auto mapping = map_columns(schema(), {});
  ASSERT_TRUE(mapping);
  EXPECT_EQ(mapping->field_count, 5u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(mapping->targets[static_cast<std::size_t>(i)].field, i);
}

TEST(ColumnMapping, names_in_any_case_with_back_quotes_and_fields_that_are_no_column) {
  const auto mapping = map_columns(
      schema(), {.columns = " `NAME` ,tmp,  ID,other", .load_time_micros = 1'500'000'123'456'789});
  ASSERT_TRUE(mapping) << mapping.error();
  EXPECT_EQ(mapping->field_count, 4u);
  EXPECT_EQ(mapping->targets[0].field, 2);
  EXPECT_EQ(mapping->targets[1].field, 0);
  EXPECT_EQ(mapping->targets[2].field, ColumnMapping::kNoField);
  std::int32_t age;
  std::memcpy(&age, mapping->targets[2].fill.fixed.bytes, sizeof age);
  EXPECT_EQ(age, 20);
  EXPECT_EQ(mapping->targets[3].fill.text, "beijing");
  std::int64_t at;
  std::memcpy(&at, mapping->targets[4].fill.fixed.bytes, sizeof at);
  EXPECT_EQ(at, 1'500'000'123'456'000);
}

TEST(ColumnMapping, says_what_is_wrong) {
  EXPECT_EQ(error_of("name"), "Column has no default value. column: id");
  EXPECT_EQ(error_of("id, x = f(y, z), name"), "columns: expressions are not supported yet: 'x = f(y, z)'");
  EXPECT_EQ(error_of("id, ID"), "columns: 'ID' is named twice");
  EXPECT_EQ(error_of("id,,name"), "columns: a name is missing in 'id,,name'");
  EXPECT_EQ(error_of("`id"), "columns: back-quotes do not match in '`id'");
  EXPECT_EQ(error_of("`i=d`,id"), "no error");
}

TEST(ColumnMapping, a_default_that_does_not_fit_is_an_error) {
  TableSchema bad = schema();
  bad.columns[2].default_value = "old";
  EXPECT_EQ(map_columns(bad, {.columns = "id"}).error(), "default value 'old' does not fit column: age");
}

TEST(ColumnMapping, long_defaults_are_bounded_together) {
  TableSchema long_defaults = schema();
  for (std::uint32_t i = 0; i < 3; ++i) {
    long_defaults.columns.push_back(ColumnDef{.id = ColumnId(10 + i),
                                              .name = "long" + std::to_string(i),
                                              .type = Type::string(),
                                              .default_kind = DefaultKind::Literal,
                                              .default_value = std::string(500'000, 'x')});
  }
  EXPECT_TRUE(map_columns(long_defaults, {.columns = "id,long0"}));
  EXPECT_EQ(map_columns(long_defaults, {.columns = "id"}).error(),
            "columns: defaults of the columns left out are too long");
}

TEST(RowRejects, keeps_a_bounded_number_of_bounded_reasons) {
  RowRejects rejects;
  const std::string row(5000, 'r');
  for (int i = 0; i < 1000; ++i) {
    if (rejects.count_row()) rejects.add_reason("why", row);
  }
  EXPECT_EQ(rejects.count(), 1000u);
  EXPECT_EQ(rejects.first_reason(), "why");
  EXPECT_LT(rejects.log().size(), 60'000u);
  EXPECT_TRUE(rejects.log().starts_with("Reason: why. src line [rrr"));
  EXPECT_TRUE(rejects.log().ends_with("TOO MUCH ERROR! already reach 50. show no more next error.\n"));
}

TEST(Mapping, current_date_is_the_day_of_the_load) {
  const MappingOptions options{.load_time_micros = 1'709'211'845'123'456};  // 2024-02-29 13:04:05
  const ColumnDef column{.id = ColumnId(1),
                         .name = "d",
                         .type = Type::of(TypeKind::Date),
                         .default_kind = DefaultKind::CurrentDate};
  const auto fill = fill_value(column, options);
  ASSERT_TRUE(fill.has_value());
  std::int32_t days = 0;
  std::memcpy(&days, fill->fixed.bytes, sizeof days);
  std::string text;
  append_date(text, days);
  EXPECT_EQ(text, "2024-02-29");
}

}  // namespace
}  // namespace penstock::txn
