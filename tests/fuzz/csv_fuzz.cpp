// Any bytes as CSV in any mode: whole, in two and byte by byte they come out the same, at every SIMD level.
#include "tests/fuzz/decoder_pieces.hpp"
#include "txn/decode/csv_decoder.hpp"

namespace penstock::fuzz {

using namespace txn;

std::vector<std::string> seeds() {
  const std::string plain(9, '\0');
  return {
      plain + "1\t2.50\ttext\t2020-01-01\n\\N\t\\N\t\\N\t\\N\n",
      std::string("\x01\x00\x01\x01\x00\x00\x00\x00\x08", 9) +
          "1,2.5,\"a,\"\"b\\\"\nc\",2020-01-01 10:00:00\n\"\",,\"x\"y,\n",
      std::string("\x02\x02\x01\x00\x01\x01\x01\x01\x20", 9) +
          "1||2||\"abc\"||2020\r\n||||||\r\n1||1||1||1||1\r\n",
      std::string("\x01\x01\x02\x01\x01\x00\x02\x01\x05", 9) +
          "head\nhead\n'1','2.5','it''s','20200101'\n,,,",
      plain +
          "\xef\xbb\xbf"
          "1\t1\t\xff\xfe\t1\n\xe4\xb8\xad",
      plain + "1\t1\t\xff\t1\nx\n2\tx\t\xe4\xb8\xad\t\n\xff\n\t\t\xfe\t\n3\t\t\t\n",
      std::string("\x04\x00\x01\x01\x00\x00\x00\x01\x05", 9) +
          "1\r2\rx\r\n1\r2\rx\r\r\n\"a\"\r\n\r\n\r\r\r\r5\n",
      std::string("\x05\x00\x01\x00\x00\x00\x00\x00\x07", 9) +
          "1Z\r2Z\rxZ\r\n1Z\r2Z\rxZ\rZ\r\n\"Z\r\n\"Z\r\n",
      std::string("\x06\x04\x01\x00\x00\x00\x00\x00\x03", 9) + "1\n2\nx\n4\n\n1\n\n\n\"\n\n\"\n\n",
      std::string("\x07\x00\x03\x02\x01\x00\x00\x00\x03", 9) + "1\r\r2\r\rx\r\r\r\n\r1\r\r\r2\r\rx\r\r\n",
      std::string("\x08\x07\x01\x01\x01\x00\x00\x00\x03", 9) + "1\"2\"\"3\"\n\"\"4\"\"\"\n",
  };
}

void run_one(std::string_view input) {
  Choices choose(input);
  static constexpr const char* kSeparators[] = {"\t", ",", "||", "aab", "\r", "Z\r", "\n", "\r\r", "\"", "1"};
  static constexpr const char* kDelimiters[] = {"\n", "\r\n", "\n", "aba", "\n\n", "\r", "Z\r\n", "\"\n"};
  CsvOptions options;
  options.column_separator = kSeparators[choose.below(10)];
  options.line_delimiter = kDelimiters[choose.below(8)];
  options.enclose = "\0\"'\rZ"[choose.below(5)];
  options.escape = "\0\\\r"[choose.below(3)];
  options.trim_double_quotes = choose.below(2) == 1;
  options.empty_field_as_null = choose.below(2) == 1;
  options.skip_lines = choose.below(3);
  options.cells.strict = choose.below(2) == 1;
  const unsigned cut = choose.below(255);
  const unsigned levels = static_cast<unsigned>(best_simd_level()) + 1;
  options.block.rows_max = cut % 2 == 0 ? 3 : 700;  // the many are converted several at a time
  options.row_bytes_max = 200;
  options.rejects.rows_max = 4;
  const auto schema = mixed_schema();
  unsigned run = 0;  // whole, in two and by bytes: each on another level, so that levels are compared as well
  same_in_any_pieces(input, cut, schema, [&](DecodeScratch& scratch) {
    options.simd = static_cast<SimdLevel>((cut + run++) % levels);
    return std::make_unique<CsvDecoder>(options, schema, *map_columns(*schema, {}), scratch);
  });
}

}  // namespace penstock::fuzz
