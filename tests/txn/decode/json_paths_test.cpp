// Rows of which paths take parts: what each path gives beside the others, and how often a row is walked for all.
#include <gtest/gtest.h>

#include <random>

#include "tests/txn/decode/json_run.hpp"

namespace penstock::txn {
namespace {

using namespace testing;

std::string path_list(const std::vector<std::string>& paths) {
  std::string out = "[";
  for (const std::string& path : paths) {
    if (out.size() > 1) out += ",";
    out += '"' + path + '"';
  }
  return out + "]";
}

Outcome take(const std::vector<std::string>& paths, std::string_view body) {
  std::vector<ColumnDef> columns;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    columns.push_back(column("c" + std::to_string(i), Type::string()));
  }
  JsonCase test;
  test.schema = schema_of(std::move(columns));
  return test.with_paths(path_list(paths)).run(body);
}

// What each path gives alone, joined.
std::string one_by_one(const std::vector<std::string>& paths, std::string_view body) {
  std::string row;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const Outcome alone = take({paths[i]}, body);
    std::string cell = alone.rows.empty() ? "\\N" : alone.rows.substr(0, alone.rows.size() - 1);
    row += (i == 0 ? "" : "|") + cell;
  }
  return row + "\n";
}

TEST(JsonPaths, lie_in_one_another_and_come_twice) {
  constexpr std::string_view kBody = R"({"z":[[1],{"q":"é\n"},[7, 8]],"a":{"b":[1,{"c":2}],"d":"x\t"},)"
                                     R"("a":5,"n":null,"t":true,"k":[ ],"\u0061b":{"c":[{"d":1}]}})";
  const std::vector<std::string> paths = {
      "$.a.b[1].c", "$.a",     "$.a.b",  "$.a.d",    "$.a.d",     "$.a.b[0]", "$.a.b[2]",
      "$.a.b.x",    "$.a.d.x", "$",      "$.z[1].q", "$.z[2][1]", "$.z",      "$.z[0]",
      "$.n",        "$.n.x",   "$.t",    "$.t",      "$.k",       "$.k[0]",   "$.ab.c[0].d",
      "$.ab",       "$",       "$.none", "$.none.x", "$.a[0]",    "$[0]"};
  EXPECT_EQ(take(paths, kBody).rows, one_by_one(paths, kBody));
  EXPECT_EQ(take({"$.a.b[1].c", "$.a.d", "$.a.b", "$.z[2][1]", "$.ab.c[0].d"}, kBody).rows,
            "2|x\\t|[1,{\"c\":2}]|8|1\n");
}

void append_value(std::mt19937& random, int depth, std::string& out) {
  const unsigned kind = random() % (depth == 0 ? 3 : 6);
  if (kind == 0) {
    out += std::to_string(random() % 100);
  } else if (kind == 1) {
    out += random() % 2 == 0 ? "null" : "true";
  } else if (kind == 2) {
    out += random() % 2 == 0 ? "\"text\"" : "\"t\\u00e9\\\"\"";
  } else if (kind == 3) {
    out += "[";
    for (unsigned i = 0, count = random() % 4; i < count; ++i) {
      if (i != 0) out += ", ";
      append_value(random, depth - 1, out);
    }
    out += "]";
  } else {
    out += "{";
    for (unsigned i = 0, count = random() % 5; i < count; ++i) {
      if (i != 0) out += ",";
      out += std::string("\"") + "abcd"[random() % 4] + "\" :";
      append_value(random, depth - 1, out);
    }
    out += "}";
  }
}

TEST(JsonPaths, give_together_what_each_gives_alone) {
  std::mt19937 random(23);
  std::size_t rows = 0;
  for (int round = 0; round < 600; ++round) {
    std::string body = "{";
    for (unsigned i = 0, count = 1 + random() % 5; i < count; ++i) {
      if (i != 0) body += ",";
      body += std::string("\"") + "abcd"[random() % 4] + "\": ";
      append_value(random, 4, body);
    }
    body += "}";
    std::vector<std::string> paths = {"$.none.x"};
    for (unsigned i = 0, count = 1 + random() % 8; i < count; ++i) {
      std::string path = "$";
      for (unsigned step = random() % 5; step > 0; --step) {
        path += random() % 3 == 0 ? "[" + std::to_string(random() % 3) + "]"
                                  : std::string(".") + "abcd"[random() % 4];
      }
      paths.push_back(path);
    }
    const Outcome together = take(paths, body);
    const std::string expected = one_by_one(paths, body);
    if (together.rows.empty()) {
      EXPECT_NE(together.log.find("no column matching"), std::string::npos) << together.log;
    } else {
      ++rows;
      ASSERT_EQ(together.rows, expected) << body << path_list(paths);
    }
  }
  EXPECT_GT(rows, 300u);
}

TEST(JsonPaths, walk_through_a_row_once_however_many_they_are) {
  std::vector<std::string> paths = {"$.k"};
  std::vector<ColumnDef> columns = {column("k", Type::string())};
  std::string row = "{\"k\":1,\"fill\":[";
  for (int i = 0; i < 5000; ++i) row += i == 0 ? "0" : ",0";
  row += "],\"z\":{";
  for (int i = 0; i < 600; ++i) {
    paths.push_back("$.z.c" + std::to_string(i));
    columns.push_back(column("c" + std::to_string(i), Type::string()));
    row += (i == 0 ? "\"c" : ",\"c") + std::to_string(i) + "\":" + std::to_string(i);
  }
  row += "}}";
  const auto schema = schema_of(std::move(columns));
  const auto mapping = map_columns(*schema, {});
  const std::string header = path_list(paths);
  const auto fields = json_fields(*schema, *mapping, {}, *parse_json_paths(header));
  const JsonPath root;
  JsonRowParser parser({.fields = &fields, .jsonpaths = header, .root = &root, .cell_bytes_max = core::kMiB},
                       *schema);
  JsonScratch scratch;
  scratch.cells.resize(fields.size());
  const std::size_t size = row.size();
  row.append(simdjson::SIMDJSON_PADDING, ' ');
  ASSERT_EQ(parser.parse(std::string_view(row).substr(0, size), false, 0, 1, scratch),
            JsonRowParser::Outcome::Row)
      << parser.reason();
  EXPECT_EQ(std::string_view(scratch.cells[600].begin, scratch.cells[600].size), "599");
  EXPECT_LE(parser.walked(), 603u);
}

TEST(JsonPaths, of_the_same_value_read_it_once) {
  // A value of 1 MiB of blanks for 4,000 columns; and 60 that lie in one another.
  const std::string blanks(core::kMiB, ' ');
  const Outcome same = take(std::vector<std::string>(4000, "$.a.b"), "{\"a\":{\"b\":[" + blanks + "]}}");
  EXPECT_EQ(same.rows.substr(0, 6), "[]|[]|") << same.log;
  std::vector<std::string> paths = {"$.a"};
  std::string body = "{\"a\":";
  for (int i = 0; i < 60; ++i) {
    paths.push_back(paths.back() + ".a");
    body += "{\"a\":";
  }
  body += blanks;
  EXPECT_EQ(take(paths, body + "1" + std::string(61, '}')).filtered, 0u);
  const Outcome deep = take(paths, body + std::string(9 * core::kMiB, ' ') + "1" + std::string(61, '}'));
  EXPECT_EQ(deep.filtered, 1u);
  EXPECT_NE(deep.log.find("too many jsonpaths lie in one another"), std::string::npos) << deep.log;
}

}  // namespace
}  // namespace penstock::txn
