// What is decoded several cells at a time, and rows found by counting marks, against the same without: every level gives
// what the scalar one gives, and that what the naive decoder gives.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/txn/decode/csv_run.hpp"
#include "tests/txn/decode/naive_csv.hpp"
#include "txn/decode/csv_decoder.hpp"

namespace penstock::txn {
namespace {

std::vector<SimdLevel> levels() {
  std::vector<SimdLevel> out;
  for (const SimdLevel level : {SimdLevel::Scalar, SimdLevel::Sse2, SimdLevel::Avx2, SimdLevel::Avx512}) {
    if (level <= best_simd_level()) out.push_back(level);
  }
  return out;
}

std::string without_last_break(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

void expect_same_at_every_level(LoadSetup setup, const std::string& body, const Pieces& cuts) {
  const std::string expected = without_last_break(naive_csv(*setup.schema, setup.options, body));
  for (const SimdLevel level : levels()) {
    setup.options.simd = level;
    ASSERT_EQ(without_last_break(rows_only(run(setup, body, cuts))), expected)
        << "level " << static_cast<int>(level);
  }
}

// One cell a row, in every column that could take it: all lanes see all cells, strictly and not.
void expect_cells(const std::vector<Type>& types, const std::vector<std::string>& cells) {
  for (const Type& type : types) {
    for (const bool strict : {false, true}) {
      for (const std::size_t before : {0, 1}) {  // as the first column, and behind another
        LoadSetup setup;
        std::vector<ColumnDef> columns;
        if (before != 0) columns.push_back(column(1, Type::of(TypeKind::Int)));
        columns.push_back(column(2, type, strict));
        columns.push_back(column(3, Type::string()));
        setup.schema = schema_of(columns);
        setup.options.cells.strict = strict;
        std::string body;
        for (const std::string& cell : cells) body += (before != 0 ? "7\t" : "") + cell + "\tbehind\n";
        ASSERT_NO_FATAL_FAILURE(expect_same_at_every_level(setup, body, {}));
      }
    }
  }
}

// Each cell among usual ones, at every place of the lanes, and usual ones enough for lanes to be worth it.
std::vector<std::string> among(const std::vector<std::string>& odd, const std::vector<std::string>& usual) {
  std::vector<std::string> out;
  std::size_t next = 0;
  for (std::size_t i = 0; i < odd.size(); ++i) {
    for (std::size_t k = 0; k < 3 + i % 4; ++k) out.push_back(usual[next++ % usual.size()]);
    out.push_back(odd[i]);
  }
  for (std::size_t k = 0; k < 13; ++k) out.push_back(usual[k % usual.size()]);
  return out;
}

const std::vector<std::string> kOddNumbers = {"",
                                              "\\N",
                                              "-",
                                              "+",
                                              ".",
                                              "-.",
                                              "+1",
                                              "-0",
                                              "00",
                                              "007",
                                              "-007",
                                              " 7",
                                              "7 ",
                                              " ",
                                              "1 2",
                                              "--1",
                                              "-+1",
                                              "1-",
                                              "1.",
                                              ".5",
                                              "-.5",
                                              "1.5",
                                              "-1.5",
                                              "1.25",
                                              "1.255",
                                              "-1.255",
                                              "1.2.3",
                                              "..",
                                              "1..",
                                              "1e3",
                                              "1E2",
                                              "e",
                                              "0x10",
                                              "a",
                                              "12a",
                                              "a12",
                                              "1\x80",
                                              "\xC3\xA9",
                                              "1\xC3\xA9",
                                              "/",
                                              ":",
                                              "1/2",
                                              "1:2",
                                              "127",
                                              "128",
                                              "-128",
                                              "-129",
                                              "32767",
                                              "32768",
                                              "-32768",
                                              "-32769",
                                              "2147483647",
                                              "2147483648",
                                              "-2147483648",
                                              "-2147483649",
                                              "9223372036854775807",
                                              "9223372036854775808",
                                              "-9223372036854775808",
                                              "-9223372036854775809",
                                              "9999999",
                                              "99999999",
                                              "999999999",
                                              "9999999999999999",
                                              "99999999999999999",
                                              "-9999999",
                                              "-99999999",
                                              "-999999999999999",
                                              "-9999999999999999",
                                              "00000001",
                                              "000000001",
                                              "0000000000000001",
                                              "00000000000000001",
                                              "0000000000000000000000000000000001",
                                              "99999999999999999999",
                                              "1234567.",
                                              "12345678.",
                                              ".1234567",
                                              ".12345678",
                                              "-.1234567",
                                              "123456.7",
                                              "1234567.8",
                                              "123456789.12",
                                              "1234567890123.45",
                                              "-1234567890123.45",
                                              "12345678901234.5",
                                              "1.23456789012345",
                                              "-1.2345678901234",
                                              "999999999.999",
                                              "9999999999.9",
                                              "999999.99",
                                              "9999999.99",
                                              "99999999.99",
                                              "0.001",
                                              "0.0001",
                                              "-0.00",
                                              "0000000.1",
                                              "00000000.1",
                                              "12345678901234567.1",
                                              "1.0000000",
                                              "1.00000000",
                                              "100.",
                                              "NaN",
                                              "inf",
                                              "true",
                                              "1\r",
                                              "\r1",
                                              "12345678\r"};

TEST(CsvLanes, whole_numbers_and_decimals_of_every_spelling) {
  const std::vector<Type> types = {
      Type::of(TypeKind::TinyInt), Type::of(TypeKind::SmallInt), Type::of(TypeKind::Int),
      Type::of(TypeKind::BigInt),  Type::decimal(4, 0),          Type::decimal(4, 4),
      Type::decimal(9, 2),         Type::decimal(12, 3),         Type::decimal(15, 2),
      Type::decimal(18, 0),        Type::decimal(18, 9),         Type::decimal(18, 18)};
  expect_cells(types, kOddNumbers);
  expect_cells(types, among(kOddNumbers, {"1", "22", "-3", "4", "55", "0"}));
  expect_cells(types, among(kOddNumbers, {"12.25", "3.25", "-1.50", "100.00"}));
  expect_cells(types, among(kOddNumbers, {"123456789012", "-99999999999", "7"}));
}

TEST(CsvLanes, dates_and_times_of_every_spelling) {
  std::vector<std::string> odd = {
      "",           "\\N",        "2024-02-29",  "2023-02-29",  "2000-02-29", "1900-02-29", "2024-02-30",
      "0000-01-01", "9999-12-31", "2024-00-10",  "2024-13-01",  "2024-01-00", "2024-01-32", "2024-04-30",
      "2024-04-31", "2024-06-31", "2024-09-31",  "2024-11-31",  "2024-12-31", "2024-1-01",  "2024/01/01",
      "2024-01/01", "20240101",   " 2024-01-01", "2024-01-01 ", "202a-01-01", "2024-0a-01", "2024-01-0a",
      "2024-01-3:", "2024-1:-01", "x024-01-01"};
  for (const char* date :
       {"2024-03-01", "2024-02-29", "2023-02-29", "0000-01-01", "9999-12-31", "1969-12-31"}) {
    for (const char* time : {" 00:00:00",
                             "T00:00:00",
                             " 23:59:59",
                             " 24:00:00",
                             " 23:60:00",
                             " 23:59:60",
                             " 29:00:00",
                             "x00:00:00",
                             " 1:02:03",
                             " 00:00:0",
                             " 00-00:00",
                             " 00:00-00",
                             " 0a:00:00",
                             " 00:0a:00",
                             " 00:00:0a",
                             " 00:00:00.",
                             " 00:00:00.5",
                             " 12:34:56.7",
                             " 12:34:56.78",
                             " 12:34:56.789",
                             " 12:34:56.999999",
                             " 12:34:56.9999995",
                             " 23:59:59.9999999",
                             " 12:34:56.12345678",
                             " 12:34:56.1a",
                             " 12:34:56,5",
                             " 12:34:56.1 ",
                             " 12:34:56Z",
                             " 12:34:56+08:00",
                             "  12:34:56",
                             " 12:34",
                             "\xC3\xA9"
                             "12:34:56"}) {
      odd.push_back(std::string(date) + time);
    }
  }
  const std::vector<Type> types = {Type::of(TypeKind::Date), Type::date_time(0), Type::date_time(3),
                                   Type::date_time(6)};
  expect_cells(types, odd);
  expect_cells(types, among(odd, {"2024-03-01 10:20:30", "1970-01-01 00:00:00"}));
  expect_cells(types, among(odd, {"2024-03-01", "1988-12-31"}));
  std::vector<std::string> days;  // all that there are in some years
  for (const int year : {0, 4, 100, 400, 1600, 1899, 1900, 1969, 1970, 1999, 2000, 2024, 2100, 9999}) {
    for (int month = 1; month <= 12; ++month) {
      for (int day = 1; day <= 31; ++day) {
        char text[16];
        std::snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, day);
        days.emplace_back(text);
      }
    }
  }
  expect_cells({Type::of(TypeKind::Date)}, days);
  for (std::string& day : days) day += " 01:02:03";
  expect_cells({Type::date_time(0)}, days);
}

// What lies behind a cell may look as if it belonged to it.
TEST(CsvLanes, a_separator_that_is_a_digit_ends_a_cell_as_well) {
  LoadSetup setup;
  setup.schema = schema_of({column(1, Type::string()), column(2, Type::date_time(6)),
                            column(3, Type::of(TypeKind::Date)), column(4, Type::of(TypeKind::Int)),
                            column(5, Type::decimal(9, 2)), column(6, Type::string())});
  setup.options.column_separator = "5";
  std::string body;
  for (int i = 0; i < 40; ++i) {
    body += i % 8 < 6 ? "a52024-03-01 10:20:352024-03-0512" : "a52024-03-01 10:20:3052024-03-0151234678";
    body += "51.25\n";
  }
  expect_same_at_every_level(setup, body, {});
}

std::string random_cell(std::mt19937& random, const Type& type) {
  static const std::vector<std::string> kDates = {
      "2020-01-02", "2020-01-02 03:04:05", "2020-01-02 03:04:05.25", "1999-12-31T23:59:59", "2020-02-30"};
  const auto digits = [&](std::size_t count) {
    std::string out;
    while (out.size() < count) out += static_cast<char>('0' + random() % 10);
    return out;
  };
  if (random() % 40 == 0) return kOddNumbers[random() % kOddNumbers.size()];
  if (random() % 200 == 0) return kDates[random() % kDates.size()];
  const std::string sign = random() % 6 == 0 ? "-" : "";
  switch (type.kind) {
    case TypeKind::TinyInt:
      return sign + std::to_string(random() % 140);
    case TypeKind::SmallInt:
      return sign + std::to_string(random() % 33'000);
    case TypeKind::Int:
      return sign + digits(1 + random() % 10);
    case TypeKind::BigInt:
      return sign + digits(1 + random() % 19);
    case TypeKind::Decimal:
      return sign + digits(random() % 8) + (random() % 8 == 0 ? "" : "." + digits(random() % 4));
    case TypeKind::Date:
    case TypeKind::DateTime: {
      char text[32];
      std::snprintf(text, sizeof text, "%04u-%02u-%02u", static_cast<unsigned>(random() % 10'000),
                    static_cast<unsigned>(1 + random() % 12), static_cast<unsigned>(1 + random() % 31));
      std::string out = text;
      if (type.kind == TypeKind::Date) return out;
      std::snprintf(text, sizeof text, " %02u:%02u:%02u", static_cast<unsigned>(random() % 25),
                    static_cast<unsigned>(random() % 61), static_cast<unsigned>(random() % 61));
      out += text;
      if (random() % 3 == 0) out += "." + digits(1 + random() % 7);
      return out;
    }
    default: {
      const std::size_t size = random() % 4 == 0 ? random() % 90 : random() % 20;
      std::string out;
      while (out.size() < size)
        out += random() % 30 == 0 ? "\xE4\xB8\xAD" : std::string(1, static_cast<char>('a' + random() % 26));
      return out;
    }
  }
}

TEST(CsvLanes, random_tables_agree_with_a_naive_decoder_at_every_level) {
  std::mt19937 random(41);
  const std::vector<Type> types = {Type::of(TypeKind::TinyInt),
                                   Type::of(TypeKind::SmallInt),
                                   Type::of(TypeKind::Int),
                                   Type::of(TypeKind::BigInt),
                                   Type::decimal(9, 2),
                                   Type::decimal(15, 3),
                                   Type::of(TypeKind::Date),
                                   Type::date_time(0),
                                   Type::date_time(6),
                                   Type::varchar(12),
                                   Type::string(),
                                   Type::varchar(40)};
  for (int round = 0; round < 120; ++round) {
    LoadSetup setup;
    std::vector<ColumnDef> columns;
    for (std::uint32_t i = 1 + random() % 9; i > 0; --i) {
      columns.push_back(column(static_cast<std::uint32_t>(columns.size() + 1), types[random() % types.size()],
                               random() % 4 != 0));
    }
    setup.schema = schema_of(columns);
    setup.options.cells.strict = random() % 2 == 0;
    if (random() % 4 == 0) setup.options.column_separator = ",";
    const std::string line_end = random() % 3 == 0 ? "\r\n" : "\n";
    const unsigned oddness = random() % 3 == 0 ? 20 : 1000;
    std::string body;
    const std::size_t rows = random() % 4 == 0 ? 1500 : random() % 300;
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t field = 0; field < columns.size(); ++field) {
        if (field != 0) body += setup.options.column_separator;
        if (random() % oddness == 0) body += random() % 2 == 0 ? "\\N" : " ";
        body += random_cell(random, columns[field].type);
      }
      if (random() % oddness == 0) body += setup.options.column_separator + "too many";
      if (random() % oddness == 0) body += "\xFF";
      if (random() % (2 * oddness) == 0) body += line_end;
      if (random() % (2 * oddness) == 0) body += line_end + "few";
      body += line_end;
    }
    if (random() % 2 == 0) body += "1\t2";
    Pieces cuts;
    if (random() % 2 == 0) {
      for (std::size_t at = 0; (at += 1 + random() % (random() % 2 == 0 ? 400 : 70'000)) < body.size();)
        cuts.push_back(at);
    }
    ASSERT_NO_FATAL_FAILURE(expect_same_at_every_level(setup, body, cuts)) << round;
  }
}

// Rows of one width, where lines and stretches of the scan end at every place, and one byte of them is something else.
TEST(CsvLanes, rows_are_found_by_counting_only_where_that_is_right) {
  std::mt19937 random(43);
  for (int round = 0; round < 400; ++round) {
    LoadSetup setup;
    std::vector<ColumnDef> columns;
    const std::uint32_t count = 1 + random() % 5;
    for (std::uint32_t i = 0; i < count; ++i) columns.push_back(column(i + 1, Type::string()));
    setup.schema = schema_of(columns);
    std::string body;
    const std::size_t width = random() % (round % 2 == 0 ? 4 : 40);
    const std::size_t rows = width < 4 ? 1200 : 300;
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::uint32_t field = 0; field < count; ++field) {
        if (field != 0) body += '\t';
        body += std::string(1 + (width == 0 ? 0 : random() % width), static_cast<char>('a' + row % 26));
      }
      body += random() % 50 == 0 ? "\r\n" : "\n";
    }
    for (std::size_t i = random() % 4; i > 0; --i) {
      body[random() % body.size()] = "\n\t\rx\x80"[random() % 5];
    }
    ASSERT_NO_FATAL_FAILURE(expect_same_at_every_level(setup, body, {})) << round;
  }
}

TEST(CsvLanes, no_row_depends_on_where_the_body_is_cut_at_any_level) {
  LoadSetup setup;
  setup.schema = schema_of({column(1, Type::of(TypeKind::BigInt)), column(2, Type::decimal(12, 3)),
                            column(3, Type::date_time(6)), column(4, Type::varchar(5), false)});
  std::string body;
  for (int i = 0; i < 11; ++i) {
    body += std::to_string(i * 1'234'567'891LL) + "\t" + std::to_string(i) + ".25\t2024-03-0" +
            std::to_string(i % 10) + " 10:00:00." + std::to_string(i) + "\t" +
            std::string(static_cast<std::size_t>(i), 'v') + (i % 5 == 3 ? "\r\n" : "\n");
    if (i == 4) body += "\nx\ty\tz\t\\N\n";
  }
  for (const SimdLevel level : levels()) {
    setup.options.simd = level;
    const std::string expected = run(setup, body, {});
    for (std::size_t cut = 0; cut <= body.size(); ++cut) ASSERT_EQ(run(setup, body, {cut}), expected) << cut;
  }
}

}  // namespace
}  // namespace penstock::txn
