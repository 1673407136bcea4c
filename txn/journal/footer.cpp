#include "txn/journal/footer.hpp"

namespace penstock::txn {
namespace {
constexpr std::uint32_t kMagic = 0x54465350;  // "PSFT"
}

void encode_footer(const Footer& footer, std::vector<std::byte>& out) {
  core::ByteWriter writer(out);
  writer.put(kMagic);
  writer.put(static_cast<std::uint32_t>(footer.blocks.size()));
  writer.put(footer.table.value);
  writer.put(footer.txn_id);
  for (const BlockRef& block : footer.blocks) block.encode(writer);
}

core::Result<Footer> decode_footer(core::Bytes bytes) {
  core::ByteReader reader(bytes);
  Footer footer;
  if (reader.get<std::uint32_t>() != kMagic) return core::fail(core::Errc::Corrupt, "footer: no magic");
  const std::uint32_t count = reader.get_count(BlockRef::kEncodedBytes);
  footer.table.value = reader.get<std::uint64_t>();
  footer.txn_id = reader.get<std::uint64_t>();
  if (!reader.ok() || count * BlockRef::kEncodedBytes > reader.remaining()) {
    return core::fail(core::Errc::Corrupt, "footer: it ends early");
  }
  footer.blocks.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    footer.blocks.push_back(BlockRef::decode(reader));
    if (footer.blocks.back().table != footer.table) {
      return core::fail(core::Errc::Corrupt, "footer: a block of another table");
    }
  }
  if (!reader.ok() || reader.remaining() != 0) return core::fail(core::Errc::Corrupt, "footer: wrong length");
  return footer;
}

}  // namespace penstock::txn
