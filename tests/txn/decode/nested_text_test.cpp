// Nested values: what texts of them are taken for, and how much a hostile one can cost.
#include "txn/decode/nested_text.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/txn/decode/csv_run.hpp"
#include "tests/txn/decode/json_run.hpp"
#include "txn/column/value_format.hpp"

namespace penstock::txn {
namespace {

const Type kInt = Type::of(TypeKind::Int);

// The value as a scan prints it, or what became of it; a column keeps what it had before in any case.
std::string taken(const Type& type, std::string_view text, const CellRules& rules = {}) {
  ColumnBuilder column(type);
  column.append_null();
  const std::size_t before = column.bytes();
  std::size_t unfolded = BadRows::kRowUnfoldedMax;
  const std::vector<char> exact(text.begin(), text.end());  // nothing readable behind it
  switch (append_nested({exact.data(), exact.size()}, rules, column, unfolded)) {
    case NestedOutcome::Malformed:
      EXPECT_EQ(column.rows(), 1u);
      EXPECT_EQ(column.bytes(), before);
      return "malformed";
    case NestedOutcome::TooLong:
      EXPECT_EQ(column.rows(), 1u);
      EXPECT_EQ(column.bytes(), before);
      return "too long";
    case NestedOutcome::Taken:
      break;
  }
  EXPECT_EQ(column.rows(), 2u);
  EXPECT_LE(column.bytes(), before + 2 * row_width(type) + 16 + text.size() * expansion(type));
  std::string out;
  append_cell(out, column.view(), 1);
  return out;
}

struct Case {
  const char* text;
  const char* expected;
};
void expect_taken(const Type& type, std::initializer_list<Case> cases, const CellRules& rules = {}) {
  for (const Case& one : cases) EXPECT_EQ(taken(type, one.text, rules), one.expected) << one.text;
}

TEST(NestedText, arrays) {
  expect_taken(Type::array(kInt), {{"[]", "[]"},
                                   {" [ ] ", "[]"},
                                   {"[1,2,3]", "[1, 2, 3]"},
                                   {"[ 1 , null,\\N, -7 ]", "[1, null, null, -7]"},
                                   {"[1,x,3]", "[1, null, 3]"},
                                   {"['1',\"2\"]", "[1, 2]"},
                                   {"[1,2,]", "[1, 2]"},
                                   {"[,1]", "[null, 1]"},
                                   {"[3.9,99999999999]", "[3, null]"},
                                   {"[[1],2]", "[null, 2]"},
                                   {"1,2", "malformed"},
                                   {"[1,2", "malformed"},
                                   {"[1,2]]", "malformed"},
                                   {"[1,2] x", "malformed"},
                                   {"[1}", "malformed"},
                                   {"{1}", "malformed"},
                                   {"", "malformed"},
                                   {"null", "malformed"}});
  expect_taken(Type::array(Type::of(TypeKind::Boolean)), {{"[true,0,no,1]", "[1, 0, 0, 1]"}});
  expect_taken(Type::array(Type::decimal(20, 6)), {{"[1,1.2,\\N]", "[1.000000, 1.200000, null]"}});
  expect_taken(Type::array(Type::date_time(0)), {{"[\"1991-01-01 00:00:00\", 1991-01-02T03:04:05]",
                                                  "[\"1991-01-01 00:00:00\", \"1991-01-02 03:04:05\"]"}});
  expect_taken(Type::array(Type::date_time(3)), {{"['1991-01-01']", "[\"1991-01-01 00:00:00.000\"]"}});
  expect_taken(Type::array(Type::of(TypeKind::IpV4)), {{"[1.2.3.4, x]", "[\"1.2.3.4\", null]"}});
}

TEST(NestedText, texts_may_have_quotes_of_either_kind_or_none) {
  expect_taken(Type::array(Type::string()), {{R"(["a", 'b', c d , ""])", R"(["a", "b", "c d", ""])"},
                                             {R"(["null",null])", R"(["null", null])"},
                                             {R"(["it's", 'a "b" c'])", R"(["it's", "a "b" c"])"},
                                             {R"([it's, o"k])", R"(["it's", "o"k"])"},
                                             {R"(["a "quoted" word", "b"])", R"(["a "quoted" word", "b"])"},
                                             {R"(["the boys', toys", 1])", R"(["the boys', toys", "1"])"},
                                             {R"(["a, ]b" , "c"])", R"(["a, ]b", "c"])"},
                                             {R"(["C:\", "D:\"])", R"(["C:\\", "D:\\"])"},
                                             {R"(["a\"b"])", R"(["a\\"b"])"},
                                             {R"([{"k": "x,y"}, [1, 2]])", R"(["{"k": "x,y"}", "[1, 2]"])"},
                                             {R"(["a)", "malformed"},
                                             {R"(["a" b])", "malformed"}});
  expect_taken(Type::array(Type::string()),
               {{R"(["a\"b","ä","\n"])", R"(["a"b", "ä", "\n"])"}, {R"(["\x"])", R"(["\\x"])"}},
               {.has_json_escapes = true});
}

TEST(NestedText, texts_are_as_long_as_their_type_allows) {
  const Type type = Type::array(Type::varchar(3));
  expect_taken(type, {{"[abcd, ab]", R"(["abc", "ab"])"}});
  expect_taken(type, {{"[abcd, ab]", "too long"}, {"[abc]", R"(["abc"])"}}, {.strict = true});
  EXPECT_EQ(taken(Type::array(Type::character()), "[ab]"), R"(["a"])");
  EXPECT_EQ(taken(Type::array(Type::string()), "[" + std::string(kStringLengthDefault + 1, 'x') + "]"),
            "too long");
}

TEST(NestedText, maps) {
  expect_taken(Type::map(Type::string(), kInt),
               {{"{}", "{}"},
                {R"({"k1": 31, "k2": 300})", R"({"k1":31, "k2":300})"},
                {R"({'  1,amy  ':2, " k ":90})", R"({"  1,amy  ":2, " k ":90})"},
                {R"({"k1': 4, "k2": 400})", R"({"k1":4, "k2":400})"},
                {R"({"k3":23, null: 20, "k4": null})", R"({"k3":23, null:20, "k4":null})"},
                {R"({"null":1, k:2,})", R"({"null":1, "k":2})"},
                {R"({:2, "k2":})", R"({"":2, "k2":null})"},
                {R"({null:null})", R"({null:null})"},
                {R"({"a":1:2})", R"({"a":null})"},
                {R"({"a"})", "malformed"},
                {R"({"a",1})", "malformed"},
                {R"({"a":1)", "malformed"},
                {R"(["a":1])", "malformed"}});
  expect_taken(Type::map(kInt, Type::character(7)), {{R"({1:"1", 2:22})", R"({1:"1", 2:"22"})"}});
  expect_taken(Type::map(kInt, Type::array(kInt)), {{"{1:[1,2],2:null,3:[}", "malformed"},
                                                    {"{1:[1,2],2:null,3:x}", "{1:[1, 2], 2:null, 3:null}"}});
}

TEST(NestedText, structs_by_name_and_by_position) {
  const Type type = Type::structure({"f1", "f2", "f3"}, {kInt, Type::string(), Type::of(TypeKind::Date)});
  const char* whole = R"({"f1":1, "f2":"a", "f3":"2023-02-26"})";
  expect_taken(type, {{R"({"f1":1, "f2":'a', "f3":2023-02-26})", whole},
                      {R"({f3: "2023-02-26", F1: 1, 'f2': a})", whole},
                      {R"({1, "a", 2023-02-26})", whole},
                      {R"({ 1,a ,'2023-02-26' })", whole},
                      {R"({"f1":null, "f2":null, "f3":x})", R"({"f1":null, "f2":null, "f3":null})"},
                      {"{}", R"({"f1":null, "f2":null, "f3":null})"},
                      {R"({"f1":1, "f2":"", "f3":null})", R"({"f1":1, "f2":"", "f3":null})"},
                      {R"({"f1":1, "f2":"a"})", "malformed"},
                      {R"({"f1":1, "f2":"a", "f2":"b"})", "malformed"},
                      {R"({"f1":1, "f2":"a", "f3":null, "f4":1})", "malformed"},
                      {R"({"f1":1, "f2":"a", "f4":1})", "malformed"},
                      {R"({1, "a"})", "malformed"},
                      {R"({1, "a", null, 4})", "malformed"},
                      {R"({1, "f2":"a", null})", "malformed"}});
}

TEST(NestedText, nested_in_each_other_a_bad_one_is_null) {
  expect_taken(Type::array(Type::array(kInt)),
               {{"[[1, 2], [3, null, 46]]", "[[1, 2], [3, null, 46]]"},
                {"[null, [1,2,null], []]", "[null, [1, 2, null], []]"},
                {"[NULL, x, \"[1]\", [1}, [2]x, [3]]", "[null, null, null, null, null, [3]]"},
                {"[[1,2]", "malformed"}});
  const Type point = Type::structure({"x", "y"}, {kInt, Type::array(kInt)});
  expect_taken(Type::map(Type::string(), Type::array(point)),
               {{R"({"a":[{"x":1,"y":[1,2]},{2,[]}], "b":[{"z":1}]})",
                 R"({"a":[{"x":1, "y":[1, 2]}, {"x":2, "y":[]}], "b":[null]})"},
                {R"({"a":[{"x":1,"y":[1,2],"x":3}, {5,[6]}]})", R"({"a":[null, {"x":5, "y":[6]}]})"}});
  expect_taken(Type::array(Type::json()), {{R"([{"a": 1}, "s", 'x', [1, 2], 7, '{"b" :2}'])",
                                            R"([{"a":1}, "s", null, [1,2], 7, {"b":2}])"}});
}

// ---- what hostile texts can cost ----

TEST(NestedText, a_million_brackets_are_malformed) {
  Type deep = kInt;
  for (std::size_t i = 0; i < kNestedDepthMax; ++i) deep = Type::array(deep);
  const std::size_t count = 1'000'000;
  for (const Type& type : {deep, Type::array(kInt), Type::map(kInt, kInt), Type::structure({"a"}, {deep}),
                           Type::array(Type::string()), Type::array(Type::json())}) {
    for (const char c : {'[', '{', '"', '\'', '\\', ',', ':', ']'}) {
      EXPECT_EQ(taken(type, std::string(count, c)), "malformed") << c;
      EXPECT_EQ(taken(type, "[{[" + std::string(count, c)), "malformed") << c;
    }
  }
  const std::string whole = std::string(count, '[') + std::string(count, ']');
  EXPECT_EQ(taken(deep, whole), "[[[[[[[[null]]]]]]]]");
}

TEST(NestedText, crooked_quotes_are_given_up_on) {
  const auto repeated = [](std::string_view piece) {
    std::string text = "[";
    while (text.size() < 400'000) text += piece;
    return text + "1]";
  };
  for (const char* piece : {"\"C:\\\",", "\"a',", "'a\",\"b',", "\"a\"b,", "[x\",", "{\"a:'b,"}) {
    for (const Type& type : {Type::array(Type::string()), Type::array(Type::array(Type::string()))}) {
      taken(type, repeated(piece));
    }
  }
}

TEST(NestedText, a_value_that_would_unfold_too_far_is_refused) {
  std::vector<std::string> names;
  for (int i = 0; i < 900; ++i) names.push_back("f" + std::to_string(i));
  const Type wide = Type::structure(names, std::vector<Type>(900, Type::of(TypeKind::LargeInt)));
  EXPECT_EQ(expansion(Type::array(wide)), kExpansionMax);
  EXPECT_EQ(taken(Type::array(wide), "[" + std::string(200'000, ',') + "]"), "too long");
  EXPECT_EQ(taken(Type::array(Type::array(wide)), "[" + std::string(200'000, 'x') + "]"), "[null]");
  std::string empty = "[";
  for (int i = 0; i < 60'000; ++i) empty += "[]x,";
  taken(Type::array(Type::array(wide)), empty + "[]]");
  EXPECT_EQ(taken(Type::array(kInt), "[" + std::string(1'000'000, ',') + "]").size(), 6'000'000u);
  // NULL fields are printed with their names: these count for the bound of a row.
  const Type named = Type::structure({std::string(255, 'n')}, {Type::of(TypeKind::Boolean)});
  EXPECT_EQ(taken(Type::array(named), "[" + std::string(250'000, ',') + "]"), "too long");
}

TEST(NestedText, any_text_gives_a_row_or_none) {
  const Type point = Type::structure({"a", "b"}, {kInt, Type::array(Type::string())});
  const std::vector<Type> types = {Type::array(kInt), Type::map(Type::string(), point), point,
                                   Type::array(Type::array(point)), Type::array(Type::json())};
  const std::string_view letters = "[]{}\"',: ab1\\N";
  std::mt19937 random(5);
  for (int round = 0; round < 60'000; ++round) {
    std::string text = random() % 2 == 0 ? "[" : "{";
    const std::size_t size = random() % 24;
    for (std::size_t i = 0; i < size; ++i) text += letters[random() % letters.size()];
    if (random() % 2 == 0) text += text[0] == '[' ? ']' : '}';
    taken(types[random() % types.size()], text,
          {.strict = random() % 2 == 0, .has_json_escapes = random() % 2 == 0});
  }
}

// ---- in loads ----

std::shared_ptr<const TableSchema> nested_schema() {
  return schema_of({column(1, kInt, false), column(2, Type::array(kInt)),
                    column(3, Type::map(Type::string(), Type::date_time(0))),
                    column(4, Type::structure({"x", "y"}, {kInt, Type::array(Type::varchar(4))}), false)});
}

TEST(NestedText, csv_does_not_depend_on_where_it_is_cut) {
  LoadSetup setup{.schema = nested_schema(), .columns = "", .options = {}};
  setup.options.column_separator = "|";
  setup.options.block.rows_max = 3;
  const std::string body =
      "1|[1,2,3]|{\"a\":\"2024-01-02 03:04:05\"}|{1,[a,b]}\n"
      "2|\\N|{}|{\"y\":['abcdef',null],\"x\":7}\n"
      "3|[1,2|x|{}\n"
      "4|[]|\\N|\\N\n"
      "5|[]|\\N|{1}\n"
      "6|[x,7]|{b:2024-02-03}|{null,null}\n";
  const std::string expected = run(setup, body, {});
  EXPECT_EQ(rows_only(expected).substr(0, rows_only(expected).find("Reason")),
            "1|[1, 2, 3]|{\"a\":\"2024-01-02 03:04:05\"}|{\"x\":1, \"y\":[\"a\", \"b\"]}\n"
            "2|\\N|{}|{\"x\":7, \"y\":[\"abcd\", null]}\n"
            "3|\\N|\\N|{\"x\":null, \"y\":null}\n"
            "6|[null, 7]|{\"b\":\"2024-02-03 00:00:00\"}|{\"x\":null, \"y\":null}\n"
            "total 6 filtered 2 loaded 4\n")
      << expected;
  Pieces every;
  for (std::size_t cut = 1; cut < body.size(); ++cut) {
    ASSERT_EQ(run(setup, body, {cut}), expected) << cut;
    every.push_back(cut);
  }
  EXPECT_EQ(run(setup, body, every), expected);
}

TEST(NestedText, strict_mode_filters_rows_of_malformed_cells_and_not_of_wrong_elements) {
  LoadSetup setup{
      .schema = schema_of({column(1, kInt), column(2, Type::array(kInt))}), .columns = "", .options = {}};
  setup.options.column_separator = "|";
  setup.options.cells.strict = true;
  const std::string out = run(setup, "1|[1,x]\n2|1,2\n3|\\N\n4|[5\n", {});
  EXPECT_NE(out.find("1|[1, null]\n3|\\N\ntotal 4 filtered 2 loaded 2\n"), std::string::npos) << out;
  EXPECT_NE(out.find("column(c2) value is incorrect while strict mode is true, src value is 1,2"),
            std::string::npos)
      << out;
}

TEST(NestedText, where_blocks_end_does_not_depend_on_cuts_when_values_unfold) {
  LoadSetup setup{.schema = schema_of({column(1, Type::array(Type::of(TypeKind::LargeInt)))}),
                  .columns = "",
                  .options = {}};
  setup.options.block.memory_bytes_max = 30'000;
  std::string body;
  for (int i = 0; i < 400; ++i) body += "[" + std::string(static_cast<std::size_t>(i * 7 % 40), ',') + "1]\n";
  const std::string expected = run(setup, body, {});
  std::mt19937 random(2);
  for (int round = 0; round < 12; ++round) {
    Pieces cuts;
    for (std::size_t at = random() % 500; at < body.size(); at += 1 + random() % 900) cuts.push_back(at);
    ASSERT_EQ(run(setup, body, cuts), expected);
  }
}

TEST(NestedText, a_row_may_not_unfold_to_more_than_its_bound) {
  const Type large = Type::of(TypeKind::LargeInt);
  const Type type = Type::array(Type::structure({"a", "b", "c"}, {large, large, large}));
  LoadSetup setup{.schema = schema_of({column(1, type), column(2, type)}), .columns = "", .options = {}};
  const std::string half = "[" + std::string(510'000, ',') + "]";
  const std::string out = run(setup, half + "\t[]\n" + half + "\t" + half + "\n", {});
  EXPECT_NE(out.find("total 2 filtered 1 loaded 1\n"), std::string::npos) << out.substr(out.size() - 300);
}

TEST(NestedText, defaults_are_null_or_empty) {
  LoadSetup setup{
      .schema = schema_of({column(1, kInt), testing::with_default(column(2, Type::array(kInt)), "[]"),
                           testing::with_default(column(3, Type::map(kInt, kInt)), "{}"),
                           column(4, Type::array(kInt))}),
      .columns = "c1",
      .options = {}};
  EXPECT_NE(run(setup, "1\n2\n", {}).find("1|[]|{}|\\N\n2|[]|{}|\\N\n"), std::string::npos);
}

TEST(NestedText, json_values_and_strings_of_their_text) {
  testing::JsonCase one;
  one.schema =
      testing::schema_of({testing::column("k", kInt), testing::column("a", Type::array(Type::string())),
                          testing::column("m", Type::map(Type::string(), Type::of(TypeKind::Double))),
                          testing::column("s", Type::structure({"x", "y"}, {kInt, Type::array(kInt)}))});
  const std::string body =
      R"({"k":1,"a":["x","q\"\u00e4\n",null,true],"m":{"p":1.5,"q":null},"s":{"x":1,"y":[1,2]}})"
      "\n"
      R"({"k":2,"a":"['x', y]","m":"{p:2}","s":"{7,[8]}"})"
      "\n"
      R"({"k":3,"a":{"no":1},"m":[1],"s":{"x":1,"z":2}})"
      "\n"
      R"({"k":4,"a":5,"m":true,"s":"?"})"
      "\n"
      R"({"k":5,"a":null})"
      "\n"
      R"({"k":6,"a":["x",}})"
      "\n";
  std::string complaint;
  const testing::Outcome out = one.run_split(body, complaint);
  EXPECT_EQ(complaint, "");
  EXPECT_EQ(out.rows,
            "1|[\"x\", \"q\"ä\\n\", null, \"true\"]|{\"p\":1.5, \"q\":null}|{\"x\":1, \"y\":[1, 2]}\n"
            "2|[\"x\", \"y\"]|{\"p\":2}|{\"x\":7, \"y\":[8]}\n"
            "3|\\N|\\N|\\N\n"
            "4|\\N|\\N|\\N\n"
            "5|\\N|\\N|\\N\n");
  EXPECT_EQ(out.filtered, 1u);
  testing::JsonCase strict = one;
  strict.options.cells.strict = true;
  EXPECT_EQ(strict.run(body).filtered, 3u);
}

}  // namespace
}  // namespace penstock::txn
