// Rows taken fast: which are, and that each row comes out as it would from simdjson.
#include <gtest/gtest.h>

#include <random>

#include "tests/txn/decode/json_run.hpp"
#include "txn/decode/json_fast_row.hpp"

namespace penstock::txn {
namespace {

using testing::column;
using testing::JsonCase;
using testing::Outcome;
using testing::schema_of;
using testing::with_default;

std::vector<SimdLevel> levels() {
  std::vector<SimdLevel> out{SimdLevel::Scalar};
  if (best_simd_level() >= SimdLevel::Sse2) out.push_back(SimdLevel::Sse2);
  if (best_simd_level() >= SimdLevel::Avx2) out.push_back(SimdLevel::Avx2);
  return out;
}

// Fields a, b, the long one and the one with a letter that is not ASCII; "none" feeds no column.
class FastRow {
 public:
  static constexpr std::string_view kLong = "a_name_of_more_than_thirty_two_characters";
  static constexpr std::size_t kFields = 5;

  FastRow() : book_(kFields) {
    const std::string_view names[kFields] = {"a", "b", kLong, "\xC3\xA4", "none"};
    for (std::uint32_t i = 0; i < kFields; ++i) {
      book_.add(names[i], {.field = i, .is_fed = i != 4, .nullable = i != 0});
    }
  }

  // The cells as a=1 b=2, or "no". Around the row is what could complete it.
  std::string take(SimdLevel level, std::string_view row, std::string_view behind = {}) {
    const std::string pad = "\"}:1,\"a\":1}" + std::string(64, '"');
    const std::string text = std::string(row) + (behind.empty() ? pad : std::string(behind) + pad);
    std::vector<Cell> cells(kFields);
    ++stamp_;
    FastRowTaken taken;
    const char* const end = text.data() + row.size();
    if (!take_fast_row(level, {text.data(), end, cells.data(), 1, seen_, stamp_, arena_}, book_, taken))
      return "no";
    std::string out;
    std::size_t fed = 0;
    for (std::size_t i = 0; i < kFields; ++i) {
      if (seen_[i] != stamp_ || i == 4) continue;
      ++fed;
      const bool is_null = cells[i].begin == CellList::null_cell().begin;
      out += "abcd"[i];
      out += is_null ? std::string("=null ") : "=" + std::string(cells[i].begin, cells[i].size) + " ";
    }
    EXPECT_EQ(taken.matched_fed(), fed);
    arena_.clear();
    return out;
  }

 private:
  JsonKeyBook book_;
  JsonArena arena_;
  std::uint32_t seen_[kFields] = {};
  std::uint32_t stamp_ = 0;
};

TEST(FastRow, flat_rows_are_taken_in_any_order_and_with_any_blanks) {
  for (const SimdLevel level : levels()) {
    FastRow rows;
    for (int round = 0; round < 3; ++round) {
      EXPECT_EQ(rows.take(level, R"({"a":1,"b":"x"})"), "a=1 b=x ");
      EXPECT_EQ(rows.take(level, R"({"a": 1, "b": "x"})"), "a=1 b=x ");
      EXPECT_EQ(rows.take(level, "{ \"b\" :\t\"x\" ,\r\n \"a\"  : -1.50 } \t"), "a=-1.50 b=x ");
      EXPECT_EQ(rows.take(level, R"({"b":null,"a":true})"), "a=1 b=null ");
      EXPECT_EQ(rows.take(level, R"({"a":false,"none":7,"stranger":[1,{"k":2}],"b":12})"), "a=0 b=12 ");
      EXPECT_EQ(
          rows.take(level, "{\"\xC3\xA4\":\"\xF0\x9F\x99\x82\",\"" + std::string(FastRow::kLong) + "\":1e5}"),
          "c=1e5 d=\xF0\x9F\x99\x82 ");
      EXPECT_EQ(rows.take(level, R"({"b":"\"\\\u00e9\n"})"), "b=\"\\\xC3\xA9\n ");
      EXPECT_EQ(rows.take(level, R"({"b":{"x": [1, "}"] }})"), "b={\"x\":[1,\"}\"]} ");
    }
  }
}

TEST(FastRow, strings_and_numbers_of_any_length) {
  for (const SimdLevel level : levels()) {
    FastRow rows;
    for (std::size_t size = 0; size < 140; ++size) {
      const std::string text(size, 'x');
      EXPECT_EQ(rows.take(level, "{\"b\":\"" + text + "\",\"a\":1}"), "a=1 b=" + text + " ");
      EXPECT_EQ(rows.take(level, "{\"b\":\"" + text + "\\n\"}"), "b=" + text + "\n ");
      EXPECT_EQ(rows.take(level, "{\"b\":\"" + text + "\t\"}"), "no");
      EXPECT_EQ(rows.take(level, "{\"b\":\"" + text + "\\\t\"}"), "no");
      EXPECT_EQ(rows.take(level, "{\"b\":\"" + text + "\xff\"}"), "no");
      const std::string digits(size + 1, '7');
      EXPECT_EQ(rows.take(level, "{\"b\":" + digits + "}"), "b=" + digits + " ");
      EXPECT_EQ(rows.take(level, "{\"b\":-" + digits + ".5,\"a\":2}"), "a=2 b=-" + digits + ".5 ");
      EXPECT_EQ(rows.take(level, "{\"b\":0." + digits + "}"), "b=0." + digits + " ");
      EXPECT_EQ(rows.take(level, "{\"b\":0." + digits + "E-1}"), "b=0." + digits + "E-1 ");
      EXPECT_EQ(rows.take(level, "{\"b\":" + digits + ".}"), "no");
    }
  }
}

TEST(FastRow, what_is_no_json_or_not_whole_is_left_alone) {
  const std::string_view row = R"({"a":1.5,"b":"xy","none":true,"stranger":"z\n"})";
  for (const SimdLevel level : levels()) {
    FastRow rows;
    EXPECT_EQ(rows.take(level, row), "a=1.5 b=xy ");
    for (std::size_t size = 0; size < row.size(); ++size) {
      EXPECT_EQ(rows.take(level, row.substr(0, size)), "no") << size;
      EXPECT_EQ(rows.take(level, row.substr(0, size), row.substr(size)), "no") << size;
    }
    for (const std::string_view bad : {"{}",
                                       "[]",
                                       " ",
                                       "{\"a\":1,}",
                                       "{\"a\":1,\"a\":2}",
                                       "{\"a\":1}{\"a\":1}",
                                       "{\"a\":1},",
                                       "{\"a\":1}}",
                                       "{\"a\":01}",
                                       "{\"a\":-}",
                                       "{\"a\":-01}",
                                       "{\"a\":1.}",
                                       "{\"a\":.5}",
                                       "{\"a\":+1}",
                                       "{\"a\":1e}",
                                       "{\"a\":1e+}",
                                       "{\"a\":1 2}",
                                       "{\"a\":1.2.3}",
                                       "{\"a\":0x1}",
                                       "{\"a\":tru}",
                                       "{\"a\":truee}",
                                       "{\"a\":null}",
                                       "{\"a\":nul}",
                                       "{\"a\":NaN}",
                                       "{\"a\" 1}",
                                       "{\"a\"::1}",
                                       "{a:1}",
                                       "{'a':1}",
                                       "{\"a\":\"\\x\"}",
                                       "{\"a\":\"\\ud800\"}",
                                       "{\"a\":[1,]}",
                                       "{\"a\":[1}",
                                       "{\"a\":{}",
                                       "{,\"a\":1}",
                                       "{\"\\u0061\":1}",
                                       "{\"a\tb\":1}",
                                       "{\"\xff\":1}",
                                       "{\"a\":\f1}",
                                       "{\"a\":1\v}",
                                       "{\"a\":}",
                                       "{\"a\"}"}) {
      EXPECT_EQ(rows.take(level, bad), "no") << bad;
    }
  }
}

TEST(FastRow, more_strangers_than_are_learned_are_skipped_all_the_same) {
  for (const SimdLevel level : levels()) {
    FastRow rows;
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 100; ++i) {
        const std::string key = "stranger" + std::to_string(i * (round + 1));
        EXPECT_EQ(rows.take(level, "{\"a\":5,\"" + key + "\":\"v\",\"b\":6,\"" + key + "x\":null}"),
                  "a=5 b=6 ");
      }
    }
  }
}

// An escaped byte may be the first behind the 32 that were looked at.
TEST(FastRow, what_is_escaped_is_looked_at_wherever_it_lies) {
  for (const SimdLevel level : levels()) {
    FastRow rows;
    for (const std::string_view key : {"b", "none", "stranger"}) {
      for (std::size_t size = 0; size < 140; ++size) {
        const std::string begin = "{\"a\":1,\"" + std::string(key) + "\":\"" + std::string(size, 'x');
        EXPECT_EQ(rows.take(level, begin + "\\\xff\"}"), "no") << key << size;
        EXPECT_EQ(rows.take(level, begin + "\\\x80y\"}"), "no") << key << size;
        EXPECT_EQ(rows.take(level, begin + "\\\x1f\"}"), "no") << key << size;
        EXPECT_NE(rows.take(level, begin + "\\\\\"}"), "no") << key << size;
      }
    }
  }
}

TEST(FastRow, a_row_that_is_no_text_is_filtered_by_either_way) {
  JsonCase test;
  test.schema = schema_of({column("a", Type::of(TypeKind::BigInt)), column("text", Type::string())});
  const std::string body =
      "{\"a\":1,\"stranger\":\"" + std::string(31, 'x') + "\\\xff\"}\n{\"a\":2}\n" + std::string(70, '\n');
  test.options.takes_fast = false;
  const Outcome want = test.run(body);
  EXPECT_EQ(want.filtered, 1u);
  test.options.takes_fast = true;
  const Outcome got = test.run(body);
  EXPECT_EQ(got, want) << got.rows << got.log << "---\n" << want.rows << want.log;
}

// What lies behind goes on as rows do, and ends where reading must.
TEST(FastRow, a_row_is_not_followed_over_its_end) {
  for (const SimdLevel level : levels()) {
    for (const std::string_view more : {"\"x\":1,", "\"x\":\"y\",", "\"x\": 1 ,", "\"x\":null,"}) {
      for (const std::string_view begin :
           {"{", "{\"x\"", "{\"x\":", "{\"x\":1", "{\"x\":\"y", "{\"x\":1,", "{\"a\":-"}) {
        JsonKeyBook book(1);
        book.add("a", {.field = 0, .is_fed = true, .nullable = true});
        JsonArena arena;
        Cell cell{};
        std::uint32_t seen = 0;
        FastRowTaken taken;
        std::string learn = "{";
        while (learn.size() < 30) learn += more;
        learn.back() = '}';
        learn += std::string(64, ' ');
        const char* const learned = learn.data() + learn.size() - 64;
        EXPECT_TRUE(take_fast_row(level, {learn.data(), learned, &cell, 1, &seen, 1, arena}, book, taken));
        for (std::size_t skip = 0; skip < more.size(); ++skip) {
          std::string text(begin);
          for (text += more.substr(skip); text.size() < begin.size() + 64; text += more) continue;
          const std::vector<char> row(text.begin(), text.begin() + static_cast<long>(begin.size() + 64));
          EXPECT_FALSE(take_fast_row(
              level, {row.data(), row.data() + begin.size(), &cell, 1, &seen, 2, arena}, book, taken))
              << begin << more;
          seen = 0;
        }
      }
    }
  }
}

TEST(FastRow, nested_values_are_text) {
  for (const SimdLevel level : levels()) {
    FastRow rows;
    for (const std::string_view key : {"b", "none", "stranger"}) {
      const std::string begin = "{\"a\":1,\"" + std::string(key) + "\":";
      for (const std::string_view bad : {"[\"\xff\"]", "{\"\xff\":1}", "[\"\x01\"]", "[\"\xED\xA0\x80\"]"})
        EXPECT_EQ(rows.take(level, begin + std::string(bad) + "}"), "no") << key;
      EXPECT_NE(rows.take(level, begin + "[\"\xC3\xA9\"]}"), "no") << key;
    }
  }
}

JsonCase mixed() {
  JsonCase out;
  out.schema =
      schema_of({column("a", Type::of(TypeKind::BigInt)), column("text", Type::string()),
                 column("c", Type::decimal(9, 2)), column("d", Type::date_time(3)),
                 column("e", Type::of(TypeKind::Int), false), column("f", Type::of(TypeKind::Double)),
                 column("j", Type::of(TypeKind::Json)), column("t", Type::of(TypeKind::Boolean)),
                 with_default(column("w", Type::varchar(9), false), "dflt"),
                 column("l", Type::array(Type::of(TypeKind::Int)))});
  out.options.rejects.rows_max = 5;
  return out;
}

std::string random_value(std::mt19937& random) {
  constexpr std::string_view kValues[] = {"1",
                                          "-0",
                                          "0",
                                          "1e5",
                                          "1E+2",
                                          "01",
                                          "1.",
                                          ".5",
                                          "-",
                                          "-1.25",
                                          "123456789012345678901",
                                          "0.10",
                                          "9999999.99",
                                          "true",
                                          "false",
                                          "null",
                                          "nul",
                                          "True",
                                          "NaN",
                                          "\"\"",
                                          "\"abc\"",
                                          "\"a\\\"b\"",
                                          "\"\\u00e9\\ud83d\\ude42\"",
                                          "\"\\ud83d\"",
                                          "\"\\x\"",
                                          "\"\xC3\xA9\xE4\xB8\xAD\"",
                                          "\"\xC3\"",
                                          "\"\xED\xA0\x80\"",
                                          "\"\x01\"",
                                          "\"\t\"",
                                          "\"2024-05-06 07:08:09\"",
                                          "\"2024-05-06T07:08:09.123\"",
                                          "[1,2]",
                                          "[ 1 , 2 ]",
                                          "{\"k\":[]}",
                                          "{\"k\": 1}",
                                          "[1",
                                          "{}",
                                          "[]",
                                          "\"1\"",
                                          "\"12.5\"",
                                          "\"a longer text, of more than thirty-two bytes, with {}[]\"",
                                          "\"\\\\\"",
                                          "\"\\N\"",
                                          "\"\\\\N\"",
                                          "1 1",
                                          "\"x\"\"y\"",
                                          "12,",
                                          "\"\\/\\b\\f\\n\\r\\t\""};
  return std::string(kValues[random() % std::size(kValues)]);
}

std::string random_row(std::mt19937& random, const std::vector<std::string>& order, bool is_tame) {
  const auto blank = [&]() -> std::string {
    if (random() % 8 != 0) return "";
    constexpr std::string_view kBlanks[] = {" ", "  ", "\t", "\r", " \t "};
    return std::string(kBlanks[random() % std::size(kBlanks)]);
  };
  const bool spaced = random() % 4 == 0;
  std::string out = blank() + "{";
  bool is_first = true;
  for (const std::string& key : order) {
    if (random() % 15 == 0) continue;
    if (!is_first) out += blank() + (spaced ? ", " : ",");
    is_first = false;
    out += blank() + "\"" + key + "\"" + blank() + (spaced ? ": " : ":") + blank();
    if (!is_tame && random() % 4 == 0) {
      out += random_value(random);
    } else if (key == "text" || key == "w") {
      out += "\"" + std::string(random() % 40, 'x') + "\"";
    } else if (key == "d") {
      out += "\"2024-05-06 07:08:09\"";
    } else {
      out += std::to_string(random() % 100000);
    }
    out += blank();
  }
  return out + "}" + blank();
}

TEST(FastRow, whatever_a_body_is_it_comes_out_as_from_simdjson) {
  std::mt19937 random(31);
  const JsonCase lines = mixed();
  JsonCase strict = lines;
  strict.options.cells.strict = true;
  JsonCase named = lines;
  named.mapping.columns = "text,a,nobody,e,w";
  JsonCase small_blocks = lines;
  small_blocks.options.block.rows_max = 7;
  const std::vector<JsonCase> cases = {lines,
                                       strict,
                                       lines.array(),
                                       lines.document(),
                                       named,
                                       small_blocks,
                                       lines.with_root("$.j"),
                                       lines.with_paths(R"(["$.e", "$.text", "$.nothing", "$.d", "$.a"])")};
  const std::vector<std::string> keys = {"a", "text", "c", "d", "e", "f", "j", "t", "w", "l"};
  std::size_t loaded = 0;
  for (int round = 0; round < 2500; ++round) {
    std::vector<std::string> order = keys;
    if (random() % 3 == 0) std::shuffle(order.begin(), order.end(), random);
    if (random() % 3 == 0)
      order.insert(order.begin() + random() % 10, "stranger" + std::to_string(random() % 40));
    if (random() % 6 == 0) order.push_back(order[random() % order.size()]);
    if (random() % 20 == 0) order.push_back("te\\u0078t");
    std::string body;
    const bool is_tame = random() % 2 == 0;
    for (std::size_t left = random() % 40; left > 0; --left) {
      std::string row = random_row(random, order, is_tame);
      if (random() % 30 == 0) row.resize(random() % (row.size() + 1));
      if (random() % 12 == 0 && !row.empty()) {
        constexpr std::string_view kBytes = "{}[]\",:\\ \r\t\v\f0x.-e\xff\xc3tn";
        const std::size_t at = random() % row.size();
        if (random() % 3 == 0) {
          row.erase(at, 1 + random() % 3);
        } else if (random() % 2 == 0) {
          row[at] = kBytes[random() % kBytes.size()];
        } else {
          row.insert(at, 1, kBytes[random() % kBytes.size()]);
        }
      }
      body += row + (random() % 20 == 0 ? "\r\n" : "\n");
    }
    JsonCase test = cases[random() % cases.size()];
    if (!test.options.by_line && test.options.strip_outer_array) {
      for (char& c : body) c = c == '\n' ? ',' : c;
      if (!body.empty()) body.pop_back();
      body = "[" + body + "]";
    }
    const std::size_t cut = body.empty() ? 0 : random() % body.size();
    const std::vector<std::string_view> pieces = {std::string_view(body).substr(0, cut),
                                                  std::string_view(body).substr(cut)};
    test.options.takes_fast = false;
    const Outcome want = test.run(pieces);
    loaded += want.total - want.filtered;
    test.options.takes_fast = true;
    for (const SimdLevel level : levels()) {
      test.options.simd = level;
      const Outcome got = test.run(pieces);
      ASSERT_EQ(got, want) << body << "\n---\n"
                           << want.rows << want.log << want.error << "\n---\n"
                           << got.rows << got.log << got.error;
      ASSERT_EQ(got.code, want.code);
    }
  }
  EXPECT_GT(loaded, 5000u);
}

}  // namespace
}  // namespace penstock::txn
