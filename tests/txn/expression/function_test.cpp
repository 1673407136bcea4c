// Each function and operator with the values that Doris's documentation gives for it.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "txn/column/column_builder.hpp"
#include "txn/decode/text_to_value.hpp"
#include "txn/expression/cast.hpp"
#include "txn/expression/program.hpp"

namespace penstock::txn {
namespace {

// 2024-02-29 13:04:05.678901
constexpr std::int64_t kNow = 1'709'211'845'678'901;

struct Input {
  std::string name;
  Type type;
  std::vector<std::string> values;  // NULL is NULL
};

// The expression's value for each row.
std::vector<std::string> evaluate(std::string_view text, const std::vector<Input>& inputs,
                                  std::int32_t zone = 0) {
  const auto expr = parse_expression(text);
  if (!expr) return {"error: " + expr.error().message};
  Program program({.now_micros = kNow, .zone = core::TimeZone::fixed(zone)});
  std::vector<ColumnBuilder> builders;
  std::vector<Program::NodeId> nodes;
  std::vector<ColumnView> views;
  for (const Input& input : inputs) {
    ColumnBuilder& builder = builders.emplace_back(input.type);
    for (const std::string& value : input.values) {
      FixedValue fixed;
      if (value == "NULL") {
        builder.append_null();
      } else if (is_string(input.type)) {
        builder.append_text(value);
      } else if (!parse_fixed(input.type, value, core::TimeZone(), fixed)) {
        ADD_FAILURE() << value;
      } else if (fixed_width(input.type) == 1) {
        builder.append_value(static_cast<std::int8_t>(fixed.bytes[0]));
      } else if (fixed_width(input.type) == 4) {
        std::int32_t number;
        std::memcpy(&number, fixed.bytes, sizeof number);
        builder.append_value(number);
      } else {
        std::int64_t number;
        std::memcpy(&number, fixed.bytes, sizeof number);
        builder.append_value(number);
      }
    }
    const auto node =
        program.add_input(nodes.size(), {.id = ColumnId(1), .name = input.name, .type = input.type});
    if (!node) return {"error: " + node.error()};
    nodes.push_back(*node);
  }
  for (const ColumnBuilder& builder : builders) views.push_back(builder.view());
  const auto node = program.add(**expr, [&](std::string_view name) -> Program::Added {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].name == name) return nodes[i];
    }
    return std::unexpected("no column " + std::string(name));
  });
  if (!node) return {"error: " + node.error()};
  std::vector<ColumnRows> rows;
  for (const ColumnView& view : views) rows.push_back({&view, 0});
  const std::size_t count = inputs.empty() ? 1 : inputs[0].values.size();
  if (!program.run(rows, count)) return {"too much text"};
  std::vector<std::string> out(count);
  for (std::size_t row = 0; row < count; ++row) append_value(out[row], program.result(*node), row);
  return out;
}

std::string value(std::string_view text, std::int32_t zone = 0) { return evaluate(text, {}, zone)[0]; }

struct Example {
  const char* text;
  const char* expected;
};
void check(std::initializer_list<Example> examples) {
  for (const Example& example : examples) EXPECT_EQ(value(example.text), example.expected) << example.text;
}

TEST(Function, arithmetic_follows_precedence_and_kinds) {
  check({
      {"1 + 2 * 3", "7"},
      {"(1 + 2) * 3", "9"},
      {"7 - 2 - 1", "4"},
      {"-5 + 2", "-3"},
      {"- -5", "5"},
      {"7 / 2", "3.5"},
      {"6 / 3", "2"},
      {"7 DIV 2", "3"},
      {"-7 DIV 2", "-3"},
      {"7 % 3", "1"},
      {"-7 % 3", "-1"},
      {"7 MOD 4", "3"},
      {"mod(10, 4)", "2"},
      {"1 / 0", "NULL"},
      {"1 % 0", "NULL"},
      {"1 DIV 0", "NULL"},
      {"1.5 / 0", "NULL"},
      {"1.5 % 0", "NULL"},
      {"1 + NULL", "NULL"},
      {"1.5 + 1", "2.5"},
      {"1.50 + 1.005", "2.505"},
      {"1.5 * 1.5", "2.25"},
      {"1.0 / 3", "0.33333"},
      {"2.0 / 3.0", "0.66667"},
      {"-2.0 / 3.0", "-0.66667"},
      {"0.1 + 0.2", "0.3"},
      {"1e1 + 1", "11"},
      {"'5' + 1", "6"},
      {"'abc' + 1", "NULL"},
      {"'1.5' * '2'", "3"},
      {".5 + .25", "0.75"},
      {"true + 1", "2"},
      {"5.5 % 2", "1.5"},
  });
}

TEST(Function, whole_numbers_widen_instead_of_overflowing) {
  check({
      {"9223372036854775807 + 1", "9223372036854775808"},
      {"9223372036854775807 * 9223372036854775807", "85070591730234615847396907784232501249"},
      {"99999999999999999999999999999999999999 * 10", "NULL"},
      {"-9223372036854775808 - 1", "-9223372036854775809"},
      {"cast(9223372036854775807 + 1 as bigint)", "NULL"},
      {"cast(300 as tinyint)", "NULL"},
      {"cast(127 as tinyint)", "127"},
      {"99999999999999999999999999999999999.999 * 1000000.5", "NULL"},
  });
}

TEST(Function, comparison_and_logic_of_three_values) {
  check({
      {"1 = 1.0", "1"},
      {"1 <> 2", "1"},
      {"1 != 1", "0"},
      {"2 >= 2 and 1 <= 0", "0"},
      {"'10' = 10", "1"},
      {"'9007199254740993' = 9007199254740992", "0"},
      {"'abc' < 'abd'", "1"},
      {"'abc' = 5", "NULL"},
      {"NULL = NULL", "NULL"},
      {"NULL <=> NULL", "1"},
      {"1 <=> NULL", "0"},
      {"1 <=> 1", "1"},
      {"NULL is null", "1"},
      {"NULL is not null", "0"},
      {"1 is null", "0"},
      {"true is true", "1"},
      {"NULL is not true", "1"},
      {"not 1", "0"},
      {"not NULL", "NULL"},
      {"!true", "0"},
      {"NULL and false", "0"},
      {"NULL and true", "NULL"},
      {"NULL or true", "1"},
      {"NULL or false", "NULL"},
      {"true and true and true", "1"},
      {"false || true", "1"},
      {"true && false", "0"},
      {"1 in (1, 2, 3)", "1"},
      {"4 in (1, 2, 3)", "0"},
      {"4 in (1, NULL)", "NULL"},
      {"1 in (1, NULL)", "1"},
      {"NULL in (1)", "NULL"},
      {"4 not in (1, 2)", "1"},
      {"'b' in ('a', 'b')", "1"},
      {"5 between 1 and 10", "1"},
      {"5 not between 1 and 10", "0"},
      {"5 between NULL and 4", "0"},
      {"5 between NULL and 10", "NULL"},
      {"cast('2020-01-02' as date) > '2020-01-01'", "1"},
      {"cast('2020-01-02' as date) = cast('2020-01-02 00:00:00' as datetime)", "1"},
      {"date '2020-01-02' between '2020-01-01' and '2020-01-31'", "1"},
      {"1 < 2 = true", "1"},
  });
}

TEST(Function, like_knows_its_two_marks) {
  check({
      {"'hello' like 'h%o'", "1"},
      {"'hello' like 'h_llo'", "1"},
      {"'hello' like 'ell'", "0"},
      {"'hello' like '%ell%'", "1"},
      {"'hello' not like '%x%'", "1"},
      {"'50%' like '50\\%'", "1"},
      {"'500' like '50\\%'", "0"},
      {"'' like '%'", "1"},
      {"'' like ''", "1"},
      {"'a' like ''", "0"},
      {"'\xE4\xB8\xAD\xE6\x96\x87' like '_\xE6\x96\x87'", "1"},
      {"'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab' like '%a%a%a%a%a%a%a%a%a%a%a%c'", "0"},
      {"NULL like '%'", "NULL"},
  });
}

TEST(Function, choices) {
  check({
      {"if(1 = 1, 'yes', 'no')", "yes"},
      {"if(1 = 2, 2, 3)", "3"},
      {"if(NULL, 2, 3)", "3"},
      {"if(true, 1, 1.50)", "1.00"},
      {"if(true, 1, 'a')", "1"},
      {"ifnull(1, 0)", "1"},
      {"ifnull(NULL, 10)", "10"},
      {"nvl(NULL, 'x')", "x"},
      {"coalesce(NULL, '1111', '0000')", "1111"},
      {"coalesce(NULL, NULL)", "NULL"},
      {"nullif(1, 1)", "NULL"},
      {"nullif(1, 0)", "1"},
      {"nullif('a', NULL)", "a"},
      {"case when 1 = 2 then 'a' when 2 = 2 then 'b' else 'c' end", "b"},
      {"case when 1 = 2 then 'a' end", "NULL"},
      {"case 2 when 1 then 'one' when 2 then 'two' else 'many' end", "two"},
      {"case NULL when NULL then 1 else 2 end", "2"},
      {"CASE WHEN true THEN CASE 1 WHEN 1 THEN 'deep' END END", "deep"},
      {"greatest(-1, 0, 5, 8)", "8"},
      {"greatest(-1, 0, 5, NULL)", "NULL"},
      {"least('b', 'a')", "a"},
  });
}

TEST(Function, strings) {
  check({
      {"concat('a', 'b')", "ab"},
      {"concat('a', 'b', NULL)", "NULL"},
      {"concat('a', 1, 2.50, true)", "a12.501"},
      {"concat_ws('or', 'd', 'is')", "doris"},
      {"concat_ws(NULL, 'd', 'is')", "NULL"},
      {"concat_ws('or', 'd', NULL, 'is')", "doris"},
      {"concat_ws(',', '', 'x')", ",x"},
      {"substr('Hello World', 7)", "World"},
      {"substring('abc1', 2)", "bc1"},
      {"substring('abc1', -2)", "c1"},
      {"substring('abc1', 0)", ""},
      {"substring('abc1', 5)", ""},
      {"substring('abc1def', 2, 2)", "bc"},
      {"substring('abc1', -9)", ""},
      {"substr('\xE4\xB8\xAD\xE6\x96\x87!', 2, 1)", "\xE6\x96\x87"},
      {"substr('abc', 1, -1)", ""},
      {"mid('abc', 2, 1)", "b"},
      {"left('Hello doris', 5)", "Hello"},
      {"left('Hello doris', -1)", ""},
      {"right('Hello doris', 5)", "doris"},
      {"right('ab', 5)", "ab"},
      {"upper('aBc123')", "ABC123"},
      {"lower('AbC123')", "abc123"},
      {"trim('   ab d   ')", "ab d"},
      {"ltrim('   ab d')", "ab d"},
      {"rtrim('ab d   ')", "ab d"},
      {"trim('ababccaab', 'ab')", "cca"},
      {"ltrim('ababccaab', 'ab')", "ccaab"},
      {"rtrim('ababccaab', 'ab')", "ababcca"},
      {"replace('http://www.baidu.com:9090', '9090', '')", "http://www.baidu.com:"},
      {"replace('aaa', 'a', 'bc')", "bcbcbc"},
      {"replace('aaa', '', 'x')", "aaa"},
      {"lpad('hi', 5, 'xy')", "xyxhi"},
      {"lpad('hi', 1, 'xy')", "h"},
      {"rpad('hi', 5, 'xy')", "hixyx"},
      {"rpad('hi', 0, 'xy')", ""},
      {"lpad('hi', 5, '')", ""},
      {"lpad('hi', -1, 'x')", "NULL"},
      {"repeat('a', 3)", "aaa"},
      {"repeat('a', -1)", ""},
      {"reverse('hello')", "olleh"},
      {"reverse('\xE4\xB8\xAD\xE6\x96\x87')", "\xE6\x96\x87\xE4\xB8\xAD"},
      {"length('abc')", "3"},
      {"length('\xE4\xB8\xAD\xE6\x96\x87')", "6"},
      {"char_length('\xE4\xB8\xAD\xE6\x96\x87')", "2"},
      {"ascii('234')", "50"},
      {"instr('foobar', 'bar')", "4"},
      {"instr('foobar', 'x')", "0"},
      {"locate('bar', 'foobarbar')", "4"},
      {"locate('bar', 'foobarbar', 5)", "7"},
      {"locate('bar', 'foo', 0)", "0"},
      {"starts_with('hello world', 'hello')", "1"},
      {"ends_with('Hello doris', 'doris')", "1"},
      {"split_part('hello world', ' ', 1)", "hello"},
      {"split_part('hello world', ' ', 2)", "world"},
      {"split_part('2019-7-8-', '-', 4)", ""},
      {"split_part('hello world', ' ', 3)", "NULL"},
      {"split_part('hello world', ' ', -1)", "world"},
      {"split_part('hello', ' ', 1)", "NULL"},
      {"substring_index('hello world foo', ' ', 2)", "hello world"},
      {"substring_index('hello world foo', ' ', -1)", "foo"},
      {"substring_index('xxx', 'xx', -2)", "xxx"},
      {"substring_index('hello', ' ', 1)", "hello"},
      {"null_or_empty('')", "1"},
      {"null_or_empty(NULL)", "1"},
      {"md5('abc')", "900150983cd24fb0d6963f7d28e17f72"},
      {"md5('')", "d41d8cd98f00b204e9800998ecf8427e"},
      {"md5(NULL)", "NULL"},
      {"md5sum('a', 'bc')", "900150983cd24fb0d6963f7d28e17f72"},
      {"sha1('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d"},
      {"'it''s' ", "it's"},
  });
}

TEST(Function, numbers) {
  check({
      {"abs(-2)", "2"},
      {"abs(-3.254655654)", "3.254655654"},
      {"abs(-3254654236547654354654767)", "3254654236547654354654767"},
      {"ceil(2.5)", "3"},
      {"ceil(-0.7)", "0"},
      {"floor(2.5)", "2"},
      {"floor(-2.5)", "-3"},
      {"floor(1e0 * 2.5)", "2"},
      {"round(2.4)", "2"},
      {"round(2.5)", "3"},
      {"round(-3.4)", "-3"},
      {"round(-3.5)", "-4"},
      {"round(1667.2725, 2)", "1667.27"},
      {"round(1667.2725, -2)", "1700"},
      {"round(1.5e0)", "2"},
      {"round('2.345', 2)", "2.35"},
      {"truncate(124.3867, 2)", "124.38"},
      {"truncate(124.3867, -2)", "100"},
      {"truncate(-124.3867, 0)", "-124"},
      {"round(15, -1)", "20"},
      {"sign(-2)", "-1"},
      {"sqrt(9)", "3"},
      {"sqrt(-1)", "NULL"},
      {"pow(2, 10)", "1024"},
      {"ln(0)", "NULL"},
  });
}

TEST(Function, casts) {
  check({
      {"cast('12' as int)", "12"},
      {"cast('12.9' as int)", "12"},
      {"cast('x' as int)", "NULL"},
      {"cast(12.9 as int)", "12"},
      {"cast(1.9e0 as bigint)", "1"},
      {"cast('1.235' as decimal(10, 2))", "1.24"},
      {"cast(1 as decimal(10, 2))", "1.00"},
      {"cast(1234567 as decimal(5, 2))", "NULL"},
      {"cast(5 as string)", "5"},
      {"cast('abcdef' as varchar(3))", "abc"},
      {"cast('2020-01-02 03:04:05' as date)", "2020-01-02"},
      {"cast('2020-01-02' as datetime)", "2020-01-02 00:00:00"},
      {"cast('2020-01-02 03:04:05.6789' as datetime(3))", "2020-01-02 03:04:05.679"},
      {"cast(20200102 as date)", "2020-01-02"},
      {"cast('2020-13-01' as date)", "NULL"},
      {"cast('true' as boolean)", "1"},
      {"cast(0 as boolean)", "0"},
      {"cast('1.5' as double) * 2", "3"},
      {"cast(cast('2020-01-02 03:04:05' as datetime) as bigint)", "20200102030405"},
      {"cast(NULL as int)", "NULL"},
  });
}

TEST(Function, dates) {
  check({
      {"year('1987-01-01')", "1987"},
      {"month('1987-01-01 23:24:56')", "1"},
      {"day('1987-01-31')", "31"},
      {"dayofmonth('1987-01-31')", "31"},
      {"hour('2018-12-31 23:59:59')", "23"},
      {"minute('2018-12-31 23:58:59')", "58"},
      {"second('2018-12-31 23:59:57')", "57"},
      {"microsecond('1999-01-02 10:11:12.000123')", "123"},
      {"quarter('2023-11-01')", "4"},
      {"dayofweek('2019-06-25')", "3"},
      {"weekday('2019-06-25')", "1"},
      {"dayofyear('2007-02-03 00:00:00')", "34"},
      {"week('2020-1-1')", "0"},
      {"week('2020-7-1', 1)", "27"},
      {"weekofyear('2008-02-20 00:00:00')", "8"},
      {"to_days('2007-10-07')", "733321"},
      {"year('x')", "NULL"},
      {"year(NULL)", "NULL"},
      {"to_date('2020-02-02 00:00:01')", "2020-02-02"},
      {"last_day('2000-02-03')", "2000-02-29"},
      {"datediff('2007-12-31 23:59:59', '2007-12-30')", "1"},
      {"datediff('2010-11-30 23:59:59', '2010-12-31')", "-31"},
      {"date_add('2010-11-30 23:59:59', INTERVAL 2 DAY)", "2010-12-02 23:59:59"},
      {"date_sub('2010-11-30 23:59:59', INTERVAL 2 DAY)", "2010-11-28 23:59:59"},
      {"date_add('2023-01-31', INTERVAL 1 MONTH)", "2023-02-28 00:00:00"},
      {"date_add(date '2023-01-31', 1)", "2023-02-01"},
      {"date '2024-02-29' + INTERVAL 1 YEAR", "2025-02-28"},
      {"date '2024-02-29' - INTERVAL 1 HOUR", "2024-02-28 23:00:00"},
      {"months_sub('2020-03-31 01:02:03', 1)", "2020-02-29 01:02:03"},
      {"weeks_add(date '2020-01-30', 1)", "2020-02-06"},
      {"date_add('9999-12-31', INTERVAL 1 DAY)", "NULL"},
      {"date_trunc('2010-12-02 19:28:30', 'second')", "2010-12-02 19:28:30"},
      {"date_trunc('2010-12-02 19:28:30', 'hour')", "2010-12-02 19:00:00"},
      {"date_trunc('2010-12-02 19:28:30', 'month')", "2010-12-01 00:00:00"},
      {"date_trunc('2023-4-23', 'week')", "2023-04-17 00:00:00"},
  });
}

TEST(Function, times_as_text) {
  check({
      {"date_format('2009-10-04 22:23:00', '%W %M %Y')", "Sunday October 2009"},
      {"date_format('2007-10-04 22:23:00', '%H:%i:%s')", "22:23:00"},
      {"date_format('1900-10-04 22:23:00', '%D %y %a %d %m %b %j')", "4th 00 Thu 04 10 Oct 277"},
      {"date_format('1997-10-04 22:23:00', '%H %k %I %r %T %S %w')", "22 22 10 10:23:00 PM 22:23:00 00 6"},
      {"date_format('1999-01-01 00:00:00', '%X %V')", "1998 52"},
      {"date_format('2006-06-01', '%d')", "01"},
      {"date_format('2006-06-01', '%%%d')", "%01"},
      {"date_format('2006-06-01', 'yyyyMMdd')", "20060601"},
      {"date_format(NULL, '%d')", "NULL"},
      {"str_to_date('2014-12-21 12:34:56', '%Y-%m-%d %H:%i:%s')", "2014-12-21 12:34:56"},
      {"str_to_date('200442 Monday', '%X%V %W')", "2004-10-18"},
      {"str_to_date('202053 Friday', '%x%v %W')", "2021-01-01"},
      {"str_to_date('2020 10 0', '%Y %U %w')", "2020-03-08"},
      {"str_to_date('202053 Friday', '%X%v %W')", "NULL"},
      {"str_to_date('202000 Friday', '%X%V %W')", "NULL"},
      {"str_to_date('202054 Friday', '%X%V %W')", "NULL"},
      {"str_to_date('999953 Friday', '%x%v %W')", "NULL"},
      {"str_to_date('2014-12-21 12:34%3A56', '%Y-%m-%d %H:%i%%3A%s')", "2014-12-21 12:34:56"},
      {"str_to_date('2020-09-01', '%Y-%m-%d %H:%i:%s')", "2020-09-01 00:00:00"},
      {"str_to_date('2023-07-05', '%Y-%m-%d')", "2023-07-05"},
      {"str_to_date('01,5,2013', '%d,%m,%Y')", "2013-05-01"},
      {"str_to_date('May 1, 2013', '%M %d,%Y')", "2013-05-01"},
      {"str_to_date('9:30:17 PM 2020-01-01', '%h:%i:%s %p %Y-%m-%d')", "2020-01-01 21:30:17"},
      {"str_to_date('2020-01-01 00:00:00.5', '%Y-%m-%d %H:%i:%s.%f')", "2020-01-01 00:00:00.500000"},
      {"str_to_date('2020-02-30', '%Y-%m-%d')", "NULL"},
      {"str_to_date('x', '%Y')", "NULL"},
      {"str_to_date('20200102', 'yyyyMMdd')", "2020-01-02"},
  });
}

TEST(Function, unix_time_knows_the_zone_of_the_load) {
  constexpr std::int32_t kShanghai = 8 * 3600;
  EXPECT_EQ(value("from_unixtime(1196440219)", kShanghai), "2007-12-01 00:30:19");
  EXPECT_EQ(value("from_unixtime(1196440219, 'yyyy-MM-dd HH:mm:ss')", kShanghai), "2007-12-01 00:30:19");
  EXPECT_EQ(value("from_unixtime(1196440219, '%Y-%m-%d')", kShanghai), "2007-12-01");
  EXPECT_EQ(value("from_unixtime(-1)", kShanghai), "NULL");
  EXPECT_EQ(value("from_unixtime(253402272000)", kShanghai), "NULL");
  EXPECT_EQ(value("unix_timestamp('2007-11-30 10:30:19')", kShanghai), "1196389819");
  EXPECT_EQ(value("unix_timestamp('2007-11-30 10:30-19', '%Y-%m-%d %H:%i-%s')", kShanghai), "1196389819");
  EXPECT_EQ(value("unix_timestamp('1969-01-01 00:00:00')", kShanghai), "0");
  EXPECT_EQ(value("unix_timestamp('x')"), "NULL");
  EXPECT_EQ(value("unix_timestamp()"), "1709211845");
}

TEST(Function, now_is_the_time_the_load_began) {
  check({
      {"now()", "2024-02-29 13:04:05"},
      {"now(3)", "2024-02-29 13:04:05.678"},
      {"current_timestamp", "2024-02-29 13:04:05"},
      {"current_timestamp(6)", "2024-02-29 13:04:05.678901"},
      {"curdate()", "2024-02-29"},
      {"current_date", "2024-02-29"},
      {"date_format(now(), '%Y%m')", "202402"},
  });
  EXPECT_EQ(value("utc_timestamp()", 3600), "2024-02-29 12:04:05");
}

TEST(Function, columns_are_computed_row_by_row) {
  const std::vector<Input> inputs = {
      {"s", Type::string(), {"10", "x", "NULL", "", "-3"}},
      {"n", Type::of(TypeKind::Int), {"1", "2", "3", "NULL", "0"}},
      {"d", Type::of(TypeKind::Date), {"2020-01-01", "2020-02-29", "NULL", "1999-12-31", "0000-01-01"}},
      {"p", Type::decimal(9, 2), {"1.25", "-0.01", "NULL", "3.00", "0.00"}},
      {"b", Type::of(TypeKind::Boolean), {"1", "0", "NULL", "1", "0"}},
      {"t",
       Type::date_time(3),
       {"2020-01-01 01:02:03.456", "NULL", "1969-12-31 23:59:59.999", "2000-01-01", "2000-01-01"}}};
  using Rows = std::vector<std::string>;
  EXPECT_EQ(evaluate("s + 1", inputs), (Rows{"11", "NULL", "NULL", "NULL", "-2"}));
  EXPECT_EQ(evaluate("n * 10", inputs), (Rows{"10", "20", "30", "NULL", "0"}));
  EXPECT_EQ(evaluate("10 / n", inputs), (Rows{"10", "5", "3.3333333333333335", "NULL", "NULL"}));
  EXPECT_EQ(evaluate("concat(s, '-', n)", inputs), (Rows{"10-1", "x-2", "NULL", "NULL", "-3-0"}));
  EXPECT_EQ(evaluate("if(n > 1, s, 'small')", inputs), (Rows{"small", "x", "NULL", "small", "small"}));
  EXPECT_EQ(evaluate("coalesce(n, 7)", inputs), (Rows{"1", "2", "3", "7", "0"}));
  EXPECT_EQ(evaluate("year(d)", inputs), (Rows{"2020", "2020", "NULL", "1999", "0"}));
  EXPECT_EQ(evaluate("days_add(d, n)", inputs),
            (Rows{"2020-01-02", "2020-03-02", "NULL", "NULL", "0000-01-01"}));
  EXPECT_EQ(evaluate("p + n", inputs), (Rows{"2.25", "1.99", "NULL", "NULL", "0.00"}));
  EXPECT_EQ(evaluate("p = '1.25'", inputs), (Rows{"1", "0", "NULL", "0", "0"}));
  EXPECT_EQ(evaluate("b and n = 1", inputs), (Rows{"1", "0", "0", "NULL", "0"}));
  EXPECT_EQ(evaluate("d in ('2020-01-01', '1999-12-31')", inputs), (Rows{"1", "0", "NULL", "1", "0"}));
  EXPECT_EQ(evaluate("t", inputs), (Rows{"2020-01-01 01:02:03.456", "NULL", "1969-12-31 23:59:59.999",
                                         "2000-01-01 00:00:00.000", "2000-01-01 00:00:00.000"}));
  EXPECT_EQ(evaluate("second(t)", inputs), (Rows{"3", "NULL", "59", "0", "0"}));
  EXPECT_EQ(evaluate("t > d", inputs), (Rows{"1", "NULL", "NULL", "1", "1"}));
  EXPECT_EQ(evaluate("case n when 1 then 'one' when 2 then s end", inputs),
            (Rows{"one", "x", "NULL", "NULL", "NULL"}));
  EXPECT_EQ(evaluate("length(s)", inputs), (Rows{"2", "1", "NULL", "0", "2"}));
  EXPECT_EQ(evaluate("md5(s) is null", inputs), (Rows{"0", "0", "1", "0", "0"}));
  EXPECT_EQ(evaluate("-p", inputs), (Rows{"-1.25", "0.01", "NULL", "-3.00", "0.00"}));
  EXPECT_EQ(evaluate("7", inputs), (Rows{"7", "7", "7", "7", "7"}));
}

TEST(Function, refusals_say_why) {
  EXPECT_EQ(value("sum(1)"), "error: Don't support aggregation function in load expression");
  EXPECT_EQ(value("count(*)"), "error: Don't support aggregation function in load expression");
  EXPECT_EQ(value("count(distinct 1)"), "error: Don't support aggregation function in load expression");
  EXPECT_EQ(
      value("to_bitmap(1)"),
      "error: function to_bitmap is not supported: penstock has no BITMAP, HLL or QUANTILE_STATE columns");
  EXPECT_EQ(value("frobnicate(1)"), "error: function frobnicate is not known, or not supported in loads");
  EXPECT_EQ(value("substr('a')"), "error: function substr does not take 1 arguments");
  EXPECT_EQ(value("year()"), "error: function year does not take 0 arguments");
}

TEST(Function, too_much_text_is_noticed) {
  EXPECT_EQ(value("length(repeat('x', 2000000))"), "error: the texts of an expression are too long");
  const std::vector<Input> inputs = {{"n", Type::of(TypeKind::Int), {"1000000000"}}};
  EXPECT_EQ(evaluate("repeat('x', n)", inputs)[0], "too much text");
  EXPECT_EQ(evaluate("lpad('x', n, 'abc')", inputs)[0], "too much text");
  EXPECT_EQ(evaluate("length(repeat('x', n / 100))", inputs)[0], "10000000");
}

}  // namespace
}  // namespace penstock::txn
