// Blocks with columns of the wider types and of nested ones: what comes back, and what damage can do.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <string>

#include "txn/column/block_format.hpp"
#include "txn/column/value_format.hpp"

namespace penstock::txn {
namespace {

std::shared_ptr<const TableSchema> schema_of(const std::vector<Type>& types) {
  auto schema = std::make_shared<TableSchema>();
  schema->id = SchemaId(77);
  for (const Type& type : types) {
    const auto id = static_cast<std::uint32_t>(schema->columns.size() + 1);
    schema->columns.push_back(ColumnDef{.id = ColumnId(id), .name = "c" + std::to_string(id), .type = type});
  }
  return schema;
}

const std::vector<Type> kWiderTypes = {Type::of(TypeKind::LargeInt), Type::of(TypeKind::Float),
                                       Type::character(30),          Type::json(),
                                       Type::of(TypeKind::IpV4),     Type::of(TypeKind::IpV6)};

std::vector<Type> nested_types() {
  const Type integer = Type::of(TypeKind::Int);
  const Type point = Type::structure({"x", "y", "at"}, {integer, Type::string(), Type::date_time(3)});
  Type deep = Type::of(TypeKind::SmallInt);
  for (std::size_t i = 0; i < kNestedDepthMax; ++i) deep = Type::array(deep);
  return {Type::array(integer),
          Type::array(Type::varchar(20)),
          Type::map(Type::string(), Type::of(TypeKind::Double)),
          point,
          Type::array(Type::array(Type::of(TypeKind::BigInt))),
          Type::map(integer, Type::array(point)),
          Type::structure({"m", "p"}, {Type::map(Type::of(TypeKind::Date), Type::decimal(38, 9)), point}),
          Type::array(Type::structure({"ip", "j"}, {Type::of(TypeKind::IpV6), Type::json()})),
          deep};
}

class Filler {
 public:
  Filler(unsigned seed, unsigned null_in, unsigned length_max)
      : random_(seed), null_in_(null_in), length_max_(length_max) {}

  void append(ColumnBuilder& column) {
    if (null_in_ != 0 && random_() % null_in_ == 0) return column.append_null();
    const Type& type = column.type();
    if (is_nested(type)) {
      const std::size_t count = has_offsets(type) ? random_() % (length_max_ + 1) : 1;
      for (std::size_t i = 0; i < count; ++i) {
        for (ColumnBuilder& child : column.children()) append(child);
      }
      return column.end_nested();
    }
    if (is_string(type)) return column.append_text("\"text " + std::to_string(random_() % 50) + "\"");
    const std::uint64_t number = random_() % 100'000;
    if (type.kind == TypeKind::Double) return column.append_value(static_cast<double>(number) / 7);
    if (type.kind == TypeKind::Float) return column.append_value(static_cast<float>(number) / 7);
    switch (fixed_width(type)) {
      case 1:
        return column.append_value(static_cast<std::uint8_t>(number % 2));
      case 2:
        return column.append_value(static_cast<std::int16_t>(number));
      case 4:
        return column.append_value(static_cast<std::uint32_t>(number));
      case 8:
        return column.append_value(static_cast<std::int64_t>(number * 1'000'000));
      default:
        return column.append_value(static_cast<UInt128>(number) << 70 | random_());
    }
  }

 private:
  std::mt19937_64 random_;
  unsigned null_in_;
  unsigned length_max_;
};

BlockBuilder filled(const std::vector<Type>& types, std::size_t rows, Filler filler) {
  BlockBuilder builder(schema_of(types));
  for (std::size_t row = 0; row < rows; ++row) {
    for (ColumnBuilder& column : builder.columns()) filler.append(column);
  }
  return builder;
}

std::vector<std::byte> encode(const BlockBuilder& rows) {
  std::vector<std::byte> bytes;
  encode_block(rows, {.table = TableId(5)}, bytes);
  return bytes;
}

std::string text_of(const ColumnView& view) {
  std::string out;
  for (std::uint32_t row = 0; row < view.rows; ++row) {
    append_cell(out, view, row);
    out += '\n';
  }
  return out;
}

void expect_round_trip(const BlockBuilder& rows) {
  const core::Result<Block> block = decode_block(encode(rows));
  ASSERT_TRUE(block) << block.error().to_string();
  BlockBuilder copy(rows.schema_pointer());
  for (std::size_t i = 0; i < block->columns.size(); ++i) {
    const ColumnView& view = block->columns[i].view;
    ASSERT_EQ(view.type, rows.view(i).type);
    ASSERT_EQ(view.null_count, rows.view(i).null_count);
    ASSERT_EQ(text_of(view), text_of(rows.view(i))) << type_name(view.type);
    copy.column(i).append_all(view);
  }
  ASSERT_EQ(encode(copy), encode(rows)) << "a block that is read and written is not the same";
}

TEST(NestedBlock, wider_types_come_back_for_many_shapes_of_data) {
  for (const std::size_t rows : {1, 2, 129, 2000}) {
    for (const unsigned null_in : {0u, 1u, 3u}) {
      expect_round_trip(filled(kWiderTypes, rows, Filler(static_cast<unsigned>(rows) + null_in, null_in, 0)));
    }
  }
  BlockBuilder equal(schema_of(kWiderTypes));
  for (int row = 0; row < 300; ++row) {
    Filler filler(7, 0, 0);
    for (ColumnBuilder& column : equal.columns()) filler.append(column);
  }
  expect_round_trip(equal);
}

TEST(NestedBlock, extremes_of_wider_types_come_back) {
  BlockBuilder builder(schema_of(kWiderTypes));
  const Int128 low = static_cast<Int128>(UInt128{1} << 127);
  for (const Int128 value : {low, Int128{0}, Int128{-1}, ~low}) builder.column(0).append_value(value);
  for (const float value : {-0.0F, 3.4028235e38F, 1e-45F, -1.5F}) builder.column(1).append_value(value);
  for (const char* text : {"", "x", "ÄÖ", "012345678901234567890123456789"})
    builder.column(2).append_text(text);
  for (const char* text : {"{}", "[1,2]", "\"\"", "null"}) builder.column(3).append_text(text);
  for (const std::uint32_t value : {0u, 0xffffffffu, 0x7fffffffu, 1u}) builder.column(4).append_value(value);
  for (const UInt128 value : {UInt128{0}, ~UInt128{0}, UInt128{1}, UInt128{1} << 127})
    builder.column(5).append_value(value);
  expect_round_trip(builder);
}

TEST(NestedBlock, nested_columns_come_back_whatever_is_in_them) {
  for (const std::size_t rows : {1, 2, 130, 1500}) {
    for (const unsigned null_in : {0u, 1u, 4u}) {
      for (const unsigned length : {0u, 1u, 5u}) {
        if (rows > 1000 && length > 1) continue;
        const Filler filler(static_cast<unsigned>(rows) * 9 + null_in * 3 + length, null_in, length);
        std::vector<Type> types = nested_types();
        if (length > 1) types.pop_back();  // length to the power of its depth
        expect_round_trip(filled(types, rows, filler));
      }
    }
  }
}

TEST(NestedBlock, lengths_are_packed_and_columns_are_read_alone) {
  BlockBuilder builder(schema_of({Type::of(TypeKind::Int), Type::array(Type::of(TypeKind::TinyInt))}));
  for (int row = 0; row < 1000; ++row) {
    builder.column(0).append_value<std::int32_t>(row);
    for (int i = 0; i < 3; ++i) builder.column(1).children()[0].append_value(static_cast<std::int8_t>(i));
    builder.column(1).end_nested();
  }
  const std::vector<std::byte> bytes = encode(builder);
  const core::Result<BlockHeader> header = decode_block_header(bytes);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->columns[1].encoding, Encoding::Nested);
  EXPECT_EQ(header->columns[1].bit_width, 0);
  EXPECT_EQ(header->columns[1].base, 3u);
  const std::vector<ColumnId> wanted = {ColumnId(2)};
  const core::Result<Block> block = decode_block(bytes, wanted);
  ASSERT_TRUE(block);
  ASSERT_EQ(block->columns.size(), 1u);
  EXPECT_EQ(text_of(block->columns[0].view).substr(0, 10), "[0, 1, 2]\n");
}

std::string to_hex(core::Bytes bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = std::to_integer<unsigned>(bytes[i]);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
    out += i % 16 == 15 || i + 1 == bytes.size() ? "\n" : i % 8 == 7 ? " " : "";
  }
  return out;
}

TEST(NestedBlock, bytes_are_those_of_the_golden_file) {
  BlockBuilder builder(
      schema_of({Type::map(Type::varchar(8), Type::array(Type::of(TypeKind::Int))),
                 Type::structure({"a", "b"}, {Type::of(TypeKind::Float), Type::character(2)})}));
  for (int row = 0; row < 6; ++row) {
    ColumnBuilder& map = builder.column(0);
    ColumnBuilder& pair = builder.column(1);
    if (row == 4) {
      map.append_null();
      pair.append_null();
      continue;
    }
    for (int entry = 0; entry < row % 3; ++entry) {
      map.children()[0].append_text("key" + std::to_string(entry));
      ColumnBuilder& list = map.children()[1];
      for (int i = 0; i < entry + row; ++i) list.children()[0].append_value<std::int32_t>(100 + i);
      list.end_nested();
    }
    map.end_nested();
    pair.children()[0].append_value(static_cast<float>(row) / 2);
    if (row == 2) {
      pair.children()[1].append_null();
    } else {
      pair.children()[1].append_text("xy");
    }
    pair.end_nested();
  }
  const std::string path = std::string(PENSTOCK_GOLDEN) + "/block_nested_v1.hex";
  const std::string hex = to_hex(encode(builder));
  if (std::getenv("PENSTOCK_WRITE_GOLDEN") != nullptr) std::ofstream(path) << hex;
  std::ifstream file(path);
  std::ostringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(hex, golden.str());
}

// ---- hostile bytes ----

std::vector<std::byte> sample() {
  std::vector<Type> types = nested_types();
  types.pop_back();
  types.insert(types.end(), kWiderTypes.begin(), kWiderTypes.end());
  return encode(filled(types, 60, Filler(21, 5, 3)));
}

void fix_hash(std::vector<std::byte>& bytes) {
  std::uint32_t header_bytes;
  std::memcpy(&header_bytes, bytes.data() + 16, sizeof header_bytes);
  if (header_bytes < 8 || header_bytes > bytes.size()) return;
  const std::uint64_t hash = block_header_hash(core::Bytes(bytes).first(header_bytes - 8));
  std::memcpy(bytes.data() + header_bytes - 8, &hash, sizeof hash);
}

// Reads rows as far as some text, so that the sanitizer sees it.
void read_some(const Block& block) {
  for (const Block::Column& column : block.columns) {
    std::string out;
    for (std::uint32_t row = 0; row < column.view.rows && out.size() < 20'000; ++row)
      append_cell(out, column.view, row);
    ColumnBuilder copy(column.view.type);
    if (column.view.rows < 1000) copy.append_all(column.view);
  }
}

TEST(NestedBlock, a_block_cut_short_anywhere_is_refused) {
  const std::vector<std::byte> bytes = sample();
  for (std::size_t size = 0; size < bytes.size(); size += size < 3000 ? 1 : 7) {
    const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    ASSERT_FALSE(decode_block(cut)) << size;
  }
}

TEST(NestedBlock, damaged_bytes_of_any_place_never_crash) {
  const std::vector<std::byte> bytes = sample();
  std::mt19937_64 random(13);
  std::size_t accepted = 0;
  for (int round = 0; round < 3'000; ++round) {
    std::vector<std::byte> changed = bytes;
    for (std::size_t edits = 1 + random() % 3; edits > 0; --edits) {
      const std::size_t at = 72 + random() % (changed.size() - 72);
      if (random() % 2 == 0) {
        changed[at] ^= std::byte{1} << random() % 8;
      } else {
        const std::uint32_t words[] = {0,     1,        8,          59,         1024,
                                       65535, 1u << 20, 0x7fffffff, 0xffffffff, 0xfffffff8};
        const std::size_t place = std::min(at / 4 * 4, changed.size() - 4);
        std::memcpy(changed.data() + place, &words[random() % 10], 4);
      }
    }
    fix_hash(changed);
    const core::Result<Block> block = decode_block(changed);
    if (!block) continue;
    ++accepted;
    read_some(*block);
  }
  EXPECT_GT(accepted, 0u);
}

// A block of one nested column; edit(bytes, where the headers inside lie) makes it hostile.
template <class Edit>
core::Result<Block> edited(const Type& type, Edit edit) {
  std::vector<std::byte> bytes = encode(filled({type}, 10, Filler(3, 0, 2)));
  const core::Result<BlockHeader> header = decode_block_header(bytes);
  edit(bytes, header->columns[0].data.offset);
  fix_hash(bytes);
  return decode_block(bytes);
}
void put(std::vector<std::byte>& bytes, std::size_t at, std::uint32_t value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

TEST(NestedBlock, headers_that_hold_themselves_end) {
  const Type deep = Type::array(Type::array(Type::of(TypeKind::Int)));
  const auto looped = edited(deep, [](std::vector<std::byte>& bytes, std::uint32_t inside) {
    put(bytes, inside + 32, inside);  // its data are the headers it lies in
    put(bytes, inside + 36, 72);
  });
  ASSERT_FALSE(looped);
  EXPECT_EQ(looped.error().code, core::Errc::Corrupt);
}

TEST(NestedBlock, rows_inside_must_be_what_the_lengths_say) {
  for (const std::uint32_t rows : {0u, 1u, 1u << 20, 0xffffffffu}) {
    const auto block =
        edited(Type::array(Type::of(TypeKind::Int)),
               [&](std::vector<std::byte>& bytes, std::uint32_t inside) { put(bytes, inside, rows); });
    ASSERT_FALSE(block) << rows;
  }
  const auto uneven =
      edited(Type::structure({"a", "b"}, {Type::of(TypeKind::Int), Type::of(TypeKind::Int)}),
             [](std::vector<std::byte>& bytes, std::uint32_t inside) { put(bytes, inside + 72, 9); });
  EXPECT_FALSE(uneven);
}

TEST(NestedBlock, a_type_that_there_is_not_is_refused) {
  const auto block =
      edited(Type::map(Type::of(TypeKind::Int), Type::of(TypeKind::Int)),
             [](std::vector<std::byte>& bytes, std::uint32_t inside) { bytes[inside + 4] = std::byte{99}; });
  ASSERT_FALSE(block);
  const auto count = edited(
      Type::array(Type::of(TypeKind::Int)),
      [](std::vector<std::byte>& bytes, std::uint32_t) { put(bytes, kBlockFixedHeaderBytes + 20, 2); });
  EXPECT_FALSE(count);
}

}  // namespace
}  // namespace penstock::txn
