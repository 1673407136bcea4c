// Footer: the last journal record of a load on a shard: the list of its blocks. Layout in docs/formats/journal.md.
//
// One footer lists the blocks of one table: of one large load, or of all the small plain loads that share a block and are
// decided by the same commit record.
//
// Journey:  Precommitter writes it -> commit record names it (FooterRef) -> recovery reads it.
// Shard:    any; values.
// Promise:  decode_footer returns only what encode_footer wrote.
// Failure:  Errc::Corrupt.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "txn/journal/extent.hpp"

namespace penstock::txn {

struct Footer {
  TableId table;
  std::uint64_t txn_id = 0;  // 0: shared by several plain loads
  std::vector<BlockRef> blocks;
};

void encode_footer(const Footer& footer, std::vector<std::byte>& out);
core::Result<Footer> decode_footer(core::Bytes bytes);

}  // namespace penstock::txn
