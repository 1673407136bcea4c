// The least and the greatest LARGEINT in every function of numbers: a value or NULL, never an overflow.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "txn/column/column_builder.hpp"
#include "txn/expression/cast.hpp"
#include "txn/expression/program.hpp"

namespace penstock::txn {
namespace {

constexpr Int128 kGreatest = static_cast<Int128>(~UInt128{0} >> 1);
constexpr Int128 kLeast = -kGreatest - 1;

// With x and y as LARGEINTs.
std::string value(std::string_view text, Int128 x, Int128 y = 0) {
  const auto expr = parse_expression(text);
  if (!expr) return "error: " + expr.error().message;
  Program program({.now_micros = 0, .zone = {}});
  ColumnBuilder xs(Type::of(TypeKind::LargeInt));
  ColumnBuilder ys(Type::of(TypeKind::LargeInt));
  xs.append_value(x);
  ys.append_value(y);
  const ColumnView views[] = {xs.view(), ys.view()};
  const auto node = program.add(**expr, [&](std::string_view name) -> Program::Added {
    const bool is_x = name == "x";
    return program.add_input(
        is_x ? 0 : 1, {.id = ColumnId(1), .name = std::string(name), .type = Type::of(TypeKind::LargeInt)});
  });
  if (!node) return "error: " + node.error();
  const std::vector<ColumnRows> rows = {{&views[0], 0}, {&views[1], 0}};
  if (!program.run(rows, 1)) return "too much text";
  std::string out;
  append_value(out, program.result(*node), 0);
  return out;
}

TEST(ExtremeValue, positions_and_counts_in_texts) {
  for (const Int128 x : {kLeast, kLeast + 1, -kGreatest / 2, kGreatest}) {
    EXPECT_EQ(value("substr('abc', x)", x), "");
    EXPECT_EQ(value("substr('abc', x, x)", x), "");
    EXPECT_EQ(value("substr('abc', 2, x)", x), x > 0 ? "bc" : "");
    EXPECT_EQ(value("left('abc', x)", x), x > 0 ? "abc" : "");
    EXPECT_EQ(value("right('abc', x)", x), x > 0 ? "abc" : "");
    EXPECT_EQ(value("locate('b', 'abc', x)", x), "0");
    EXPECT_EQ(value("split_part('a,b', ',', x)", x), "NULL");
    EXPECT_EQ(value("substring_index('a,b', ',', x)", x), "a,b");
    EXPECT_EQ(value("repeat('', x)", x), "");
    EXPECT_EQ(value("lpad('abc', x, '')", x), x > 0 ? "" : "NULL");
  }
}

TEST(ExtremeValue, arithmetic) {
  const std::string least = "-170141183460469231731687303715884105728";
  EXPECT_EQ(value("x", kLeast), least);
  for (const char* text :
       {"-x", "abs(x)", "negative(x)", "x - 1", "x + x", "x * x", "x * -1", "-1 * x", "x DIV -1", "x DIV 0",
        "x % 0", "0 - x", "x * 1.5", "x / 3.5", "round(x, 2)", "round(x, -38)", "truncate(x, -2)",
        "cast(x as decimal(38,2))", "cast(x as bigint)"}) {
    EXPECT_EQ(value(text, kLeast), "NULL") << text;
  }
  EXPECT_EQ(value("x % -1", kLeast), "0");
  EXPECT_EQ(value("mod(x, -1)", kLeast), "0");
  EXPECT_EQ(value("x DIV 1", kLeast), least);
  EXPECT_EQ(value("sign(x)", kLeast), "-1");
  EXPECT_EQ(value("x DIV y", kLeast, kLeast), "1");
  EXPECT_EQ(value("x DIV y", kGreatest, kLeast), "0");
  EXPECT_EQ(value("x % y", kGreatest, kLeast), "170141183460469231731687303715884105727");
  EXPECT_EQ(value("x - y", kGreatest, kLeast), "NULL");
  EXPECT_EQ(value("x + y", kGreatest, kLeast), "-1");
  EXPECT_EQ(value("x between y and x", kGreatest, kLeast), "1");
}

TEST(ExtremeValue, moved_dates) {
  for (const Int128 x : {kLeast, kGreatest}) {
    for (const char* text :
         {"date_add('2020-01-01', interval x day)", "date_sub('2020-01-01', interval x day)",
          "date_add('2020-01-01', interval x month)", "date_sub('2020-01-01', interval x year)",
          "date_add('2020-01-01', interval x quarter)", "date_sub('2020-01-01 10:00:00', interval x week)",
          "date_add('2020-01-01 10:00:00', interval x hour)", "hours_sub('2020-01-01 10:00:00', x)",
          "seconds_sub('2020-01-01 10:00:00', x)", "from_unixtime(x)", "cast(x as datetime)"}) {
      EXPECT_EQ(value(text, x), "NULL") << text;
    }
    EXPECT_EQ(value("week('2020-01-05', x)", x).substr(0, 5).find("error"), std::string::npos);
  }
}

}  // namespace
}  // namespace penstock::txn
