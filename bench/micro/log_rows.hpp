// Log rows as TSV, 16 MiB, for benchmarks: 1 time, 4 integers, 1 decimal, 6 texts; about 160 bytes a row.
#pragma once

#include <memory>
#include <string>

#include "txn/schema/table_schema.hpp"

namespace penstock::bench {

std::shared_ptr<const txn::TableSchema> log_schema();
const std::string& log_text();

}  // namespace penstock::bench
