// Extent, BlockRef, FooterRef: where durable rows lie. Values, written into footers, commit records and snapshots.
//
// Journey:  JournalWriter::append -> [Extent] -> footer -> commit record -> manifest -> tablets -> scan.
// Shard:    any; values.
// Promise:  decode of hostile bytes fails the reader (ByteReader::ok), never the process.
// Failure:  none.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/bytes.hpp"
#include "txn/journal/file_name.hpp"
#include "txn/schema/table_schema.hpp"

namespace penstock::txn {

struct Extent {
  FileId file;
  std::uint64_t offset = 0;
  std::uint32_t length = 0;
  std::uint64_t checksum = 0;  // record_checksum of the bytes, bound to file and offset

  static constexpr std::size_t kEncodedBytes = 28;
  void encode(core::ByteWriter& out) const;
  static Extent decode(core::ByteReader& in);
  friend bool operator==(const Extent&, const Extent&) = default;
};

// Records of a journal as they lie in it, one behind the other, from the begin of a page on.
struct JournalPiece {
  Extent piece;  // RecordKind::Piece
  std::vector<std::byte> bytes;
  friend bool operator==(const JournalPiece&, const JournalPiece&) = default;
};

// One block of a table's rows.
struct BlockRef {
  Extent extent;
  TableId table;
  SchemaId schema;
  std::uint32_t rows = 0;
  std::uint32_t bucket_low = 0;  // the block's rows lie in buckets low..high
  std::uint32_t bucket_high = 0;
  std::uint64_t first_row_offset = 0;  // of its first row in the load's uncompressed, unframed body

  static constexpr std::size_t kEncodedBytes = Extent::kEncodedBytes + 8 + 8 + 4 + 4 + 4 + 8;
  void encode(core::ByteWriter& out) const;
  static BlockRef decode(core::ByteReader& in);
  friend bool operator==(const BlockRef&, const BlockRef&) = default;
};

// Where a footer lies, and whose rows it lists: what a commit record carries, so that recovery needs no scan.
struct FooterRef {
  Extent extent;
  TableId table;

  static constexpr std::size_t kEncodedBytes = Extent::kEncodedBytes + 8;
  void encode(core::ByteWriter& out) const;
  static FooterRef decode(core::ByteReader& in);
  friend bool operator==(const FooterRef&, const FooterRef&) = default;
};

}  // namespace penstock::txn
