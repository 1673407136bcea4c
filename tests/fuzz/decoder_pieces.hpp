// The same body in different pieces must give the same rows, counts and reasons.
#pragma once

#include <memory>

#include "tests/fuzz/fuzz_target.hpp"
#include "tests/txn/decode/json_run.hpp"

namespace penstock::fuzz {

inline std::shared_ptr<const txn::TableSchema> mixed_schema() {
  using namespace txn;
  auto schema = std::make_shared<TableSchema>();
  schema->id = SchemaId(1);
  const auto add = [&](const char* name, Type type, bool nullable) {
    const auto id = static_cast<std::uint32_t>(schema->columns.size() + 1);
    schema->columns.push_back({.id = ColumnId(id), .name = name, .type = type, .nullable = nullable});
  };
  add("a", Type::of(TypeKind::Int), true);
  add("b", Type::decimal(10, 2), true);
  add("c", Type::varchar(20), false);
  add("d", Type::date_time(3), true);
  return schema;
}

template <class Make>
void same_in_any_pieces(std::string_view body, std::size_t cut,
                        const std::shared_ptr<const txn::TableSchema>& schema, const Make& make) {
  using txn::testing::Outcome;
  const auto run = [&](const std::vector<std::string_view>& pieces) {
    txn::DecodeScratch scratch;
    const std::unique_ptr<txn::BodyDecoder> decoder = make(scratch);
    return txn::testing::run_pieces(*decoder, schema, pieces);
  };
  const auto told = [](const Outcome& a, const Outcome& b) {
    return "whole:\n" + a.rows + a.log + a.error + "\nin pieces:\n" + b.rows + b.log + b.error;
  };
  const Outcome whole = run({body});
  cut = body.empty() ? 0 : cut % body.size();
  if (const Outcome two = run({body.substr(0, cut), body.substr(cut)}); !(two == whole)) {
    fail("two pieces give something else", told(whole, two));
  }
  std::vector<std::string_view> bytes;
  for (std::size_t i = 0; i < body.size(); ++i) bytes.push_back(body.substr(i, 1));
  if (const Outcome single = run(bytes); !(single == whole))
    fail("single bytes give something else", told(whole, single));
}

}  // namespace penstock::fuzz
