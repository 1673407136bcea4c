#include "txn/expression/load_shape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "core/base/result.hpp"
#include "txn/column/value_format.hpp"
#include "txn/decode/column_mapping.hpp"
#include "txn/decode/csv_decoder.hpp"
#include "txn/decode/text_to_value.hpp"
#include "txn/expression/cast.hpp"

namespace penstock::txn {
namespace {

// Whether the header says more than names.
bool has_assignment(std::string_view columns) {
  bool quoted = false;
  for (const char c : columns) {
    if (c == '`') quoted = !quoted;
    if (c == '=' && !quoted) return true;
  }
  return false;
}

class Shaper {
 public:
  Shaper(std::shared_ptr<const TableSchema> schema, const LoadShapeOptions& options)
      : target_(std::move(schema)),
        options_(options),
        program_(std::make_unique<Program>(options.expressions)) {}

  std::expected<LoadShape, std::string> shape() {
    auto items = parse_column_items(options_.columns);
    if (!items) return std::unexpected("columns: " + items.error().message);
    TRY_VOID(take_fields(*items));
    for (const ColumnItem& item : *items) {
      if (item.value == nullptr) continue;
      TRY_VOID(derive(item));
    }
    return put_together();
  }

 private:
  struct Field {
    std::string name;
    std::optional<std::size_t> source;  // as a string, for expressions
    Program::NodeId node = 0;
  };
  struct Derived {
    std::string name;
    Program::NodeId node;    // what it is
    Program::NodeId as_ref;  // what it is for those that use it: of its column's type
  };

  template <class List>
  static auto find_name(List& list, std::string_view name) {
    return std::find_if(list.begin(), list.end(),
                        [&](const auto& entry) { return equal_ignoring_case(entry.name, name); });
  }

  // Without any plain name the table's own columns are the fields.
  std::expected<void, std::string> take_fields(const std::vector<ColumnItem>& items) {
    for (const ColumnItem& item : items) {
      if (item.value == nullptr) fields_.push_back({item.name, {}, 0});
    }
    if (fields_.empty()) {
      for (const ColumnDef& column : target_->columns) fields_.push_back({column.name, {}, 0});
    }
    for (const Field& field : fields_) {
      if (field.name.find('`') != std::string::npos) {
        return std::unexpected(fmt::format("columns: back-quotes do not match in '{}'", field.name));
      }
    }
    return {};
  }

  Program::Added use_field(Field& field) {
    if (!field.source) {
      ColumnDef column{.id = ColumnId(1'000'000 + static_cast<std::uint32_t>(source_.size())),
                       .name = field.name,
                       .type = Type{TypeKind::String, 0, 0, static_cast<std::uint32_t>(kRowBytesHardMax)}};
      TRY(field.node, program_->add_input(source_.size(), column));
      field.source = source_.size();
      source_.push_back(std::move(column));
    }
    return field.node;
  }

  std::expected<void, std::string> derive(const ColumnItem& item) {
    if (find_name(derived_, item.name) != derived_.end()) {
      return std::unexpected(fmt::format("columns: '{}' is set twice", item.name));
    }
    const auto resolve = [&](std::string_view name) -> Program::Added {
      if (const auto field = find_name(fields_, name); field != fields_.end()) return use_field(*field);
      if (const auto earlier = find_name(derived_, name); earlier != derived_.end()) return earlier->as_ref;
      return std::unexpected(
          fmt::format("unknown reference column, column={}, reference={}", item.name, name));
    };
    TRY(const Program::NodeId node, program_->add(*item.value, resolve));
    Program::NodeId as_ref = node;
    if (const ColumnDef* column = target_->find(item.name);
        column != nullptr && value_type(column->type).kind != ValueKind::Null) {
      TRY(as_ref, program_->add_cast(node, column->type));
    }
    derived_.push_back({item.name, node, as_ref});
    return {};
  }

  std::expected<LoadShape, std::string> put_together() {
    auto derivation = std::make_unique<Derivation>();
    derivation->target = target_;
    for (const ColumnDef& column : target_->columns) {
      Derivation::Target target;
      const auto derived = find_name(derived_, column.name);
      const auto field = find_name(fields_, column.name);
      if (derived != derived_.end()) {
        target.is_result = true;
        target.node = derived->node;
      } else if (field != fields_.end() && field->source) {
        target.is_result = target.is_plain = true;
        target.source = *field->source;
        target.node = field->node;
        ColumnDef& source = source_[*field->source];
        source.default_value = default_text(column);  // for rows of JSON that do not name it
        if (source.default_value) source.default_kind = DefaultKind::Literal;
        if (column.type.kind == TypeKind::Json) json_columns_.push_back(source.name);
      } else {
        target.source = source_.size();
        source_.push_back(column);
      }
      derivation->targets.push_back(target);
    }
    if (source_.empty()) {  // nothing but constants: the rows must be counted all the same
      TRY_VOID(use_field(fields_.front()));
    }
    auto schema = std::make_shared<TableSchema>();
    schema->id = target_->id;
    schema->columns = std::move(source_);
    derivation->source = schema;
    derivation->program = std::move(program_);
    LoadShape shape;
    shape.schema = std::move(schema);
    for (const Field& field : fields_) {
      if (!shape.columns.empty()) shape.columns += ',';
      shape.columns += '`' + field.name + '`';
    }
    shape.json_columns = std::move(json_columns_);
    shape.derivation = std::move(derivation);
    return shape;
  }

  // The source's columns are strings, so that the time of the load is written out.
  std::optional<std::string> default_text(const ColumnDef& column) const {
    if (column.default_kind == DefaultKind::Literal) return column.default_value;
    if (column.default_kind != DefaultKind::CurrentTimestamp &&
        column.default_kind != DefaultKind::CurrentDate)
      return {};
    const auto fill = fill_value(
        column, {.load_time_micros = options_.expressions.now_micros, .zone = options_.expressions.zone});
    if (!fill || fill->is_null) return {};
    std::string text;
    if (column.type.kind == TypeKind::Date) {
      std::int32_t days = 0;
      std::memcpy(&days, fill->fixed.bytes, sizeof days);
      append_date(text, days);
    } else if (column.type.kind == TypeKind::DateTime) {
      std::int64_t micros = 0;
      std::memcpy(&micros, fill->fixed.bytes, sizeof micros);
      append_sql_date_time(text, micros, column.type.scale);
    } else {
      return {};
    }
    return text;
  }

  std::shared_ptr<const TableSchema> target_;
  const LoadShapeOptions& options_;
  std::unique_ptr<Program> program_;
  std::vector<Field> fields_;
  std::vector<Derived> derived_;
  std::vector<ColumnDef> source_;
  std::vector<std::string> json_columns_;
};

}  // namespace

std::expected<LoadShape, std::string> shape_load(std::shared_ptr<const TableSchema> schema,
                                                 const LoadShapeOptions& options) {
  LoadShape shape;
  if (has_assignment(options.columns)) {
    auto made = Shaper(schema, options).shape();
    if (!made) return made;
    shape = std::move(*made);
  } else {
    shape.schema = schema;
    shape.columns = options.columns;
  }
  if (trim_blanks(options.where).empty()) return shape;
  auto filter = RowFilter::make(options.where, *schema, options.expressions);
  if (!filter) return std::unexpected(filter.error());
  if (shape.derivation == nullptr) {
    shape.derivation = std::make_unique<Derivation>();
    shape.derivation->target = shape.derivation->source = schema;
    for (std::size_t i = 0; i < schema->columns.size(); ++i)
      shape.derivation->targets.push_back({.source = i});
    shape.derivation->program = std::make_unique<Program>(options.expressions);
  }
  shape.derivation->filter = std::move(*filter);
  return shape;
}

}  // namespace penstock::txn
