// CSV beside the plain one: enclosed fields, escapes, trimming, lines to skip, empty fields as NULL, surplus fields.
#include <random>

#include "tests/txn/decode/csv_run.hpp"

namespace penstock::txn {
namespace {

std::shared_ptr<const TableSchema> typed_schema() {
  return schema_of({column(1, Type::of(TypeKind::Int)), column(2, Type::string()),
                    column(3, Type::of(TypeKind::Date)), column(4, Type::string())});
}

LoadSetup enclosed_setup() {
  LoadSetup setup{.schema = typed_schema(), .columns = "", .options = {}};
  setup.options.column_separator = ",";
  setup.options.enclose = '"';
  setup.options.escape = '\\';
  setup.options.trim_double_quotes = true;
  return setup;
}

std::string only_rows(const LoadSetup& setup, const std::string& body) {
  return rows_only(run(setup, body, {}));
}

// The outcome is the same wherever a body is cut: once, and at every byte.
void expect_same_at_every_cut(const LoadSetup& setup, const std::string& body) {
  const std::string expected = run(setup, body, {});
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    ASSERT_EQ(run(setup, body, {cut}), expected) << "cut at " << cut;
  }
  Pieces every;
  for (std::size_t cut = 1; cut < body.size(); ++cut) every.push_back(cut);
  ASSERT_EQ(run(setup, body, every), expected);
}

TEST(CsvModes, separators_and_line_breaks_inside_enclosed_fields_are_data) {
  EXPECT_EQ(only_rows(enclosed_setup(),
                      "1,\"one, two\nthree\",2024-05-06,\",,\n\"\r\n2,bare,\"2024-05-07\",\"\"\n"),
            "1|one, two\\nthree|2024-05-06|,,\\n\n2|bare|2024-05-07|\ntotal 2 filtered 0 loaded 2\n");
}

TEST(CsvModes, escaped_and_doubled_quotes_stand_for_one) {
  EXPECT_EQ(
      only_rows(enclosed_setup(), R"(1,"say \"hi\", ok",2024-05-06,"a ""b"" \\ c"
2,"\"x\"",2024-05-06,"""")"),
      "1|say \"hi\", ok|2024-05-06|a \"b\" \\\\ c\n2|\"x\"|2024-05-06|\"\ntotal 2 filtered 0 loaded 2\n");
}

TEST(CsvModes, a_quote_that_does_not_begin_a_field_is_only_a_character) {
  EXPECT_EQ(only_rows(enclosed_setup(), "1,it\"s,2024-05-06,q\"r\"\n2,\"k\"lm,2024-05-06,\"n\"op\n"),
            "1|it\"s|2024-05-06|q\"r\"\n2|\"k\"lm|2024-05-06|\"n\"op\ntotal 2 filtered 0 loaded 2\n");
  // After a quote that closes, the field goes on to the next separator.
  EXPECT_EQ(only_rows(enclosed_setup(), "1,\"a\"b\"c\",2024-05-06,\"d, \"e\"\n"),
            "1|a\"b\"c|2024-05-06|d, \"e\ntotal 1 filtered 0 loaded 1\n");
}

TEST(CsvModes, a_field_that_is_never_closed_makes_one_bad_row_of_the_rest) {
  const std::string out = only_rows(enclosed_setup(), "1,\"open,2024-05-06,x\n2,b,2024-05-07,y\n");
  EXPECT_TRUE(out.starts_with("total 1 filtered 1 loaded 0\n")) << out;
  EXPECT_NE(out.find("less than  schema column number.actual number: 2, schema column number: 4; line "
                     "delimiter: [\n], column separator: [,], enclose:[\"] escape:[\\] result values:[1, "
                     "\"open,2024-05-06,x\n2,b,2024-05-07,y\n, ]"),
            std::string::npos)
      << out;
}

TEST(CsvModes, quotes_stay_unless_they_are_to_be_trimmed) {
  LoadSetup setup = enclosed_setup();
  setup.options.trim_double_quotes = false;
  EXPECT_EQ(only_rows(setup, "1,\"a,b\",\"2024-05-06\",\"\"\n"),
            "1|\"a,b\"|\\N|\"\"\ntotal 1 filtered 0 loaded 1\n");
  setup.options.enclose = '\'';  // as Doris: other marks always go
  EXPECT_EQ(only_rows(setup, "1,'a,b','2024-05-06',\"c\"\n"),
            "1|a,b|2024-05-06|\"c\"\ntotal 1 filtered 0 loaded 1\n");
}

TEST(CsvModes, trimming_without_enclosing_splits_first) {
  LoadSetup setup{.schema = typed_schema(), .columns = "", .options = {}};
  setup.options.column_separator = "|";
  setup.options.trim_double_quotes = true;
  EXPECT_EQ(only_rows(setup, "\"1\"|\"a\"|\"2024-05-06\"|'b'\n2|\"\\N\"|\\N|\"\"\n3|\"|2024-05-06|\"x\n"),
            "1|a|2024-05-06|'b'\n2|\\\\N|\\N|\n3|\"|2024-05-06|\"x\ntotal 3 filtered 0 loaded 3\n");
}

TEST(CsvModes, empty_fields_are_null_only_when_asked_for) {
  LoadSetup setup = enclosed_setup();
  EXPECT_EQ(only_rows(setup, "1,,2024-05-06,\"\"\n"), "1||2024-05-06|\ntotal 1 filtered 0 loaded 1\n");
  setup.options.empty_field_as_null = true;
  EXPECT_EQ(only_rows(setup, "1,,2024-05-06,x\n"), "1|\\N|2024-05-06|x\ntotal 1 filtered 0 loaded 1\n");
  setup.options.enclose = setup.options.escape = 0;
  setup.options.trim_double_quotes = false;
  EXPECT_EQ(only_rows(setup, "1,,2024-05-06,\n"), "1|\\N|2024-05-06|\\N\ntotal 1 filtered 0 loaded 1\n");
}

TEST(CsvModes, skipped_lines_are_not_looked_at_and_not_counted) {
  LoadSetup setup{.schema = typed_schema(), .columns = "", .options = {}};
  setup.options.column_separator = ",";
  const std::string body = "\xEF\xBB\xBFid,name,day,note\nINT,TEXT\n\n1,a,2024-05-06,b\n2,c,2024-05-06,d";
  for (std::uint32_t lines = 0; lines <= 6; ++lines) {
    setup.options.skip_lines = lines;
    expect_same_at_every_cut(setup, body);
  }
  setup.options.skip_lines = 2;
  EXPECT_EQ(only_rows(setup, body), "1|a|2024-05-06|b\n2|c|2024-05-06|d\ntotal 2 filtered 0 loaded 2\n");
  setup.options.skip_lines = 4;
  EXPECT_EQ(only_rows(setup, body), "2|c|2024-05-06|d\ntotal 1 filtered 0 loaded 1\n");
  setup.options.skip_lines = 9;
  EXPECT_EQ(only_rows(setup, body), "total 0 filtered 0 loaded 0\n");
  setup.options.skip_lines = 1;  // a line break that is enclosed ends no line
  setup.options.enclose = '"';
  EXPECT_EQ(only_rows(setup, "\"a\nb\",c\n1,a,2024-05-06,b\n"),
            "1|a|2024-05-06|b\ntotal 1 filtered 0 loaded 1\n");
}

TEST(CsvModes, a_surplus_last_field_of_a_hidden_column_the_table_does_not_have_is_dropped) {
  LoadSetup setup{.schema = typed_schema(), .columns = "", .options = {}};
  setup.hidden_columns = "__DORIS_DELETE_SIGN__";
  EXPECT_EQ(only_rows(setup, "1\ta\t2024-05-06\tb\t0\n2\tc\t2024-05-06\td\t1"),
            "1|a|2024-05-06|b\n2|c|2024-05-06|d\ntotal 2 filtered 0 loaded 2\n");
  EXPECT_EQ(only_rows(setup, "1\ta\t2024-05-06\tb\n2\tc\t2024-05-06\td"),
            "1|a|2024-05-06|b\n2|c|2024-05-06|d\ntotal 2 filtered 0 loaded 2\n");
  const std::string mixed =
      "1\ta\t2024-05-06\tb\n2\tc\t2024-05-06\td\t0\nx\ty\n1\t2\t3\t4\t5\t6\n3\te\t2024-05-06\tf";
  expect_same_at_every_cut(setup, mixed);
  EXPECT_TRUE(only_rows(setup, mixed)
                  .starts_with(
                      "1|a|2024-05-06|b\n2|c|2024-05-06|d\n3|e|2024-05-06|f\ntotal 5 filtered 2 loaded 3\n"));
  setup.columns = "c1, c2, c3, c4";  // `columns` decides where it is there
  EXPECT_TRUE(only_rows(setup, "1\ta\t2024-05-06\tb\t0\n").starts_with("total 1 filtered 1 loaded 0\n"));
}

TEST(CsvModes, the_outcome_does_not_depend_on_where_the_body_is_cut) {
  const std::string body =
      "\xEF\xBB\xBF"
      "1,\"one, two\r\nthree\",2024-05-06,\",,\n\"\r\n"
      "\n"
      "2,it\"s,\"2024-05-07\",\"\"\n"
      "3,\"say \\\"hi\\\", ok\",2024-05-06,\"a \"\"b\"\" \\\\\"\n"
      "4,\"a,\"b\",c\",2024-05-06,\"\"d\"e,\",2024-05-06,\"f\"g\"\"\n"
      "5,\\N,\"\\N\",\"\\\\N\"\n"
      "bad,\"row\n\"\n"
      "6,\"\xE4\xB8\xAD,\xE6\x96\x87\",2024-05-06,\"broken \xC3\"\n"
      "7,\"\xE4\xB8\xAD,\xE6\x96\x87\",2024-05-06,\"x\\";
  for (const auto& [separator, delimiter] : std::vector<std::pair<std::string, std::string>>{
           {",", "\n"}, {"||", "\n"}, {",", "##"}, {"aba", "bac"}, {"\"x", "\n"}, {"\r", "\n"}}) {
    std::string text;
    for (const char c : body) text += c == ',' ? separator : c == '\n' ? delimiter : std::string(1, c);
    for (const bool escapes : {true, false}) {
      for (const BlockLimits& limits : {BlockLimits{}, BlockLimits{.rows_max = 2}}) {
        LoadSetup setup = enclosed_setup();
        setup.options.column_separator = separator;
        setup.options.line_delimiter = delimiter;
        setup.options.block = limits;
        if (!escapes) setup.options.escape = 0;
        expect_same_at_every_cut(setup, text);
      }
    }
  }
}

// The same rules, one character after the other, over the whole body.
std::string naive_enclosed(const CsvOptions& options, std::size_t columns, const std::string& body) {
  std::string rows;
  std::size_t total = 0;
  std::size_t loaded = 0;
  std::vector<std::string> fields;
  std::size_t field_begin = 0;
  std::size_t row_begin = 0;
  bool fresh = true;
  bool enclosed = false;
  const char escape = options.escape == options.enclose ? '\0' : options.escape;
  const auto end_field = [&](std::size_t end) {
    fields.push_back(body.substr(field_begin, end - field_begin));
  };
  const auto meaning = [&](const std::string& field) -> std::string {
    const bool is_enclosed = field.starts_with(options.enclose);
    std::string inner = field;
    const bool trims = field.size() >= 2 && is_enclosed && field.ends_with(options.enclose);
    if (trims) inner = field.substr(1, field.size() - 2);
    if (inner == "\\N" || (inner.empty() && options.empty_field_as_null)) return "\\N";
    std::string out;
    std::size_t i = 0;
    std::size_t end = inner.size();
    if (is_enclosed && !trims) {  // the quote that opens, and perhaps the one that closes, stay what they are
      out += inner[i++];
      if (inner.size() >= 2 && inner.ends_with(options.enclose)) --end;
    }
    for (; i < end; ++i) {
      const bool has_next = i + 1 < end;
      if (is_enclosed && has_next &&
          ((escape != 0 && inner[i] == escape) ||
           (inner[i] == options.enclose && inner[i + 1] == options.enclose))) {
        ++i;
      }
      append_escaped(out, inner.substr(i, 1));
    }
    return out + inner.substr(end);
  };
  const auto end_row = [&](std::size_t end, std::size_t next) {
    if (end != next && options.line_delimiter == "\n" && end > row_begin && body[end - 1] == '\r') --end;
    const bool is_empty = end == row_begin;
    if (end < field_begin) end = field_begin;  // cannot be: a carriage return is no separator here
    end_field(end);
    if (!is_empty) {
      ++total;
      if (fields.size() == columns) {
        ++loaded;
        for (std::size_t i = 0; i < columns; ++i) rows += (i == 0 ? "" : "|") + meaning(fields[i]);
        rows += "\n";
      }
    }
    fields.clear();
    field_begin = row_begin = next;
    fresh = true;
  };
  std::size_t i = 0;
  while (i < body.size()) {
    if (fresh && body[i] == options.enclose) {
      enclosed = true;
      fresh = false;
      ++i;
      continue;
    }
    fresh = false;
    if (enclosed) {
      if (escape != 0 && body[i] == escape) {
        i += 2;
      } else if (body[i] != options.enclose) {
        ++i;
      } else if (i + 1 < body.size() && body[i + 1] == options.enclose) {
        i += 2;
      } else {
        enclosed = false;
        ++i;
      }
      continue;
    }
    if (body.compare(i, options.line_delimiter.size(), options.line_delimiter) == 0) {
      end_row(i, i + options.line_delimiter.size());
      i = row_begin;
      continue;
    }
    bool is_separator = body.compare(i, options.column_separator.size(), options.column_separator) == 0;
    for (std::size_t k = 1; k < options.column_separator.size(); ++k) {
      is_separator =
          is_separator && (i + k >= body.size() ||
                           body.compare(i + k, options.line_delimiter.size(), options.line_delimiter) != 0);
    }
    if (!is_separator) {
      ++i;
      continue;
    }
    end_field(i);
    i += options.column_separator.size();
    field_begin = i;
    fresh = true;
  }
  if (row_begin < body.size()) end_row(body.size(), body.size());
  return rows + "total " + std::to_string(total) + " filtered " + std::to_string(total - loaded) +
         " loaded " + std::to_string(loaded) + "\n";
}

TEST(CsvModes, random_enclosed_bodies_agree_with_a_naive_decoder_at_every_simd_level) {
  std::mt19937 random(29);
  const std::vector<std::string> pieces = {"\"",
                                           "\"",
                                           "\"",
                                           "\"\"",
                                           "\\",
                                           "\\\\",
                                           "\\\"",
                                           ",",
                                           ",",
                                           ",",
                                           "\n",
                                           "\r\n",
                                           "a",
                                           "b",
                                           "\",\"",
                                           "\"\n\"",
                                           "\\N",
                                           "plain text",
                                           "\",",
                                           ",\"",
                                           "\n\"",
                                           "\xE4\xB8\xAD",
                                           "long text that fills a block"};
  for (int round = 0; round < 2000; ++round) {
    const std::size_t count = 1 + random() % 3;
    std::vector<ColumnDef> columns;
    for (std::uint32_t i = 0; i < count; ++i) columns.push_back(column(i + 1, Type::string()));
    LoadSetup setup = enclosed_setup();
    setup.schema = schema_of(columns);
    setup.options.escape = std::string("\\\0\"\\", 4)[random() % 4];
    setup.options.empty_field_as_null = random() % 2 == 0;
    setup.options.rejects.rows_max = 0;
    if (random() % 4 == 0) setup.options.column_separator = ",,";
    if (random() % 4 == 0) setup.options.line_delimiter = ",\n";
    setup.options.simd = static_cast<SimdLevel>(random() % (static_cast<unsigned>(best_simd_level()) + 1));
    std::string body;
    const bool tidy = random() % 3 == 0;  // mostly right, so that the fast way is taken as well
    for (std::size_t i = random() % 80; i > 0; --i) {
      if (tidy) {
        for (std::size_t field = 0; field < count; ++field) {
          if (field != 0) body += setup.options.column_separator;
          body += random() % 2 == 0 ? "\"x,\n" + std::string(random() % 9, 'y') + "\""
                                    : std::string(random() % 9, 'z');
        }
        body += setup.options.line_delimiter;
        if (random() % 30 != 0) continue;
      }
      body += pieces[random() % pieces.size()];
    }
    const std::string expected = naive_enclosed(setup.options, count, body);
    Pieces cuts;
    for (std::size_t at = 0; (at += 1 + random() % 100) < body.size();) cuts.push_back(at);
    ASSERT_EQ(rows_only(run(setup, body, {})), expected) << body;
    ASSERT_EQ(rows_only(run(setup, body, cuts)), expected) << body;
  }
}

TEST(CsvModes, long_enclosed_rows_pass_in_small_pieces_and_too_long_ones_fail) {
  LoadSetup setup = enclosed_setup();
  setup.schema = schema_of({column(1, Type::of(TypeKind::Int)), column(2, Type::string())});
  const std::string long_text = "1,\"" + std::string(90'000, ',') + "\n\"\n2,\"b\"\n";
  Pieces cuts;
  for (std::size_t at = 0; (at += 999) < long_text.size();) cuts.push_back(at);
  EXPECT_EQ(run(setup, long_text, cuts), run(setup, long_text, {}));
  EXPECT_NE(run(setup, long_text, cuts).find("total 2 filtered 0 loaded 2"), std::string::npos);
  setup.options.row_bytes_max = 50;
  for (const std::string& body :
       {"1,\"a\"\n2,\"" + std::string(60, '\n') + "\"\n", "1,\"a\"\n2,\"" + std::string(200, ',')}) {
    for (std::size_t cut = 0; cut <= body.size(); ++cut) {
      const std::string out = run(setup, body, {cut});
      EXPECT_TRUE(
          out.ends_with("a row is longer than row_bytes_max 50 bytes; it begins at byte 6 of the body"))
          << out;
    }
  }
}

TEST(CsvModes, strict_mode_shows_what_a_cell_means_and_the_row_as_it_was) {
  LoadSetup setup = enclosed_setup();
  setup.options.cells.strict = true;
  EXPECT_EQ(only_rows(setup, "\"1\\\"x\",b,2024-05-06,\"d\"\n2,\"ok\",2024-05-06,\"\"\"\"\n"),
            "2|ok|2024-05-06|\"\ntotal 2 filtered 1 loaded 1\n"
            "Reason: column(c1) value is incorrect while strict mode is true, src value is 1\"x. src line "
            "[\"1\\\"x\",b,2024-05-06,\"d\"]; \n");
}

TEST(CsvTypes, every_scalar_type_from_its_text) {
  LoadSetup setup{
      .schema = schema_of({column(1, Type::of(TypeKind::LargeInt)), column(2, Type::of(TypeKind::Float)),
                           column(3, Type::character(4)), column(4, Type::json()),
                           column(5, Type::of(TypeKind::IpV4)), column(6, Type::of(TypeKind::IpV6))}),
      .columns = "",
      .options = {}};
  const std::string body =
      "-45235\t1.34\tabcd\t{\"b\" : [1, 2.50], \"a\":null}\t10.0.0.1\t2001:DB8::1\n"
      "170141183460469231731687303715884105727\t1e39\tabcdef\t7\t1.2.3\t1.2.3.4\n"
      "x\ty\t\xC3\xA9\xC3\xA9\xC3\xA9\t{bad\t\\N\t::\n";
  EXPECT_EQ(only_rows(setup, body),
            "-45235|1.34|abcd|{\"b\":[1,2.50],\"a\":null}|10.0.0.1|2001:db8::1\n"
            "170141183460469231731687303715884105727|Infinity|abcd|7|\\N|::ffff:1.2.3.4\n"
            "\\N|\\N|\xC3\xA9\xC3\xA9|\\N|\\N|::\ntotal 3 filtered 0 loaded 3\n");
  expect_same_at_every_cut(setup, body);
  setup.options.cells.strict = true;
  EXPECT_TRUE(only_rows(setup, body)
                  .starts_with("-45235|1.34|abcd|{\"b\":[1,2.50],\"a\":null}|10.0.0.1|2001:db8::1\ntotal 3 "
                               "filtered 2 loaded 1\n"));
}

TEST(CsvTypes, defaults_of_every_scalar_type) {
  std::vector<ColumnDef> columns = {column(1, Type::of(TypeKind::Int)),
                                    column(2, Type::of(TypeKind::LargeInt)),
                                    column(3, Type::of(TypeKind::Float)),
                                    column(4, Type::character(4)),
                                    column(5, Type::json()),
                                    column(6, Type::of(TypeKind::IpV4))};
  const char* defaults[] = {"0", "12345678901234567890", "0.5", "abc", "{ \"k\": 1 }", "127.0.0.1"};
  for (std::size_t i = 1; i < columns.size(); ++i) {
    columns[i].default_kind = DefaultKind::Literal;
    columns[i].default_value = defaults[i];
  }
  LoadSetup setup{.schema = schema_of(columns), .columns = "c1", .options = {}};
  EXPECT_EQ(only_rows(setup, "1\n2\n"),
            "1|12345678901234567890|0.5|abc|{\"k\":1}|127.0.0.1\n"
            "2|12345678901234567890|0.5|abc|{\"k\":1}|127.0.0.1\ntotal 2 filtered 0 loaded 2\n");
  columns[4].default_value = "{";
  setup.schema = schema_of(columns);
  EXPECT_EQ(run(setup, "1\n", {}), "default value '{' does not fit column: c5");
}

// Rows and counts, whatever the messages call the marks.
std::string loaded_rows(const LoadSetup& setup, const std::string& body) {
  const std::string out = only_rows(setup, body);
  return out.substr(0, out.find("Reason: "));
}

TEST(CsvModes, the_carriage_return_before_a_line_break_may_end_a_separator) {
  LoadSetup plain{.schema = schema_of({column(1, Type::varchar(20)), column(2, Type::of(TypeKind::Int))}),
                  .columns = "",
                  .options = {}};
  for (const char* separator : {"\r", "Z\r", "\r\r", "\rZ\r"}) {
    plain.options.column_separator = separator;
    LoadSetup enclosed = plain;
    enclosed.options.enclose = '"';
    const auto row = [&](std::string_view first, std::string_view second) {
      return std::string(first) + separator + std::string(second);
    };
    for (const std::string& body :
         {std::string("3\r\n4\r5\n"), row("3", "\n") + row("4", "5\n"), row("", "\n") + row("a", "\r\n"),
          row("x", "7\r\n") + row("y", row("8", "\n")) + row("z", ""), std::string("\r\nZ\r\n\r\r\n\r\r\r\n"),
          row("1", row("2", "\n"))}) {
      EXPECT_EQ(loaded_rows(enclosed, body), loaded_rows(plain, body)) << separator << "\n" << body;
      expect_same_at_every_cut(plain, body);
      expect_same_at_every_cut(enclosed, body);
      LoadSetup narrow = enclosed;
      narrow.schema = schema_of({column(1, Type::varchar(20))});
      expect_same_at_every_cut(narrow, body);
    }
    expect_same_at_every_cut(enclosed, row("\"a\"", "\n") + row("\"\r\n\"", "\"7\"\r\n"));
  }
  plain.options.column_separator = "\r";
  plain.options.enclose = '"';
  EXPECT_EQ(loaded_rows(plain, "3\r\n4\r5\n"), "4|5\ntotal 2 filtered 1 loaded 1\n");
  EXPECT_EQ(loaded_rows(plain, "\"3\r\"\r\r\n"), "\"3\\r\"|\\N\ntotal 1 filtered 0 loaded 1\n");
}

TEST(CsvModes, marks_that_contain_each_other) {
  constexpr const char* kMarks[] = {"\n", "\n\n", "\r", "\r\n", "\n\r", "Z\n", "\"", "\"\n", "ZZ"};
  std::mt19937 random(11);
  LoadSetup setup{.schema = schema_of({column(1, Type::varchar(20)), column(2, Type::of(TypeKind::Int))}),
                  .columns = "",
                  .options = {}};
  for (const char* separator : kMarks) {
    for (const char* delimiter : kMarks) {
      for (const char enclose : {'\0', '"', '\n', '\r', 'Z'}) {
        setup.options.column_separator = separator;
        setup.options.line_delimiter = delimiter;
        setup.options.enclose = enclose;
        setup.options.escape = random() % 2 == 0 ? '\\' : '\0';
        setup.options.trim_double_quotes = random() % 2 == 0;
        for (int round = 0; round < 4; ++round) {
          std::string body;
          for (std::size_t left = random() % 24; left > 0; --left) body += "\n\n\r\rZ\"1\\"[random() % 8];
          expect_same_at_every_cut(setup, body);
        }
      }
    }
  }
}

}  // namespace
}  // namespace penstock::txn
