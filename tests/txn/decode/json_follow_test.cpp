// A JSON body whose schema changes at any byte of it: rows that end before are of the first schema, all others of the
// second, counts and offsets go on.
#include <gtest/gtest.h>

#include <map>

#include "tests/txn/decode/json_run.hpp"

namespace penstock::txn::testing {
namespace {

std::shared_ptr<const TableSchema> schema_of(std::uint64_t id,
                                             std::vector<std::pair<const char*, Type>> columns) {
  auto schema = std::make_shared<TableSchema>();
  schema->id = SchemaId{id};
  for (const auto& [name, type] : columns) {
    ColumnDef column;
    column.id = ColumnId{static_cast<std::uint32_t>(schema->columns.size() + 1)};
    column.name = name;
    column.type = type;
    column.nullable = false;
    if (std::string_view(name) != "k") {
      column.default_kind = DefaultKind::Literal;
      column.default_value = "-1";
    }
    schema->columns.push_back(std::move(column));
  }
  return schema;
}

const auto kBefore = schema_of(1, {{"k", Type::of(TypeKind::Int)}, {"gone", Type::of(TypeKind::TinyInt)}});
const auto kAfter = schema_of(2, {{"more", Type::string()}, {"k", Type::of(TypeKind::BigInt)}});

struct Row {
  std::size_t begin;
  std::size_t end;  // from here on it is complete
  std::string before;
  std::string after;
};

struct Body {
  JsonOptions options;
  std::string text;
  std::vector<Row> rows;

  // `behind`: bytes of what ends a row.
  void add(std::string_view row, std::string_view end, std::size_t behind, std::string before,
           std::string after) {
    const std::size_t begin = text.size();
    text += row;
    rows.push_back({begin, text.size() + behind, std::move(before), std::move(after)});
    text += end;
  }
};

Body lines() {
  Body body;
  body.add(R"({"k":1,"gone":2,"more":"three"})", "\n", 1, "1|2", "three|1");
  body.add(R"({"more":"a\n\u00e9","k":20})", "\r\n", 2, "20|-1", "a\\n\xC3\xA9|20");
  body.add(R"(  {"k": 300 , "other": {"k": [1]} } )", "\n", 1, "300|-1", "-1|300");
  body.add(R"({"gone":"5","k":"4"})", "\n", 1, "4|5", "-1|4");
  body.add(R"({"k":5})", "", 1, "5|-1", "-1|5");
  body.options.by_line = true;
  return body;
}

Body document() {
  Body body = lines();
  std::string text = " [ ";
  std::vector<Row> rows;
  for (const Row& row : body.rows) {
    std::string_view line = std::string_view(body.text).substr(row.begin, row.end - row.begin);
    line = line.substr(line.find('{'), line.rfind('}') + 1 - line.find('{'));
    if (!rows.empty()) text += " ,\n";
    rows.push_back({text.size(), text.size() + line.size(), row.before, row.after});
    text += line;
  }
  body.text = text + "]\n";
  body.rows = std::move(rows);
  body.options.by_line = false;
  body.options.strip_outer_array = true;
  return body;
}

void check(const Body& body, std::size_t cut, std::size_t piece) {
  DecodeScratch scratch;
  JsonOptions options = body.options;
  options.block.rows_max = 2;
  JsonDecoder decoder(options, kBefore, *map_columns(*kBefore, {}), {}, scratch);
  BlockBuilder builder(kBefore);
  std::string before;
  std::string after;
  std::vector<std::uint64_t> offsets;
  const auto take = [&](std::string& to) {
    if (builder.rows() != 0) offsets.push_back(builder.first_row_offset());
    to += text_of(builder);
    builder.clear();
  };
  const auto feed = [&](std::string_view text, std::string& to) {
    for (std::size_t at = 0; at < text.size(); at += piece) {
      const std::string_view part = text.substr(at, piece);
      const std::vector<char> copy(part.begin(), part.end());
      std::string_view rest(copy.data(), copy.size());
      while (!rest.empty()) {
        const FeedResult fed = decoder.feed(core::as_bytes(rest), builder);
        ASSERT_NE(fed.state, FeedResult::State::Failed) << decoder.error();
        rest.remove_prefix(fed.consumed);
        if (fed.state == FeedResult::State::BlockFull) take(to);
      }
    }
  };
  feed(std::string_view(body.text).substr(0, cut), before);
  ASSERT_EQ(decoder.settle(builder), FeedResult::State::NeedInput);
  take(before);
  decoder.follow(kAfter, *map_columns(*kAfter, {}), {});
  builder = BlockBuilder(kAfter);
  feed(std::string_view(body.text).substr(cut), after);
  while (decoder.finish(builder) == FeedResult::State::BlockFull) take(after);
  take(after);

  std::string wanted_before;
  std::string wanted_after;
  std::vector<std::size_t> begins;
  for (const Row& row : body.rows) {
    if (row.end <= cut) {
      wanted_before += row.before + "\n";
    } else {
      wanted_after += row.after + "\n";
    }
    begins.push_back(row.begin);
  }
  ASSERT_EQ(before, wanted_before) << "cut at " << cut << ", pieces of " << piece;
  ASSERT_EQ(after, wanted_after) << "cut at " << cut << ", pieces of " << piece;
  ASSERT_EQ(decoder.total_rows(), body.rows.size());
  ASSERT_EQ(decoder.filtered_rows(), 0u);
  for (const std::uint64_t offset : offsets) {
    ASSERT_NE(std::find(begins.begin(), begins.end(), offset), begins.end()) << offset;
  }
  ASSERT_TRUE(std::is_sorted(offsets.begin(), offsets.end()));
}

TEST(JsonFollow, lines_are_of_the_schema_at_their_end_wherever_it_changes) {
  const Body body = lines();
  for (std::size_t cut = 0; cut <= body.text.size(); ++cut) {
    for (const std::size_t piece : {1u, 7u, 1000u}) check(body, cut, piece);
  }
}

TEST(JsonFollow, elements_of_a_document_are_of_the_schema_at_their_end_wherever_it_changes) {
  const Body body = document();
  for (std::size_t cut = 0; cut <= body.text.size(); ++cut) {
    for (const std::size_t piece : {1u, 7u, 1000u}) check(body, cut, piece);
  }
}

// Rows that were written before a column was renamed say its old name.
TEST(JsonFollow, names_that_columns_had_are_keys_until_a_column_takes_them) {
  DecodeScratch scratch;
  JsonDecoder decoder({}, kAfter, *map_columns(*kAfter, {}), {}, scratch);
  decoder.follow(kAfter, *map_columns(*kAfter, {}), {}, {{"new", 0}, {"old", 0}, {"key", 1}});
  BlockBuilder builder(kAfter);
  const std::string body =
      "{\"k\":1,\"old\":\"o\"}\n{\"key\":2,\"old\":\"o\"}\n{\"old\":\"o\",\"more\":\"m\",\"k\":3}\n"
      "{\"more\":\"m\",\"new\":\"n\",\"k\":4}\n{\"old\":\"o\",\"new\":\"n\",\"k\":5}\n{\"new\":\"n\",\"old\":"
      "\"o\",\"k\":6}\n"
      "{\"old\":\"o\",\"old\":\"again\",\"k\":7}\n{\"key\":0,\"k\":8,\"key\":1}\n{\"o\\u006cd\":\"\\u006f\","
      "\"k\":9}\n"
      "{\"key\":null,\"k\":10}\n{\"k\":11}\n{\"old\":{\"a\": 1},\"key\":12}\n";
  ASSERT_EQ(decoder.feed(core::as_bytes(body), builder).state, FeedResult::State::NeedInput);
  EXPECT_EQ(text_of(builder), "o|1\no|2\nm|3\nm|4\nn|5\nn|6\no|7\n-1|8\no|9\n-1|10\n-1|11\n{\"a\":1}|12\n");
  builder.clear();
  const std::string bad =
      "{\"key\":null,\"old\":\"o\"}\n{\"key\":null}\n{\"old\":\"o\"}\n{\"other\":1}\n{\"k\":null,\"key\":1}"
      "\n";
  ASSERT_EQ(decoder.feed(core::as_bytes(bad), builder).state, FeedResult::State::NeedInput);
  EXPECT_EQ(builder.rows(), 0u);
  EXPECT_EQ(decoder.filtered_rows(), 5u);
}

TEST(JsonFollow, rejects_and_counts_go_on) {
  DecodeScratch scratch;
  JsonOptions options;
  JsonDecoder decoder(options, kBefore, *map_columns(*kBefore, {}), {}, scratch);
  BlockBuilder builder(kBefore);
  const std::string first = "{\"k\":null}\nno json\n{\"k\":1}\n";
  ASSERT_EQ(decoder.feed(core::as_bytes(first), builder).state, FeedResult::State::NeedInput);
  EXPECT_EQ(decoder.filtered_rows(), 2u);
  decoder.follow(kAfter, *map_columns(*kAfter, {}), {});
  BlockBuilder next(kAfter);
  const std::string second = "{\"more\":\"x\"}\n{\"k\":9}\n";
  ASSERT_EQ(decoder.feed(core::as_bytes(second), next).state, FeedResult::State::NeedInput);
  EXPECT_EQ(decoder.total_rows(), 5u);
  EXPECT_EQ(decoder.filtered_rows(), 3u);
  EXPECT_EQ(text_of(next), "-1|9\n");
  EXPECT_EQ(next.first_row_offset(), first.size() + 13);
}

}  // namespace
}  // namespace penstock::txn::testing
