#include "txn/expression/expression_tree.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "txn/column/column_builder.hpp"
#include "txn/expression/program.hpp"

namespace penstock::txn {
namespace {

std::string shown(const Expr& expr) {
  std::string out;
  switch (expr.kind) {
    case Expr::Kind::Null:
      return "null";
    case Expr::Kind::Boolean:
      return expr.flag ? "true" : "false";
    case Expr::Kind::Text:
      return "'" + expr.text + "'";
    case Expr::Kind::Number:
    case Expr::Kind::Column:
      return expr.text;
    case Expr::Kind::Call:
      out = expr.text;
      break;
    case Expr::Kind::Cast:
      out = "cast to " + type_name(expr.type);
      break;
  }
  out += "(";
  for (std::size_t i = 0; i < expr.args.size(); ++i) out += (i == 0 ? "" : ", ") + shown(*expr.args[i]);
  return out + ")";
}

std::string parsed(std::string_view text) {
  const auto expr = parse_expression(text);
  return expr ? shown(**expr) : "error: " + expr.error().message;
}

TEST(ExpressionTree, operators_bind_as_in_sql) {
  EXPECT_EQ(parsed("a + b * c - 1"), "op:-(op:+(a, op:*(b, c)), 1)");
  EXPECT_EQ(parsed("a or b and not c = d"), "op:or(a, op:and(b, op:not(op:=(c, d))))");
  EXPECT_EQ(parsed("a AND b AND c"), "op:and(a, b, c)");
  EXPECT_EQ(parsed("-a * -2"), "op:*(op:neg(a), -2)");
  EXPECT_EQ(parsed("a not in (1, 2) and b is not null"),
            "op:and(op:not(op:in(a, 1, 2)), op:not(op:is null(b)))");
  EXPECT_EQ(parsed("a between 1 and 2 and c"), "op:and(op:between(a, 1, 2), c)");
  EXPECT_EQ(parsed("a <=> b"), "op:<=>(a, b)");
  EXPECT_EQ(parsed("`weird name` + t.`b`"), "op:+(weird name, b)");
  EXPECT_EQ(parsed("CONCAT(a,'x')"), "concat(a, 'x')");
  EXPECT_EQ(parsed("year = year(tmp)"), "op:=(year, year(tmp))");
  EXPECT_EQ(parsed("cast(a as decimal(10,2))"), "cast to decimal(10,2)(a)");
  EXPECT_EQ(parsed("case a when 1 then 2 end"), "op:case of(a, 1, 2, null)");
  EXPECT_EQ(parsed("a + interval 2 day"), "days_add(a, 2)");
  EXPECT_EQ(parsed("date_sub(a, INTERVAL b MONTH)"), "months_sub(a, b)");
}

TEST(ExpressionTree, errors_name_the_place) {
  EXPECT_EQ(parsed(""), "error: unexpected end of the statement: expected a value, a column or a function");
  EXPECT_EQ(parsed("a +"),
            "error: unexpected end of the statement: expected a value, a column or a function");
  EXPECT_EQ(parsed("a b"), "error: unexpected 'b' at position 3 near 'b': expected the end of the statement");
  EXPECT_EQ(parsed("f(a"), "error: unexpected end of the statement: expected ')'");
  EXPECT_EQ(parsed("'open"), "error: a string that does not end at position 1 near ''open'");
  EXPECT_EQ(parsed("case a end"), "error: unexpected 'end' at position 8 near 'end': expected WHEN");
  EXPECT_EQ(parsed("a is 5"), "error: unexpected '5' at position 6 near '5': expected NULL, TRUE or FALSE");
  EXPECT_EQ(parsed("from"),
            "error: unexpected 'from' at position 1 near 'from': expected a value, a column or a function");
  EXPECT_EQ(parsed("f(a, interval 1 day)"), "error: INTERVAL is not for function f");
  EXPECT_EQ(parsed("a + interval 1 eon"), "error: INTERVAL in 'eon': a unit from YEAR to SECOND is expected");
}

TEST(ExpressionTree, hostile_sizes_are_refused) {
  EXPECT_EQ(parsed(std::string(1000, '(') + "1"), "error: an expression with more than 64 nested brackets");
  std::string sum = "1";
  for (int i = 0; i < 300; ++i) sum += "+1";
  EXPECT_EQ(parsed(sum), "error: an expression that is nested more than 200 deep");
  std::string all = "a";
  for (int i = 0; i < 1000; ++i) all += " and a";
  EXPECT_TRUE(parsed(all).starts_with("op:and(a, a"));
  std::string list = "a in (1";
  for (int i = 0; i < 5000; ++i) list += ",1";
  EXPECT_EQ(parsed(list + ")"), "error: an expression of more than 4096 parts");
  EXPECT_EQ(parsed(std::string(70'000, ' ') + "1"), "error: an expression of more than 65536 bytes");
  EXPECT_TRUE(parsed(std::string(60'000, '-') + "1").starts_with("error: "));
  std::string nots;
  for (int i = 0; i < 10'000; ++i) nots += "not ";
  EXPECT_EQ(parsed(nots + "a"), "op:not(op:not(a))");
}

TEST(ExpressionTree, items_of_the_columns_header) {
  const auto items = parse_column_items("id, `name`,tmp_c3 , year = year(tmp_c3), b = if(a = 1, 2, 3)");
  ASSERT_TRUE(items.has_value());
  ASSERT_EQ(items->size(), 5u);
  EXPECT_EQ((*items)[1].name, "name");
  EXPECT_EQ((*items)[1].value, nullptr);
  EXPECT_EQ((*items)[3].name, "year");
  EXPECT_EQ(shown(*(*items)[3].value), "year(tmp_c3)");
  EXPECT_EQ(shown(*(*items)[4].value), "if(op:=(a, 1), 2, 3)");
  EXPECT_FALSE(parse_column_items("a,,b").has_value());
  EXPECT_FALSE(parse_column_items("a = ").has_value());
  EXPECT_FALSE(parse_column_items("a b").has_value());
}

// Whatever is written: a tree or an error, and a program or an error, and then values.
TEST(ExpressionTree, mutated_expressions_do_no_harm) {
  const std::vector<std::string> seeds = {
      "if(a > 1, concat(b, 'x', 1.5e3), substr(b, -2, 3)) like '%a\\_%' and a in (1, 2, NULL, '3')",
      "case a when 1 then date_add(now(), interval 3 month) else str_to_date(b, '%Y-%m-%d') end is not null",
      "round(cast(a as decimal(38, 10)) / 3, a) * -2 % 7 <=> coalesce(b, a, "
      "99999999999999999999999999999999999999)",
      "date_format(from_unixtime(a), '%X %V %x %v %D') between lpad(b, 5, 'y') and unix_timestamp(b, '%T "
      "%r')",
      "repeat(b, a) = split_part(b, 'x', a) or locate(b, b, a) div a"};
  const std::vector<std::string> pieces = {"(",
                                           ")",
                                           "'",
                                           "`",
                                           ",",
                                           " not ",
                                           " null ",
                                           " and ",
                                           "-",
                                           "9223372036854775807",
                                           "1e308",
                                           "%",
                                           "interval 1 day",
                                           "case when ",
                                           " end ",
                                           "\\",
                                           "\xC3",
                                           "a",
                                           "b",
                                           "--",
                                           "/*"};
  ColumnBuilder a(Type::of(TypeKind::BigInt));
  ColumnBuilder b(Type::string());
  for (const std::int64_t number : {std::int64_t{0}, std::int64_t{7}, INT64_MIN, INT64_MAX})
    a.append_value(number);
  for (const char* text : {"", "2020-01-02", "\xE4\xB8\xAD x", "-5"}) b.append_text(text);
  const ColumnView views[] = {a.view(), b.view()};
  const ColumnRows rows[] = {{&views[0], 0}, {&views[1], 0}};
  std::mt19937 random(7);
  int ran = 0;
  for (int round = 0; round < 6000; ++round) {
    std::string text = seeds[random() % seeds.size()];
    for (unsigned i = random() % 5; i > 0; --i) {
      const std::size_t at = random() % (text.size() + 1);
      switch (random() % 3) {
        case 0:
          text.insert(at, pieces[random() % pieces.size()]);
          break;
        case 1:
          text.erase(at, random() % 8);
          break;
        default:
          if (at < text.size()) text[at] = static_cast<char>(random() % 256);
      }
    }
    const auto expr = parse_expression(text);
    if (!expr) {
      EXPECT_FALSE(expr.error().message.empty());
      continue;
    }
    Program program({.now_micros = 0, .zone = core::TimeZone::fixed(28'800)});
    const auto first = program.add_input(0, {.id = ColumnId(1), .name = "a", .type = a.type()});
    const auto second = program.add_input(1, {.id = ColumnId(2), .name = "b", .type = b.type()});
    const auto node = program.add(**expr, [&](std::string_view name) -> Program::Added {
      if (name == "a") return *first;
      if (name == "b") return *second;
      return std::unexpected("no such column");
    });
    if (!node) {
      EXPECT_FALSE(node.error().empty());
      continue;
    }
    (void)program.run(rows, 4);
    ++ran;
  }
  EXPECT_GT(ran, 500);
}

}  // namespace
}  // namespace penstock::txn
