// Runs a body through a CsvDecoder, cut where a test wants it, and gives all that comes out as text.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "txn/column/value_format.hpp"
#include "txn/decode/csv_decoder.hpp"

namespace penstock::txn {

struct LoadSetup {
  std::shared_ptr<const TableSchema> schema;
  std::string columns;
  std::string hidden_columns = {};
  CsvOptions options;
};

inline ColumnDef column(std::uint32_t id, Type type, bool nullable = true) {
  return ColumnDef{.id = ColumnId(id), .name = "c" + std::to_string(id), .type = type, .nullable = nullable};
}

inline std::shared_ptr<const TableSchema> schema_of(std::vector<ColumnDef> columns) {
  auto schema = std::make_shared<TableSchema>();
  schema->id = SchemaId(1);
  schema->columns = std::move(columns);
  return schema;
}

// Everything that comes out of a load, as text: compared as a whole.
using Pieces = std::vector<std::size_t>;
inline std::string run(const LoadSetup& setup, std::string_view body, const Pieces& cuts) {
  const auto mapping =
      map_columns(*setup.schema, {.columns = setup.columns, .hidden_columns = setup.hidden_columns});
  if (!mapping) return mapping.error();
  DecodeScratch scratch;
  CsvDecoder decoder(setup.options, setup.schema, *mapping, scratch);
  BlockBuilder builder(setup.schema);
  std::string out;
  const auto print_block = [&] {
    if (builder.rows() == 0) return;
    out += "block at " + std::to_string(builder.first_row_offset()) + " of " +
           std::to_string(builder.input_bytes()) + " bytes " + std::to_string(builder.bytes()) + "\n";
    for (std::size_t row = 0; row < builder.rows(); ++row) {
      for (std::size_t i = 0; i < setup.schema->columns.size(); ++i) {
        if (i != 0) out += '|';
        append_cell(out, builder.view(i), row);
      }
      out += '\n';
    }
    builder.clear();
  };
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const std::size_t end = i == cuts.size() ? body.size() : cuts[i];
    // A copy of its own, so that the sanitizer sees every read behind a piece.
    const std::vector<char> piece(body.begin() + static_cast<std::ptrdiff_t>(begin),
                                  body.begin() + static_cast<std::ptrdiff_t>(end));
    std::string_view rest(piece.data(), piece.size());
    for (;;) {
      const FeedResult result = decoder.feed(core::as_bytes(rest), builder);
      if (result.state == FeedResult::State::Failed) return out + decoder.error();
      rest.remove_prefix(result.consumed);
      if (result.state == FeedResult::State::NeedInput) break;
      print_block();
    }
    EXPECT_TRUE(rest.empty());
    begin = end;
  }
  if (decoder.finish(builder) == FeedResult::State::Failed) return out + decoder.error();
  print_block();
  out += "total " + std::to_string(decoder.total_rows()) + " filtered " +
         std::to_string(decoder.filtered_rows()) + " loaded " + std::to_string(decoder.loaded_rows()) + "\n" +
         decoder.rejects().log();
  return out;
}

inline std::string rows_only(const std::string& out) {
  std::string rows;
  for (std::size_t at = 0; at < out.size();) {
    const std::size_t end = out.find('\n', at);
    const std::string line = out.substr(at, end - at);
    if (!line.starts_with("block at ")) rows += line + "\n";
    at = end + 1;
  }
  return rows;
}

}  // namespace penstock::txn
