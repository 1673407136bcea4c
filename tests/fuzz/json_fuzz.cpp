// Any bytes as JSON in any mode: whole, in two and byte by byte they come out the same, and the same as without the fast
// way through rows.
#include "tests/fuzz/decoder_pieces.hpp"
#include "txn/decode/json_decoder.hpp"

namespace penstock::fuzz {

using namespace txn;

std::vector<std::string> seeds() {
  const std::string lines("\x00\x00\x00\x00\x00\x06", 6);
  const std::string array("\x01\x00\x00\x00\x00\x09", 6);
  return {
      lines + "{\"a\":1,\"b\":2.5,\"c\":\"text \\ud83d\\ude42\",\"d\":\"2020-01-01\"}\n{\"c\":null}\n",
      lines + "{\"a\":[1,{\"x\":\"}\"}],\"c\":{\"k\":[1,2]}}\nbroken\n{}\n{\"a\":1}{\"a\":2}\n",
      array + "[{\"a\":1},{\"a\":\"7\",\"b\":-1e3,\"j\":{\"z\":1, \"y\":[]}} , {\"d\":20200101}]",
      array + "  [ ]",
      std::string("\x02\x01\x00\x00\x01\x03", 6) + "{\"r\":{\"a\":1,\"c\":[\"q\",\"w\"]},\"a\":5}",
      std::string("\x01\x01\x01\x00\x00\x03", 6) + "[{\"r\":{\"a\":1,\"c\":[\"q\",\"w\"]}},{\"r\":null}]",
      std::string("\x00\x00\x01\x01\x00\x03", 6) + "[{\"a\":1},{\"a\":2}]\n[{\"a\":3}]\n",
      // Rows that look alike, and nearly.
      lines +
          "{\"a\":1,\"b\":2.5,\"c\":\"x\"}\n{\"a\":12,\"b\":-0.25,\"c\":\"yz\"}\n{\"a\":3,\"b\":1e2,\"c\":"
          "\"\xC3\xA9\"}\n",
      lines +
          "{\"a\": 1, \"x\": true, \"c\": \"q\\\"\"}\n{\"c\": \"\", \"a\": null, \"x\": [1, 2]}\n{\"a\": 01, "
          "\"c\": \"r\"}\n",
      // What is escaped lies behind the bytes that are looked at at once, in a value that nobody wants.
      lines + "{\"c\":\"q\",\"x\":\"" + std::string(31, 'x') +
          "\\\x80\",\"a\":1,\"y\":" + std::string(40, '7') + "}\n",
      // Rows that are looked at again in a copy.
      lines + "{\"a\":[1,{\"x\":\"}\"}]\f\"c\":,2]}}\nbroken\n{\"text \\ud83dk\":[0,2]true}}\nbroke",
  };
}

void run_one(std::string_view input) {
  Choices choose(input);
  JsonOptions options;
  const unsigned mode = choose.below(4);
  options.by_line = mode == 0 || mode == 3;
  options.strip_outer_array = mode == 1 || mode == 3;
  if (choose.below(2) == 1) {
    options.has_root = true;
    options.root = *parse_json_path("$.r");
  }
  if (choose.below(2) == 1) {
    options.jsonpaths = R"(["$.a", "$.c[0]", "$.b.x", "$"])";
    options.paths = *parse_json_paths(options.jsonpaths);
  }
  options.line_delimiter = choose.below(2) == 1 ? "\r\n" : "\n";
  options.cells.strict = choose.below(2) == 1;
  const unsigned cut = choose.below(255);
  options.block.rows_max = 3;
  options.row_bytes_max = 300;
  options.rejects.rows_max = 4;
  const auto schema = mixed_schema();
  const MappingOptions mapping;
  const auto make = [&](DecodeScratch& scratch) {
    return std::make_unique<JsonDecoder>(options, schema, *map_columns(*schema, mapping), mapping, scratch);
  };
  options.simd = static_cast<SimdLevel>(cut % (static_cast<unsigned>(best_simd_level()) + 1));
  same_in_any_pieces(input, cut, schema, make);
  const auto run = [&](bool takes_fast) {
    options.takes_fast = takes_fast;
    DecodeScratch scratch;
    return txn::testing::run_pieces(*make(scratch), schema, {input});
  };
  const auto fast = run(true);
  const auto slow = run(false);
  if (!(fast == slow)) {
    fail("rows taken fast come out otherwise",
         fast.rows + fast.log + fast.error + "\nby simdjson:\n" + slow.rows + slow.log + slow.error);
  }
}

}  // namespace penstock::fuzz
