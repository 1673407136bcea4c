// The durable block: rows of one table in column form (docs/formats/block.md has the grammar and the byte
// table).
//
// A header says everything about where the parts lie, so count(*) needs the header alone and a scan of two
// columns reads two columns' buffers. Encodings are light and chosen per column from a glance at the data;
// there is no compression: this is the ingest path. The journal adds one tagged checksum over the whole
// block; the hash in the header only finds damage early, before lengths from it are believed.
//
// Journey:  BlockBuilder -> [encode_block] -> journal file -> [decode_block] -> rowset merge, scan.
// Shard:    any; values.
// Promise:  decode(encode(rows)) gives the rows back; equal rows and meta give equal bytes.
// Failure:  Errc::Corrupt for bytes that do not hold together, Errc::Unsupported for a newer format version,
//           Errc::TooLarge beyond the bounds below. Bytes from outside can do no more than that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "txn/column/block_builder.hpp"
#include "txn/column/column_view.hpp"
#include "txn/column/grow_buffer.hpp"
#include "txn/schema/table_schema.hpp"

namespace penstock::txn {

inline constexpr std::uint32_t kBlockMagic = 0x4b425350;  // "PSBK"
inline constexpr std::uint16_t kBlockVersion = 1;
inline constexpr std::size_t kBlockFixedHeaderBytes = 72;
inline constexpr std::size_t kBlockColumnHeaderBytes = 72;
inline constexpr std::uint32_t kBlockRowsMax = 1u << 20;
inline constexpr std::size_t kBlockDecodedBytesMax = 256 * core::kMiB;  // no block may unfold to more

enum class Encoding : std::uint8_t {
  Plain = 0,             // fixed width: the values
  Constant = 1,          // every present row has the one value that is stored (no value: all NULL)
  FrameOfReference = 2,  // integers: base + step * packed
  Delta = 3,             // integers without NULL: base, then differences delta_base + step * packed
  Dictionary = 4,        // strings: packed codes into distinct strings
  LengthPacked = 5,      // strings: packed lengths (less the shortest), then the bytes
  Nested = 6,            // Array, Map, Struct: lengths (or names) and the headers of the columns inside
};

// What only the caller knows about a block.
struct BlockMeta {
  TableId table;
  KeyModel key_model = KeyModel::Duplicate;
  std::uint32_t bucket_low = 0;  // its rows are of buckets bucket_low..bucket_high, and ordered by bucket
  std::uint32_t bucket_high = 0;
};

struct BlockPart {
  std::uint32_t offset = 0;  // from the start of the block
  std::uint32_t length = 0;
};

struct BlockColumn {
  ColumnId id;
  Type type;  // of nested types the kind alone: what is inside is known once the column is decoded
  Encoding encoding = Encoding::Plain;
  std::uint8_t bit_width = 0;
  std::uint32_t null_count = 0;
  std::uint32_t entries = 0;  // Dictionary: distinct strings
  BlockPart validity;         // nothing if no row, or every row, is NULL
  BlockPart data;             // Nested: the headers of the columns inside
  BlockPart
      aux;  // Dictionary: the distinct strings; LengthPacked, Array, Map: the lengths; Struct: the names
  std::uint64_t base = 0;
  std::uint64_t delta_base = 0;
  std::uint32_t step = 1;
};

struct BlockHeader {
  std::uint64_t total_bytes = 0;
  std::uint32_t header_bytes = 0;
  std::uint32_t rows = 0;
  TableId table;
  SchemaId schema;
  KeyModel key_model = KeyModel::Duplicate;
  std::uint32_t bucket_low = 0;
  std::uint32_t bucket_high = 0;
  std::uint64_t first_row_offset = 0;  // of its first row, in the uncompressed, unframed body
  std::uint64_t input_bytes = 0;
  std::vector<BlockColumn> columns;

  const BlockColumn* find(ColumnId id) const;
};

// Decoded columns, with the memory they lie in.
class Block {
 public:
  struct Column {
    ColumnId id;
    ColumnView view;
    GrowBuffer validity;
    GrowBuffer values;
    GrowBuffer text;
    std::vector<Column> children;  // what view.children look into
  };
  BlockHeader header;
  std::vector<Column> columns;  // those asked for that the block has, in the block's order
  std::vector<std::unique_ptr<ColumnBuilder>> constants;  // what block_lift's constant columns look into

  std::uint32_t rows() const { return header.rows; }
  const ColumnView* find(ColumnId id) const;
};

// Appends the block of all rows of `rows` (at least one, at most kBlockRowsMax, of at most
// kBlockDecodedBytesMax) to `out`. A builder that is cleared whenever it is full, and merged only while it is
// not, never has more.
void encode_block(const BlockBuilder& rows, const BlockMeta& meta, std::vector<std::byte>& out);

// The same in steps, for a shard that has others waiting. The rows stay as they are, and `out` is nobody else's, from the
// first to the last.
class BlockEncoder {
 public:
  BlockEncoder(const BlockBuilder& rows, const BlockMeta& meta, std::vector<std::byte>& out);
  ~BlockEncoder();
  // Some columns more, with about `bytes` of values. False: the block is whole.
  bool step(std::size_t bytes);

 private:
  struct Scratch;
  void put_header();

  const BlockBuilder& rows_;
  const BlockMeta meta_;
  std::vector<std::byte>& out_;
  const std::size_t start_;
  std::vector<BlockColumn> columns_;
  std::unique_ptr<Scratch> scratch_;
  std::size_t next_ = 0;
};

// Needs the header's bytes only; more may follow.
core::Result<BlockHeader> decode_block_header(core::Bytes bytes);
core::Result<Block> decode_block(core::Bytes bytes);
core::Result<Block> decode_block(core::Bytes bytes, std::span<const ColumnId> columns);

// The hash that a header's last 8 bytes hold, over the bytes before them.
std::uint64_t block_header_hash(core::Bytes header_without_hash);

}  // namespace penstock::txn
