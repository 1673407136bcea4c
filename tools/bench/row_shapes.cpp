#include "tools/bench/row_shapes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tools/bench/row_text.hpp"
#include "tools/bench/wide_rows.hpp"

namespace penstock::tools {
namespace {

constexpr std::array kLogColumns = std::to_array<ShapeColumn>({
    {"k", "BIGINT NOT NULL"},
    {"ts", "DATETIME(3) NOT NULL"},
    {"status", "INT NOT NULL"},
    {"bytes", "INT NOT NULL"},
    {"micros", "INT NOT NULL"},
    {"cost", "DECIMAL(12,4) NOT NULL"},
    {"host", "VARCHAR(64) NOT NULL"},
    {"method", "VARCHAR(16) NOT NULL"},
    {"path", "STRING NOT NULL"},
    {"agent", "STRING NOT NULL"},
    {"trace", "VARCHAR(64) NOT NULL"},
    {"note", "STRING NULL"},
});
constexpr std::array kLineItemColumns = std::to_array<ShapeColumn>({
    {"l_orderkey", "BIGINT NOT NULL"},
    {"l_partkey", "INT NOT NULL"},
    {"l_suppkey", "INT NOT NULL"},
    {"l_linenumber", "INT NOT NULL"},
    {"l_quantity", "DECIMAL(15,2) NOT NULL"},
    {"l_extendedprice", "DECIMAL(15,2) NOT NULL"},
    {"l_discount", "DECIMAL(15,2) NOT NULL"},
    {"l_tax", "DECIMAL(15,2) NOT NULL"},
    {"l_returnflag", "CHAR(1) NOT NULL"},
    {"l_linestatus", "CHAR(1) NOT NULL"},
    {"l_shipdate", "DATE NOT NULL"},
    {"l_commitdate", "DATE NOT NULL"},
    {"l_receiptdate", "DATE NOT NULL"},
    {"l_shipinstruct", "CHAR(25) NOT NULL"},
    {"l_shipmode", "CHAR(10) NOT NULL"},
    {"l_comment", "VARCHAR(44) NOT NULL"},
});
constexpr std::array kMetricColumns = std::to_array<ShapeColumn>({
    {"k", "BIGINT NOT NULL"},
    {"ts", "INT NOT NULL"},  // seconds since 1970
    {"series", "INT NOT NULL"},
    {"host", "VARCHAR(16) NOT NULL"},
    {"value", "DOUBLE NOT NULL"},
});

constexpr std::uint64_t kNovember2026 = 1'793'491'200'000;  // 2026-11-01 in milliseconds since 1970

template <std::size_t n>
std::string_view one_of(const std::array<std::string_view, n>& texts, Random& chance) {
  return texts[chance.below(n)];
}

void write_log(RowText& row, std::uint64_t key, std::uint64_t number, Random& chance) {
  static constexpr std::array kStatus = {200, 200, 200, 204, 301, 404, 500};
  static constexpr std::array<std::string_view, 5> kMethods = {"GET", "GET", "GET", "POST", "PUT"};
  static constexpr std::array<std::string_view, 4> kSections = {"item", "cart", "user", "search"};
  static constexpr std::array<std::string_view, 4> kAgents = {"Mozilla/5.0 (X11; Linux x86_64; rv:115)",
                                                              "curl/7.88.1", "okhttp/4.9.3",
                                                              "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0)"};
  static constexpr std::array<std::string_view, 3> kNotes = {"cache hit", "retry 1 of 3",
                                                             "upstream timed out"};
  row.number(key);
  row.datetime(kNovember2026 + number * 7, true);
  row.number(static_cast<std::uint64_t>(kStatus[chance.below(kStatus.size())]));
  row.number(chance.between(100, 199'999));
  row.number(chance.below(1'000'000));
  row.decimal(chance.below(100'000'000), 4);
  const std::uint64_t host = chance.below(200);
  row.open_text();
  row.piece("web-");
  row.piece(1000 + host);
  row.piece(".eu-");
  row.piece(host % 4);
  row.piece(".shop");
  row.close_text();
  row.text(one_of(kMethods, chance));
  // 5000 paths, each the same wherever it turns up.
  Random of_path(chance.below(5000) + 77);
  row.open_text();
  row.piece("/shop/");
  row.piece(one_of(kSections, of_path));
  row.piece("/");
  row.piece(of_path.below(1'000'000));
  row.close_text();
  row.text(one_of(kAgents, chance));
  row.open_text();
  row.hex(chance.next(), 16);
  row.close_text();
  if (chance.percent(40)) {
    row.null();
  } else {
    row.text(one_of(kNotes, chance));
  }
}

constexpr std::array<std::string_view, 40> kWords = {
    "furiously",  "carefully", "quickly",  "blithely",    "slyly",       "ironic", "final",   "regular",
    "express",    "special",   "pending",  "bold",        "even",        "silent", "unusual", "deposits",
    "requests",   "accounts",  "packages", "theodolites", "pinto beans", "foxes",  "ideas",   "platelets",
    "asymptotes", "courts",    "sleep",    "wake",        "nag",         "haggle", "cajole",  "boost",
    "integrate",  "detect",    "among",    "above",       "along",       "across", "against", "the"};

void write_line_item(RowText& row, std::uint64_t key, Random& chance) {
  static constexpr std::array<std::string_view, 4> kInstructions = {"DELIVER IN PERSON", "COLLECT COD",
                                                                    "NONE", "TAKE BACK RETURN"};
  static constexpr std::array<std::string_view, 7> kModes = {"REG AIR", "AIR",  "RAIL", "SHIP",
                                                             "TRUCK",   "MAIL", "FOB"};
  constexpr std::uint64_t kFirstOrder = 8035;               // 1992-01-01
  constexpr std::uint64_t kOrderDays = 2406;                // to 1998-08-02
  constexpr std::uint64_t kCurrent = 9298;                  // 1995-06-17
  const std::uint64_t part = chance.between(1, 2'000'000);  // scale factor 10
  const std::uint64_t quantity = chance.between(1, 50);
  const std::uint64_t price = 90'000 + part / 10 % 20'001 + 100 * (part % 1000);
  const std::uint64_t ordered = kFirstOrder + chance.below(kOrderDays);
  const std::uint64_t shipped = ordered + chance.between(1, 121);
  const std::uint64_t committed = ordered + chance.between(30, 90);
  const std::uint64_t received = shipped + chance.between(1, 30);
  row.number(key);
  row.number(part);
  row.number(chance.between(1, 100'000));
  row.number(chance.between(1, 7));
  row.decimal(quantity * 100, 2);
  row.decimal(quantity * price, 2);
  row.decimal(chance.between(0, 10), 2);
  row.decimal(chance.between(0, 8), 2);
  row.text(received > kCurrent ? "N" : chance.percent(50) ? "R" : "A");
  row.text(shipped > kCurrent ? "O" : "F");
  row.date(shipped);
  row.date(committed);
  row.date(received);
  row.text(one_of(kInstructions, chance));
  row.text(one_of(kModes, chance));
  // 10 to 43 bytes of words, cut wherever that is, as TPC-H has it.
  std::array<char, 64> comment;
  const std::size_t size = chance.between(10, 43);
  std::size_t have = 0;
  while (have < size) {
    const std::string_view word = one_of(kWords, chance);
    std::copy(word.begin(), word.end(), comment.begin() + static_cast<std::ptrdiff_t>(have));
    have += word.size();
    comment[have++] = ' ';
  }
  if (comment[size - 1] == ' ') comment[size - 1] = 's';
  row.text(std::string_view(comment.data(), size));
}

void write_metric(RowText& row, std::uint64_t key, std::uint64_t number, Random& chance) {
  const std::uint64_t series = chance.below(10'000);
  row.number(key);
  row.number(kNovember2026 / 1000 + number / 1000);
  row.number(series);
  row.open_text();
  row.piece("h");
  row.piece(100 + series % 400);
  row.close_text();
  row.decimal(chance.below(10'000), 2);
}

}  // namespace

std::optional<Shape> parse_shape(std::string_view name) {
  for (const Shape shape : {Shape::Log, Shape::LineItem, Shape::Wide, Shape::Metric}) {
    if (name == shape_name(shape)) return shape;
  }
  return std::nullopt;
}

std::string_view shape_name(Shape shape) {
  switch (shape) {
    case Shape::Log:
      return "log";
    case Shape::LineItem:
      return "lineitem";
    case Shape::Wide:
      return "wide";
    case Shape::Metric:
      break;
  }
  return "metric";
}

std::span<const ShapeColumn> shape_columns(Shape shape) {
  switch (shape) {
    case Shape::Log:
      return kLogColumns;
    case Shape::LineItem:
      return kLineItemColumns;
    case Shape::Wide:
      return wide_columns();
    case Shape::Metric:
      break;
  }
  return kMetricColumns;
}

std::string create_table(Shape shape, std::string_view table, unsigned buckets) {
  std::string text = fmt::format("CREATE TABLE {} (\n", table);
  for (const ShapeColumn& column : shape_columns(shape)) {
    text += fmt::format("  {} {}{}\n", column.name, column.type,
                        &column == &shape_columns(shape).back() ? "" : ",");
  }
  text +=
      fmt::format(") DUPLICATE KEY({0}) DISTRIBUTED BY HASH({0}) BUCKETS {1}\n", key_column(shape), buckets);
  return text;
}

std::string columns_json(Shape shape) {
  std::string text;
  for (const ShapeColumn& column : shape_columns(shape)) {
    text +=
        fmt::format(R"({}{{"name":"{}","type":"{}"}})", text.empty() ? "[" : ",", column.name, column.type);
  }
  return text + "]";
}

void append_row(std::string& out, Shape shape, RowFormat format, std::uint64_t key, std::uint64_t number,
                Random& chance) {
  RowText row(out, format, shape_columns(shape));
  switch (shape) {
    case Shape::Log:
      write_log(row, key, number, chance);
      break;
    case Shape::LineItem:
      write_line_item(row, key, chance);
      break;
    case Shape::Wide:
      write_wide(row, key, number, chance);
      break;
    case Shape::Metric:
      write_metric(row, key, number, chance);
      break;
  }
  row.end();
}

std::size_t key_offset(Shape shape, RowFormat format) {
  return format == RowFormat::Json ? key_column(shape).size() + 4 : 0;  // {"k":
}

}  // namespace penstock::tools
