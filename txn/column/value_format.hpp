// Cells as text: the tsv form that scans and the conformance cases share.
//
// NULL is \N; in strings a backslash is \\ and newline, tab and carriage return are \n, \t and \r, so a cell
// never breaks its line. BOOLEAN true/false; DECIMAL with all digits of its scale; DATE 2017-10-01; DATETIME
// 2017-10-03T17:05:45, with three or six digits of fraction where there is one, and without the seconds where
// they are zero; FLOAT and DOUBLE the shortest text that reads back as the same number; IPV6 as RFC 5952 has it.
// ARRAY [1, 2, null], MAP {"k1":31, "k2":null}, STRUCT {"f1":1, "f2":null}: inside of them NULL is null, BOOLEAN 1 or 0,
// strings, addresses, dates and times (2017-10-03 17:05:45) stand in double quotes.
//
// Journey:  scan -> [append_cell] -> reply.
// Shard:    any; pure functions.
// Promise:  any bit pattern of any type gives some text.
// Failure:  none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "txn/column/column_view.hpp"

namespace penstock::txn {

void append_cell(std::string& out, const ColumnView& column, std::size_t row);

// The text of an ARRAY, MAP or STRUCT without the escapes that tsv needs.
void append_nested_text(std::string& out, const ColumnView& column, std::size_t row);

void append_escaped(std::string& out, std::string_view text);
void append_decimal(std::string& out, Int128 unscaled, unsigned scale);
void append_date(std::string& out, std::int32_t days);
void append_date_time(std::string& out, std::int64_t micros);
// 2017-10-03 17:05:45, with as many digits of fraction as the type has.
void append_sql_date_time(std::string& out, std::int64_t micros, unsigned scale);
void append_double(std::string& out, double value);
void append_float(std::string& out, float value);
void append_ipv4(std::string& out, std::uint32_t address);
void append_ipv6(std::string& out, UInt128 address);

}  // namespace penstock::txn
