// Nothing is allocated per row: once a builder has held a block, decoding further blocks asks for no memory
// at all.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <string>

#include "txn/decode/csv_decoder.hpp"
#include "txn/decode/json_decoder.hpp"

namespace {
std::size_t allocations = 0;  // the tests of this binary run on one thread
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace penstock::txn {
namespace {

TEST(CsvDecoder, decoding_in_the_steady_state_allocates_nothing) {
  auto schema = std::make_shared<TableSchema>();
  schema->id = SchemaId(1);
  schema->columns = {
      ColumnDef{.id = ColumnId(1), .name = "a", .type = Type::of(TypeKind::BigInt), .nullable = false},
      ColumnDef{.id = ColumnId(2), .name = "b", .type = Type::date_time(0)},
      ColumnDef{.id = ColumnId(3), .name = "c", .type = Type::decimal(10, 2)},
      ColumnDef{.id = ColumnId(4), .name = "d", .type = Type::string()}};
  std::string body;
  for (int i = 0; i < 20'000; ++i) {
    body += std::to_string(i) + "\t2024-03-01 10:00:" + std::to_string(10 + i % 50) + "\t" +
            std::to_string(i % 1000) + ".5\ttext " + std::to_string(i * 7) + "\n";
    if (i % 500 == 0) body += "x\t\\N\t\\N\tfiltered\nshort\n";
  }
  DecodeScratch scratch;
  CsvOptions options;
  options.block.rows_max = 2000;
  options.rejects.rows_max = 2;
  CsvDecoder decoder(options, schema, *map_columns(*schema, {}), scratch);
  BlockBuilder builder(schema);
  std::size_t blocks = 0;
  std::size_t before = 0;
  std::size_t reserved = 0;
  for (std::size_t at = 0; at < body.size();) {
    const FeedResult result =
        decoder.feed(core::as_bytes(std::string_view(body).substr(at, 10'007)), builder);
    ASSERT_NE(result.state, FeedResult::State::Failed);
    at += result.consumed;
    if (result.state != FeedResult::State::BlockFull) continue;
    builder.clear();
    if (++blocks == 2) {
      before = allocations;
      reserved = builder.reserved_bytes() + decoder.reserved_bytes();
    }
  }
  EXPECT_EQ(blocks, 10u);
  EXPECT_EQ(decoder.filtered_rows(), 80u);
  EXPECT_EQ(allocations, before);
  EXPECT_LE(builder.reserved_bytes(), reserved + 64 * 1024);  // rows vary a little in length
}

TEST(JsonDecoder, decoding_in_the_steady_state_allocates_nothing) {
  auto schema = std::make_shared<TableSchema>();
  schema->id = SchemaId(1);
  schema->columns = {
      ColumnDef{.id = ColumnId(1), .name = "a", .type = Type::of(TypeKind::BigInt), .nullable = false},
      ColumnDef{.id = ColumnId(2), .name = "b", .type = Type::date_time(0)},
      ColumnDef{.id = ColumnId(3), .name = "c", .type = Type::decimal(10, 2)},
      ColumnDef{.id = ColumnId(4), .name = "d", .type = Type::string()}};
  std::string body;
  for (int i = 0; i < 20'000; ++i) {
    body += "{\"a\":" + std::to_string(i) + ",\"b\":\"2024-03-01 10:00:" + std::to_string(10 + i % 50) +
            "\",\"c\":\"1.5\",\"d\":" + (i % 3 == 0 ? "{\"k\": [1, 2]}" : "\"te\\nxt\"") + "}\n";
  }
  DecodeScratch scratch;
  JsonOptions options;
  options.block.rows_max = 2000;
  JsonDecoder decoder(options, schema, *map_columns(*schema, {}), {}, scratch);
  BlockBuilder builder(schema);
  std::size_t blocks = 0;
  std::size_t before = 0;
  for (std::size_t at = 0; at < body.size();) {
    const FeedResult result =
        decoder.feed(core::as_bytes(std::string_view(body).substr(at, 10'007)), builder);
    ASSERT_NE(result.state, FeedResult::State::Failed);
    at += result.consumed;
    if (result.state != FeedResult::State::BlockFull) continue;
    builder.clear();
    if (++blocks == 2) before = allocations;
  }
  EXPECT_EQ(blocks, 10u);
  EXPECT_EQ(decoder.filtered_rows(), 0u);
  EXPECT_EQ(allocations, before);
}

TEST(CsvDecoder, nested_values_in_the_steady_state_allocate_nothing) {
  auto schema = std::make_shared<TableSchema>();
  schema->id = SchemaId(1);
  const Type point = Type::structure({"x", "tags"}, {Type::of(TypeKind::Int), Type::array(Type::varchar(9))});
  schema->columns = {
      ColumnDef{.id = ColumnId(1), .name = "a", .type = Type::array(Type::of(TypeKind::BigInt))},
      ColumnDef{.id = ColumnId(2), .name = "m", .type = Type::map(Type::string(), Type::date_time(0))},
      ColumnDef{.id = ColumnId(3), .name = "p", .type = Type::array(point)}};
  std::string body;
  for (int i = 0; i < 20'000; ++i) {
    const std::string n = std::to_string(i);
    body += "[1," + n + ",null,x]\t{'k" + n + "':\"2024-03-01 10:00:00\", \"l\":null}\t[{" + n +
            ",[a,'b, c']},{tags:[],x:2},{bad}" + (i % 100 == 0 ? "" : "]") + "\n";
  }
  DecodeScratch scratch;
  CsvOptions options;
  options.block.rows_max = 2000;
  options.rejects.rows_max = 2;
  CsvDecoder decoder(options, schema, *map_columns(*schema, {}), scratch);
  BlockBuilder builder(schema);
  std::size_t blocks = 0;
  std::size_t before = 0;
  for (std::size_t at = 0; at < body.size();) {
    const FeedResult result =
        decoder.feed(core::as_bytes(std::string_view(body).substr(at, 10'007)), builder);
    ASSERT_NE(result.state, FeedResult::State::Failed);
    at += result.consumed;
    if (result.state != FeedResult::State::BlockFull) continue;
    builder.clear();
    if (++blocks == 2) before = allocations;
  }
  EXPECT_EQ(blocks, 10u);
  EXPECT_EQ(decoder.filtered_rows(), 0u);
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace penstock::txn
