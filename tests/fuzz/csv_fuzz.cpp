// Any bytes as CSV in any mode: whole, in two and byte by byte they come out the same.
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
  };
}

void run_one(std::string_view input) {
  Choices choose(input);
  static constexpr const char* kSeparators[] = {"\t", ",", "||", "aab"};
  static constexpr const char* kDelimiters[] = {"\n", "\r\n", "\n", "aba"};
  CsvOptions options;
  options.column_separator = kSeparators[choose.below(4)];
  options.line_delimiter = kDelimiters[choose.below(4)];
  options.enclose = "\0\"'"[choose.below(3)];
  options.escape = "\0\\"[choose.below(2)];
  options.trim_double_quotes = choose.below(2) == 1;
  options.empty_field_as_null = choose.below(2) == 1;
  options.skip_lines = choose.below(3);
  options.cells.strict = choose.below(2) == 1;
  const unsigned cut = choose.below(255);
  options.block.rows_max = 3;
  options.row_bytes_max = 200;
  options.rejects.rows_max = 4;
  const auto schema = mixed_schema();
  same_in_any_pieces(input, cut, schema, [&](DecodeScratch& scratch) {
    return std::make_unique<CsvDecoder>(options, schema, *map_columns(*schema, {}), scratch);
  });
}

}  // namespace penstock::fuzz
