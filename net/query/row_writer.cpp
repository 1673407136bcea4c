#include "net/query/row_writer.hpp"

#include <fmt/format.h>

#include <cmath>

#include "net/json/json_text.hpp"
#include "txn/column/value_format.hpp"

namespace penstock::net {
namespace {

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    out += c;
    if (c == '"') out += c;
  }
  out += '"';
}

// RFC 4180; an empty one and one with blanks at its ends are quoted as well, so that nothing is lost.
void append_csv_text(std::string& out, std::string_view text) {
  const bool plain = !text.empty() && text.front() != ' ' && text.back() != ' ' &&
                     text.find_first_of("\",\r\n") == std::string_view::npos;
  if (plain) {
    out.append(text);
  } else {
    append_quoted(out, text);
  }
}

void append_csv_cell(std::string& out, const txn::ColumnView& column, std::size_t row) {
  if (txn::is_string(column.type)) return append_csv_text(out, column.text_at(row));
  std::string text;
  if (column.type.kind == txn::TypeKind::DateTime) {
    txn::append_sql_date_time(text, column.value<std::int64_t>(row), column.type.scale);
  } else if (txn::is_nested(column.type)) {
    txn::append_nested_text(text, column, row);
  } else {
    txn::append_cell(text, column, row);
  }
  append_csv_text(out, text);
}

void append_json_cell(std::string& out, const txn::ColumnView& column, std::size_t row);

// Arrays and objects. Keys of a MAP are strings, whatever they were; as deep as the type, which is bounded.
void append_json_nested(std::string& out, const txn::ColumnView& column, std::size_t row) {
  const bool is_struct = column.type.kind == txn::TypeKind::Struct;
  const bool is_array = column.type.kind == txn::TypeKind::Array;
  const std::size_t begin = is_struct ? 0 : column.offsets[column.at(row)];
  const std::size_t end = is_struct ? column.children.size() : column.offsets[column.at(row) + 1];
  out += is_array ? '[' : '{';
  std::string key;
  for (std::size_t i = begin; i < end; ++i) {
    if (i != begin) out += ',';
    if (is_array) {
      append_json_cell(out, column.children[0], i);
      continue;
    }
    if (is_struct) {
      append_json_string(out, column.type.nested->names[i]);
      out += ':';
      append_json_cell(out, column.children[i], row);
      continue;
    }
    key.clear();
    append_json_cell(key, column.children[0], i);
    if (key.starts_with('"')) {
      out += key;
    } else {
      append_json_string(out, key);
    }
    out += ':';
    append_json_cell(out, column.children[1], i);
  }
  out += is_array ? ']' : '}';
}

void append_json_cell(std::string& out, const txn::ColumnView& column, std::size_t row) {
  if (column.is_null(row)) {
    out += "null";
    return;
  }
  bool is_number = false;
  switch (column.type.kind) {
    case txn::TypeKind::Boolean:
    case txn::TypeKind::TinyInt:
    case txn::TypeKind::SmallInt:
    case txn::TypeKind::Int:
    case txn::TypeKind::BigInt:
    case txn::TypeKind::LargeInt:
    case txn::TypeKind::Decimal:
      is_number = true;
      break;
    case txn::TypeKind::Float:
      is_number = std::isfinite(column.value<float>(row));
      break;
    case txn::TypeKind::Double:
      is_number = std::isfinite(column.value<double>(row));
      break;
    case txn::TypeKind::Varchar:
    case txn::TypeKind::String:
    case txn::TypeKind::Char:
      return append_json_string(out, column.text_at(row));
    case txn::TypeKind::Json:
      out += column.text_at(row);  // it was checked when it came
      return;
    case txn::TypeKind::Array:
    case txn::TypeKind::Map:
    case txn::TypeKind::Struct:
      return append_json_nested(out, column, row);
    case txn::TypeKind::DateTime: {
      out += '"';
      txn::append_sql_date_time(out, column.value<std::int64_t>(row), column.type.scale);
      out += '"';
      return;
    }
    case txn::TypeKind::Date:
    case txn::TypeKind::IpV4:
    case txn::TypeKind::IpV6:
      break;
  }
  if (!is_number) out += '"';
  txn::append_cell(out, column, row);
  if (!is_number) out += '"';
}

}  // namespace

RowWriter::RowWriter(ScanFormat format, const txn::TableSchema& schema, std::span<const std::size_t> columns)
    : format_(format) {
  for (const std::size_t index : columns) {
    const std::string& name = schema.columns[index].name;
    if (format == ScanFormat::Json) {
      std::string key = keys_.empty() ? "{" : ",";
      append_json_string(key, name);
      keys_.push_back(key + ":");
    } else if (format == ScanFormat::CsvWithNames) {
      if (!header_.empty()) header_ += ',';
      append_csv_text(header_, name);
    }
  }
  if (format == ScanFormat::CsvWithNames) header_ += "\r\n";
}

std::string_view RowWriter::content_type(ScanFormat format) {
  switch (format) {
    case ScanFormat::Tsv:
      break;
    case ScanFormat::Json:
      return "application/x-ndjson";
    case ScanFormat::Csv:
      return "text/csv; charset=utf-8; header=absent";
    case ScanFormat::CsvWithNames:
      return "text/csv; charset=utf-8; header=present";
  }
  return "text/tab-separated-values; charset=utf-8";
}

std::string_view RowWriter::content_type() const { return content_type(format_); }

void RowWriter::append_row(std::string& out, std::span<const txn::ColumnView* const> views,
                           std::size_t row) const {
  for (std::size_t i = 0; i < views.size(); ++i) append_cell(out, views[i], i, row);
  end_row(out);
}

void RowWriter::append_cell(std::string& out, const txn::ColumnView* view, std::size_t column,
                            std::size_t row) const {
  const bool is_null = view == nullptr || view->is_null(row);
  switch (format_) {
    case ScanFormat::Tsv:
      if (column > 0) out += '\t';
      if (is_null) {
        out += "\\N";
      } else {
        txn::append_cell(out, *view, row);
      }
      break;
    case ScanFormat::Json:
      out += keys_[column];
      if (is_null) {
        out += "null";
      } else {
        append_json_cell(out, *view, row);
      }
      break;
    case ScanFormat::Csv:
    case ScanFormat::CsvWithNames:
      if (column > 0) out += ',';
      if (!is_null) append_csv_cell(out, *view, row);
      break;
  }
}

void RowWriter::end_row(std::string& out) const {
  out += format_ == ScanFormat::Tsv ? "\n" : format_ == ScanFormat::Json ? "}\n" : "\r\n";
}

std::string RowWriter::count_row(ScanFormat format, std::uint64_t count) {
  switch (format) {
    case ScanFormat::Tsv:
      break;
    case ScanFormat::Json:
      return fmt::format("{{\"count(*)\":{}}}\n", count);
    case ScanFormat::Csv:
      return fmt::format("{}\r\n", count);
    case ScanFormat::CsvWithNames:
      return fmt::format("count(*)\r\n{}\r\n", count);
  }
  return fmt::format("{}\n", count);
}

}  // namespace penstock::net
