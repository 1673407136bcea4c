#include "txn/decode/json_fields.hpp"

#include <algorithm>
#include <cstring>

#include "txn/column/grow_buffer.hpp"
#include "txn/column/value_format.hpp"

namespace penstock::txn {
namespace {

// What a row without the key gets, as text: it is converted like any other cell.
void set_missing(const ColumnDef& column, const MappingOptions& options, JsonField& field) {
  const std::expected<FillValue, std::string> fill = fill_value(column, options);
  if (!fill) {
    field.missing = JsonField::Missing::Reject;
    return;
  }
  if (fill->is_null) return;
  field.missing = JsonField::Missing::Text;
  if (column.default_kind == DefaultKind::Literal && column.default_value) {
    field.missing_text = *column.default_value;
  } else if (column.type.kind == TypeKind::Date) {
    std::int32_t days = 0;
    std::memcpy(&days, fill->fixed.bytes, sizeof days);
    append_date(field.missing_text, days);
  } else {
    std::int64_t micros = 0;
    std::memcpy(&micros, fill->fixed.bytes, sizeof micros);
    append_date_time(field.missing_text, micros);
  }
  field.missing_size = field.missing_text.size();
  field.missing_text.resize(field.missing_size + GrowBuffer::kSlack, ' ');
}

}  // namespace

std::vector<JsonField> json_fields(const TableSchema& schema, const ColumnMapping& mapping,
                                   const MappingOptions& options, const std::vector<JsonPath>& paths) {
  std::vector<JsonField> fields(mapping.field_count);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    fields[i].name = mapping.names.empty() ? schema.columns[i].name : mapping.names[i];
    fields[i].has_path = i < paths.size();
    if (fields[i].has_path) fields[i].path = paths[i];
  }
  for (std::size_t column = 0; column < schema.columns.size(); ++column) {
    const std::int32_t field = mapping.targets[column].field;
    if (field == ColumnMapping::kNoField) continue;
    fields[static_cast<std::size_t>(field)].column = static_cast<std::int32_t>(column);
    const bool is_named = std::find(options.json_columns.begin(), options.json_columns.end(),
                                    schema.columns[column].name) != options.json_columns.end();
    fields[static_cast<std::size_t>(field)].keeps_words =
        schema.columns[column].type.kind == TypeKind::Json || is_named;
    set_missing(schema.columns[column], options, fields[static_cast<std::size_t>(field)]);
  }
  return fields;
}

}  // namespace penstock::txn
