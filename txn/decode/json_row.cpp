#include "txn/decode/json_row.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "txn/decode/json_text.hpp"

namespace penstock::txn {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::string_view kNoKey = "\n";  // no key is written like this
constexpr std::size_t kParserMin = 4 * core::kKiB;
constexpr std::size_t kParserKept = 256 * core::kKiB;  // rows it may hold without being given back
constexpr std::uint32_t kFastMissesMax = 16;           // in a row
constexpr std::uint32_t kFastTriedEach = 16;

std::string_view trim_end(std::string_view text) {
  while (!text.empty() && is_json_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string_view JsonRowParser::text_from(ondemand::value& value, std::string_view document) {
  const char* begin = value.raw_json_token().data();
  return {begin, static_cast<std::size_t>(document.data() + document.size() - begin)};
}

std::string_view JsonRowParser::written_key(const char* key, std::string_view text, bool& has_escapes) {
  const char* const end = text.data() + text.size();
  has_escapes = false;
  const char* at = key;
  while (at < end && *at != '"') {
    if (*at == '\\') {
      has_escapes = true;
      ++at;
    }
    ++at;
  }
  return {key, static_cast<std::size_t>(std::min(at, end) - key)};
}

void JsonScratch::release_big_parser() {
  if (parser.capacity() > kParserKept) parser = ondemand::parser();
}

JsonRowParser::JsonRowParser(Options options, const TableSchema& schema)
    : options_(std::move(options)), fields_(*options_.fields) {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    JsonField& field = fields_[i];
    const ColumnDef* column = field.column == JsonField::kNoColumn
                                  ? nullptr
                                  : &schema.columns[static_cast<std::size_t>(field.column)];
    nullable_.push_back(column == nullptr || column->nullable);
    fed_ += column != nullptr;
    expected_.emplace_back(kNoKey);
    if (!options_.jsonpaths.empty() && !field.has_path) continue;  // no row has it
    if (!options_.jsonpaths.empty() && (field.path.size() != 1 || !field.path[0].is_key())) {
      one_pass_ = false;
      continue;
    }
    const std::string& key = options_.jsonpaths.empty() ? field.name : field.path[0].key;
    if (!keys_.emplace(key, static_cast<std::uint32_t>(i)).second) one_pass_ = false;
    if (key.find_first_of("\"\\") == std::string::npos) expected_.back() = key;
  }
  for (std::size_t i = 0; !one_pass_ && i < fields_.size(); ++i) {
    if (fields_[i].column == JsonField::kNoColumn || !fields_[i].has_path) continue;
    paths_.add(fields_[i].path, static_cast<std::uint32_t>(i));
  }
  add_aliases();
  fill_book();
  node_seen_.resize(paths_.size());
  successor_.resize(expected_.size() + 1);
  for (std::size_t i = 0; i < expected_.size(); ++i) {
    successor_[i] = i + 1 < fields_.size() ? static_cast<std::uint32_t>(i + 1) : 0;
  }
  seen_.resize(fields_.size());
}

void JsonRowParser::add_aliases() {
  if (options_.aliases.empty()) return;
  taken_by_.resize(fields_.size());
  for (const Alias& alias : options_.aliases) {
    keys_.emplace(alias.name, static_cast<std::uint32_t>(expected_.size()));
    const bool is_plain = alias.name.find_first_of("\"\\") == std::string::npos;
    expected_.push_back(is_plain ? alias.name : std::string(kNoKey));
  }
}

// The keys of rows that are taken fast: all that keys_ has, where there is nothing else to look for.
void JsonRowParser::fill_book() {
  if (!one_pass_ || !options_.takes_fast) return;
  book_.emplace(expected_.size());
  const auto add = [&](const std::string& name, std::size_t index) {
    const JsonField& field = fields_[index];
    book_->add(name, {.field = static_cast<std::uint32_t>(index),
                      .is_fed = field.column != JsonField::kNoColumn,
                      .keeps_words = field.keeps_words,
                      .nullable = nullable_[index]});
  };
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (options_.jsonpaths.empty()) {
      add(fields_[i].name, i);
    } else if (fields_[i].has_path) {
      add(fields_[i].path[0].key, i);
    }
  }
  for (const Alias& alias : options_.aliases) add(alias.name, alias.field);
}

// Whether the value of the key counts for its field: the first of several does, unless a better key comes.
bool JsonRowParser::is_wanted(std::size_t key, std::size_t field) {
  const bool is_seen = seen_[field] == stamp_;
  if (is_seen && (taken_by_.empty() || key >= taken_by_[field] || taken_by_[field] < fields_.size()))
    return false;
  if (!taken_by_.empty()) taken_by_[field] = static_cast<std::uint32_t>(key);
  if (is_seen) return true;
  seen_[field] = stamp_;
  ++matched_;
  matched_fed_ += fields_[field].column != JsonField::kNoColumn;
  return true;
}

std::string JsonRowParser::broken_text(simdjson::error_code error, bool is_document) {
  return fmt::format("Parse json data {}failed. code: {}, error info: {}", is_document ? "for JsonDoc " : "",
                     static_cast<int>(error), simdjson::error_message(error));
}

JsonRowParser::Outcome JsonRowParser::reject(std::string reason) {
  reason_ = std::move(reason);
  return Outcome::Rejected;
}

JsonRowParser::Outcome JsonRowParser::broken(simdjson::error_code error, bool is_document) {
  reason_ = broken_text(error, is_document);
  return Outcome::Broken;
}

bool JsonRowParser::start(std::string_view text, JsonScratch& scratch, ondemand::document& document) {
  simdjson::error_code error = simdjson::SUCCESS;
  if (scratch.parser.capacity() < text.size()) {
    error = scratch.parser.allocate(std::max(kParserMin, text.size() + text.size() / 4));
  }
  if (error == simdjson::SUCCESS) {
    error = scratch.parser
                .iterate(simdjson::padded_string_view(text.data(), text.size(),
                                                      text.size() + simdjson::SIMDJSON_PADDING))
                .get(document);
  }
  if (error != simdjson::SUCCESS) broken(error, true);
  return error == simdjson::SUCCESS;
}

JsonRowParser::Outcome JsonRowParser::check_shape(ondemand::document& document) {
  ondemand::json_type type;
  if (const auto error = document.type().get(type)) return broken(error, true);
  if (type == ondemand::json_type::array) {
    return reject("JSON data is array-object, `strip_outer_array` must be TRUE.");
  }
  if (type != ondemand::json_type::object) return reject("Expect json object value");
  return Outcome::Row;
}

void JsonRowParser::begin_row() {
  if (++stamp_ == 0) {
    std::fill(seen_.begin(), seen_.end(), 0);
    std::fill(node_seen_.begin(), node_seen_.end(), 0);
    stamp_ = 1;
  }
  before_ = static_cast<std::uint32_t>(expected_.size());
  has_null_by_alias_ = false;
  matched_ = matched_fed_ = cell_bytes_ = 0;
}

// Rows that are not taken fast time after time are seldom tried.
bool JsonRowParser::take_fast(std::string_view text, const RowContext& context) {
  if (fast_misses_ >= kFastMissesMax && ++fast_skipped_ % kFastTriedEach != 0) return false;
  begin_row();
  FastRowTaken taken;
  if (!take_fast_row(options_.simd,
                     {.begin = text.data(),
                      .end = text.data() + text.size(),
                      .cells = context.scratch.cells.data() + context.row,
                      .stride = context.stride,
                      .seen = seen_.data(),
                      .stamp = stamp_,
                      .arena = context.scratch.arena},
                     *book_, taken)) {
    ++fast_misses_;
    return false;
  }
  fast_misses_ = 0;
  matched_ = taken.matched();
  matched_fed_ = taken.matched_fed();
  cell_bytes_ = text.size();  // no more than that
  return true;
}

JsonRowParser::Outcome JsonRowParser::parse(std::string_view text, bool has_root, std::size_t row,
                                            std::size_t stride, JsonScratch& scratch, bool behind_is_clear) {
  const RowContext context{text, row, stride, scratch};
  if (book_ && !has_root && !behind_is_clear && take_fast(text, context)) {
    return matched_fed_ == fed_ && fed_ != 0 ? Outcome::Row : finish_row(context);
  }
  ondemand::document document;
  if (!start(text, scratch, document)) return Outcome::Broken;
  if (const Outcome shape = check_shape(document); shape != Outcome::Row) return shape;
  begin_row();
  if (one_pass_ && !has_root) {
    ondemand::object object;
    if (const auto error = document.get_object().get(object)) {
      // simdjson also says so of brackets that do not match when a } happens to lie behind the text: what a row is must
      // not depend on that, so it is looked at again with nothing behind it. It is no row in any case.
      if (error != simdjson::INCOMPLETE_ARRAY_OR_OBJECT || behind_is_clear ||
          !trim_end(text).ends_with('}')) {
        return broken(error);
      }
      char* copy = scratch.arena.room(text.size() + simdjson::SIMDJSON_PADDING);
      std::memcpy(copy, text.data(), text.size());
      std::memset(copy + text.size(), 0, simdjson::SIMDJSON_PADDING);
      scratch.arena.keep(text.size() + simdjson::SIMDJSON_PADDING);  // what its cells say comes behind it
      return parse({copy, text.size()}, has_root, row, stride, scratch, true);
    }
    if (const Outcome taken = take_keys(object, context); taken != Outcome::Row) return taken;
    const char* rest = nullptr;
    const auto behind = document.current_location().get(rest);
    if (behind == simdjson::SUCCESS) {
      return *rest == ',' || *rest == '{' ? Outcome::SecondObject : broken(simdjson::TAPE_ERROR);
    }
    if (behind != simdjson::OUT_OF_BOUNDS) return broken(behind);
    return finish_row(context);
  }
  // Here only parts of the row are walked through, so that all of it is checked first.
  const JsonText whole = compact_json(text, nullptr);
  if (whole.size == 0) return broken(whole.is_too_deep ? simdjson::DEPTH_ERROR : simdjson::TAPE_ERROR);
  if (const std::string_view rest = trim_json_blanks(text.substr(whole.size)); !rest.empty()) {
    if (rest.front() == ',' || rest.front() == '{') return Outcome::SecondObject;
    return broken(simdjson::TAPE_ERROR);
  }
  if (const Outcome taken = take_paths(document, has_root, context); taken != Outcome::Row) return taken;
  return finish_row(context);
}

JsonRowParser::Outcome JsonRowParser::take_keys(ondemand::object object, const RowContext& context) {
  for (auto item : object) {
    ondemand::field field;
    if (const auto error = std::move(item).get(field)) return broken(error);
    const std::int32_t index = field_of(field.key().raw(), context);
    if (index < 0) continue;
    const auto key = static_cast<std::size_t>(index);
    const std::size_t at = key < fields_.size() ? key : options_.aliases[key - fields_.size()].field;
    if (!is_wanted(key, at) || fields_[at].column == JsonField::kNoColumn) continue;
    if (const Outcome taken = take_value(field.value(), at, context); taken != Outcome::Row) return taken;
  }
  return Outcome::Row;
}

JsonRowParser::Outcome JsonRowParser::take_value(ondemand::value value, std::size_t field,
                                                 const RowContext& context) {
  const std::string_view token = trim_end(value.raw_json_token());
  if (token.empty()) return broken(simdjson::TAPE_ERROR);
  switch (token.front()) {
    case '"':
      if (token.size() < 2 || token.back() != '"') return broken(simdjson::STRING_ERROR);
      return take_string(token.substr(1, token.size() - 2), field, context);
    case '{':
    case '[':
      return take_nested(text_from(value, context.text), field, context);
    case 't':
      if (token != "true") return broken(simdjson::T_ATOM_ERROR);
      set(field, json_word(true, fields_[field].keeps_words), context);
      return Outcome::Row;
    case 'f':
      if (token != "false") return broken(simdjson::F_ATOM_ERROR);
      set(field, json_word(false, fields_[field].keeps_words), context);
      return Outcome::Row;
    case 'n':
      if (token != "null") return broken(simdjson::N_ATOM_ERROR);
      if (!nullable_[field] && !taken_by_.empty() && taken_by_[field] >= fields_.size()) {
        has_null_by_alias_ = true;  // a better key may come
      } else if (!nullable_[field]) {
        return reject(
            fmt::format("Json value is null, but the column `{}` is not nullable.", fields_[field].name));
      }
      set_null(field, context);
      return Outcome::Row;
    default:
      if (json_number_size(token) != token.size()) return broken(simdjson::NUMBER_ERROR);
      set(field, {token.data(), token.size()}, context);
      return Outcome::Row;
  }
}

JsonRowParser::Outcome JsonRowParser::take_string(std::string_view inside, std::size_t field,
                                                  const RowContext& context) {
  if (std::memchr(inside.data(), '\\', inside.size()) == nullptr) {
    set(field, {inside.data(), inside.size()}, context);
    return Outcome::Row;
  }
  char* said = context.scratch.arena.room(inside.size());
  const std::size_t size = resolve_json_string(inside, said);
  if (size == std::string_view::npos) return broken(simdjson::STRING_ERROR);
  context.scratch.arena.keep(size);
  set(field, {said, size}, context);
  return Outcome::Row;
}

JsonRowParser::Outcome JsonRowParser::take_nested(std::string_view rest, std::size_t field,
                                                  const RowContext& context) {
  const JsonText value = compact_json(rest, nullptr);
  if (value.size == 0) return broken(value.is_too_deep ? simdjson::DEPTH_ERROR : simdjson::TAPE_ERROR);
  if (value.written == value.size) {
    set(field, {rest.data(), value.size}, context);
  } else {  // `rest` is all of the row that is left: room is made for the value alone
    char* to = context.scratch.arena.room(value.written);
    compact_json(rest.substr(0, value.size), to);
    context.scratch.arena.keep(value.written);
    set(field, {to, value.written}, context);
  }
  return Outcome::Row;
}

void JsonRowParser::set(std::size_t field, Cell cell, const RowContext& context) {
  context.scratch.cells[field * context.stride + context.row] = cell;
  cell_bytes_ += cell.size;
}

void JsonRowParser::set_null(std::size_t field, const RowContext& context) {
  context.scratch.cells[field * context.stride + context.row] = CellList::null_cell();
}

JsonRowParser::Outcome JsonRowParser::finish_row(const RowContext& context) {
  if (matched_ == 0) {
    std::string names;
    for (const JsonField& field : fields_) {
      if (names.size() > 4096) break;
      names += field.name + ", ";
    }
    return reject(fmt::format(
        "There is no column matching jsonpaths in the json file, columns:[{}], please check columns and "
        "jsonpaths:{}",
        names, options_.jsonpaths));
  }
  for (std::size_t i = 0; has_null_by_alias_ && i < fields_.size(); ++i) {
    const Cell& cell = context.scratch.cells[i * context.stride + context.row];
    if (seen_[i] != stamp_ || nullable_[i] || cell.begin != CellList::null_cell().begin) continue;
    return reject(fmt::format("Json value is null, but the column `{}` is not nullable.", fields_[i].name));
  }
  if (matched_fed_ == fed_) return Outcome::Row;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (seen_[i] == stamp_ || fields_[i].column == JsonField::kNoColumn) continue;
    switch (fields_[i].missing) {
      case JsonField::Missing::Reject:
        return reject(
            fmt::format("The column `{}` is not nullable, but it's not found in jsondata.", fields_[i].name));
      case JsonField::Missing::Text:
        set(i, {fields_[i].missing_text.data(), fields_[i].missing_size}, context);
        break;
      case JsonField::Missing::Null:
        set_null(i, context);
        break;
    }
  }
  return Outcome::Row;
}

// `key` is behind the key's opening quote. Negative: nobody wants it.
std::int32_t JsonRowParser::field_of(const char* key, const RowContext& context) {
  const std::uint32_t guess = successor_[before_];
  if (guess < expected_.size()) {
    const std::string& name = expected_[guess];
    const auto left = static_cast<std::size_t>(context.text.data() + context.text.size() - key);
    if (name.size() < left && key[name.size()] == '"' && std::memcmp(key, name.data(), name.size()) == 0) {
      before_ = guess;
      return static_cast<std::int32_t>(guess);
    }
  }
  return look_up(key, context);
}

std::int32_t JsonRowParser::look_up(const char* key, const RowContext& context) {
  bool has_escapes = false;
  std::string_view name = written_key(key, context.text, has_escapes);
  if (has_escapes) {
    char* said = context.scratch.arena.room(name.size());
    const std::size_t size = resolve_json_string(name, said);
    if (size == std::string_view::npos) return -1;
    name = {said, size};
  }
  const auto found = keys_.find(name);
  if (found == keys_.end()) return -1;
  successor_[before_] = found->second;
  before_ = found->second;
  return static_cast<std::int32_t>(found->second);
}

}  // namespace penstock::txn
