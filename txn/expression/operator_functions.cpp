// Arithmetic, comparison, logic, CASE and its relatives.
#include <algorithm>
#include <array>
#include <cmath>

#include "txn/expression/cast.hpp"
#include "txn/expression/function.hpp"

namespace penstock::txn {
namespace {

// ---- Arithmetic ----

constexpr Int128 kInt128Max = static_cast<Int128>(~UInt128{0} >> 1);

bool checked_product(Int128 a, Int128 b, Int128& out) {
  const auto fits = [](Int128 v) { return v == static_cast<std::int64_t>(v); };
  if (!fits(a) || !fits(b)) {
    const auto size = [](Int128 v) {
      return v < 0 ? UInt128{0} - static_cast<UInt128>(v) : static_cast<UInt128>(v);
    };
    if (a != 0 && b != 0 && size(a) > static_cast<UInt128>(kInt128Max) / size(b)) return false;
  }
  out = a * b;
  return true;
}

bool checked_add(Int128 a, Int128 b, Int128& out) { return !__builtin_add_overflow(a, b, &out); }
bool checked_subtract(Int128 a, Int128 b, Int128& out) { return !__builtin_sub_overflow(a, b, &out); }
bool checked_remainder(Int128 a, Int128 b, Int128& out) {
  if (b == 0) return false;
  out = b == -1 ? 0 : a % b;
  return true;
}
double real_remainder(double a, double b) { return std::fmod(a, b); }

// Whole numbers beyond 128 bits and decimals beyond 38 digits are NULL.
template <bool (*kExact)(Int128, Int128, Int128&), class Real>
void arithmetic(const Args& args, Vector& out, Real real) {
  const Vector& a = *args[0];
  const Vector& b = *args[1];
  if (out.type.kind == ValueKind::Double) {
    each_row(out, [&](std::size_t row) {
      out.doubles[row] = real(a.real(row), b.real(row));
      if (std::isnan(out.doubles[row])) set_null(out, row);
    });
    return;
  }
  const bool is_decimal = out.type.kind == ValueKind::Decimal;
  const Int128 limit = decimal_limit();
  each_row(out, [&](std::size_t row) {
    Int128 value;
    if (!kExact(a.number(row), b.number(row), value) || (is_decimal && (value >= limit || value <= -limit))) {
      return set_null(out, row);
    }
    out.numbers[row] = value;
  });
}
void add(Evaluation&, Args args, Vector& out) {
  arithmetic<checked_add>(args, out, [](double a, double b) { return a + b; });
}
void subtract(Evaluation&, Args args, Vector& out) {
  arithmetic<checked_subtract>(args, out, [](double a, double b) { return a - b; });
}
void multiply(Evaluation&, Args args, Vector& out) {
  arithmetic<checked_product>(args, out, [](double a, double b) { return a * b; });
}
void remainder(Evaluation&, Args args, Vector& out) {
  arithmetic<checked_remainder>(args, out, real_remainder);
}

void divide(Evaluation&, Args args, Vector& out) {
  const Vector& a = *args[0];
  const Vector& b = *args[1];
  if (out.type.kind == ValueKind::Double) {
    each_row(out, [&](std::size_t row) {
      if (b.real(row) == 0) return set_null(out, row);
      out.doubles[row] = a.real(row) / b.real(row);
    });
    return;
  }
  // a / 10^sa divided by b / 10^sb, with the result's digits: a * 10^(so + sb - sa) / b, rounded.
  const unsigned up = static_cast<unsigned>(out.type.scale) + b.type.scale - a.type.scale;
  each_row(out, [&](std::size_t row) {
    const Int128 by = b.number(row);
    Int128 top;
    if (by == 0 || up > 38 || !to_decimal_scale(a.number(row), 0, up, top)) return set_null(out, row);
    Int128 value = top / by;
    const Int128 rest = top % by;
    const auto size = [](Int128 v) { return v < 0 ? -v : v; };
    if (size(rest) >= size(by) - size(rest)) value += (rest < 0) == (by < 0) ? 1 : -1;
    out.numbers[row] = value;
  });
}

void divide_whole(Evaluation&, Args args, Vector& out) {
  each_row(out, [&](std::size_t row) {
    const Int128 by = args[1]->number(row);
    if (by == 0 || (by == -1 && args[0]->number(row) < -kInt128Max)) return set_null(out, row);
    out.numbers[row] = args[0]->number(row) / by;
  });
}

void negate(Evaluation&, Args args, Vector& out) {
  const bool is_real = out.type.kind == ValueKind::Double;
  each_row(out, [&](std::size_t row) {
    if (is_real) {
      out.doubles[row] = -args[0]->real(row);
    } else {
      Int128 value;
      if (!checked_subtract(0, args[0]->number(row), value)) return set_null(out, row);
      out.numbers[row] = value;
    }
  });
}

ValueType same_numbers(std::span<ValueType> args, Args) {
  const ValueType common = common_of_numbers(args[0], args[1]);
  args[0] = args[1] = common;
  return common;
}
ValueType product_type(std::span<ValueType> args, Args literals) {
  const ValueType common = common_of_numbers(args[0], args[1]);
  if (common.kind != ValueKind::Decimal) return same_numbers(args, literals);
  for (ValueType& arg : args) {
    if (arg.kind != ValueKind::Decimal) arg = {ValueKind::Decimal, 0};
  }
  const unsigned scale = static_cast<unsigned>(args[0].scale) + args[1].scale;
  if (scale > 38) return args[0] = args[1] = kDoubleValue;
  return {ValueKind::Decimal, static_cast<std::uint8_t>(scale)};
}
ValueType quotient_type(std::span<ValueType> args, Args) {
  if (common_of_numbers(args[0], args[1]).kind != ValueKind::Decimal) return args[0] = args[1] = kDoubleValue;
  for (ValueType& arg : args) {
    if (arg.kind != ValueKind::Decimal) arg = {ValueKind::Decimal, 0};
  }
  const unsigned scale = args[0].scale + 4U;
  if (scale > 38) return args[0] = args[1] = kDoubleValue;
  return {ValueKind::Decimal, static_cast<std::uint8_t>(scale)};
}

// ---- Comparison: a mask says which outcomes are true ----

constexpr unsigned kLess = 1;
constexpr unsigned kEqual = 2;
constexpr unsigned kGreater = 4;

template <class T>
unsigned order(const T& a, const T& b) {
  return a < b ? kLess : a == b ? kEqual : kGreater;
}
unsigned order_texts(Evaluation& evaluation, std::string_view a, std::string_view b) {
  return evaluation.spend(std::min(a.size(), b.size())) ? order(a, b) : kEqual;
}
unsigned order_at(Evaluation& evaluation, const Vector& a, const Vector& b, std::size_t row) {
  if (a.type.kind == ValueKind::String) return order_texts(evaluation, a.text(row), b.text(row));
  if (a.type.kind == ValueKind::Double) return order(a.real(row), b.real(row));
  return order(a.number(row), b.number(row));
}

template <unsigned kMask>
void compare(Evaluation& evaluation, Args args, Vector& out) {
  const Vector& a = *args[0];
  const Vector& b = *args[1];
  const auto all = [&](auto order_of) {
    each_row(out, [&](std::size_t row) { out.numbers[row] = (order_of(row) & kMask) != 0 ? 1 : 0; });
  };
  if (a.type.kind == ValueKind::String) {
    all([&](std::size_t row) { return order_texts(evaluation, a.text(row), b.text(row)); });
  } else if (a.type.kind == ValueKind::Double) {
    all([&](std::size_t row) { return order(a.real(row), b.real(row)); });
  } else {
    all([&](std::size_t row) { return order(a.number(row), b.number(row)); });
  }
}

void equal_or_both_null(Evaluation& evaluation, Args args, Vector& out) {
  for (std::size_t row = 0; row < evaluation.rows; ++row) {
    const bool a = args[0]->is_null(row);
    const bool b = args[1]->is_null(row);
    out.numbers[row] = a || b ? a == b : order_at(evaluation, *args[0], *args[1], row) == kEqual;
  }
}

// NULL if nothing is equal and something is NULL.
void in_list(Evaluation& evaluation, Args args, Vector& out) {
  for (std::size_t row = 0; row < out.nulls.size(); ++row) {
    bool found = false;
    bool unknown = args[0]->is_null(row);
    for (std::size_t i = 1; i < args.size() && !unknown && !found; ++i) {
      found = !args[i]->is_null(row) && order_at(evaluation, *args[0], *args[i], row) == kEqual;
    }
    for (std::size_t i = 1; i < args.size() && !unknown && !found; ++i) unknown = args[i]->is_null(row);
    out.numbers[row] = found ? 1 : 0;
    out.nulls[row] = unknown ? 1 : 0;
  }
}

void between(Evaluation& evaluation, Args args, Vector& out) {
  for (std::size_t row = 0; row < out.nulls.size(); ++row) {
    const bool is_null = args[0]->is_null(row);
    const bool no_low = is_null || args[1]->is_null(row);
    const bool no_high = is_null || args[2]->is_null(row);
    const bool below = !no_low && order_at(evaluation, *args[0], *args[1], row) == kLess;
    const bool above = !no_high && order_at(evaluation, *args[0], *args[2], row) == kGreater;
    out.numbers[row] = !below && !above && !no_low && !no_high ? 1 : 0;
    out.nulls[row] = !below && !above && (no_low || no_high) ? 1 : 0;
  }
}

template <bool kGreatest>
void extreme(Evaluation& evaluation, Args args, Vector& out) {
  each_row(out, [&](std::size_t row) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < args.size(); ++i) {
      if (order_at(evaluation, *args[i], *args[best], row) == (kGreatest ? kGreater : kLess)) best = i;
    }
    if (out.type.kind == ValueKind::String) {
      out.texts[row] = args[best]->text(row);
    } else if (out.type.kind == ValueKind::Double) {
      out.doubles[row] = args[best]->real(row);
    } else {
      out.numbers[row] = args[best]->number(row);
    }
  });
}

// ---- Logic of three values ----

template <bool kStop>  // the value that decides: false for AND, true for OR
void junction(Evaluation&, Args args, Vector& out) {
  for (std::size_t row = 0; row < out.nulls.size(); ++row) {
    bool decided = false;
    bool unknown = false;
    for (const Vector* arg : args) {
      if (arg->is_null(row)) {
        unknown = true;
      } else if ((arg->number(row) != 0) == kStop) {
        decided = true;
        break;
      }
    }
    out.numbers[row] = decided == kStop && (decided || !unknown) ? 1 : 0;
    out.nulls[row] = !decided && unknown ? 1 : 0;
  }
}
void negation(Evaluation&, Args args, Vector& out) {
  each_row(out, [&](std::size_t row) { out.numbers[row] = args[0]->number(row) == 0 ? 1 : 0; });
}
void is_null(Evaluation&, Args args, Vector& out) {
  for (std::size_t row = 0; row < out.nulls.size(); ++row) out.numbers[row] = args[0]->is_null(row) ? 1 : 0;
}
void is_not_null(Evaluation&, Args args, Vector& out) {
  for (std::size_t row = 0; row < out.nulls.size(); ++row) out.numbers[row] = args[0]->is_null(row) ? 0 : 1;
}
template <bool kWanted>
void is_flag(Evaluation&, Args args, Vector& out) {
  for (std::size_t row = 0; row < out.nulls.size(); ++row) {
    out.numbers[row] = !args[0]->is_null(row) && (args[0]->number(row) != 0) == kWanted ? 1 : 0;
  }
}

// ---- Choices ----

void copy_value(const Vector& from, std::size_t row, Vector& out) {
  if (from.is_null(row)) return set_null(out, row);
  if (out.type.kind == ValueKind::String) {
    out.texts[row] = from.text(row);
  } else if (out.type.kind == ValueKind::Double) {
    out.doubles[row] = from.real(row);
  } else {
    out.numbers[row] = from.number(row);
  }
}

// condition, value, condition, value, ..., otherwise
void choose(Evaluation&, Args args, Vector& out) {
  for (std::size_t row = 0; row < out.nulls.size(); ++row) {
    std::size_t at = 0;
    while (at + 1 < args.size() && (args[at]->is_null(row) || args[at]->number(row) == 0)) at += 2;
    copy_value(*args[at + 1 < args.size() ? at + 1 : args.size() - 1], row, out);
  }
}
void first_present(Evaluation&, Args args, Vector& out) {
  for (std::size_t row = 0; row < out.nulls.size(); ++row) {
    std::size_t at = 0;
    while (at + 1 < args.size() && args[at]->is_null(row)) ++at;
    copy_value(*args[at], row, out);
  }
}
ValueType case_type(std::span<ValueType> args, Args) {
  ValueType result = args.back();
  for (std::size_t i = 1; i < args.size(); i += 2) result = common_result(result, args[i]);
  for (std::size_t i = 0; i < args.size(); ++i) {
    args[i] = i % 2 == 0 && i + 1 < args.size() ? kBooleanValue : result;
  }
  return result;
}

constexpr auto kTable = std::to_array<Function>({
    {"op:+", 2, 2, "nn", 'n', add, false, same_numbers},
    {"op:-", 2, 2, "nn", 'n', subtract, false, same_numbers},
    {"op:*", 2, 2, "nn", 'n', multiply, false, product_type},
    {"op:/", 2, 2, "nn", 'n', divide, false, quotient_type},
    {"op:%", 2, 2, "nn", 'n', remainder, false, same_numbers},
    {"mod", 2, 2, "nn", 'n', remainder, false, same_numbers},
    {"fmod", 2, 2, "dd", 'd', remainder},
    {"op:div", 2, 2, "ii", 'i', divide_whole},
    {"op:neg", 1, 1, "n", '1', negate},
    {"negative", 1, 1, "n", '1', negate},
    {"op:=", 2, 2, "qq", 'b', compare<kEqual>},
    {"op:<>", 2, 2, "qq", 'b', compare<kLess | kGreater>},
    {"op:<", 2, 2, "qq", 'b', compare<kLess>},
    {"op:<=", 2, 2, "qq", 'b', compare<kLess | kEqual>},
    {"op:>", 2, 2, "qq", 'b', compare<kGreater>},
    {"op:>=", 2, 2, "qq", 'b', compare<kGreater | kEqual>},
    {"op:<=>", 2, 2, "qq", 'b', equal_or_both_null, true},
    {"op:in", 2, Function::kAny, "q", 'b', in_list, true},
    {"op:between", 3, 3, "qqq", 'b', between, true},
    {"greatest", 1, Function::kAny, "q", 'q', extreme<true>},
    {"least", 1, Function::kAny, "q", 'q', extreme<false>},
    {"op:and", 1, Function::kAny, "b", 'b', junction<false>, true},
    {"op:or", 1, Function::kAny, "b", 'b', junction<true>, true},
    {"op:not", 1, 1, "b", 'b', negation},
    {"op:is null", 1, 1, "a", 'b', is_null, true},
    {"isnull", 1, 1, "a", 'b', is_null, true},
    {"is_null_pred", 1, 1, "a", 'b', is_null, true},
    {"is_not_null_pred", 1, 1, "a", 'b', is_not_null, true},
    {"op:is true", 1, 1, "b", 'b', is_flag<true>, true},
    {"op:is false", 1, 1, "b", 'b', is_flag<false>, true},
    {"op:case", 3, Function::kAny, "a", 'a', choose, true, case_type},
    {"if", 3, 3, "bcc", 'c', choose, true},
    {"ifnull", 2, 2, "cc", 'c', first_present, true},
    {"nvl", 2, 2, "cc", 'c', first_present, true},
    {"coalesce", 1, Function::kAny, "c", 'c', first_present, true},
});

}  // namespace

std::span<const Function> operator_functions() { return kTable; }

}  // namespace penstock::txn
