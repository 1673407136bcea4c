// Text into typed values, as Doris casts them in a load: complete, and not in a hurry.
//
// Blanks around numbers, booleans and dates are ignored. A fraction behind an integer is cut (3.12 is 3);
// decimals are rounded half away from zero at their scale, fractions of seconds half up at theirs. Dates and
// times have the many spellings that real files have; a zone in the text is converted to the load's. What
// does not fit its type, or is not a date of the calendar, is a failure: the caller makes NULL or a filtered
// row of it.
//
// Journey:  column_decode (when its fast paths do not apply), column_mapping (defaults) -> [parse_*].
// Shard:    any; pure functions.
// Promise:  reads only the text it is given; a value that comes out is valid for its type.
// Failure:  false.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/time_zone.hpp"
#include "txn/column/column_view.hpp"
#include "txn/schema/types.hpp"

namespace penstock::txn {

std::string_view trim_blanks(std::string_view text);

bool parse_boolean(std::string_view text, std::uint8_t& value);
bool parse_integer(std::string_view text, std::int64_t low, std::int64_t high, std::int64_t& value);
bool parse_large_integer(std::string_view text, Int128& value);
bool parse_double(std::string_view text, double& value);
bool parse_float(std::string_view text, float& value);
bool parse_ipv4(std::string_view text, std::uint32_t& address);
bool parse_ipv6(std::string_view text, UInt128& address);  // or an IPv4 address: its mapped form
bool parse_decimal(std::string_view text, unsigned precision, unsigned scale, Int128& value);
bool parse_date(std::string_view text, const core::TimeZone& zone, std::int32_t& days);
bool parse_date_time(std::string_view text, unsigned scale, const core::TimeZone& zone, std::int64_t& micros);

// How much of a text a string of at most `bytes_max` bytes keeps, without cutting a character in two.
std::size_t utf8_prefix(std::string_view text, std::size_t bytes_max);

// A fixed-width value of any type, as it lies in a column.
struct FixedValue {
  alignas(16) std::byte bytes[16] = {};
};
bool parse_fixed(const Type& type, std::string_view text, const core::TimeZone& zone, FixedValue& value);

}  // namespace penstock::txn
