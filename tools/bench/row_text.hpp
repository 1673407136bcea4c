// RowText: the cells of a row, one after the other, as TSV or as a JSON object.
#pragma once

#include <charconv>
#include <span>
#include <string>
#include <string_view>

#include "tools/bench/row_shapes.hpp"

namespace penstock::tools {

class RowText {
 public:
  RowText(std::string& out, RowFormat format, std::span<const ShapeColumn> columns)
      : out_(out), format_(format), columns_(columns) {}

  // A number, or what looks like one.
  void number(std::uint64_t value) {
    begin();
    digits(value);
  }
  // value / 10^scale, with all digits of the scale.
  void decimal(std::uint64_t value, unsigned scale) {
    begin();
    std::uint64_t unit = 1;
    for (unsigned i = 0; i < scale; ++i) unit *= 10;
    digits(value / unit);
    out_ += '.';
    padded(value % unit, scale);
  }
  // Neither tabs nor quotes nor backslashes are in any text of ours.
  void text(std::string_view value) {
    open_text();
    out_ += value;
    close_text();
  }
  void null() {
    begin();
    out_ += format_ == RowFormat::Json ? "null" : "\\N";
  }
  // 2026-11-01 10:20:30.123, from milliseconds since 1970.
  void datetime(std::uint64_t millis, bool with_millis) {
    open_text();
    const std::uint64_t seconds = millis / 1000;
    day(seconds / 86400);
    out_ += ' ';
    padded(seconds / 3600 % 24, 2);
    out_ += ':';
    padded(seconds / 60 % 60, 2);
    out_ += ':';
    padded(seconds % 60, 2);
    if (with_millis) {
      out_ += '.';
      padded(millis % 1000, 3);
    }
    close_text();
  }
  void date(std::uint64_t days_since_1970) {
    open_text();
    day(days_since_1970);
    close_text();
  }
  void end() { out_ += format_ == RowFormat::Json ? "}\n" : "\n"; }

  // A text in pieces.
  void open_text() {
    begin();
    if (format_ == RowFormat::Json) out_ += '"';
  }
  void piece(std::string_view value) { out_ += value; }
  void piece(std::uint64_t value) { digits(value); }
  void hex(std::uint64_t value, unsigned width) {
    for (unsigned i = width; i-- > 0;) out_ += "0123456789abcdef"[value >> (4 * i) & 15];
  }
  void close_text() {
    if (format_ == RowFormat::Json) out_ += '"';
  }

 private:
  void begin() {
    const std::size_t column = at_++;
    if (format_ == RowFormat::Json) {
      out_ += column == 0 ? "{\"" : ",\"";
      out_ += columns_[column].name;
      out_ += "\":";
    } else if (column > 0) {
      out_ += '\t';
    }
  }
  void digits(std::uint64_t value) {
    char text[20];
    out_.append(text, std::to_chars(text, text + sizeof text, value).ptr);
  }
  void padded(std::uint64_t value, unsigned width) {
    char text[20];
    for (unsigned i = width; i-- > 0; value /= 10) text[i] = static_cast<char>('0' + value % 10);
    out_.append(text, width);
  }
  // The civil date of a day, by the well-known arithmetic over eras of 400 years.
  void day(std::uint64_t days_since_1970) {
    const std::uint64_t days = days_since_1970 + 719468;  // since 0000-03-01
    const std::uint64_t era = days / 146097;
    const std::uint64_t of_era = days % 146097;
    const std::uint64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const std::uint64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::uint64_t shifted = (5 * of_year + 2) / 153;  // 0 is March
    const std::uint64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
    padded(era * 400 + year_of_era + (month <= 2 ? 1 : 0), 4);
    out_ += '-';
    padded(month, 2);
    out_ += '-';
    padded(of_year - (153 * shifted + 2) / 5 + 1, 2);
  }

  std::string& out_;
  const RowFormat format_;
  const std::span<const ShapeColumn> columns_;
  std::size_t at_ = 0;
};

}  // namespace penstock::tools
