#include "txn/decode/text_to_value.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "txn/column/calendar.hpp"
#include "txn/column/column_builder.hpp"
#include "txn/column/value_format.hpp"
#include "txn/decode/json_text.hpp"

namespace penstock::txn {
namespace {

// The value as a cell is printed, or "fail".
std::string cast(const Type& type, std::string_view text, std::int32_t zone_offset_seconds = 0) {
  FixedValue value;
  if (!parse_fixed(type, text, core::TimeZone::fixed(zone_offset_seconds), value)) return "fail";
  ColumnView view;
  view.type = type;
  view.rows = 1;
  view.values = value.bytes;
  std::string out;
  append_cell(out, view, 0);
  return out;
}

struct Case {
  const char* text;
  const char* expected;
};

void expect_casts(const Type& type, std::initializer_list<Case> cases) {
  for (const Case& c : cases)
    EXPECT_EQ(cast(type, c.text), c.expected) << type_name(type) << " of '" << c.text << "'";
}

TEST(TextToValue, integers) {
  expect_casts(Type::of(TypeKind::TinyInt),
               {{"127", "127"}, {"-128", "-128"}, {"128", "fail"}, {"-129", "fail"}});
  expect_casts(Type::of(TypeKind::SmallInt), {{"32767", "32767"}, {"32768", "fail"}, {"-32768", "-32768"}});
  expect_casts(Type::of(TypeKind::Int), {{"2147483647", "2147483647"},
                                         {"2147483648", "fail"},
                                         {"-2147483648", "-2147483648"},
                                         {"-2147483649", "fail"},
                                         {" 7 ", "7"},
                                         {"\t7\r", "7"},
                                         {"+7", "7"},
                                         {"0007", "7"},
                                         {"-0", "0"},
                                         {"00000000000000000000000000000000000001", "1"},
                                         {"3.12", "3"},
                                         {"-3.99", "-3"},
                                         {"5.", "5"},
                                         {".5", "fail"},
                                         {"", "fail"},
                                         {" ", "fail"},
                                         {"-", "fail"},
                                         {"--1", "fail"},
                                         {"1 2", "fail"},
                                         {"1e3", "fail"},
                                         {"0x10", "fail"},
                                         {"NULL", "fail"},
                                         {"\"5\"", "fail"},
                                         {"1.2.3", "fail"}});
  expect_casts(Type::of(TypeKind::BigInt), {{"9223372036854775807", "9223372036854775807"},
                                            {"9223372036854775808", "fail"},
                                            {"-9223372036854775808", "-9223372036854775808"},
                                            {"-9223372036854775809", "fail"},
                                            {"99999999999999999999", "fail"}});
}

TEST(TextToValue, booleans) {
  expect_casts(Type::of(TypeKind::Boolean), {{"true", "true"},
                                             {"TRUE", "true"},
                                             {"False", "false"},
                                             {"1", "true"},
                                             {"0", "false"},
                                             {" 1 ", "true"},
                                             {"2", "fail"},
                                             {"-1", "fail"},
                                             {"", "fail"},
                                             {"maybe", "fail"}});
}

TEST(TextToValue, doubles) {
  expect_casts(Type::of(TypeKind::Double), {{"3.25", "3.25"},
                                            {" -1e3 ", "-1000"},
                                            {"+2", "2"},
                                            {"inf", "Infinity"},
                                            {"-Infinity", "-Infinity"},
                                            {"nan", "NaN"},
                                            {"1.79769e+309", "Infinity"},
                                            {"-1e999", "-Infinity"},
                                            {"+-1", "fail"},
                                            {"", "fail"},
                                            {"1x", "fail"}});
}

TEST(TextToValue, decimals_are_rounded_half_away_from_zero) {
  expect_casts(Type::decimal(6, 3), {{"111.111", "111.111"},
                                     {"-0.0005", "-0.001"},
                                     {"0.0004", "0.000"},
                                     {"1", "1.000"},
                                     {"999.9994", "999.999"},
                                     {"999.9995", "fail"},
                                     {"1000", "fail"},
                                     {".5", "0.500"},
                                     {"5.", "5.000"},
                                     {"1e2", "100.000"},
                                     {"12345e-3", "12.345"},
                                     {"1e-99999999999", "0.000"},
                                     {"0e99999999999", "0.000"},
                                     {"1e99999999999", "fail"},
                                     {".", "fail"},
                                     {"", "fail"},
                                     {"1e", "fail"},
                                     {"abc", "fail"}});
  expect_casts(Type::decimal(9, 1), {{"100000000.11111111111", "fail"}, {"99999999.94", "99999999.9"}});
  expect_casts(Type::decimal(18, 0),
               {{"999999999999999999", "999999999999999999"}, {"1000000000000000000", "fail"}});
  expect_casts(Type::decimal(38, 12),
               {{"12345678912345678912345678.123456789876", "12345678912345678912345678.123456789876"},
                {"99999999999999999999999999.9999999999994", "99999999999999999999999999.999999999999"},
                {"99999999999999999999999999.9999999999995", "fail"},
                {"123456789123456789123456789", "fail"}});
  expect_casts(Type::decimal(38, 0),
               {{"99999999999999999999999999999999999999", "99999999999999999999999999999999999999"},
                {"170141183460469231731687303715884105728", "fail"},
                {"340282366920938463463374607431768211456", "fail"},
                {"999999999999999999999999999999999999999999", "fail"}});
}

TEST(TextToValue, dates_in_many_spellings) {
  expect_casts(Type::of(TypeKind::Date), {{"2017-10-01", "2017-10-01"},
                                          {"20171001", "2017-10-01"},
                                          {"171001", "2017-10-01"},
                                          {"990101", "1999-01-01"},
                                          {"2017-10-01 00:00:00", "2017-10-01"},
                                          {"2017-10-01T23:59:59", "2017-10-01"},
                                          {"2017/10/01", "2017-10-01"},
                                          {"2017-1-1", "2017-01-01"},
                                          {" 2017-10-01 ", "2017-10-01"},
                                          {"0000-01-01", "0000-01-01"},
                                          {"9999-12-31", "9999-12-31"},
                                          {"2020-02-29", "2020-02-29"},
                                          {"2019-02-29", "fail"},
                                          {"1900-02-29", "fail"},
                                          {"2000-02-29", "2000-02-29"},
                                          {"2024-14-2", "fail"},
                                          {"2024-4-222", "fail"},
                                          {"2024-04-31", "fail"},
                                          {"2024-00-10", "fail"},
                                          {"2024-10-00", "fail"},
                                          {"2024/10-01", "fail"},
                                          {"10000-01-01", "fail"},
                                          {"2024", "fail"},
                                          {"2024-10", "fail"},
                                          {"2024-10-01x", "fail"},
                                          {"2024-10-01 25:00:00", "fail"},
                                          {"", "fail"},
                                          {"abc", "fail"}});
}

TEST(TextToValue, date_times_in_many_spellings) {
  expect_casts(Type::date_time(0), {{"2017-10-03 17:05:45", "2017-10-03T17:05:45"},
                                    {"2017-10-03T17:05:45", "2017-10-03T17:05:45"},
                                    {"2023-07-20:05:48:31", "2023-07-20T05:48:31"},
                                    {"20171003170545", "2017-10-03T17:05:45"},
                                    {"171003170545", "2017-10-03T17:05:45"},
                                    {"20171003T170545", "2017-10-03T17:05:45"},
                                    {"2017-10-03", "2017-10-03T00:00"},
                                    {"20171003", "2017-10-03T00:00"},
                                    {"2017-10-03 17", "2017-10-03T17:00"},
                                    {"2017-10-03 17:05", "2017-10-03T17:05"},
                                    {"2017-1-3 7:5:4", "2017-01-03T07:05:04"},
                                    {"2023-07-03 12:00:01 ", "2023-07-03T12:00:01"},
                                    {"2017-10-03 17:05:45.4", "2017-10-03T17:05:45"},
                                    {"2017-10-03 17:05:45.5", "2017-10-03T17:05:46"},
                                    {"2017-12-31 23:59:59.999", "2018-01-01T00:00"},
                                    {"9999-12-31 23:59:59.9", "fail"},
                                    {"2017-10-03 24:00:00", "fail"},
                                    {"2024-4-2 27:00:00", "fail"},
                                    {"2017-10-03 17:60:00", "fail"},
                                    {"2017-10-03 17:05:60", "fail"},
                                    {"2017-10-03 17:05:45.", "fail"},
                                    {"2017-10-03 17:05:", "fail"},
                                    {"2017-10-03x17:05:45", "fail"},
                                    {"2017-10-03 17:05:45 abc", "fail"},
                                    {"2017-10-03 17:05:45Z", "2017-10-03T17:05:45"},
                                    {"2017-10-03 17:05:45+08:00", "2017-10-03T09:05:45"},
                                    {"2017-10-03 17:05:45-0530", "2017-10-03T22:35:45"},
                                    {"2017-10-03 17:05:45+15:00", "fail"},
                                    {"0000-01-01 00:00:00+01:00", "fail"}});
  expect_casts(Type::date_time(3), {{"2017-10-03 17:05:45.1234", "2017-10-03T17:05:45.123"},
                                    {"2017-10-03 17:05:45.1235", "2017-10-03T17:05:45.124"}});
  expect_casts(Type::date_time(6), {{"2017-10-03 17:05:45.123456", "2017-10-03T17:05:45.123456"},
                                    {"2017-10-03 17:05:45.1234565", "2017-10-03T17:05:45.123457"},
                                    {"2017-10-03 17:05:45.12345649999999", "2017-10-03T17:05:45.123456"}});
  EXPECT_EQ(cast(Type::date_time(0), "2024-06-27T22:52:40.4+09:00", 8 * 3600), "2024-06-27T21:52:40");
}

TEST(TextToValue, strings_are_cut_between_characters) {
  EXPECT_EQ(utf8_prefix("hello", 10), 5u);
  EXPECT_EQ(utf8_prefix("hello world", 5), 5u);
  EXPECT_EQ(utf8_prefix("\xE4\xB8\xAD\xE4\xB8\xAD\xE4\xB8\xAD\xE4\xB8\xAD", 10), 9u);
  EXPECT_EQ(utf8_prefix("\xE4\xB8\xAD", 2), 0u);
}

TEST(TextToValue, large_integers) {
  expect_casts(Type::of(TypeKind::LargeInt),
               {{"170141183460469231731687303715884105727", "170141183460469231731687303715884105727"},
                {"170141183460469231731687303715884105728", "fail"},
                {"-170141183460469231731687303715884105728", "-170141183460469231731687303715884105728"},
                {"-170141183460469231731687303715884105729", "fail"},
                {"340282366920938463463374607431768211456", "fail"},
                {"9999999999999999999999999999999999999999", "fail"},
                {" -45.9 ", "-45"},
                {"0", "0"},
                {"", "fail"},
                {"1e3", "fail"},
                {"x", "fail"}});
}

TEST(TextToValue, floats_overflow_to_infinity) {
  expect_casts(Type::of(TypeKind::Float), {{"3.14", "3.14"},
                                           {" 8.100 ", "8.1"},
                                           {"16777217", "16777216"},
                                           {"3.40282e+39", "Infinity"},
                                           {"-1e400", "-Infinity"},
                                           {"1e-60", "0"},
                                           {"nan", "NaN"},
                                           {"", "fail"},
                                           {"\"1\"", "fail"},
                                           {"1.0x", "fail"}});
}

TEST(TextToValue, addresses) {
  expect_casts(Type::of(TypeKind::IpV4), {{"0.0.0.0", "0.0.0.0"},
                                          {" 192.168.1.255 ", "192.168.1.255"},
                                          {"255.255.255.255", "255.255.255.255"},
                                          {"256.1.1.1", "fail"},
                                          {"1.2.3", "fail"},
                                          {"1.2.3.4.5", "fail"},
                                          {"1.2.3.04", "fail"},
                                          {"1..2.3", "fail"},
                                          {"", "fail"}});
  expect_casts(Type::of(TypeKind::IpV6), {{"::", "::"},
                                          {"::1", "::1"},
                                          {"1::", "1::"},
                                          {"2001:0DB8:0:0:0:0:2:1", "2001:db8::2:1"},
                                          {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
                                          {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
                                          {"2001:db8::1:0:0:1", "2001:db8::1:0:0:1"},
                                          {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
                                          {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
                                          {"::ffff:1.2.3.4", "::ffff:1.2.3.4"},
                                          {"1.2.3.4", "::ffff:1.2.3.4"},
                                          {"64:ff9b::1.2.3.4", "64:ff9b::102:304"},
                                          {"1:2:3:4:5:6:7:8:9", "fail"},
                                          {"1:2:3:4:5:6:7:8::", "fail"},
                                          {"1::2::3", "fail"},
                                          {":::", "fail"},
                                          {":1", "fail"},
                                          {"1:", "fail"},
                                          {"12345::", "fail"},
                                          {"g::", "fail"},
                                          {"1:2:3:4:5:6:7:1.2.3.4", "fail"},
                                          {"", "fail"}});
}

std::string compacted(std::string_view text) {
  GrowBuffer out;
  out.append("x", 1);
  if (!compact_json(text, out)) return out.size() == 1 ? "fail" : "fail, but something was written";
  return std::string(core::as_text(out.bytes())).substr(1);
}

TEST(JsonCompact, blanks_go_and_everything_else_stays) {
  for (const auto& [text, expected] : std::vector<std::pair<std::string, std::string>>{
           {" { \"b\" : 1.50 , \"a\" : [ 1 , 2 , { } , [ ] ] } \n", "{\"b\":1.50,\"a\":[1,2,{},[]]}"},
           {"\"two words\"", "\"two words\""},
           {"-0.5e+10", "-0.5e+10"},
           {" null ", "null"},
           {"[true,false , null]", "[true,false,null]"},
           {"{\"k\": \"\\u00e9\\n\\\"\", \"k\": {\"k\": []}}", "{\"k\":\"\\u00e9\\n\\\"\",\"k\":{\"k\":[]}}"},
           {"\"\xC3\xA9\"", "\"\xC3\xA9\""}}) {
    EXPECT_EQ(compacted(text), expected);
  }
}

TEST(JsonCompact, what_is_not_json_is_refused) {
  for (const char* text : {"",           " ",           "{",          "}",
                           "[",          "]",           "{]",         "[}",
                           "[1,]",       "[,1]",        "{\"a\"}",    "{\"a\":}",
                           "{\"a\":1,}", "{a:1}",       "{'a':1}",    "01",
                           "1.",         ".5",          "+1",         "1e",
                           "--1",        "nul",         "truex",      "\"",
                           "\"\\x\"",    "\"\\u12g4\"", "\"\\",       "\"a\nb\"",
                           "1 2",        "[1 2]",       "{\"a\" 1}",  "{\"a\":1 \"b\":2}",
                           "NaN",        "[1]]",        "{\"a\":1}}", "{1:2}",
                           "{\"a\":1,2}"}) {
    EXPECT_EQ(compacted(text), "fail") << text;
  }
  EXPECT_EQ(compacted(std::string(kJsonDepthMax, '[') + std::string(kJsonDepthMax, ']')),
            std::string(kJsonDepthMax, '[') + std::string(kJsonDepthMax, ']'));
  EXPECT_EQ(compacted(std::string(kJsonDepthMax + 1, '[') + std::string(kJsonDepthMax + 1, ']')), "fail");
  EXPECT_EQ(compacted(std::string(1'000'000, '[')), "fail");
}

}  // namespace
}  // namespace penstock::txn
