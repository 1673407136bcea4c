// Why a cell's row was filtered, in Doris's words.
//
// Journey:  CsvDecoder, JsonDecoder (a row in BadRows) -> [bad_cell_reason] -> RowRejects.
// Shard:    any; a pure function.
// Promise:  at most text_bytes_max bytes of the value are shown.
// Failure:  none.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "txn/decode/row_batch.hpp"
#include "txn/schema/table_schema.hpp"

namespace penstock::txn {

std::string bad_cell_reason(BadCell why, const ColumnDef& column, std::string_view value,
                            std::size_t text_bytes_max);

}  // namespace penstock::txn
