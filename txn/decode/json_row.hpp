// JsonRowParser: one JSON object into the cells of one row.
//
// Values stay where they lie in the row's text; only strings with escapes and objects or arrays with blanks are
// written anew, into an arena that lives as long as the batch. A row is first tried with take_fast_row; what that does
// not take is taken apart with simdjson. Keys are expected in the order of the row before either way.
//
// Journey:  JsonDecoder (a row's text) -> [JsonRowParser] -> JsonCells -> decode_cells.
// Shard:    one. The parser's memory is the shard's (JsonScratch), not the load's.
// Promise:  nothing is allocated per row once rows as long and as escaped have been seen. 64 bytes behind a row's text
//           must be readable; what is in them does not matter.
// Failure:  Rejected with reason(); SecondObject: something that looks like another row follows the first.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "txn/decode/cell_list.hpp"
#include "txn/decode/json_arena.hpp"
#include "txn/decode/json_fast_row.hpp"
#include "txn/decode/json_fields.hpp"
#include "txn/decode/json_key_book.hpp"
#include "txn/decode/json_path_tree.hpp"

namespace penstock::txn {

struct JsonScratch {
  static constexpr std::size_t kCellsMax = 64 * core::kKiB;  // of a batch, unless one row has more

  struct Row {
    std::string_view text;
    std::uint64_t offset;  // in the body
    std::uint64_t next;    // behind it and its delimiter
  };
  simdjson::ondemand::parser parser;
  JsonArena arena;
  std::vector<Cell> cells;  // [field * stride + row]
  std::vector<Row> rows;
  void release_big_parser();
};

class JsonRowParser {
 public:
  enum class Outcome : std::uint8_t { Row, Rejected, Broken, SecondObject };

  // A field's second key. Of several in a row the field's own counts, or else the first of these.
  struct Alias {
    std::string name;
    std::uint32_t field;
  };
  struct Options {
    const std::vector<JsonField>* fields = nullptr;
    std::string_view jsonpaths;  // the header's text, for messages; empty: none
    const JsonPath* root = nullptr;
    std::size_t cell_bytes_max = 0;  // of all cells of a row
    std::vector<Alias> aliases;      // not with jsonpaths
    SimdLevel simd = best_simd_level();
    bool takes_fast = true;  // false: each row by simdjson. What comes out is the same
  };
  JsonRowParser(Options options, const TableSchema& schema);
  JsonRowParser(const JsonRowParser&) = delete;  // keys_ views names that are here
  JsonRowParser& operator=(const JsonRowParser&) = delete;

  // Broken: the text is no JSON. `has_root` false: the root was applied already.
  Outcome parse(std::string_view text, bool has_root, std::size_t row, std::size_t stride,
                JsonScratch& scratch, bool behind_is_clear = false);
  const std::string& reason() const { return reason_; }
  std::size_t cell_bytes() const { return cell_bytes_; }  // of the last row

  // Keys and elements that were looked at for the paths of the last row.
  std::size_t walked() const { return walked_; }

  // The text of the value that a document's root names; empty: there is none (reason()).
  std::string_view find_root(std::string_view document, JsonScratch& scratch);

  static std::string broken_text(simdjson::error_code error, bool is_document);

 private:
  struct RowContext {
    std::string_view text;
    std::size_t row;
    std::size_t stride;
    JsonScratch& scratch;
  };

  // A document from one of its values on.
  static std::string_view text_from(simdjson::ondemand::value& value, std::string_view document);
  // The inside of the string whose opening quote is before `key`, as it is written; it lies in `text`.
  static std::string_view written_key(const char* key, std::string_view text, bool& has_escapes);

  void add_aliases();
  void fill_book();
  void begin_row();
  bool take_fast(std::string_view text, const RowContext& context);
  bool is_wanted(std::size_t key, std::size_t field);
  bool start(std::string_view text, JsonScratch& scratch, simdjson::ondemand::document& document);
  Outcome check_shape(simdjson::ondemand::document& document);
  Outcome take_keys(simdjson::ondemand::object object, const RowContext& context);
  Outcome take_paths(simdjson::ondemand::document& document, bool has_root, const RowContext& context);
  Outcome take_inside(simdjson::ondemand::value value, const JsonPathTree::Node& node,
                      std::size_t taken_above, const RowContext& context);
  Outcome take_object(simdjson::ondemand::object object, const JsonPathTree::Node& node,
                      std::size_t taken_above, const RowContext& context);
  Outcome take_array(simdjson::ondemand::array array, const JsonPathTree::Node& node, std::size_t taken_above,
                     const RowContext& context);
  Outcome take_value(simdjson::ondemand::value value, std::size_t field, const RowContext& context);
  Outcome take_nested(std::string_view rest, std::size_t field, const RowContext& context);
  Outcome take_string(std::string_view inside, std::size_t field, const RowContext& context);
  Outcome finish_row(const RowContext& context);
  void note_taken(std::size_t field);
  void set(std::size_t field, Cell cell, const RowContext& context);
  void set_null(std::size_t field, const RowContext& context);

  std::int32_t field_of(const char* key, const RowContext& context);
  std::int32_t look_up(const char* key, const RowContext& context);
  simdjson::error_code navigate(simdjson::ondemand::object object, const JsonPath& path, JsonScratch& scratch,
                                std::string_view text, simdjson::ondemand::value& out);
  Outcome reject(std::string reason);
  Outcome broken(simdjson::error_code error, bool is_document = false);

  Options options_;
  std::vector<JsonField> fields_;
  std::vector<std::string>
      expected_;  // per key (fields, then aliases): as it is written, if that is what it says
  std::vector<bool> nullable_;
  std::unordered_map<std::string_view, std::uint32_t> keys_;  // into expected_
  bool one_pass_ = true;                                      // keys of the row, no paths into it
  JsonPathTree paths_;                                        // of all fields that feed a column
  std::vector<std::uint32_t> node_seen_;  // per node: the stamp of the last row that had it
  std::size_t fed_ = 0;                   // fields that feed a column
  std::vector<std::uint32_t>
      successor_;                    // per key (and one for the row's begin): the key behind it, last time
  std::vector<std::uint32_t> seen_;  // per field: the stamp of the last row that had it
  std::vector<std::uint32_t> taken_by_;  // per field, with aliases: the key that it was then
  bool has_null_by_alias_ = false;       // the row, where there may be no NULL
  std::uint32_t stamp_ = 0;
  std::optional<JsonKeyBook> book_;  // there: rows are taken fast where they can be
  std::uint32_t fast_misses_ = 0;    // since the last that was
  std::uint32_t fast_skipped_ = 0;
  std::uint32_t before_ = 0;  // the key before the one that comes
  std::size_t matched_ = 0;
  std::size_t matched_fed_ = 0;
  std::size_t cell_bytes_ = 0;
  std::size_t walked_ = 0;
  std::string reason_;
};

}  // namespace penstock::txn
