// A CSV decoder as simple as can be, for the tests to compare with: whole body at once, one cell at a time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "txn/column/value_format.hpp"
#include "txn/decode/csv_decoder.hpp"
#include "txn/decode/text_to_value.hpp"

namespace penstock::txn {

inline std::vector<std::string> naive_split(std::string_view text, std::string_view separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + separator.size());
  }
}

inline bool naive_is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80   ? 1
                             : lead < 0xc2 ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
    if (size == 0 || i + size > text.size()) return false;
    for (std::size_t k = 1; k < size; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    }
    i += size;
  }
  return true;
}

// Rows as `a|b|c` lines, then the counts and the reasons.
inline std::string naive_csv(const TableSchema& schema, const CsvOptions& options, std::string_view body) {
  std::string rows;
  std::size_t total = 0;
  RowRejects rejects;
  std::vector<std::string> lines = naive_split(body, options.line_delimiter);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string& line = lines[i];
    if (options.line_delimiter == "\n" && i + 1 < lines.size() && line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    ++total;
    const std::vector<std::string> fields = naive_split(line, options.column_separator);
    std::string reason;
    std::string shown = line;
    std::string row;
    if (!naive_is_utf8(line)) {
      reason = "Unable to display, only support csv data in utf8 codec, please check the data encoding";
      shown = "Unable to display";
    } else if (fields.size() != schema.columns.size()) {
      std::string values;
      for (const std::string& field : fields) values += field + ", ";
      reason = "actual column number in csv file is  " +
               std::string(fields.size() > schema.columns.size() ? "more than" : "less than") +
               "  schema column number.actual number: " + std::to_string(fields.size()) +
               ", schema column number: " + std::to_string(schema.columns.size()) + "; line delimiter: [" +
               options.line_delimiter + "], column separator: [" + options.column_separator +
               "], result values:[" + values + "]";
    } else {
      for (std::size_t c = 0; c < fields.size() && reason.empty(); ++c) {
        const ColumnDef& column = schema.columns[c];
        const std::string& field = fields[c];
        if (c != 0) row += '|';
        bool has_value = field != "\\N";
        if (has_value && is_string(column.type)) {
          if (field.size() > column.type.length && options.cells.strict) {
            reason =
                "column_name[" + column.name +
                "], the length of input string is too long than vec schema. first 32 bytes of input str: [" +
                field.substr(0, utf8_prefix(field, 32)) +
                "] schema length: " + std::to_string(column.type.length) +
                "; actual length: " + std::to_string(field.size()) + "; ";
          }
          append_escaped(row, field.substr(0, utf8_prefix(field, column.type.length)));
          continue;
        }
        FixedValue value;
        const bool failed = has_value && !parse_fixed(column.type, field, core::TimeZone(), value);
        has_value = has_value && !failed;
        if (failed && options.cells.strict) {
          reason = "column(" + column.name + ") value is incorrect while strict mode is true, src value is " +
                   field;
        } else if (!has_value && !column.nullable) {
          reason = "column(" + column.name + ") values is null while columns is not nullable";
        }
        if (has_value) {
          ColumnView view;
          view.type = column.type;
          view.rows = 1;
          view.values = value.bytes;
          append_cell(row, view, 0);
        } else {
          row += "\\N";
        }
      }
    }
    if (reason.empty()) {
      rows += row + "\n";
    } else if (rejects.count_row()) {
      rejects.add_reason(reason, shown);
    }
  }
  rows += "total " + std::to_string(total) + " filtered " + std::to_string(rejects.count()) + " loaded " +
          std::to_string(total - rejects.count()) + "\n" + rejects.log();
  // The comparison is by lines, and a reason may have line breaks of its own.
  return rows.ends_with('\n') ? rows : rows + "\n";
}

}  // namespace penstock::txn
