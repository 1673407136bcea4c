// Functions of numbers. What is not defined (the root of -1) is NULL.
#include <array>
#include <cmath>

#include "txn/expression/cast.hpp"
#include "txn/expression/function.hpp"

namespace penstock::txn {
namespace {

void absolute(Evaluation&, Args args, Vector& out) {
  each_row(out, [&](std::size_t row) {
    if (out.type.kind == ValueKind::Double) {
      out.doubles[row] = std::fabs(args[0]->real(row));
      return;
    }
    const Int128 value = args[0]->number(row);
    if (value < 0 && __builtin_sub_overflow(Int128{0}, value, &out.numbers[row])) return set_null(out, row);
    if (value >= 0) out.numbers[row] = value;
  });
}

void sign(Evaluation&, Args args, Vector& out) {
  each_row(out, [&](std::size_t row) {
    const double value = args[0]->real(row);
    out.numbers[row] = value > 0 ? 1 : value < 0 ? -1 : 0;
  });
}

enum class Way { Down, Up, Nearest, ToZero };

template <Way kWay>
double round_real(double value) {
  if constexpr (kWay == Way::Down) return std::floor(value);
  if constexpr (kWay == Way::Up) return std::ceil(value);
  if constexpr (kWay == Way::ToZero) return std::trunc(value);
  return std::round(value);
}

// `unit` is a power of ten; the result a multiple of it.
template <Way kWay>
Int128 round_number(Int128 value, Int128 unit) {
  const Int128 rest = value % unit;
  Int128 result = value - rest;
  if (kWay == Way::Down && rest < 0) result -= unit;
  if (kWay == Way::Up && rest > 0) result += unit;
  if (kWay == Way::Nearest && (rest >= unit - rest || -rest >= unit + rest))
    result += rest < 0 ? -unit : unit;
  return result;
}

// x, digits behind the point (0 if not said, negative: before it)
template <Way kWay>
void rounding(Evaluation&, Args args, Vector& out) {
  const Vector& in = *args[0];
  each_row(out, [&](std::size_t row) {
    const Int128 said = args.size() == 2 ? args[1]->number(row) : 0;
    const int digits = static_cast<int>(said > 38 ? 38 : said < -38 ? -38 : said);
    if (in.type.kind == ValueKind::Double) {
      const double value = in.real(row);
      const double factor = std::pow(10.0, digits < 0 ? -digits : digits);
      const double scaled = digits < 0 ? value / factor : value * factor;
      const double rounded = round_real<kWay>(scaled);
      out.doubles[row] = !std::isfinite(scaled) ? value : digits < 0 ? rounded * factor : rounded / factor;
      return;
    }
    const int scale = in.type.kind == ValueKind::Decimal ? in.type.scale : 0;
    Int128 value = in.number(row);
    if (value >= decimal_limit() || value <= -decimal_limit()) return set_null(out, row);
    if (digits < scale) {
      const unsigned exponent = static_cast<unsigned>(scale - digits);
      value = exponent > 37 ? 0 : round_number<kWay>(value, power_of_ten(exponent));
    }
    if (!to_decimal_scale(value, static_cast<unsigned>(scale), out.type.scale, value))
      return set_null(out, row);
    out.numbers[row] = value;
  });
}

// A decimal keeps the digits that were asked for.
ValueType rounded_type(std::span<ValueType> args, Args literals) {
  if (args[0].kind != ValueKind::Decimal) return args[0];
  if (args.size() == 1) return {ValueKind::Decimal, 0};
  if (literals[1] == nullptr || literals[1]->is_null(0)) return args[0];
  const Int128 said = literals[1]->type.kind == ValueKind::Integer ? literals[1]->number(0) : 38;
  if (said >= args[0].scale) return args[0];
  return {ValueKind::Decimal, static_cast<std::uint8_t>(said < 0 ? 0 : said)};
}

template <double (*kFunction)(double)>
void real_function(Evaluation&, Args args, Vector& out) {
  each_row(out, [&](std::size_t row) {
    out.doubles[row] = kFunction(args[0]->real(row));
    if (!std::isfinite(out.doubles[row])) set_null(out, row);
  });
}
void power(Evaluation&, Args args, Vector& out) {
  each_row(out, [&](std::size_t row) {
    out.doubles[row] = std::pow(args[0]->real(row), args[1]->real(row));
    if (std::isnan(out.doubles[row])) set_null(out, row);
  });
}

constexpr auto kTable = std::to_array<Function>({
    {"abs", 1, 1, "n", '1', absolute},
    {"sign", 1, 1, "d", 'i', sign},
    {"floor", 1, 2, "ni", 'n', rounding<Way::Down>, false, rounded_type},
    {"ceil", 1, 2, "ni", 'n', rounding<Way::Up>, false, rounded_type},
    {"ceiling", 1, 2, "ni", 'n', rounding<Way::Up>, false, rounded_type},
    {"round", 1, 2, "ni", 'n', rounding<Way::Nearest>, false, rounded_type},
    {"truncate", 2, 2, "ni", 'n', rounding<Way::ToZero>, false, rounded_type},
    {"sqrt", 1, 1, "d", 'd', real_function<std::sqrt>},
    {"exp", 1, 1, "d", 'd', real_function<std::exp>},
    {"ln", 1, 1, "d", 'd', real_function<std::log>},
    {"log2", 1, 1, "d", 'd', real_function<std::log2>},
    {"log10", 1, 1, "d", 'd', real_function<std::log10>},
    {"pow", 2, 2, "dd", 'd', power},
    {"power", 2, 2, "dd", 'd', power},
});

}  // namespace

std::span<const Function> number_functions() { return kTable; }

}  // namespace penstock::txn
