// JSON bodies: shapes, keys, values, messages; each body also cut at every byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/txn/decode/json_run.hpp"

namespace penstock::txn {
namespace {

using testing::column;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::JsonCase;
using testing::Outcome;
using testing::schema_of;
using testing::with_default;

JsonCase people() {
  JsonCase out;
  out.schema = schema_of({column("id", Type::of(TypeKind::BigInt), false),
                          with_default(column("city", Type::varchar(32)), "nowhere"),
                          column("score", Type::of(TypeKind::Double)), column("note", Type::string())});
  return out;
}

Outcome split(const JsonCase& test, std::string_view body) {
  std::string complaint;
  Outcome run = test.run_split(body, complaint);
  EXPECT_EQ(complaint, "") << body;
  return run;
}

TEST(JsonDecoder, lines_with_keys_in_any_order) {
  const Outcome run = split(people(),
                            "{\"id\":1,\"city\":\"Oslo\",\"score\":1.5,\"note\":\"a\"}\n\n"
                            "{\"note\":\"b\",\"score\":\"2\",\"id\":\"2\",\"city\":null}\r\n"
                            " { \"id\" : 3 , \"x\" : {\"id\":9} , \"score\" : true } ");
  EXPECT_EQ(run.rows, "1|Oslo|1.5|a\n2|\\N|2|b\n3|nowhere|1|\\N\n");
  EXPECT_EQ(run.total, 3u);
  EXPECT_EQ(run.filtered, 0u);
}

TEST(JsonDecoder, an_outer_array_is_taken_element_by_element) {
  const Outcome run = split(people().array(),
                            "  [ {\"id\":1,\"note\":\"]},\\\"[{\"} ,{\"id\":2,\"note\":\"\\\\\"}\n,"
                            "{\"id\":3,\"note\":[1, {\"a\" : \"}\"}]}]\n ");
  EXPECT_EQ(run.rows, "1|nowhere|\\N|]},\"[{\n2|nowhere|\\N|\\\\\n3|nowhere|\\N|[1,{\"a\":\"}\"}]\n");
  EXPECT_EQ(run.total, 3u);
}

TEST(JsonDecoder, one_object_over_several_lines_is_one_row) {
  const Outcome run = split(people().document(), "\n{\n \"id\": 7,\n \"note\": \"x\ty\"}\n");
  EXPECT_EQ(run.filtered, 1u);  // an unescaped tab
  EXPECT_EQ(split(people().document(), "\n{\n \"id\": 7,\n \"note\": \"x\"}\n").rows, "7|nowhere|\\N|x\n");
}

TEST(JsonDecoder, an_array_a_line) {
  JsonCase test = people().array();
  test.options.by_line = true;
  const Outcome run =
      split(test, "[{\"id\":1},{\"id\":2}]\n[{\"id\":3}]\n[{\"id\":4},]\n[]\n{\"id\":5}\n[{\"id\":6}]");
  EXPECT_EQ(run.rows, "1|nowhere|\\N|\\N\n2|nowhere|\\N|\\N\n3|nowhere|\\N|\\N\n6|nowhere|\\N|\\N\n");
  EXPECT_EQ(run.total, 7u);
  EXPECT_EQ(run.filtered, 3u);
  EXPECT_THAT(run.log, HasSubstr("Empty json line"));
  EXPECT_THAT(run.log, HasSubstr("JSON data is not an array-object, `strip_outer_array` must be FALSE."));
}

TEST(JsonDecoder, escapes_say_what_they_say) {
  const Outcome run = split(people(), R"({"id":1,"note":"\uD83D\uDE42 \u00e9\t\"\\\/\b\f\n\r"})");
  EXPECT_THAT(run.rows, HasSubstr("\xF0\x9F\x99\x82 \xC3\xA9\\t\""));
  const Outcome key = split(people(), R"({"\u0069d":5})");
  EXPECT_EQ(key.rows, "5|nowhere|\\N|\\N\n");
  EXPECT_EQ(split(people(), R"({"id":1,"note":"\ud83d"})").filtered, 1u);
  EXPECT_EQ(split(people(), R"({"id":1,"note":"\x"})").filtered, 1u);
}

TEST(JsonDecoder, a_text_that_looks_like_the_null_mark_is_a_text) {
  EXPECT_EQ(split(people(), R"({"id":1,"note":"\\N","city":""})").rows, "1||\\N|\\\\N\n");
}

TEST(JsonDecoder, the_first_of_equal_keys_counts) {
  EXPECT_EQ(split(people(), R"({"id" : 10, "id" : 100})").rows, "10|nowhere|\\N|\\N\n");
}

TEST(JsonDecoder, what_a_row_lacks_is_filled_or_filters_it) {
  const Outcome run =
      split(people(),
            "{\"note\":\"x\"}\n{\"id\":null}\n{\"id\":\"abc\"}\n{\"city\":\"long long long long long "
            "long long\",\"id\":1}\n");
  EXPECT_EQ(run.rows, "1|long long long long long long lo|\\N|\\N\n");
  EXPECT_THAT(run.log,
              HasSubstr("Reason: The column `id` is not nullable, but it's not found in jsondata.. src line "
                        "[{\"note\":\"x\"}]; \n"));
  EXPECT_THAT(run.log, HasSubstr("Json value is null, but the column `id` is not nullable."));
  EXPECT_THAT(run.log, HasSubstr("column(id) values is null while columns is not nullable"));
}

TEST(JsonDecoder, rows_without_any_known_key_are_bad) {
  JsonCase test = people().with_paths(R"(["$.Id", "$.City"])");
  const Outcome run = split(test, R"({"id":1,"city":"x"})");
  EXPECT_EQ(run.filtered, 1u);
  EXPECT_EQ(run.log,
            "Reason: There is no column matching jsonpaths in the json file, columns:[id, city, score, note, "
            "], please "
            "check columns and jsonpaths:[\"$.Id\", \"$.City\"]. src line [{\"id\":1,\"city\":\"x\"}]; \n");
}

TEST(JsonDecoder, jsonpaths_feed_columns_in_order) {
  JsonCase test = people();
  test.mapping.columns = "note, id, tmp, CITY";
  const Outcome run = split(test.with_paths(R"(["$.a.\"b.c\"", "$.n[1]", "$.x", "$.a"])"),
                            R"({"a":{"b.c":"deep", "z":[ ]},"n":[4,5,6]})");
  EXPECT_EQ(run.rows, "5|{\"b.c\":\"deep\",\"z\":[]}|\\N|deep\n");
  const Outcome simple = split(people().with_paths(R"(["$.k", "$.c"])"), R"({"c":"p","k":3,"id":4})");
  EXPECT_EQ(simple.rows, "3|p|\\N|\\N\n");
  const Outcome twice = split(people().with_paths(R"(["$.k", "$.k", "$.k","$"])"), R"({"k":3})");
  EXPECT_EQ(twice.rows, "3|3|3|{\"k\":3}\n");
}

TEST(JsonDecoder, the_root_leads_into_each_row) {
  const Outcome run =
      split(people().with_root("$.item"),
            "{\"no\":1,\"item\":{\"id\":1}}\n{\"item\":{}}\n{\"no\":2}\n{\"item\":\"x\"}\n{\"item\":[{\"id\":"
            "3}]}\n{\"item\":{\"id\":4},\"item\":5}\n{\"item\":{\"id\":5}}\"}\n");
  EXPECT_EQ(run.rows, "1|nowhere|\\N|\\N\n4|nowhere|\\N|\\N\n");
  EXPECT_EQ(run.filtered, 5u);
  EXPECT_THAT(run.log, HasSubstr("JSON Root not found."));
  EXPECT_EQ(split(people().array().with_root("$.item"),
                  "[{\"item\":{\"id\":1}},{\"item\":2},{\"item\":{\"id\":3}}]")
                .rows,
            "1|nowhere|\\N|\\N\n3|nowhere|\\N|\\N\n");
  EXPECT_EQ(
      split(people().array().with_root("$.d.rows"), "{\"d\":{\"rows\": [ {\"id\":1},{\"id\":2} ] }}").rows,
      "1|nowhere|\\N|\\N\n2|nowhere|\\N|\\N\n");
}

TEST(JsonDecoder, broken_lines_are_filtered_one_by_one) {
  std::string body;
  const std::vector<std::string> lines = {"{",
                                          "}",
                                          "-",
                                          "\"",
                                          "[",
                                          "]",
                                          "{\"id\"}",
                                          "{\"id\":}",
                                          "{\"id\":1",
                                          "{1}",
                                          "{\"id\":01}",
                                          "{\"id\":1.}",
                                          "{\"id\":tru}",
                                          "{\"id\":nul}",
                                          "{\"id\":[1,2}}",
                                          "{\"id\":1,}",
                                          "null",
                                          "3",
                                          "\"{}\"",
                                          "{\"id\":1 2}",
                                          "{\"id\":\"a\"b}",
                                          "{\"note\":\"\xff\xfe\",\"id\":1}",
                                          "{\"id\":{\"a\"}}",
                                          "{'id':1}",
                                          "{\"id\":1}]",
                                          "{\"id\":-}",
                                          "{\"id\":+1}",
                                          "{\"id\":.5}",
                                          "{\"id\":1e}",
                                          "{\"id\":0x1}",
                                          "{\"id\":NaN}"};
  for (const std::string& line : lines) body += line + "\n{\"id\":1}\n";
  JsonCase test = people();
  test.options.rejects.rows_max = 100;
  const Outcome run = test.run(body);
  EXPECT_FALSE(run.failed) << run.error;
  EXPECT_EQ(run.total, 2 * lines.size());
  EXPECT_EQ(run.filtered, lines.size()) << run.rows << run.log;
  EXPECT_THAT(run.log, HasSubstr("Parse json data"));
}

TEST(JsonDecoder, a_second_object_on_a_line_fails_the_load) {
  const Outcome run = split(people(), "{\"id\":1}, {\"id\":2}\n");
  EXPECT_TRUE(run.failed);
  EXPECT_EQ(run.code, "DATA_QUALITY_ERROR");
  EXPECT_EQ(run.error, "Multiple JSON objects in a single line");
  EXPECT_TRUE(split(people(), "{\"id\":1} {\"id\":2}").failed);
  EXPECT_TRUE(split(people().document(), "{\"id\":1}\n{\"id\":2}").failed);
  EXPECT_TRUE(split(people().with_root("$.a"), "{\"a\":{\"id\":1}} {\"a\":{\"id\":2}}").failed);
}

TEST(JsonDecoder, one_error_spoils_a_body_that_is_one_document) {
  for (const std::string_view body :
       {"[{\"id\":1},{\"id\":2},{\"id\":}]", "[{\"id\":1},{\"id\":2}", "[{\"id\":1} {\"id\":2}]",
        "[{\"id\":1},]", "[{\"id\":1}]x", "[{\"id\":1},{\"note\":\"\xff\"}]", "[{\"id\":1]", "x", "\"[{}]\"",
        "[", "[{\"id\":1},{\"id"}) {
    const Outcome run = split(people().array(), body);
    EXPECT_EQ(run.rows, "") << body;
    EXPECT_EQ(run.total, 1u) << body;
    EXPECT_EQ(run.filtered, 1u) << body;
    EXPECT_FALSE(run.failed) << body;
  }
  const Outcome shape = split(people().document(), "[{\"id\":1}]");
  EXPECT_EQ(shape.filtered, 1u);
  EXPECT_THAT(shape.log, HasSubstr("JSON data is array-object, `strip_outer_array` must be TRUE."));
  EXPECT_THAT(split(people().array(), "{\"id\":1}").log,
              HasSubstr("JSON data is not an array-object, `strip_outer_array` must be FALSE."));
}

TEST(JsonDecoder, elements_that_are_no_objects_are_filtered) {
  const Outcome run = split(people().array(), "[{\"id\":1}, \"a,]\\\"\" ,3,null,[{\"id\":2}],{\"id\":4}]");
  EXPECT_EQ(run.rows, "1|nowhere|\\N|\\N\n4|nowhere|\\N|\\N\n");
  EXPECT_EQ(run.filtered, 4u);
}

TEST(JsonDecoder, empty_bodies_are_empty_loads) {
  for (const JsonCase& test : {people(), people().array(), people().document()}) {
    for (const std::string_view body : {"", "\n", "\xEF\xBB\xBF", "\r\n\n"}) {
      const Outcome run = split(test, body);
      EXPECT_EQ(run.total, 0u);
      EXPECT_FALSE(run.failed);
    }
  }
  EXPECT_EQ(split(people(), "\xEF\xBB\xBF{\"id\":1}").rows, "1|nowhere|\\N|\\N\n");
  EXPECT_EQ(split(people(), "\xEF\xBB{\"id\":1}\n{\"id\":2}").rows, "2|nowhere|\\N|\\N\n");
  EXPECT_EQ(split(people().array(), "\xEF\xBB\xBF[{\"id\":1}]").rows, "1|nowhere|\\N|\\N\n");
}

TEST(JsonDecoder, line_delimiters_of_several_bytes) {
  JsonCase test = people();
  test.options.line_delimiter = "@@|";
  EXPECT_EQ(split(test, "{\"id\":1}@@|{\"id\":2,\"note\":\"@\"}@@|@@|{\"id\":3\n}").rows,
            "1|nowhere|\\N|\\N\n2|nowhere|\\N|@\n3|nowhere|\\N|\\N\n");
}

TEST(JsonDecoder, big_numbers_and_words_keep_their_text) {
  JsonCase test;
  test.schema =
      schema_of({column("a", Type::decimal(38, 10)), column("b", Type::string()),
                 column("c", Type::of(TypeKind::Boolean)), column("d", Type::of(TypeKind::BigInt))});
  const Outcome run = split(
      test, R"({"a":1234567890123456789012345678.0123456789,"b":1e400,"c":true,"d":9223372036854775807})"
            "\n"
            R"({"a":"0.1","b":false,"c":"false","d":9223372036854775808})");
  EXPECT_EQ(run.rows,
            "1234567890123456789012345678.0123456789|1e400|true|9223372036854775807\n"
            "0.1000000000|0|false|\\N\n");
}

TEST(JsonDecoder, strict_mode_filters_what_does_not_convert) {
  JsonCase test = people();
  test.options.cells.strict = true;
  const Outcome run = split(test, "{\"id\":1,\"score\":\"x\"}\n{\"id\":2}\n");
  EXPECT_EQ(run.rows, "2|nowhere|\\N|\\N\n");
  EXPECT_THAT(run.log,
              HasSubstr("column(score) value is incorrect while strict mode is true, src value is x"));
}

TEST(JsonDecoder, where_blocks_end_does_not_depend_on_pieces) {
  JsonCase test = people();
  test.options.block.rows_max = 3;
  std::string body = "[";
  for (int i = 0; i < 20; ++i) {
    body += i % 7 == 3 ? "{\"x\":1},"
                       : "{\"id\":" + std::to_string(i) + ",\"note\":\"" + std::string(i, 'n') + "\"},";
  }
  body.back() = ']';
  EXPECT_THAT(split(test.array(), body).blocks, ::testing::ElementsAre(3, 3, 3, 3, 3, 2));
  JsonCase by_line = test.array();
  by_line.options.by_line = true;
  EXPECT_THAT(split(by_line, body + "\n[{\"id\":1}]").blocks, ::testing::ElementsAre(3, 3, 3, 3, 3, 3, 0));
  test.options.block = {.rows_max = 100, .input_bytes_max = 200, .memory_bytes_max = 400};
  split(test.array(), body);
  for (char& c : body) c = c == ']' || c == '[' ? '\n' : c;
  split(test, body);
}

TEST(JsonDecoder, rows_that_are_too_long_fail) {
  JsonCase test = people();
  test.options.row_bytes_max = 30;
  const std::string body = "{\"id\":1}\n{\"id\":2,\"note\":\"" + std::string(100, 'x') + "\"}\n";
  const Outcome run = split(test, body);
  EXPECT_TRUE(run.failed);
  EXPECT_EQ(run.error, "a row is longer than row_bytes_max 30 bytes; it begins at byte 9 of the body");
  EXPECT_TRUE(split(test.array(), "[{\"id\":1},{\"note\":\"" + std::string(100, 'x') + "\"}]").failed);
  EXPECT_TRUE(split(test.document(), "{\"note\":\"" + std::string(100, 'x') + "\"}").failed);
}

TEST(JsonDecoder, a_million_brackets_and_a_long_string_do_no_harm) {
  const std::string brackets(1'000'000, '[');
  const std::string nested = "{\"id\":1,\"note\":" + brackets + std::string(1'000'000, ']') + "}";
  const std::string skipped = "{\"id\":1,\"other\":" + brackets + std::string(1'000'000, ']') + "}";
  EXPECT_EQ(people().run(nested).filtered, 1u);
  EXPECT_EQ(people().run(skipped).rows, "1|nowhere|\\N|\\N\n");
  EXPECT_EQ(people().run(brackets).filtered, 1u);
  EXPECT_EQ(people().array().run(brackets).filtered, 1u);
  EXPECT_EQ(people().array().run("[" + nested + "]").filtered, 1u);
  const std::string piece(1'000'000, 'x');
  for (const JsonCase& test : {people(), people().array(), people().document()}) {
    std::vector<std::string_view> pieces = {test.options.strip_outer_array ? "[{\"id\":\"" : "{\"id\":\""};
    pieces.insert(pieces.end(), 200, piece);
    const Outcome run = test.run(pieces);
    EXPECT_TRUE(run.failed);
    EXPECT_LE(run.carry_max, 40 * core::kMiB);
  }
}

TEST(JsonDecoder, decoding_needs_no_memory_per_row) {
  JsonCase test = people();
  test.options.block.rows_max = 1000;
  std::string body;
  for (int i = 0; i < 5000; ++i) {
    body +=
        "{\"id\":" + std::to_string(i) + ",\"city\":\"x\\n\",\"note\":{\"a\": " + std::to_string(i) + "}}\n";
  }
  const Outcome run = test.run(body);
  EXPECT_EQ(run.total, 5000u);
  EXPECT_EQ(run.filtered, 0u);
  EXPECT_THAT(run.rows, EndsWith("4999|x\\n|\\N|{\"a\":4999}\n"));
}

TEST(JsonDecoder, a_row_that_is_looked_at_again_may_have_keys_with_escapes) {
  // Behind the third line lies what the first has left of itself: a bracket that is none of its own.
  const std::string body =
      "{\"id\":[1,{\"x\":\"}\"}]\f\"c\":,2]}}\nbroken\n{\"text \\ud83dk\":[0, 2]tru}}\nbroke";
  const Outcome run = split(people(), body);
  EXPECT_EQ(run.total, 4u);
  EXPECT_EQ(run.filtered, 4u);
  split(people(), "{\"a\":[1,{\"x\":\"}\"}]\f\"c\":,2]}}\nbroken\n{\"text \\ud83dk\":[0,2]true}}\nbroke");
}

TEST(JsonDecoder, many_nested_values_in_a_long_row_need_no_memory_each) {
  std::vector<ColumnDef> columns;
  std::string row = "{";
  for (int i = 0; i < 500; ++i) {
    columns.push_back(column("c" + std::to_string(i), Type::string()));
    row += "\"c" + std::to_string(i) + "\":[ 1, 2 ],";
  }
  row += "\"long\":\"" + std::string(1'000'000, 'x') + "\"}";
  const auto schema = schema_of(columns);
  const std::vector<JsonField> fields = json_fields(*schema, *map_columns(*schema, {}), {}, {});
  JsonRowParser parser({.fields = &fields, .jsonpaths = {}, .cell_bytes_max = 16 * core::kMiB}, *schema);
  JsonScratch scratch;
  scratch.cells.resize(fields.size());
  GrowBuffer text;
  text.append(row.data(), row.size());
  EXPECT_EQ(parser.parse({text.as<char>(), text.size()}, false, 0, 1, scratch), JsonRowParser::Outcome::Row);
  EXPECT_EQ(std::string_view(scratch.cells[499].begin, scratch.cells[499].size), "[1,2]");
  EXPECT_LE(scratch.arena.reserved_bytes(), 256 * core::kKiB);
}

TEST(JsonDecoder, a_parser_that_grew_for_a_bad_row_is_given_back) {
  JsonCase test = people();
  DecodeScratch scratch;
  JsonDecoder decoder(test.options, test.schema, *map_columns(*test.schema, {}), {}, scratch);
  BlockBuilder builder(test.schema);
  const std::string row = "{\"id\":1,\"note\":\"" + std::string(3'000'000, 'x') + "\" 7}\n";
  EXPECT_EQ(decoder.feed(core::as_bytes(row), builder).state, FeedResult::State::NeedInput);
  EXPECT_EQ(decoder.filtered_rows(), 1u);
  EXPECT_LE(scratch.json->parser.capacity(), 256 * core::kKiB);
}

TEST(JsonDecoder, what_a_failed_load_says_of_the_rows_before_does_not_depend_on_where_it_was_cut) {
  JsonCase test = people();
  test.options.row_bytes_max = 300;
  const std::string good = "{\"id\":2}";
  const std::string bad = "{\"id\":null,\"note\":\"a row that is filtered by its value, not by its text\"}";
  const std::string wrong = "{\"id\":\"none\"}";
  const std::string behind(70, '\n');
  const std::string too_long = "{\"note\":\"" + std::string(400, 'x') + "\"}";
  for (const std::string& last : {good + good, too_long}) {
    const Outcome run = split(test, wrong + "\n" + good + "\n" + bad + "\n" + last + "\n" + behind);
    EXPECT_TRUE(run.failed);
    EXPECT_EQ(run.filtered, 2u);
  }
  const Outcome run = split(test.array(), "[" + wrong + "," + good + "," + too_long + behind + "]");
  EXPECT_TRUE(run.failed);
  EXPECT_EQ(run.filtered, 1u);
}

}  // namespace
}  // namespace penstock::txn
