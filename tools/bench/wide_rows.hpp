// The shape `wide`: 64 columns, after ClickBench's hits.
#pragma once

#include <span>

#include "tools/bench/row_text.hpp"

namespace penstock::tools {

std::span<const ShapeColumn> wide_columns();
void write_wide(RowText& row, std::uint64_t key, std::uint64_t number, Random& chance);

}  // namespace penstock::tools
