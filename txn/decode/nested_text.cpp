#include "txn/decode/nested_text.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "txn/decode/json_text.hpp"
#include "txn/decode/text_to_value.hpp"
#include "txn/schema/table_schema.hpp"

namespace penstock::txn {
namespace {

constexpr std::size_t kNone = std::string_view::npos;
// Looks at a byte, on average: only crooked quotes need more than a few.
constexpr std::size_t kWorkPerByte = 24;
constexpr std::size_t kWorkMin = 32 * 1024;

// Bytes of which none begins, ends or parts anything.
constexpr std::array<bool, 256> kIsPlain = [] {
  std::array<bool, 256> plain{};
  plain.fill(true);
  for (const char c : std::string_view("\"'[]{},:\\ \t\n\r")) plain[static_cast<unsigned char>(c)] = false;
  return plain;
}();

bool is_quote(char c) { return c == '"' || c == '\''; }
bool is_delimiter(char c) { return c == ',' || c == ':' || c == ']' || c == '}'; }

void append_fixed(const FixedValue& value, ColumnBuilder& out) {
  switch (fixed_width(out.type())) {
    case 1:
      std::memcpy(out.extend_values<std::uint8_t>(1), value.bytes, 1);
      break;
    case 2:
      std::memcpy(out.extend_values<std::uint16_t>(1), value.bytes, 2);
      break;
    case 4:
      std::memcpy(out.extend_values<std::uint32_t>(1), value.bytes, 4);
      break;
    case 8:
      std::memcpy(out.extend_values<std::uint64_t>(1), value.bytes, 8);
      break;
    default:
      std::memcpy(out.extend_values<UInt128>(1), value.bytes, 16);
  }
}

std::size_t count_types(const Type& type) {
  std::size_t sum = 1;
  for (const Type& child : type.children()) sum += count_types(child);
  return sum;
}

// What a row of lists costs: memory, and names of fields that a NULL must be printed with.
struct RowCost {
  std::size_t memory = 0;
  std::size_t names = 0;

  void add(const Type& type) {
    memory += row_width(type);
    add_names(type);
  }
  bool is_known() const { return memory != 0; }

 private:
  void add_names(const Type& type) {
    if (type.kind != TypeKind::Struct) return;
    for (const std::string& name : type.nested->names) names += name.size();
    for (const Type& field : type.children()) add_names(field);
  }
};

class NestedReader {
 public:
  NestedReader(std::string_view text, const CellRules& rules, std::size_t unfolded_max)
      : text_(text),
        rules_(rules),
        work_left_(text.size() * kWorkPerByte + kWorkMin),
        unfolded_max_(unfolded_max) {}

  bool read(ColumnBuilder& out) {
    skip_blanks();
    if (!take(out)) return false;
    skip_blanks();
    return at_ == text_.size();
  }
  bool is_too_long() const { return is_too_long_; }
  std::size_t unfolded() const { return unfolded_; }

 private:
  // A value without quotes or blanks around it, and as it is written.
  struct Scalar {
    std::string_view text;
    std::string_view written;
    char quote = 0;
  };

  char current() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_blanks() {
    while (at_ < text_.size() && is_json_blank(text_[at_])) ++at_;
  }
  bool take_char(char c) {
    if (current() != c) return false;
    ++at_;
    return true;
  }
  bool work(std::size_t bytes) {
    if (bytes > work_left_) {
      gives_up_ = true;
      return false;
    }
    work_left_ -= bytes;
    return true;
  }
  bool unfold(const RowCost& cost) {
    memory_ += cost.memory;
    unfolded_ += cost.memory + cost.names;
    if (memory_ > text_.size() * kExpansionMax || unfolded_ > unfolded_max_) is_too_long_ = true;
    return !is_too_long_;
  }

  // A value of a nested type. False: some of it may be in the column's children.
  bool take(ColumnBuilder& out) {
    switch (out.type().kind) {
      case TypeKind::Array:
        return take_array(out);
      case TypeKind::Map:
        return take_map(out);
      default:
        return take_struct(out);
    }
  }

  bool take_array(ColumnBuilder& out) {
    if (!take_char('[')) return false;
    ColumnBuilder& element = out.children()[0];
    RowCost cost;  // found out for the first element: type trees can be wide, and lists empty
    skip_blanks();
    while (current() != ']') {  // a comma behind the last element is no element more
      if (!cost.is_known()) cost.add(element.type());
      if (!unfold(cost) || !take_element(element)) return false;
      if (!take_char(',')) break;
      skip_blanks();
    }
    if (!take_char(']')) return false;
    out.end_nested();
    return true;
  }

  bool take_map(ColumnBuilder& out) {
    if (!take_char('{')) return false;
    ColumnBuilder& key = out.children()[0];
    ColumnBuilder& value = out.children()[1];
    RowCost cost;
    skip_blanks();
    while (current() != '}') {
      if (!cost.is_known()) {
        cost.add(key.type());
        cost.add(value.type());
      }
      Scalar written;
      if (!unfold(cost) || !take_scalar(true, written) || !take_char(':')) return false;
      append_scalar(written, key);
      skip_blanks();
      if (!take_element(value)) return false;
      if (!take_char(',')) break;
      skip_blanks();
    }
    if (!take_char('}')) return false;
    out.end_nested();
    return true;
  }

  bool take_struct(ColumnBuilder& out) {
    if (!take_char('{')) return false;
    skip_blanks();
    if (take_char('}')) {
      for (ColumnBuilder& field : out.children()) field.append_null();
      out.end_nested();
      return true;
    }
    const std::size_t begin = at_;
    Scalar first;
    const bool has_names = take_scalar(true, first) && current() == ':';
    if (!work(at_ - begin)) return false;
    at_ = begin;
    if (!(has_names ? take_named_fields(out) : take_fields(out)) || !take_char('}')) return false;
    out.end_nested();
    return true;
  }

  bool take_fields(ColumnBuilder& out) {
    const std::span<ColumnBuilder> fields = out.children();
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (i != 0) {
        if (!take_char(',')) return false;
        skip_blanks();
      }
      if (!take_element(fields[i])) return false;
    }
    return true;
  }

  bool take_named_fields(ColumnBuilder& out) {
    const std::span<ColumnBuilder> fields = out.children();
    const std::vector<std::string>& names = out.type().nested->names;
    std::size_t expected = 0;
    for (std::size_t taken = 0; taken < fields.size(); ++taken) {
      if (taken != 0) {
        if (!take_char(',')) return false;
        skip_blanks();
      }
      Scalar name;
      if (!take_scalar(true, name) || !take_char(':')) return false;
      std::size_t at = expected;
      if (at == names.size() || !equal_ignoring_case(names[at], name.text)) {
        at = 0;
        while (at < names.size() && !equal_ignoring_case(names[at], name.text)) ++at;
        if (!work(at)) return false;
      }
      if (at == names.size() || fields[at].rows() != out.rows()) return false;  // unknown, or here twice
      skip_blanks();
      if (!take_element(fields[at])) return false;
      expected = at + 1;
    }
    return true;
  }

  // One row for a list's or STRUCT's column inside; then a delimiter follows.
  bool take_element(ColumnBuilder& out) {
    if (!is_nested(out.type())) {
      Scalar scalar;
      if (!take_scalar(false, scalar)) return false;
      append_scalar(scalar, out);
      return !is_too_long_;
    }
    const std::size_t begin = at_;
    const std::size_t rows = out.rows();
    if (take(out)) {
      skip_blanks();
      if (current() == ',' || current() == ']' || current() == '}') return true;
    }
    if (gives_up_ || is_too_long_ || !work(at_ - begin + count_types(out.type()))) return false;
    out.truncate(rows);
    out.drop_unfinished();
    at_ = begin;
    Scalar skipped;
    if (!take_scalar(false, skipped) || !work(at_ - begin)) return false;
    out.append_null();
    return true;
  }

  // What stands up to the next delimiter (a colon only behind a key), brackets in it matched.
  bool take_scalar(bool is_key, Scalar& out) {
    const std::size_t begin = at_;
    if (is_quote(current())) {
      const std::size_t close = closing_quote(at_);
      if (close == kNone) return false;
      out = {text_.substr(begin + 1, close - begin - 1), text_.substr(begin, close + 1 - begin),
             text_[begin]};
      at_ = close + 1;
      skip_blanks();
      return at_ < text_.size();
    }
    std::size_t depth = 0;
    bool may_open = false;  // a quote opens a text at the begin of a value only
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (kIsPlain[static_cast<unsigned char>(c)]) {
        may_open = false;
      } else if (is_quote(c) && may_open) {
        at_ = closing_quote(at_);
        if (at_ == kNone) return at_ = text_.size(), false;
        may_open = false;
      } else if (c == '[' || c == '{') {
        ++depth;
        may_open = true;
      } else if (c == ']' || c == '}') {
        if (depth == 0) break;
        --depth;
        may_open = false;
      } else if (c == ',' || c == ':') {
        if (depth == 0 && (c == ',' || is_key)) break;
        may_open = depth != 0;
      } else if (c == '\\') {
        ++at_;
        may_open = false;
      } else if (!is_json_blank(c)) {
        may_open = false;
      }
    }
    if (at_ >= text_.size()) return at_ = text_.size(), false;
    out.text = out.written = trim_json_blanks(text_.substr(begin, at_ - begin));
    return true;
  }

  bool ends_value(std::size_t quote) const {
    std::size_t at = quote + 1;
    while (at < text_.size() && is_json_blank(text_[at])) ++at;
    return at < text_.size() && is_delimiter(text_[at]);
  }

  // kNone, too, when it had to look too far too often.
  std::size_t closing_quote(std::size_t open) {
    std::size_t next = open + 1;
    for (; next < text_.size() && text_[next] != text_[open]; ++next) next += text_[next] == '\\';
    if (!work(next - open)) return kNone;
    if (next < text_.size() && ends_value(next)) return next;
    for (std::size_t at = open + 1; at < text_.size(); ++at) {
      if (text_[at] == '\\') {
        ++at;
      } else if (is_quote(text_[at]) && ends_value(at)) {
        return work(at - open) ? at : kNone;
      }
    }
    // A backslash may stand for itself: "C:\"
    for (std::size_t at = open + 1; at < text_.size(); ++at) {
      if (text_[at] == text_[open] && ends_value(at)) return work(text_.size() - open) ? at : kNone;
    }
    gives_up_ = true;
    return kNone;
  }

  void append_scalar(const Scalar& scalar, ColumnBuilder& out) {
    if (scalar.quote == 0 && (scalar.text == "null" || scalar.text == "\\N")) return out.append_null();
    if (out.type().kind == TypeKind::Json) return append_json(scalar, out);
    if (is_string(out.type())) return append_text(scalar, out);
    FixedValue value;
    if (parse_fixed(out.type(), scalar.text, rules_.zone, value)) {
      append_fixed(value, out);
    } else {
      out.append_null();
    }
  }

  // A JSON value as it is written; a text in single quotes is none, what it says may be.
  void append_json(const Scalar& scalar, ColumnBuilder& out) {
    const std::size_t row = out.rows();
    std::uint32_t* end = out.extend_offsets(1);
    GrowBuffer& text = out.text_bytes();
    const std::size_t before = text.size();
    const bool is_json = compact_json(scalar.quote == '\'' ? scalar.text : scalar.written, text);
    if (is_json && text.size() - before > out.type().length) {
      text.set_size(before);
      is_too_long_ = true;
    }
    *end = static_cast<std::uint32_t>(text.size());
    if (!is_json) out.mark_null(row);
  }

  void append_text(const Scalar& scalar, ColumnBuilder& out) {
    std::uint32_t* end = out.extend_offsets(1);
    GrowBuffer& text = out.text_bytes();
    const std::size_t before = text.size();
    char* to = reinterpret_cast<char*>(text.extend(scalar.text.size()));
    std::size_t size = kNone;
    if (rules_.has_json_escapes && scalar.quote == '"' && scalar.text.find('\\') != kNone) {
      size = resolve_json_string(scalar.text, to);
    }
    if (size == kNone) {
      size = scalar.text.size();
      if (size != 0) std::memcpy(to, scalar.text.data(), size);
    }
    if (size > out.type().length) {  // as in a column of that type
      if (rules_.strict || out.type().kind == TypeKind::String) is_too_long_ = true;
      size = utf8_prefix({to, size}, out.type().length);
    }
    text.set_size(before + size);
    *end = static_cast<std::uint32_t>(text.size());
  }

  std::string_view text_;
  const CellRules& rules_;
  std::size_t at_ = 0;
  std::size_t work_left_;
  std::size_t memory_ = 0;
  std::size_t unfolded_ = 0;
  std::size_t unfolded_max_;
  bool is_too_long_ = false;
  bool gives_up_ = false;
};

}  // namespace

NestedOutcome append_nested(std::string_view text, const CellRules& rules, ColumnBuilder& out,
                            std::size_t& unfolded) {
  NestedReader reader(text, rules, unfolded);
  const std::size_t rows = out.rows();
  const bool is_read = reader.read(out) && !reader.is_too_long();
  unfolded = reader.unfolded();
  if (is_read) return NestedOutcome::Taken;
  if (out.rows() != rows) out.truncate(rows);
  out.drop_unfinished();
  return reader.is_too_long() ? NestedOutcome::TooLong : NestedOutcome::Malformed;
}

}  // namespace penstock::txn
