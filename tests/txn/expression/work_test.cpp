// How much expressions may do: steps are short, one row has a bound, and searches do not look at everything twice.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/txn/decode/json_run.hpp"
#include "txn/expression/deriving_decoder.hpp"
#include "txn/expression/text_pattern.hpp"

namespace penstock::txn {
namespace {

using testing::column;
using testing::schema_of;

const Type kInt = Type::of(TypeKind::Int);

struct Computed {
  std::size_t pauses = 0;
  std::size_t blocks = 0;
  std::size_t waiting_max = 0;  // between calls
  std::string rows;
  std::string log;
};

std::unique_ptr<DerivingDecoder> decoder_of(const std::shared_ptr<const TableSchema>& schema,
                                            std::string columns, std::string where, DecodeScratch& scratch,
                                            std::string& error) {
  auto shape = shape_load(schema, {.columns = columns, .where = where, .expressions = {}});
  if (!shape) {
    error = shape.error();
    return nullptr;
  }
  const auto mapping = map_columns(*shape->schema, {.columns = shape->columns});
  CsvOptions options;
  options.column_separator = ",";
  auto inside = std::make_unique<CsvDecoder>(options, shape->schema, *mapping, scratch);
  return std::make_unique<DerivingDecoder>(
      std::move(inside), std::move(shape->derivation),
      DerivingDecoder::Options{options.cells, options.block, options.rejects}, scratch);
}

Computed compute(const std::shared_ptr<const TableSchema>& schema, const std::string& columns,
                 const std::string& where, const std::string& body, std::size_t piece_bytes) {
  DecodeScratch scratch;
  Computed out;
  const auto decoder = decoder_of(schema, columns, where, scratch, out.log);
  if (decoder == nullptr) return out;
  BlockBuilder builder(schema);
  const auto note = [&](FeedResult::State state) {
    out.pauses += state == FeedResult::State::Paused;
    out.waiting_max = std::max(out.waiting_max, decoder->waiting_bytes());
    if (state == FeedResult::State::Paused) return;
    out.rows += testing::text_of(builder);
    ++out.blocks;
    builder.clear();
  };
  for (std::size_t at = 0; at < body.size();) {
    const std::string piece = body.substr(at, piece_bytes);
    const FeedResult fed = decoder->feed(core::as_bytes(piece), builder);
    at += fed.consumed;
    if (fed.state != FeedResult::State::NeedInput) note(fed.state);
  }
  for (FeedResult::State state{}; (state = decoder->finish(builder), note(state), true);) {
    if (state == FeedResult::State::NeedInput) break;
  }
  out.rows += "filtered " + std::to_string(decoder->filtered_rows());
  out.log = decoder->rejects().log();
  return out;
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST(Work, rows_that_cost_much_are_taken_in_many_steps) {
  const auto schema = schema_of({column("a", kInt), column("b", kInt)});
  const std::string columns = "x, a = x, b = length(repeat(x, 20000000))";
  const Computed done = compute(schema, columns, "", repeated("1\n", 16), 1 << 16);
  EXPECT_EQ(done.rows, repeated("1|20000000\n", 16) + "filtered 0");
  // One for a row and a few for batches that were too large: what worked is not tried anew for each row.
  EXPECT_GE(done.pauses, 15u);
  EXPECT_LE(done.pauses, 32u);
}

TEST(Work, rows_that_cost_little_are_taken_in_steps_too) {
  const auto schema = schema_of({column("a", kInt), column("b", kInt)});
  const std::string columns = "x, a = x, b = 1" + repeated(" + x", 50);
  const Computed done = compute(schema, columns, "b > 0", repeated("1\n", 32768), 1 << 16);
  EXPECT_EQ(done.rows, repeated("1|51\n", 32768) + "filtered 0");
  EXPECT_GE(done.pauses, 32768u * 50 * kValueWork / (2 * kBatchWorkMax));
}

TEST(Work, a_row_has_a_bound) {
  const auto schema = schema_of({column("k", kInt), column("n", kInt)});
  const std::string columns = "k, t = repeat('x', k), n = char_length(t)" + repeated(" + char_length(t)", 15);
  EXPECT_EQ(compute(schema, columns, "", "3\n20000000\n4\n", 100).rows, "3|48\n4|64\nfiltered 1");
  EXPECT_EQ(compute(schema, columns, "", "3\n20000000\n4\n", 100).log,
            "Reason: its expressions take too much work: more than 268435456 bytes read and made. src line "
            "[20000000]; \n");
  const std::string where =
      "char_length(repeat('x', k)) > 0" + repeated(" and char_length(repeat('x', k)) > 1", 40);
  EXPECT_EQ(compute(schema, "k, n", where, "3,1\n20000000,1\n4,1\n", 100).rows, "3|1\n4|1\nfiltered 1");
}

TEST(Work, literals_have_a_bound) {
  const auto schema = schema_of({column("k", kInt), column("n", kInt)});
  const std::string columns = "k, t = repeat('x', 900000), n = char_length(t)";
  EXPECT_EQ(compute(schema, columns, "", "3\n", 100).rows, "3|900000\nfiltered 0");
  EXPECT_NE(
      compute(schema, columns + repeated(" + char_length(t)", 80), "", "3\n", 100).log.find("too much work"),
      std::string::npos);
}

TEST(Work, the_outcome_does_not_depend_on_where_the_body_was_cut) {
  const auto schema = schema_of({column("k", kInt), column("n", kInt)});
  const std::string columns = "k, t = repeat('ab', k), n = length(replace(t, 'ba', 'c'))";
  std::mt19937 random(5);
  std::string body;
  for (int i = 0; i < 600; ++i) {
    const unsigned kind = random() % 40;
    body += std::to_string(kind == 0 ? 100'000'000 : kind < 3 ? random() % 300'000 : random() % 50) + "\n";
  }
  const Computed all = compute(schema, columns, "n % 2 = 0", body, body.size());
  EXPECT_GT(all.pauses, 3u);
  for (const std::size_t piece : {1u, 7u, 100u, 1000u}) {
    const Computed cut = compute(schema, columns, "n % 2 = 0", body, piece);
    EXPECT_EQ(cut.rows, all.rows);
    EXPECT_EQ(cut.log, all.log);
  }
}

TEST(Work, memory_of_a_predicate_is_counted_and_given_back) {
  const auto schema = schema_of({column("a", Type::string())});
  std::string error;
  const auto filter = RowFilter::make("length(concat(a" + repeated(",a", 3999) + ")) > 0", *schema, {});
  ASSERT_TRUE(filter.has_value());
  ColumnBuilder texts(Type::string());
  for (int i = 0; i < 400; ++i) texts.append_text("0123456789");
  const ColumnView view = texts.view();
  const std::vector<ColumnRows> rows = {{&view, 0}};
  std::vector<std::uint32_t> kept;
  ASSERT_TRUE((*filter)->keep(rows, 50, kept));
  EXPECT_GE((*filter)->reserved_bytes(), 50u * 40'000);
  kept.clear();
  for (std::size_t done = 0; done < 400;) {
    const std::vector<ColumnRows> rest = {{&view, done}};
    const auto more = (*filter)->keep_some(rest, 400 - done, kept);
    ASSERT_TRUE(more.has_value());
    EXPECT_LE(*more, 100u);  // some 40,000 bytes each
    done += *more;
  }
  EXPECT_EQ(kept.size(), 400u);
  EXPECT_LE((*filter)->reserved_bytes(), kProgramBytesKept);

  const Computed done = compute(schema, "a", "length(concat(a" + repeated(",a", 3999) + ")) > 0",
                                repeated("0123456789\n", 3000), 1 << 16);
  EXPECT_EQ(done.rows, repeated("0123456789\n", 3000) + "filtered 0");
  EXPECT_LE(done.waiting_max, 2 * core::kMiB);
}

TEST(Work, what_a_predicate_waits_with_counts_for_its_load) {
  const auto schema = schema_of({column("a", kInt), column("s", Type::string())});
  DecodeScratch scratch;
  std::string error;
  const auto wide = decoder_of(schema, "a, s", "a > 0" + repeated(" or a > 1", 20), scratch, error);
  ASSERT_NE(wide, nullptr) << error;
  BlockBuilder builder(schema);
  (void)wide->feed(core::as_bytes(std::string_view(repeated("1,x\n", 600))), builder);
  EXPECT_GE(wide->waiting_bytes(), 100'000u);
  while (wide->settle(builder) != FeedResult::State::NeedInput) {
  }
  EXPECT_EQ(wide->waiting_bytes(), 0u);
  const auto constant = decoder_of(schema, "a, s", "s <> repeat('x', 1000000)", scratch, error);
  ASSERT_NE(constant, nullptr) << error;
  EXPECT_GE(constant->reserved_bytes(), 1'000'000u);
}

TEST(Work, programs_of_many_parts_take_few_rows_at_once) {
  const auto schema = schema_of({column("a", kInt)});
  const auto filter = RowFilter::make("a > 0" + repeated(" or a > 1", 1000), *schema, {});
  ASSERT_TRUE(filter.has_value());
  EXPECT_LE((*filter)->batch_rows_max(), 64u);
}

// ---- Searches ----

std::size_t steps_of_like(std::string_view text, std::string_view pattern, bool& matches) {
  std::size_t steps = 0;
  matches = matches_like(text, pattern, [&](std::size_t more) {
    steps += more;
    return true;
  });
  return steps;
}

TEST(Work, like_looks_for_long_texts_in_few_steps) {
  const std::string text(100'000, 'a');
  bool matches = true;
  EXPECT_LE(steps_of_like(text, "%" + std::string(50'000, 'a') + "b", matches), 1'000'000u);
  EXPECT_FALSE(matches);
  EXPECT_LE(steps_of_like(text, "%" + std::string(50'000, 'a') + "b%", matches), 1'000'000u);
  EXPECT_FALSE(matches);
  EXPECT_LE(steps_of_like(text, "%" + std::string(50'000, 'a') + "\\%%", matches), 1'000'000u);
  EXPECT_FALSE(matches);
  EXPECT_LE(steps_of_like(text, "%" + std::string(50'000, 'a') + "_b", matches), 1'000'000u);
  EXPECT_FALSE(matches);
  // With a _ between two % it is tried place by place; that is counted, and ends when it is enough.
  std::size_t steps = 0;
  EXPECT_FALSE(matches_like(text, "%" + std::string(50'000, 'a') + "_b%", [&](std::size_t more) {
    steps += more;
    return steps < 10'000'000;
  }));
  EXPECT_GE(steps, 10'000'000u);
  EXPECT_LE(steps, 11'000'000u);
}

// As the definition says, by trying everything.
bool like_slowly(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '%') {
    return like_slowly(text, pattern.substr(1)) || (!text.empty() && like_slowly(text.substr(1), pattern));
  }
  if (text.empty()) return false;
  if (pattern[0] == '_') {
    std::size_t size = 1;
    while (size < text.size() && is_inside_character(text[size])) ++size;
    return like_slowly(text.substr(size), pattern.substr(1));
  }
  if (pattern[0] == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
  return pattern[0] == text[0] && like_slowly(text.substr(1), pattern.substr(1));
}

TEST(Work, like_means_what_its_definition_says) {
  std::mt19937 random(11);
  const std::vector<std::string> letters = {"a", "b", "\xC3\xA9", "\xE4\xB8\xAD", "\\"};
  const std::vector<std::string> marks = {"a", "b",   "\xC3\xA9", "%",    "%",
                                          "_", "\\%", "\\_",      "\\\\", "\xE4\xB8\xAD"};
  std::size_t matched = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string text;
    std::string pattern;
    for (std::size_t i = random() % 9; i > 0; --i) text += letters[random() % letters.size()];
    for (std::size_t i = random() % 7; i > 0; --i) pattern += marks[random() % marks.size()];
    if (random() % 4 == 0) pattern = "%" + pattern + "%";
    const bool expected = like_slowly(text, pattern);
    bool matches = false;
    steps_of_like(text, pattern, matches);
    ASSERT_EQ(matches, expected) << text << " like " << pattern;
    matched += expected;
  }
  EXPECT_GT(matched, 5'000u);
}

TEST(Work, searches_for_long_texts_take_few_steps) {
  const std::string many(200'000, 'a');
  const std::string mark = std::string(50'000, 'a') + "b";
  EXPECT_EQ(find_text(many, mark, 0), std::string_view::npos);
  EXPECT_EQ(find_text(many + "b", mark, 7), 150'000u);
  const auto schema = schema_of({column("s", Type::string()), column("n", kInt)});
  // Each of them looks at 200,000 letters for 50,000: many times the bound of a row, if every place were tried.
  for (const std::string call : {"instr(x, y)", "locate(y, x)", "length(replace(x, y, 'c'))",
                                 "length(split_part(x, y, 1))", "length(split_part(x, z, -1))",
                                 "length(substring_index(x, y, 3))", "length(substring_index(x, z, -3))",
                                 "if(x like concat('%', y, '%'), 1, 0)", "if(x like concat('%', z), 1, 0)"}) {
    const Computed done = compute(schema, "x, y, z, s = 'x', n = " + call, "",
                                  many + "," + mark + ",b" + mark.substr(1) + "\n", 1 << 16);
    EXPECT_NE(done.rows.find("filtered 0"), std::string::npos) << call << done.log;
    EXPECT_LE(done.pauses, 2u) << call;
  }
}

TEST(Work, marks_from_the_end_are_the_same_whether_short_or_long) {
  std::mt19937 random(17);
  const auto schema = schema_of({column("s", Type::string()), column("t", Type::string())});
  std::string body;
  std::string expected;
  const std::string unit = "0123456789abcdefghij";
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (std::size_t i = random() % 8; i > 0; --i) text += random() % 3 == 0 ? "0123" : unit;
    std::string small;  // the same with one letter for each unit
    for (std::size_t i = 0; i < text.size();) {
      const bool whole = text.substr(i, unit.size()) == unit;
      small += whole ? "U" : "s";
      i += whole ? unit.size() : 4;
    }
    const int wanted = -1 - static_cast<int>(random() % 3);
    body += text + "," + unit + unit + "," + std::to_string(wanted) + "\n";
    body += small + ",UU," + std::to_string(wanted) + "\n";
  }
  const Computed done =
      compute(schema, "x, y, z, s = substring_index(x, y, z), t = split_part(x, y, z)", "", body, 1 << 16);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < done.rows.size();) {
    const std::size_t end = std::min(done.rows.find('\n', at), done.rows.size());
    lines.push_back(done.rows.substr(at, end - at));
    at = end + 1;
  }
  ASSERT_EQ(lines.size(), 601u);
  for (std::size_t i = 0; i + 1 < lines.size(); i += 2) {
    std::string small = lines[i + 1];
    std::string unfolded;
    for (const char c : small) unfolded += c == 'U' ? unit : c == 's' ? "0123" : std::string(1, c);
    EXPECT_EQ(lines[i], unfolded);
  }
}

}  // namespace
}  // namespace penstock::txn
