// Casts between the kinds of value, with Doris's rules: what cannot be converted is NULL.
//
// Texts are read as cells of a load are (text_to_value). Fractions are cut on the way to whole numbers and rounded
// half away from zero on the way to decimals.
//
// Journey:  Program::run, kernels -> [cast_values].
// Shard:    any; pure functions on what they are given.
// Promise:  every pair of kinds has an answer, if only NULL.
// Failure:  none.
#pragma once

#include <string>

#include "txn/expression/evaluation.hpp"
#include "txn/schema/types.hpp"

namespace penstock::txn {

// The kind a column type's values have in expressions; Null where expressions do not take the type.
ValueType value_type(const Type& type);

void cast_values(Evaluation& evaluation, const Vector& in, ValueType to, Vector& out);
// CAST(x AS type): to the kind of the type, within its bounds.
void cast_to_type(Evaluation& evaluation, const Vector& in, const Type& type, Vector& out);

// As Doris prints it: 2020-01-02 03:04:05, 1 for true.
void append_value(std::string& out, const Vector& values, std::size_t row);

bool to_decimal_scale(Int128 value, unsigned from, unsigned to, Int128& out);  // false: more than 38 digits
bool parse_wide_integer(std::string_view text, Int128& value);
double decimal_to_double(Int128 value, unsigned scale);
Int128 power_of_ten(unsigned exponent);  // up to 38
inline Int128 decimal_limit() { return power_of_ten(38); }

}  // namespace penstock::txn
