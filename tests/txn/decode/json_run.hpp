// Runs a body through a JsonDecoder (or any decoder) cut into pieces, and says what came out as text.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "txn/column/value_format.hpp"
#include "txn/decode/csv_decoder.hpp"
#include "txn/decode/json_decoder.hpp"

namespace penstock::txn::testing {

struct Outcome {
  std::string rows;  // a line a row, cells joined by |
  std::vector<std::size_t> blocks;
  std::uint64_t total = 0;
  std::uint64_t filtered = 0;
  std::string log;
  std::string error;
  std::string code;
  bool failed = false;
  std::size_t carry_max = 0;

  friend bool operator==(const Outcome& a, const Outcome& b) {
    return a.rows == b.rows && a.blocks == b.blocks && a.total == b.total && a.filtered == b.filtered &&
           a.log == b.log && a.error == b.error && a.failed == b.failed;
  }
};

inline std::string text_of(const BlockBuilder& builder) {
  std::string out;
  for (std::size_t row = 0; row < builder.rows(); ++row) {
    for (std::size_t i = 0; i < builder.schema().columns.size(); ++i) {
      if (i != 0) out += '|';
      append_cell(out, builder.view(i), row);
    }
    out += '\n';
  }
  return out;
}

// Each piece lies in memory of its own, with nothing readable behind it, so that a sanitizer sees reads too far.
inline Outcome run_pieces(BodyDecoder& decoder, const std::shared_ptr<const TableSchema>& schema,
                          const std::vector<std::string_view>& pieces) {
  BlockBuilder builder(schema);
  Outcome run;
  const auto take = [&](FeedResult::State state) {
    if (state == FeedResult::State::BlockFull) {
      run.blocks.push_back(builder.rows());
      run.rows += text_of(builder);
      builder.clear();
    } else if (state == FeedResult::State::Void) {
      run.rows.clear();
      run.blocks.clear();
      builder.clear();
    } else if (state == FeedResult::State::Failed) {
      run.failed = true;
    }
  };
  for (const std::string_view text : pieces) {
    const std::vector<char> copy(text.begin(), text.end());
    std::string_view rest(copy.data(), copy.size());
    while (!rest.empty() && !run.failed) {
      const FeedResult fed = decoder.feed(core::as_bytes(rest), builder);
      run.carry_max = std::max(run.carry_max, decoder.reserved_bytes());
      rest.remove_prefix(fed.consumed);
      take(fed.state);
      if (fed.state == FeedResult::State::NeedInput && !rest.empty()) {
        run.error = "a piece was not consumed";
        return run;
      }
    }
  }
  while (!run.failed) {
    const FeedResult::State state = decoder.finish(builder);
    take(state);
    if (state == FeedResult::State::NeedInput) break;
  }
  if (!run.failed) {
    run.blocks.push_back(builder.rows());
    run.rows += text_of(builder);
  }
  run.total = decoder.total_rows();
  run.filtered = decoder.filtered_rows();
  run.log = decoder.rejects().log();
  run.error = decoder.error();
  run.code = decoder.error_code();
  return run;
}

struct JsonCase {
  std::shared_ptr<const TableSchema> schema;
  JsonOptions options;
  MappingOptions mapping;

  JsonCase with_paths(std::string_view text) const {
    JsonCase out = *this;
    out.options.jsonpaths = text;
    out.options.paths = *parse_json_paths(text);
    return out;
  }
  JsonCase with_root(std::string_view text) const {
    JsonCase out = *this;
    out.options.has_root = true;
    out.options.root = *parse_json_path(text);
    return out;
  }
  JsonCase document() const {
    JsonCase out = *this;
    out.options.by_line = false;
    return out;
  }
  JsonCase array() const {
    JsonCase out = document();
    out.options.strip_outer_array = true;
    return out;
  }

  Outcome run(const std::vector<std::string_view>& pieces) const {
    DecodeScratch scratch;
    JsonDecoder decoder(options, schema, *map_columns(*schema, mapping), mapping, scratch);
    return run_pieces(decoder, schema, pieces);
  }
  Outcome run(std::string_view body) const { return run(std::vector<std::string_view>{body}); }
  // The body cut at each place, and byte by byte: all must come out the same. Gives the whole one.
  Outcome run_split(std::string_view body, std::string& complaint) const {
    const Outcome whole = run(body);
    for (std::size_t cut = 0; cut <= body.size(); ++cut) {
      if (!(run({body.substr(0, cut), body.substr(cut)}) == whole)) {
        complaint = "differs when cut at " + std::to_string(cut);
        return whole;
      }
    }
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < body.size(); ++i) bytes.push_back(body.substr(i, 1));
    if (!(run(bytes) == whole)) complaint = "differs byte by byte";
    return whole;
  }
};

inline ColumnDef column(std::string name, Type type, bool nullable = true) {
  static std::uint32_t id = 0;
  ColumnDef out;
  out.id = ColumnId(++id);
  out.name = std::move(name);
  out.type = type;
  out.nullable = nullable;
  return out;
}

inline ColumnDef with_default(ColumnDef column, std::string text) {
  column.default_kind = DefaultKind::Literal;
  column.default_value = std::move(text);
  return column;
}

inline std::shared_ptr<const TableSchema> schema_of(std::vector<ColumnDef> columns) {
  auto schema = std::make_shared<TableSchema>();
  schema->id = SchemaId(1);
  schema->columns = std::move(columns);
  return schema;
}

}  // namespace penstock::txn::testing
