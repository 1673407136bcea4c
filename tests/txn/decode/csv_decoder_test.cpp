#include "txn/decode/csv_decoder.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/txn/decode/csv_run.hpp"
#include "tests/txn/decode/naive_csv.hpp"
#include "txn/column/value_format.hpp"

namespace penstock::txn {
namespace {

std::shared_ptr<const TableSchema> mixed_schema() {
  return schema_of({column(1, Type::of(TypeKind::Int), false), column(2, Type::date_time(0)),
                    column(3, Type::varchar(6)), column(4, Type::decimal(8, 2)),
                    column(5, Type::string(), false)});
}

const std::string kOddities = std::string("\xEF\xBB\xBF") +
                              "1\t2017-10-03 17:05:45\tabc\t1.5\tfirst\r\n"
                              "\n"
                              "\r\n"
                              "2\t\\N\t\\N\t\\N\tnulls\n"
                              "3\tnot a date\tabcdefghij\tx\tbad cells become null\n"
                              "x\t2017-10-03\ta\t1\tbad key\n"
                              "4\t2017-10-03T00:00:01\ta\t1\t\\N\n"
                              "too\tfew\n"
                              "5\t20171003\ta\t1\tmany\ttoo\tmany\n"
                              "6\t2017-10-03\t\xE4\xB8\xAD\xE6\x96\x87\t-0.005\t\xC3\xA9t\xC3\xA9\n"
                              "7\t2017-10-03\ta\t1\tbroken \xC3\n"
                              "8\t2017-10-03\ta\xFF\n"
                              "9\t2017-10-03 01:02:03.5\t\t\t\n" +
                              std::string("10\t2017-10-03\ta\0b\t1\tnul\0byte\n", 29) +
                              "11\t2017-10-03\ta\t1\treturn\rinside\n"
                              "12\t2017-10-03\ta\t123456.789\tthe end";

const std::string kOdditiesExpected =
    "1|2017-10-03T17:05:45|abc|1.50|first\n"
    "2|\\N|\\N|\\N|nulls\n"
    "3|\\N|abcdef|\\N|bad cells become null\n"
    "6|2017-10-03T00:00|\xE4\xB8\xAD\xE6\x96\x87|-0.01|\xC3\xA9t\xC3\xA9\n"
    "9|2017-10-03T01:02:04||\\N|\n" +
    std::string("10|2017-10-03T00:00|a\0b|1.00|nul\0byte\n", 38) +
    "11|2017-10-03T00:00|a|1.00|return\\rinside\n"
    "12|2017-10-03T00:00|a|123456.79|the end\n"
    "total 14 filtered 6 loaded 8\n"
    "Reason: column(c1) values is null while columns is not nullable. src line [x\t2017-10-03\ta\t1\tbad "
    "key]; \n"
    "Reason: column(c5) values is null while columns is not nullable. src line "
    "[4\t2017-10-03T00:00:01\ta\t1\t\\N]; \n"
    "Reason: actual column number in csv file is  less than  schema column number.actual number: 2, schema "
    "column "
    "number: 5; line delimiter: [\n], column separator: [\t], result values:[too, few, ]. src line "
    "[too\tfew]; \n"
    "Reason: actual column number in csv file is  more than  schema column number.actual number: 7, schema "
    "column "
    "number: 5; line delimiter: [\n], column separator: [\t], result values:[5, 20171003, a, 1, many, too, "
    "many, ]. "
    "src line [5\t20171003\ta\t1\tmany\ttoo\tmany]; \n"
    "Reason: Unable to display, only support csv data in utf8 codec, please check the data encoding. src "
    "line [Unable "
    "to display]; \n"
    "Reason: Unable to display, only support csv data in utf8 codec, please check the data encoding. src "
    "line [Unable "
    "to display]; \n";

TEST(CsvDecoder, rows_of_all_kinds) {
  const LoadSetup setup{.schema = mixed_schema(), .columns = "", .options = {}};
  EXPECT_EQ(rows_only(run(setup, kOddities, {})), kOdditiesExpected);
}

std::string replaced(std::string text, char from, const std::string& to) {
  std::string out;
  for (const char c : text) {
    if (c == from) {
      out += to;
    } else {
      out += c;
    }
  }
  return out;
}

TEST(CsvDecoder, the_outcome_does_not_depend_on_where_the_body_is_cut) {
  for (const auto& [separator, delimiter] : std::vector<std::pair<std::string, std::string>>{
           {"\t", "\n"}, {"||", "\n"}, {"\t", "##"}, {"abab", "abac"}, {",", "\x01"}, {"\r", "\n"}}) {
    const std::string body = replaced(replaced(kOddities, '\t', "\x02"), '\n', "\x03");
    const std::string text = replaced(replaced(body, '\x02', separator), '\x03', delimiter);
    for (const BlockLimits& limits :
         {BlockLimits{}, BlockLimits{.rows_max = 2}, BlockLimits{.input_bytes_max = 90},
          BlockLimits{.memory_bytes_max = 120}}) {
      LoadSetup setup{.schema = mixed_schema(), .columns = "", .options = {}};
      setup.options.column_separator = separator;
      setup.options.line_delimiter = delimiter;
      setup.options.block = limits;
      const std::string expected = run(setup, text, {});
      for (std::size_t cut = 0; cut <= text.size(); ++cut)
        ASSERT_EQ(run(setup, text, {cut}), expected) << cut;
      Pieces every;
      for (std::size_t cut = 1; cut < text.size(); ++cut) every.push_back(cut);
      ASSERT_EQ(run(setup, text, every), expected);
    }
  }
}

TEST(CsvDecoder, long_bodies_cut_anywhere_give_the_same_blocks_at_every_simd_level) {
  std::mt19937 random(17);
  std::string body;
  for (int i = 0; i < 3000; ++i) {
    switch (random() % 40) {
      case 0:
        body += "bad\n";
        break;
      case 1:
        body += "\n";
        break;
      case 2:
        body += "x\t2020-01-01\tq\t1\tz\r\n";
        break;
      case 3:
        body += "1\t\\N\t\\N\t\\N\t" + std::string(random() % 300, 'w') + "\n";
        break;
      case 4:
        body +=
            "2\t2020-01-01\t\xE4\xB8\xAD\t1\t" + std::string(random() % 2 == 0 ? "\xC3\xA4" : "\xA4") + "\n";
        break;
      default:
        body += std::to_string(static_cast<int>(random())) + "\t2021-0" + std::to_string(1 + random() % 9) +
                "-1" + std::to_string(random() % 10) + " 1" + std::to_string(random() % 10) + ":00:0" +
                std::to_string(random() % 10) + "\ts" + std::to_string(random() % 1000) + "\t" +
                std::to_string(random() % 100'000) + "." + std::to_string(random() % 100) + "\tsome text " +
                std::to_string(random()) + "\n";
    }
  }
  for (const BlockLimits& limits :
       {BlockLimits{}, BlockLimits{.rows_max = 700}, BlockLimits{.input_bytes_max = 20'000},
        BlockLimits{.memory_bytes_max = 30'000}}) {
    LoadSetup setup{.schema = mixed_schema(), .columns = "", .options = {}};
    setup.options.block = limits;
    const std::string expected = run(setup, body, {});
    for (const SimdLevel level : {SimdLevel::Scalar, SimdLevel::Sse2, SimdLevel::Avx2, SimdLevel::Avx512}) {
      if (level > best_simd_level()) continue;
      setup.options.simd = level;
      for (int round = 0; round < 6; ++round) {
        Pieces cuts;
        for (std::size_t at = 0; (at += 1 + random() % (round % 2 == 0 ? 200 : 70'000)) < body.size();)
          cuts.push_back(at);
        ASSERT_EQ(run(setup, body, cuts), expected);
      }
    }
  }
}

TEST(CsvDecoder, random_bodies_agree_with_a_naive_decoder) {
  std::mt19937 random(23);
  const std::vector<std::string> pieces = {"\t",
                                           "\t",
                                           "\t",
                                           "\n",
                                           "\n",
                                           "\r\n",
                                           "\r",
                                           "1",
                                           "-7",
                                           "2147483648",
                                           "3.5",
                                           "\\N",
                                           "abc",
                                           "2020-01-02 03:04:05",
                                           "2020-02-30",
                                           "20200102",
                                           "\xE4\xB8\xAD",
                                           "\xFF",
                                           "abcdefghijklm",
                                           " ",
                                           "||",
                                           "|",
                                           "x"};
  for (int round = 0; round < 3000; ++round) {
    LoadSetup setup{.schema = nullptr, .columns = "", .options = {}};
    std::vector<ColumnDef> columns;
    const std::size_t count = 1 + random() % 4;
    const std::vector<Type> types = {
        Type::of(TypeKind::Int), Type::of(TypeKind::TinyInt), Type::varchar(5),           Type::string(),
        Type::date_time(0),      Type::of(TypeKind::Date),    Type::of(TypeKind::Double), Type::decimal(9, 2),
        Type::decimal(30, 2),    Type::of(TypeKind::Boolean)};
    for (std::uint32_t i = 0; i < count; ++i)
      columns.push_back(column(i + 1, types[random() % types.size()], random() % 3 != 0));
    setup.schema = schema_of(columns);
    setup.options.cells.strict = random() % 2 == 0;
    if (random() % 3 == 0) setup.options.column_separator = "||";
    if (random() % 4 == 0) setup.options.line_delimiter = "\r\n";
    if (random() % 8 == 0) setup.options.line_delimiter = "x";
    std::string body;
    for (std::size_t i = random() % 60; i > 0; --i) {
      for (std::size_t field = 0; field < count; ++field) {
        if (field != 0) body += setup.options.column_separator;
        body += pieces[random() % pieces.size()];
      }
      if (random() % 5 == 0) body += pieces[random() % pieces.size()];
      body += setup.options.line_delimiter;
    }
    const std::string expected = naive_csv(*setup.schema, setup.options, body);
    Pieces cuts;
    for (std::size_t at = 0; (at += 1 + random() % 100) < body.size();) cuts.push_back(at);
    ASSERT_EQ(rows_only(run(setup, body, {})), expected) << body;
    ASSERT_EQ(rows_only(run(setup, body, cuts)), expected) << body;
  }
}

TEST(CsvDecoder, strict_mode_filters_cells_that_do_not_convert) {
  LoadSetup setup{.schema = mixed_schema(), .columns = "", .options = {}};
  setup.options.cells.strict = true;
  const std::string out = run(setup, "1\tnope\ta\t1\tx\n2\t\\N\tabcdefgh\t1\tx\n3\t\\N\ta\t1\tx\n", {});
  EXPECT_EQ(rows_only(out),
            "3|\\N|a|1.00|x\ntotal 3 filtered 2 loaded 1\n"
            "Reason: column(c2) value is incorrect while strict mode is true, src value is nope. src line "
            "[1\tnope\ta\t1\tx]; \n"
            "Reason: column_name[c3], the length of input string is too long than vec schema. first 32 bytes "
            "of input "
            "str: [abcdefgh] schema length: 6; actual length: 8; . src line [2\t\\N\tabcdefgh\t1\tx]; \n");
}

TEST(CsvDecoder, columns_not_in_the_body_take_defaults_and_fields_may_be_skipped) {
  auto columns = std::vector<ColumnDef>{column(1, Type::of(TypeKind::Int), false),
                                        column(2, Type::varchar(10)), column(3, Type::of(TypeKind::Int))};
  columns[2].default_kind = DefaultKind::Literal;
  columns[2].default_value = "99999";
  const LoadSetup setup{.schema = schema_of(columns), .columns = "skipped, C1", .options = {}};
  EXPECT_EQ(rows_only(run(setup, "a\t1\nb\t2", {})),
            "1|\\N|99999\n2|\\N|99999\ntotal 2 filtered 0 loaded 2\n");
}

TEST(CsvDecoder, separators_that_overlap_with_data) {
  LoadSetup setup{.schema = schema_of({column(1, Type::of(TypeKind::Int)), column(2, Type::string()),
                                       column(3, Type::of(TypeKind::Int)), column(4, Type::string())}),
                  .columns = "",
                  .options = {}};
  setup.options.column_separator = "hello";
  EXPECT_EQ(rows_only(run(setup, "1000helloworldhellhello10000000helloello\n7777hellohellohello", {})),
            "1000|worldhell|10000000|ello\n7777||\\N|\ntotal 2 filtered 0 loaded 2\n");
}

TEST(CsvDecoder, a_row_over_the_limit_fails_the_load_wherever_it_is_cut) {
  LoadSetup setup{.schema = schema_of({column(1, Type::string())}), .columns = "", .options = {}};
  setup.options.row_bytes_max = 100;
  const std::string body = "short\n" + std::string(100, 'a') + "\n" + std::string(101, 'b') + "\nmore\n";
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    const std::string out = run(setup, body, {cut});
    EXPECT_TRUE(
        out.ends_with("a row is longer than row_bytes_max 100 bytes; it begins at byte 107 of the body"))
        << out;
  }
  const std::string whole = "x\n" + std::string(101, 'b');
  EXPECT_TRUE(run(setup, whole, {}).ends_with("it begins at byte 2 of the body"));
  EXPECT_TRUE(run(setup, whole.substr(0, whole.size() - 1), {}).ends_with("loaded 2\n"));
}

TEST(CsvDecoder, long_rows_pass_and_their_memory_is_given_back) {
  const auto schema = schema_of({column(1, Type::string()), column(2, Type::of(TypeKind::Int))});
  DecodeScratch scratch;
  CsvDecoder decoder({}, schema, *map_columns(*schema, {}), scratch);
  BlockBuilder builder(schema);
  const std::string row = std::string(700'000, 'x') + "\t5\n";
  for (std::size_t at = 0; at < row.size(); at += 65'536) {
    const std::string_view piece = std::string_view(row).substr(at, 65'536);
    ASSERT_EQ(decoder.feed(core::as_bytes(piece), builder).consumed, piece.size());
  }
  ASSERT_EQ(builder.rows(), 1u);
  EXPECT_EQ(builder.view(0).text_at(0).size(), 700'000u);
  EXPECT_LE(decoder.reserved_bytes(), 64 * core::kKiB);
}

TEST(CsvDecoder, tables_of_thousands_of_columns_and_rows_of_thousands_of_fields) {
  std::vector<ColumnDef> columns;
  std::string row;
  for (std::uint32_t i = 0; i < 4096; ++i) {
    columns.push_back(column(i + 1, Type::of(TypeKind::TinyInt)));
    row += i == 0 ? "1" : "\t1";
  }
  const LoadSetup wide{.schema = schema_of(columns), .columns = "", .options = {}};
  const std::string out = run(wide, row + "\n" + row + "\n" + row.substr(2) + "\n" + row, {});
  EXPECT_NE(out.find("total 4 filtered 1 loaded 3"), std::string::npos);
  const LoadSetup narrow{.schema = schema_of({columns[0]}), .columns = "", .options = {}};
  const std::string many = run(narrow, std::string(100'000, '\t') + "\n1\n", {});
  EXPECT_NE(many.find("actual number: 100001, schema column number: 1"), std::string::npos);
  EXPECT_NE(many.find("total 2 filtered 1 loaded 1"), std::string::npos);
}

TEST(CsvDecoder, only_the_first_reasons_are_kept) {
  const LoadSetup setup{.schema = mixed_schema(), .columns = "", .options = {}};
  std::string body;
  for (int i = 0; i < 500; ++i) body += "bad\n";
  const std::string out = run(setup, body, {});
  EXPECT_NE(out.find("total 500 filtered 500 loaded 0"), std::string::npos);
  EXPECT_NE(out.find("TOO MUCH ERROR! already reach 50."), std::string::npos);
}

TEST(CsvDecoder, a_body_that_is_empty_or_only_a_mark_has_no_rows) {
  const LoadSetup setup{.schema = mixed_schema(), .columns = "", .options = {}};
  EXPECT_EQ(run(setup, "", {}), "total 0 filtered 0 loaded 0\n");
  EXPECT_EQ(run(setup, "\xEF\xBB\xBF", {1, 2}), "total 0 filtered 0 loaded 0\n");
  EXPECT_EQ(run(setup, "\n\r\n\n", {}), "total 0 filtered 0 loaded 0\n");
}

TEST(CsvDecoder, rows_that_are_not_utf8_keep_their_place_among_the_others) {
  LoadSetup setup{.schema = schema_of({column(1, Type::of(TypeKind::Int)), column(2, Type::varchar(5))}),
                  .columns = "",
                  .options = {}};
  setup.options.cells.strict = true;
  setup.options.block.rows_max = 3;
  const std::string body =
      "1\ta\nx\tb\n2\t\xff\n3\n\xfe\tc\n4\td\ny\te\n5\t\xc3\n\xa9\tf\n6\tg\n7\th\n8\ti\n\xff\n9\t\xc3\xa9\n";
  const std::string out = rows_only(run(setup, body, {}));
  EXPECT_TRUE(out.starts_with("1|a\n4|d\n6|g\n7|h\n8|i\n9|\xc3\xa9\ntotal 14 filtered 8 loaded 6\n")) << out;
  const auto nth = [&](const char* what, int n) {
    std::size_t at = out.find(what);
    while (--n > 0 && at != std::string::npos) at = out.find(what, at + 1);
    return at;
  };
  EXPECT_LT(nth("src value is x", 1), nth("Unable to display, only", 1));
  EXPECT_LT(nth("Unable to display, only", 1), nth("less than", 1));
  EXPECT_LT(nth("less than", 1), nth("Unable to display, only", 2));
  EXPECT_LT(nth("Unable to display, only", 2), nth("src value is y", 1));
  EXPECT_LT(nth("src value is y", 1), nth("Unable to display, only", 3));
  EXPECT_NE(nth("Unable to display, only", 5), std::string::npos);
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    ASSERT_EQ(run(setup, body, {cut}), run(setup, body, {})) << cut;
  }
}

}  // namespace
}  // namespace penstock::txn
