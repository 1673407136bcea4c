#include "bench/micro/shape_rows.hpp"

#include "core/base/check.hpp"
#include "txn/decode/csv_decoder.hpp"
#include "txn/schema/ddl_parser.hpp"
#include "txn/schema/table_planner.hpp"

namespace penstock::bench {

std::shared_ptr<const txn::TableSchema> shape_schema(tools::Shape shape) {
  const auto statement = txn::parse_statement(tools::create_table(shape, "t", 1));
  CHECK(statement.has_value());
  const auto table = txn::plan_table(std::get<txn::CreateTableStatement>(*statement));
  CHECK(table.has_value());
  return table->schema;
}

std::string shape_text(tools::Shape shape, tools::RowFormat format, std::size_t bytes) {
  std::string out;
  tools::Random chance(7);
  for (std::uint64_t row = 0; out.size() < bytes; ++row) {
    tools::append_row(out, shape, format, tools::kFirstKey + row, row, chance);
  }
  return out;
}

txn::BlockBuilder shape_block(tools::Shape shape) {
  const auto schema = shape_schema(shape);
  const std::string text = shape_text(shape, tools::RowFormat::Csv, 4 * core::kMiB);
  txn::DecodeScratch scratch;
  txn::CsvDecoder decoder({}, schema, *txn::map_columns(*schema, {}), scratch);
  txn::BlockBuilder builder(schema);
  decoder.feed(core::as_bytes(text), builder);
  CHECK_EQ(decoder.filtered_rows(), 0u);
  return builder;
}

}  // namespace penstock::bench
