// Text of ARRAY, MAP and STRUCT values into columns: `[1, 2, null]`, `{"k1":31}`, `{"f1":1, "f2":'x'}`, `{1, 'x'}`.
//
// As lenient as Doris is: texts need no quotes, either quote will do, an element that is not of its type is NULL, and so
// is one of a nested type that is malformed. What makes no sense as a whole is malformed, and the caller decides what
// becomes of the cell. A STRUCT is written by name, in any order, or by position; `{}` is one of NULLs, otherwise all
// fields must be there. A closing quote is the next one of the opening's kind if what may stand behind a value stands
// there; otherwise the first quote of either kind behind which it does: so texts may have quotes in them.
//
// Journey:  column_decode (a cell) -> [append_nested] -> ColumnBuilder and its children.
// Shard:    any; pure functions on what they are given.
// Promise:  Taken: exactly one row more. Otherwise the column is as it was. Time and memory are bounded by the size of
//           the text: recursion goes as deep as the type (kNestedDepthMax), an element that had to be looked at twice
//           counts, and more than kExpansionMax times the text is not unfolded. Nothing is allocated but column memory.
// Failure:  Malformed; TooLong: it would unfold too far, or a text in it is longer than its type, where that counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "txn/column/column_builder.hpp"
#include "txn/decode/column_decode.hpp"

namespace penstock::txn {

enum class NestedOutcome : std::uint8_t { Taken, Malformed, TooLong };

// `unfolded` says how many bytes the elements of lists may take beside their text, and becomes how many they took.
NestedOutcome append_nested(std::string_view text, const CellRules& rules, ColumnBuilder& out,
                            std::size_t& unfolded);

}  // namespace penstock::txn
