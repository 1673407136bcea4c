#include "txn/journal/extent.hpp"

namespace penstock::txn {

void Extent::encode(core::ByteWriter& out) const {
  out.put(file.value);
  out.put(offset);
  out.put(length);
  out.put(checksum);
}

Extent Extent::decode(core::ByteReader& in) {
  Extent extent;
  extent.file.value = in.get<std::uint64_t>();
  extent.offset = in.get<std::uint64_t>();
  extent.length = in.get<std::uint32_t>();
  extent.checksum = in.get<std::uint64_t>();
  return extent;
}

void BlockRef::encode(core::ByteWriter& out) const {
  extent.encode(out);
  out.put(table.value);
  out.put(schema.value);
  out.put(rows);
  out.put(bucket_low);
  out.put(bucket_high);
  out.put(first_row_offset);
}

BlockRef BlockRef::decode(core::ByteReader& in) {
  BlockRef block;
  block.extent = Extent::decode(in);
  block.table.value = in.get<decltype(block.table.value)>();
  block.schema.value = in.get<decltype(block.schema.value)>();
  block.rows = in.get<std::uint32_t>();
  block.bucket_low = in.get<std::uint32_t>();
  block.bucket_high = in.get<std::uint32_t>();
  block.first_row_offset = in.get<std::uint64_t>();
  return block;
}

void FooterRef::encode(core::ByteWriter& out) const {
  extent.encode(out);
  out.put(table.value);
}

FooterRef FooterRef::decode(core::ByteReader& in) {
  FooterRef footer;
  footer.extent = Extent::decode(in);
  footer.table.value = in.get<decltype(footer.table.value)>();
  return footer;
}

}  // namespace penstock::txn
