#include "txn/schema/types.hpp"

#include <gtest/gtest.h>

#include "txn/schema/type_words.hpp"

namespace penstock::txn {
namespace {

std::string spelled(std::string word, std::vector<std::uint32_t> arguments = {}, bool wildcard = false) {
  TypeSpec spec{word, std::move(arguments), wildcard, false, word};
  auto type = resolve_type(spec, "x");
  if (!type) return type.error().message;
  EXPECT_TRUE(is_valid(*type));
  return type_name(*type);
}

TEST(Types, names_are_what_show_create_table_prints) {
  EXPECT_EQ(spelled("BOOLEAN"), "boolean");
  EXPECT_EQ(spelled("TINYINT"), "tinyint");
  EXPECT_EQ(spelled("SMALLINT"), "smallint");
  EXPECT_EQ(spelled("INTEGER"), "int");
  EXPECT_EQ(spelled("INT", {11}), "int");
  EXPECT_EQ(spelled("BIGINT"), "bigint");
  EXPECT_EQ(spelled("DOUBLE"), "double");
  EXPECT_EQ(spelled("DECIMAL"), "decimal(9,0)");
  EXPECT_EQ(spelled("DECIMAL", {5}), "decimal(5,0)");
  EXPECT_EQ(spelled("DECIMALV3", {10, 2}), "decimal(10,2)");
  EXPECT_EQ(spelled("DATEV2"), "date");
  EXPECT_EQ(spelled("DATETIME"), "datetime");
  EXPECT_EQ(spelled("DATETIMEV2", {0}), "datetime");
  EXPECT_EQ(spelled("DATETIME", {3}), "datetime(3)");
  EXPECT_EQ(spelled("VARCHAR", {20}), "varchar(20)");
  EXPECT_EQ(spelled("VARCHAR"), "varchar(65533)");
  EXPECT_EQ(spelled("VARCHAR", {}, true), "varchar(65533)");
  EXPECT_EQ(spelled("STRING"), "text");
  EXPECT_EQ(spelled("TEXT"), "text");
  EXPECT_EQ(spelled("LARGEINT"), "largeint");
  EXPECT_EQ(spelled("FLOAT"), "float");
  EXPECT_EQ(spelled("CHAR"), "char(1)");
  EXPECT_EQ(spelled("CHAR", {15}), "char(15)");
  EXPECT_EQ(spelled("JSON"), "json");
  EXPECT_EQ(spelled("JSONB"), "json");
  EXPECT_EQ(spelled("IPV4"), "ipv4");
  EXPECT_EQ(spelled("IPV6"), "ipv6");
  EXPECT_EQ(spelled("DECIMALV2", {27, 9}), "decimal(27,9)");
}

TEST(Types, refusals_name_the_type_and_the_column) {
  EXPECT_EQ(spelled("ARRAY"),
            "type ARRAY of column x: ARRAY<type>, MAP<type, type> or STRUCT<name:type, ...> was expected");
  EXPECT_EQ(spelled("VARIANT"), "type VARIANT of column x is not supported yet");
  EXPECT_EQ(spelled("CHAR", {256}), "CHAR size must be <= 255: 256 (column x)");
  EXPECT_EQ(spelled("FOO"), "unknown type FOO of column x");
  EXPECT_EQ(spelled("DECIMAL", {39, 1}),
            "Precision of decimal must between 1 and 38. Precision was set to: 39 (column x)");
  EXPECT_EQ(spelled("DECIMAL", {0}),
            "Precision of decimal must between 1 and 38. Precision was set to: 0 (column x)");
  EXPECT_EQ(spelled("DECIMAL", {3, 4}),
            "Scale of decimal must be smaller than precision. Scale is 4 and precision is 3 (column x)");
  EXPECT_EQ(spelled("DATETIME", {7}),
            "Scale of Datetime/Time must between 0 and 6. Scale was set to: 7 (column x)");
  EXPECT_EQ(spelled("VARCHAR", {0}), "VARCHAR size must be > 0: 0 (column x)");
  EXPECT_EQ(spelled("VARCHAR", {65534}), "VARCHAR size must be <= 65533: 65534 (column x)");
  EXPECT_EQ(spelled("DATE", {3}), "type DATE of column x: DATE does not take that");
}

TEST(Types, nested_ones_know_their_names_and_what_they_can_cost) {
  const Type integer = Type::of(TypeKind::Int);
  const Type pair = Type::structure({"a", "b c"}, {integer, Type::array(Type::string())});
  EXPECT_EQ(type_name(Type::map(Type::varchar(3), pair)), "map<varchar(3),struct<a:int,`b c`:array<text>>>");
  EXPECT_EQ(row_width(integer), 5U);
  EXPECT_EQ(row_width(Type::array(pair)), 5U);
  EXPECT_EQ(row_width(pair), 11U);
  EXPECT_EQ(expansion(integer), 1U);
  EXPECT_EQ(expansion(Type::array(integer)), 6U);
  EXPECT_EQ(expansion(Type::structure({"m"}, {Type::map(integer, pair)})), 17U);
  EXPECT_TRUE(is_valid(Type::map(integer, pair)));
  EXPECT_FALSE(is_valid(Type::map(pair, integer)));
  EXPECT_FALSE(is_valid(Type::of(TypeKind::Array)));
  EXPECT_FALSE(is_valid(Type::structure({"a", "a"}, {integer, integer})));
  EXPECT_FALSE(is_valid(Type::structure({}, {})));
  Type deep = integer;
  for (std::size_t i = 0; i < kNestedDepthMax; ++i) deep = Type::array(deep);
  EXPECT_TRUE(is_valid(deep));
  EXPECT_FALSE(is_valid(Type::array(deep)));
}

TEST(Types, widths_are_those_of_the_physical_layout) {
  EXPECT_EQ(fixed_width(Type::of(TypeKind::Boolean)), 1U);
  EXPECT_EQ(fixed_width(Type::of(TypeKind::TinyInt)), 1U);
  EXPECT_EQ(fixed_width(Type::of(TypeKind::SmallInt)), 2U);
  EXPECT_EQ(fixed_width(Type::of(TypeKind::Int)), 4U);
  EXPECT_EQ(fixed_width(Type::of(TypeKind::BigInt)), 8U);
  EXPECT_EQ(fixed_width(Type::of(TypeKind::Double)), 8U);
  EXPECT_EQ(fixed_width(Type::decimal(9, 0)), 8U);
  EXPECT_EQ(fixed_width(Type::decimal(18, 4)), 8U);
  EXPECT_EQ(fixed_width(Type::decimal(19, 4)), 16U);
  EXPECT_EQ(fixed_width(Type::of(TypeKind::Date)), 4U);
  EXPECT_EQ(fixed_width(Type::date_time(6)), 8U);
  EXPECT_EQ(fixed_width(Type::varchar(3)), 0U);
  EXPECT_TRUE(is_string(Type::string()));
  EXPECT_TRUE(is_string(Type::varchar(3)));
  EXPECT_FALSE(is_string(Type::of(TypeKind::Int)));
}

TEST(Types, a_type_with_fields_its_kind_does_not_use_is_not_valid) {
  EXPECT_FALSE(is_valid({TypeKind::Int, 1, 0, 0}));
  EXPECT_FALSE(is_valid({TypeKind::Int, 0, 1, 0}));
  EXPECT_FALSE(is_valid({TypeKind::Int, 0, 0, 1}));
  EXPECT_FALSE(is_valid({TypeKind::Decimal, 0, 0, 0}));
  EXPECT_FALSE(is_valid({TypeKind::Decimal, 10, 11, 0}));
  EXPECT_FALSE(is_valid({TypeKind::Varchar, 0, 0, 0}));
  EXPECT_FALSE(is_valid({TypeKind::DateTime, 0, 7, 0}));
  EXPECT_FALSE(is_valid({TypeKind::String, 0, 0, 7}));
  EXPECT_FALSE(is_valid({static_cast<TypeKind>(0), 0, 0, 0}));
  EXPECT_FALSE(is_valid({static_cast<TypeKind>(200), 0, 0, 0}));
}

}  // namespace
}  // namespace penstock::txn
