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

// 2017-10-03 17:05:45, with as many digits of fraction as the type has.
void append_sql_date_time(std::string& out, std::int64_t micros, unsigned scale) {
  std::string text;
  txn::append_date_time(text, micros);
  if (const std::size_t t = text.find('T'); t != std::string::npos) {
    text[t] = ' ';
    if (text.size() == t + 6) text += ":00";
  }
  const std::size_t point = text.find('.');
  std::string fraction = point == std::string::npos ? "" : text.substr(point + 1);
  text.resize(std::min(point, text.size()));
  fraction.resize(scale, '0');
  out += text;
  if (scale > 0) out += '.' + fraction;
}

void append_csv_cell(std::string& out, const txn::ColumnView& column, std::size_t row) {
  switch (column.type.kind) {
    case txn::TypeKind::Varchar:
    case txn::TypeKind::String:
      append_csv_text(out, column.text_at(row));
      break;
    case txn::TypeKind::DateTime:
      append_sql_date_time(out, column.value<std::int64_t>(row), column.type.scale);
      break;
    default: {
      std::string text;
      txn::append_cell(text, column, row);
      append_csv_text(out, text);
    }
  }
}

void append_json_cell(std::string& out, const txn::ColumnView& column, std::size_t row) {
  std::string text;
  switch (column.type.kind) {
    case txn::TypeKind::Boolean:
    case txn::TypeKind::TinyInt:
    case txn::TypeKind::SmallInt:
    case txn::TypeKind::Int:
    case txn::TypeKind::BigInt:
    case txn::TypeKind::Decimal:
      txn::append_cell(out, column, row);
      break;
    case txn::TypeKind::Double:
      if (std::isfinite(column.value<double>(row))) {
        txn::append_cell(out, column, row);
        break;
      }
      txn::append_cell(text, column, row);
      append_json_string(out, text);
      break;
    case txn::TypeKind::DateTime:
      append_sql_date_time(text, column.value<std::int64_t>(row), column.type.scale);
      append_json_string(out, text);
      break;
    case txn::TypeKind::Varchar:
    case txn::TypeKind::String:
      append_json_string(out, column.text_at(row));
      break;
    default:
      txn::append_cell(text, column, row);
      append_json_string(out, text);
  }
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
  for (std::size_t i = 0; i < views.size(); ++i) {
    const bool is_null = views[i] == nullptr || views[i]->is_null(row);
    switch (format_) {
      case ScanFormat::Tsv:
        if (i > 0) out += '\t';
        if (is_null) {
          out += "\\N";
        } else {
          txn::append_cell(out, *views[i], row);
        }
        break;
      case ScanFormat::Json:
        out += keys_[i];
        if (is_null) {
          out += "null";
        } else {
          append_json_cell(out, *views[i], row);
        }
        break;
      case ScanFormat::Csv:
      case ScanFormat::CsvWithNames:
        if (i > 0) out += ',';
        if (!is_null) append_csv_cell(out, *views[i], row);
        break;
    }
  }
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
