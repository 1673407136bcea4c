// JSON text as a JSON column keeps it: checked, without blanks, otherwise as it was written.
//
// Keys keep their order (and may repeat), numbers and escapes keep their spelling, so that what was loaded is what
// is read. One pass, no recursion, no memory of its own.
//
// Journey:  column_decode, nested_text -> [compact_json] -> ColumnBuilder.
// Shard:    any; pure functions.
// Promise:  what comes out is one JSON value (RFC 8259) of at most kJsonDepthMax levels and not longer than the text.
// Failure:  false; the output is then as it was.
#pragma once

#include <cstddef>
#include <string_view>

#include "txn/column/grow_buffer.hpp"

namespace penstock::txn {

inline constexpr std::size_t kJsonDepthMax = 512;

// The text must be UTF-8. Appends to `out`.
bool compact_json(std::string_view text, GrowBuffer& out);

}  // namespace penstock::txn
