// The parts of JSON decoding: text, brackets, paths; mutated bodies; rows as JSON and as CSV.
#include <gtest/gtest.h>

#include <random>

#include "tests/txn/decode/json_run.hpp"
#include "txn/decode/json_text.hpp"

namespace penstock::txn {
namespace {

using testing::column;
using testing::JsonCase;
using testing::Outcome;
using testing::schema_of;

std::string compact(std::string_view text) {
  std::string out(text.size(), '?');
  const JsonText value = compact_json(text, out.data());
  out.resize(value.written);
  return value.size == 0 ? "bad" : out;
}

TEST(JsonText, blanks_between_tokens_go_and_nothing_else) {
  EXPECT_EQ(compact(" { \"a b\" : [ 1 , -2.5e+3,true , null, \"\\u00e9 \\\" \" ] , \"c\":{ } , \"d\":[ ] } "),
            "{\"a b\":[1,-2.5e+3,true,null,\"\\u00e9 \\\" \"],\"c\":{},\"d\":[]}");
  EXPECT_EQ(compact("12,"), "12");
  for (const std::string_view bad :
       {"",        " ",     "{",  "[1,]", "{\"a\":1,}", "{,}", "[,]",      "{1:2}",
        "{\"a\"}", "[1 2]", "[}", "{]",   "{\"a\":}",   "tru", "\"\\x\"",  "\"\\u12g4\"",
        "\"a",     "01",    "-",  "]",    "\"\n\"",     "[1}", "{\"a\":1]"}) {
    EXPECT_FALSE(is_json(bad)) << bad;
  }
  EXPECT_TRUE(is_json(std::string(kJsonDepthMax, '[') + std::string(kJsonDepthMax, ']')));
  EXPECT_FALSE(is_json(std::string(kJsonDepthMax + 1, '[') + std::string(kJsonDepthMax + 1, ']')));
  EXPECT_TRUE(compact_json(std::string(2000, '['), nullptr).is_too_deep);
}

TEST(JsonPath, forms_and_refusals) {
  EXPECT_EQ(parse_json_path("$.a.b[2].\"x.y\"")->size(), 4u);
  EXPECT_EQ(parse_json_path("$.a[*]")->size(), 1u);
  EXPECT_TRUE(parse_json_path("$")->empty());
  for (const std::string_view bad :
       {"", "a", "$a", "$..a", "$.a[", "$.a[x]", "$.a[-1]", "$[*].a", "$.\"a", "$.a[1]b"}) {
    EXPECT_EQ(parse_json_path(bad).error(), "Invalid json path: " + std::string(bad)) << bad;
  }
  EXPECT_EQ(parse_json_paths(R"( ["$.a" , "$.tags.\"a.b\""] )")->size(), 2u);
  EXPECT_EQ(parse_json_paths("[]")->size(), 0u);
  for (const std::string_view bad : {"", "$.a", "[$.a]", "[\"a\"]", "[1]", "{\"a\":1}", "[\"$.a\""}) {
    EXPECT_FALSE(parse_json_paths(bad).has_value()) << bad;
  }
}

std::string random_string(std::mt19937& random) {
  std::string out;
  for (std::size_t left = random() % 90; left > 0; --left) {
    constexpr std::string_view kPool = "abcdefgh{}[],:\"\\ \t\n0189";
    out += kPool[random() % kPool.size()];
    if (random() % 20 == 0) out += "\xF0\x9F\x99\x82";
  }
  return out;
}

std::string quoted(std::string_view text, std::mt19937& random) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\t') {
      out += random() % 2 == 0 ? "\\t" : "\\u0009";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

TEST(JsonBrackets, ends_are_where_a_plain_walk_finds_them) {
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string text = "{";
    std::size_t depth = 1;
    while (depth != 0) {
      switch (random() % 6) {
        case 0:
          text += '{';
          ++depth;
          break;
        case 1:
          text += ']';
          --depth;
          break;
        case 2:
          text += quoted(random_string(random), random);
          break;
        case 3:
          text += ", 12";
          break;
        default:
          if (text.size() > 400) {
            text += '}';
            --depth;
          } else
            text += ' ';
      }
    }
    const std::size_t size = text.size();
    text += "}]\"{ tail";
    JsonBrackets whole;
    ASSERT_EQ(whole.find_end(text), size);
    JsonBrackets pieces;
    for (std::size_t at = 0;;) {
      const std::size_t count = 1 + random() % 100;
      const std::size_t found = pieces.find_end(std::string_view(text).substr(at, count));
      if (found != std::string_view::npos) {
        ASSERT_EQ(at + found, size);
        break;
      }
      at += count;
      ASSERT_LT(at, text.size());
    }
  }
}

std::shared_ptr<const TableSchema> mixed_schema() {
  return schema_of({column("a", Type::of(TypeKind::BigInt)), column("b", Type::string()),
                    column("c", Type::decimal(9, 2)), column("d", Type::date_time(3)),
                    column("e", Type::of(TypeKind::Int), false), column("f", Type::of(TypeKind::Double))});
}

TEST(JsonDecoder, random_rows_come_out_as_from_csv) {
  std::mt19937 random(11);
  const auto schema = mixed_schema();
  for (int round = 0; round < 200; ++round) {
    std::string csv;
    std::string json;
    for (std::size_t left = 1 + random() % 40; left > 0; --left) {
      std::vector<std::string> cells = {
          std::to_string(static_cast<std::int64_t>(random()) - 2'000'000'000),
          random_string(random),
          std::to_string(random() % 100000) + "." + std::to_string(random() % 1000),
          "2024-0" + std::to_string(1 + random() % 9) + "-1" + std::to_string(random() % 10) + " 10:11:12.5",
          random() % 9 == 0 ? "x" : std::to_string(random() % 1000),
          std::to_string(random() % 77) + "e2"};
      std::vector<std::string> keys;
      for (std::size_t i = 0; i < cells.size(); ++i) {
        for (char& c : cells[i]) c = c == '\t' || c == '\n' || c == '\\' ? '_' : c;
        const bool is_null = random() % 12 == 0;
        if (i != 0) csv += '\t';
        csv += is_null ? "\\N" : cells[i];
        const bool bare = i != 1 && i != 3 && cells[i] != "x" && random() % 2 == 0;
        keys.push_back("\"" + schema->columns[i].name + "\"" + (random() % 2 == 0 ? ": " : ":") +
                       (is_null ? "null"
                        : bare  ? cells[i]
                                : quoted(cells[i], random)));
      }
      csv += '\n';
      if (random() % 3 == 0) std::shuffle(keys.begin(), keys.end(), random);
      json += "{";
      for (std::size_t i = 0; i < keys.size(); ++i) json += (i == 0 ? "" : ",") + keys[i];
      json += "}\n";
    }
    DecodeScratch scratch;
    CsvDecoder plain({}, schema, *map_columns(*schema, {}), scratch);
    const Outcome want = testing::run_pieces(plain, schema, {csv});
    JsonCase test;
    test.schema = schema;
    const Outcome got = test.run(json);
    ASSERT_EQ(got.rows, want.rows) << json << got.log;
    ASSERT_EQ(got.filtered, want.filtered) << json << got.log << want.log;
    std::string array = "[" + json + "]";
    for (std::size_t i = 0; i + 3 < array.size(); ++i) {
      if (array[i] == '}' && array[i + 1] == '\n') array[i + 1] = ',';
    }
    array[array.size() - 2] = ' ';
    const std::size_t cut = random() % array.size();
    const Outcome elements =
        test.array().run({std::string_view(array).substr(0, cut), std::string_view(array).substr(cut)});
    ASSERT_EQ(elements.rows, want.rows) << array << elements.log;
  }
}

TEST(JsonDecoder, mutated_bodies_do_no_harm_and_do_not_depend_on_pieces) {
  std::mt19937 random(23);
  const std::string_view seed =
      "{\"a\":1,\"b\":\"x\\u00e9\\\"y\",\"c\":\"1.5\",\"d\":\"2024-01-01 "
      "00:00:00\",\"e\":5,\"f\":[1,{\"g\":null}]}\n"
      "{\"e\":6,\"b\":{\"k\": [true, false ]},\"a\":null}\n";
  JsonCase lines;
  lines.schema = mixed_schema();
  lines.options.rejects.rows_max = 5;
  JsonCase array_lines = lines.array();
  array_lines.options.by_line = true;
  const std::vector<JsonCase> cases = {lines,
                                       lines.array(),
                                       lines.document(),
                                       array_lines,
                                       lines.with_root("$.f[1]"),
                                       lines.with_paths(R"(["$.a", "$.b.k", "$.f[1]", "$.d", "$.e"])")};
  for (int round = 0; round < 6000; ++round) {
    std::string body(seed);
    if (random() % 2 == 0) {
      for (char& c : body) c = c == '\n' ? ',' : c;
      body = "[" + body + "{}]\n";
    }
    for (std::size_t left = 1 + random() % 4; left > 0; --left) {
      const std::size_t at = random() % body.size();
      constexpr std::string_view kBytes = "{}[]\",:\\ \n\r0x\xff\xc3t";
      switch (random() % 4) {
        case 0:
          body[at] = kBytes[random() % kBytes.size()];
          break;
        case 1:
          body.erase(at, 1 + random() % 5);
          break;
        case 2:
          body.insert(at, 1, kBytes[random() % kBytes.size()]);
          break;
        default:
          body.insert(at, body.substr(random() % body.size(), random() % 20));
      }
      if (body.empty()) body = "x";
    }
    for (const JsonCase& test : cases) {
      const Outcome whole = test.run(body);
      const std::size_t cut = random() % body.size();
      const std::size_t second = cut + random() % (body.size() - cut);
      const std::string_view text(body);
      const Outcome cut_up =
          test.run({text.substr(0, cut), text.substr(cut, second - cut), text.substr(second)});
      ASSERT_EQ(whole, cut_up) << body << "\n"
                               << cut << " " << second << "\n"
                               << whole.log << "\n"
                               << cut_up.log;
    }
  }
}

}  // namespace
}  // namespace penstock::txn
