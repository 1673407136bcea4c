#include "txn/column/block_format.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <fstream>
#include <random>
#include <sstream>
#include <string>

#include "txn/column/bit_pack.hpp"
#include "txn/column/string_dictionary.hpp"
#include "txn/column/value_format.hpp"

namespace penstock::txn {
namespace {

const std::vector<Type> kAllTypes = {
    Type::of(TypeKind::Boolean), Type::of(TypeKind::TinyInt), Type::of(TypeKind::SmallInt),
    Type::of(TypeKind::Int),     Type::of(TypeKind::BigInt),  Type::of(TypeKind::Double),
    Type::decimal(10, 2),        Type::decimal(38, 9),        Type::of(TypeKind::Date),
    Type::date_time(6),          Type::varchar(100),          Type::string()};

std::shared_ptr<const TableSchema> schema_of(const std::vector<Type>& types) {
  auto schema = std::make_shared<TableSchema>();
  schema->id = SchemaId(77);
  for (const Type& type : types) {
    const auto id = static_cast<std::uint32_t>(schema->columns.size() + 1);
    schema->columns.push_back(ColumnDef{.id = ColumnId(id), .name = "c" + std::to_string(id), .type = type});
  }
  return schema;
}

void append_number(ColumnBuilder& column, std::int64_t value) {
  if (is_string(column.type())) return column.append_text("text " + std::to_string(value));
  if (column.type().kind == TypeKind::Boolean)
    return column.append_value(static_cast<std::uint8_t>(value & 1));
  if (column.type().kind == TypeKind::Double) return column.append_value(static_cast<double>(value) / 3);
  switch (fixed_width(column.type())) {
    case 1:
      return column.append_value(static_cast<std::int8_t>(value));
    case 2:
      return column.append_value(static_cast<std::int16_t>(value));
    case 4:
      return column.append_value(static_cast<std::int32_t>(value));
    case 8:
      return column.append_value(value);
    default:
      return column.append_value(Int128{value} * value);
  }
}

std::vector<std::byte> encode(const BlockBuilder& rows) {
  std::vector<std::byte> bytes;
  encode_block(rows, {.table = TableId(5), .key_model = KeyModel::Unique, .bucket_low = 2, .bucket_high = 9},
               bytes);
  return bytes;
}

void expect_equal(const ColumnView& a, const ColumnView& b) {
  ASSERT_EQ(a.type, b.type);
  ASSERT_EQ(a.rows, b.rows);
  ASSERT_EQ(a.null_count, b.null_count);
  std::string left;
  std::string right;
  for (std::uint32_t i = 0; i < a.rows; ++i) {
    left.clear();
    right.clear();
    append_cell(left, a, i);
    append_cell(right, b, i);
    ASSERT_EQ(left, right) << "row " << i << " of " << type_name(a.type);
  }
}

void expect_round_trip(const BlockBuilder& rows) {
  const std::vector<std::byte> bytes = encode(rows);
  const core::Result<Block> block = decode_block(bytes);
  ASSERT_TRUE(block) << block.error().to_string();
  ASSERT_EQ(block->columns.size(), rows.schema().columns.size());
  for (std::size_t i = 0; i < block->columns.size(); ++i) expect_equal(block->columns[i].view, rows.view(i));
}

TEST(BitPack, every_width_comes_back) {
  std::mt19937_64 random(3);
  for (unsigned width = 0; width <= 64; ++width) {
    for (const std::size_t count :
         {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{64}, std::size_t{333}}) {
      std::vector<std::uint64_t> values(count);
      for (auto& value : values) value = width == 0 ? 0 : random() >> (64 - width);
      std::vector<std::byte> packed(packed_bytes(count, width));
      pack(packed.data(), count, width, [&](std::size_t i) { return values[i]; });
      std::vector<std::uint64_t> back(count);
      unpack(packed.data(), count, width, [&](std::size_t i, std::uint64_t value) { back[i] = value; });
      ASSERT_EQ(back, values) << "width " << width;
    }
  }
}

TEST(StringDictionary, strings_that_were_made_to_look_alike_are_given_up_soon) {
  StringDictionary dictionary;
  std::uint32_t added = 0;
  std::deque<std::string> texts;  // the dictionary refers to them
  for (std::uint64_t i = 0; added != StringDictionary::kNone && texts.size() < 200; ++i) {
    std::string text = "key-" + std::to_string(i);
    if ((StringDictionary::hash_of(text) & 1023) != 7) continue;
    texts.push_back(std::move(text));
    added = dictionary.add(texts.back());
  }
  EXPECT_EQ(added, StringDictionary::kNone);
  EXPECT_EQ(dictionary.size(), StringDictionary::kProbesMax + 1);
  EXPECT_EQ(dictionary.add(texts.front()), 0u);  // what is in stays
}

TEST(StringDictionary, equal_strings_get_equal_numbers) {
  std::vector<std::string> texts;
  for (int i = 0; i < 5000; ++i)
    texts.push_back(std::string(static_cast<std::size_t>(i % 40), 'x') + std::to_string(i));
  StringDictionary dictionary;
  for (int round = 0; round < 2; ++round) {
    for (std::uint32_t i = 0; i < texts.size(); ++i) ASSERT_EQ(dictionary.add(texts[i]), i);
  }
  EXPECT_EQ(dictionary.size(), texts.size());
}

TEST(StringDictionary, what_lies_behind_a_string_does_not_count) {
  std::mt19937_64 random(9);
  StringDictionary dictionary;
  std::deque<std::string> kept;
  for (int i = 0; i < 3000; ++i) {
    const std::size_t size = random() % 40;
    std::string text;
    for (std::size_t at = 0; at < size; ++at) text += static_cast<char>("ab\0\xff"[random() % 4]);
    std::string padded = text + std::string(StringDictionary::kShort, static_cast<char>(random()));
    kept.push_back(std::move(padded));
    const std::string_view in_a_column(kept.back().data(), size);
    const std::uint32_t number =
        i % 2 == 0 ? dictionary.add_padded(in_a_column) : dictionary.add(in_a_column);
    ASSERT_EQ(dictionary.at(number), text);
    kept.push_back(text);
    ASSERT_EQ(dictionary.add(kept.back()), number);
  }
  EXPECT_EQ(dictionary.add_padded({}), dictionary.add(""));
}

TEST(BlockFormat, all_types_come_back_for_many_shapes_of_data) {
  std::mt19937_64 random(5);
  const auto schema = schema_of(kAllTypes);
  for (const std::size_t rows : {std::size_t{1}, std::size_t{2}, std::size_t{129}, std::size_t{3000}}) {
    for (int shape = 0; shape < 8; ++shape) {
      BlockBuilder builder(schema);
      for (std::size_t i = 0; i < rows; ++i) {
        for (ColumnBuilder& column : builder.columns()) {
          if (shape >= 5 && random() % 3 == 0) {
            column.append_null();
            continue;
          }
          std::int64_t value = 42;                                                         // 0: all equal
          if (shape == 1) value = static_cast<std::int64_t>(i);                            // rising
          if (shape == 2 || shape == 5) value = static_cast<std::int64_t>(random() % 10);  // few values
          if (shape == 3 || shape == 6) value = static_cast<std::int64_t>(random());       // any
          if (shape == 4) value = 1'500'000'000'000'000 + static_cast<std::int64_t>(i) * 7'000'000;
          if (shape == 7) value = -1'500'000'000'000 + static_cast<std::int64_t>(random() % 1000) * 1000;
          append_number(column, value);
        }
      }
      expect_round_trip(builder);
    }
  }
}

TEST(BlockFormat, columns_that_are_all_null_or_empty_come_back) {
  BlockBuilder builder(schema_of(kAllTypes));
  for (ColumnBuilder& column : builder.columns()) column.append_nulls(100);
  expect_round_trip(builder);
  BlockBuilder empty(schema_of({Type::string(), Type::varchar(3)}));
  for (int i = 0; i < 100; ++i) {
    empty.column(0).append_text("");
    empty.column(1).append_text(i == 99 ? "abc" : "");
  }
  expect_round_trip(empty);
}

TEST(BlockFormat, encodings_fit_the_data) {
  BlockBuilder builder(
      schema_of({Type::of(TypeKind::BigInt), Type::date_time(0), Type::of(TypeKind::Int), Type::string(),
                 Type::string(), Type::string(), Type::of(TypeKind::Double)}));
  for (int i = 0; i < 1000; ++i) {
    builder.column(0).append_value<std::int64_t>(1'000'000'000'000 + i % 17);
    builder.column(1).append_value<std::int64_t>(1'600'000'000'000'000 + (i / 3) * 1'000'000LL);
    builder.column(2).append_value<std::int32_t>(7);
    builder.column(3).append_text(i % 2 == 0 ? "GET" : "POST");
    builder.column(4).append_text("request " + std::to_string(i));
    builder.column(5).append_text("always");
    builder.column(6).append_value(i * 0.1);
  }
  const core::Result<BlockHeader> header = decode_block_header(encode(builder));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->columns[0].encoding, Encoding::FrameOfReference);
  EXPECT_EQ(header->columns[0].bit_width, 5);
  EXPECT_EQ(header->columns[1].encoding, Encoding::Delta);
  EXPECT_EQ(header->columns[1].bit_width, 1);
  EXPECT_EQ(header->columns[1].step, 1'000'000u);
  EXPECT_EQ(header->columns[2].encoding, Encoding::Constant);
  EXPECT_EQ(header->columns[3].encoding, Encoding::Dictionary);
  EXPECT_EQ(header->columns[3].bit_width, 1);
  EXPECT_EQ(header->columns[4].encoding, Encoding::LengthPacked);
  EXPECT_EQ(header->columns[5].encoding, Encoding::Constant);
  EXPECT_EQ(header->columns[6].encoding, Encoding::Plain);
  expect_round_trip(builder);
}

TEST(BlockFormat, chosen_columns_are_decoded_alone) {
  BlockBuilder builder(schema_of(kAllTypes));
  for (ColumnBuilder& column : builder.columns()) append_number(column, 3);
  const std::vector<ColumnId> wanted = {ColumnId(11), ColumnId(2), ColumnId(999)};
  const core::Result<Block> block = decode_block(encode(builder), wanted);
  ASSERT_TRUE(block);
  ASSERT_EQ(block->columns.size(), 2u);
  EXPECT_NE(block->find(ColumnId(11)), nullptr);
  EXPECT_NE(block->find(ColumnId(2)), nullptr);
  EXPECT_EQ(block->find(ColumnId(999)), nullptr);
}

TEST(BlockFormat, a_block_may_follow_other_bytes_and_be_followed_by_others) {
  BlockBuilder builder(schema_of(kAllTypes));
  for (ColumnBuilder& column : builder.columns()) append_number(column, 3);
  std::vector<std::byte> bytes(13);
  encode_block(builder, {}, bytes);
  bytes.resize(bytes.size() + 100);
  const core::Result<Block> block = decode_block(core::Bytes(bytes).subspan(13));
  ASSERT_TRUE(block);
  for (std::size_t i = 0; i < block->columns.size(); ++i)
    expect_equal(block->columns[i].view, builder.view(i));
}

BlockBuilder golden_rows() {
  BlockBuilder builder(schema_of(
      {Type::of(TypeKind::Int), Type::date_time(0), Type::varchar(8), Type::string(), Type::decimal(10, 2)}));
  for (int i = 0; i < 8; ++i) {
    builder.column(0).append_value<std::int32_t>(100 + i * i);
    builder.column(1).append_value<std::int64_t>(1'506'840'000'000'000 + i * 1'000'000LL);
    builder.column(2).append_text(i % 2 == 0 ? "GET" : "POST");
    builder.column(3).append_text(std::string(static_cast<std::size_t>(i), static_cast<char>('a' + i)));
    if (i % 3 == 0) {
      builder.column(4).append_null();
    } else {
      builder.column(4).append_value<std::int64_t>(1999);
    }
  }
  builder.set_input(12, 345);
  return builder;
}

std::string to_hex(core::Bytes bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = std::to_integer<unsigned>(bytes[i]);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
    if (i % 16 == 15 || i + 1 == bytes.size()) {
      out += '\n';
    } else if (i % 8 == 7) {
      out += ' ';
    }
  }
  return out;
}

TEST(BlockFormat, bytes_are_those_of_the_golden_file) {
  const std::string path = std::string(PENSTOCK_GOLDEN) + "/block_v1.hex";
  const std::string hex = to_hex(encode(golden_rows()));
  if (std::getenv("PENSTOCK_WRITE_GOLDEN") != nullptr) std::ofstream(path) << hex;
  std::ifstream file(path);
  std::ostringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(hex, golden.str());
}

TEST(BlockFormat, header_alone_says_what_the_block_is) {
  const std::vector<std::byte> bytes = encode(golden_rows());
  const core::Result<BlockHeader> all = decode_block_header(bytes);
  ASSERT_TRUE(all);
  const core::Result<BlockHeader> header = decode_block_header(core::Bytes(bytes).first(all->header_bytes));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->rows, 8u);
  EXPECT_EQ(header->table, TableId(5));
  EXPECT_EQ(header->schema, SchemaId(77));
  EXPECT_EQ(header->key_model, KeyModel::Unique);
  EXPECT_EQ(header->bucket_low, 2u);
  EXPECT_EQ(header->bucket_high, 9u);
  EXPECT_EQ(header->first_row_offset, 12u);
  EXPECT_EQ(header->input_bytes, 345u);
  EXPECT_EQ(header->total_bytes, bytes.size());
}

// ---- hostile bytes ----

std::vector<std::byte> every_encoding() {
  BlockBuilder builder(schema_of(kAllTypes));
  std::mt19937_64 random(11);
  for (int i = 0; i < 300; ++i) {
    for (std::size_t c = 0; c < kAllTypes.size(); ++c) {
      if (c % 3 == 1 && i % 7 == 0) {
        builder.column(c).append_null();
      } else {
        append_number(builder.column(c),
                      c < 4 || c == 10 ? static_cast<std::int64_t>(random() % 9) : i * 1000);
      }
    }
  }
  return encode(builder);
}

// Reads everything that a decoded block offers, so that the sanitizer sees it.
std::size_t read_all(const Block& block) {
  std::string out;
  for (const Block::Column& column : block.columns) {
    for (std::uint32_t row = 0; row < column.view.rows; row += 1 + column.view.rows / 200) {
      append_cell(out, column.view, row);
      if (out.size() > 100'000) out.clear();
    }
  }
  return out.size();
}

void fix_hash(std::vector<std::byte>& bytes) {
  std::uint32_t header_bytes;
  std::memcpy(&header_bytes, bytes.data() + 16, sizeof header_bytes);
  if (header_bytes < 8 || header_bytes > bytes.size()) return;
  const std::uint64_t hash = block_header_hash(core::Bytes(bytes).first(header_bytes - 8));
  std::memcpy(bytes.data() + header_bytes - 8, &hash, sizeof hash);
}

TEST(BlockFormat, a_block_cut_short_anywhere_is_refused) {
  const std::vector<std::byte> bytes = every_encoding();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    ASSERT_FALSE(decode_block(cut)) << size;
  }
}

TEST(BlockFormat, a_changed_header_bit_is_found_by_the_hash) {
  const std::vector<std::byte> bytes = every_encoding();
  const core::Result<BlockHeader> header = decode_block_header(bytes);
  ASSERT_TRUE(header);
  for (std::size_t bit = 0; bit < header->header_bytes * std::size_t{8}; ++bit) {
    std::vector<std::byte> changed = bytes;
    changed[bit / 8] ^= std::byte{1} << bit % 8;
    ASSERT_FALSE(decode_block_header(changed)) << bit;
  }
}

TEST(BlockFormat, hostile_bytes_with_a_right_hash_never_crash) {
  const std::vector<std::byte> bytes = every_encoding();
  std::mt19937_64 random(13);
  std::size_t accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::byte> changed = bytes;
    const std::size_t edits = 1 + random() % 4;
    for (std::size_t i = 0; i < edits; ++i) {
      const std::size_t header = 72 + kAllTypes.size() * 72;
      const std::size_t at = random() % (random() % 4 == 0 ? changed.size() : header);
      if (random() % 2 == 0) {
        changed[at] ^= std::byte{1} << random() % 8;
      } else {
        const std::uint32_t words[] = {0, 1, 8, 65535, 1u << 20, 0x7fffffff, 0xffffffff, 0xfffffff8};
        const std::size_t place = std::min(at / 4 * 4, changed.size() - 4);
        std::memcpy(changed.data() + place, &words[random() % 8], 4);
      }
    }
    fix_hash(changed);
    const core::Result<Block> block = decode_block(changed);
    if (block) accepted += 1 + read_all(*block) % 1;
  }
  EXPECT_GT(accepted, 0u);
}

TEST(BlockFormat, a_newer_version_is_told_from_damage) {
  std::vector<std::byte> bytes = every_encoding();
  bytes[4] = std::byte{2};
  EXPECT_EQ(decode_block_header(bytes).error().code, core::Errc::Unsupported);
}

TEST(BlockFormat, a_small_block_does_not_unfold_without_bound) {
  BlockBuilder builder(schema_of({Type::string()}));
  const std::string text(60'000, 'x');
  for (int i = 0; i < 200; ++i) builder.column(0).append_text(text);
  std::vector<std::byte> bytes = encode(builder);
  const std::uint32_t rows = kBlockRowsMax;  // a constant of 60 KB, a million times
  std::memcpy(bytes.data() + 20, &rows, sizeof rows);
  fix_hash(bytes);
  const core::Result<Block> block = decode_block(bytes);
  ASSERT_FALSE(block);
  EXPECT_EQ(block.error().code, core::Errc::TooLarge);
}

}  // namespace
}  // namespace penstock::txn
