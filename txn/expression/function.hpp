// The functions and operators of expressions: one entry each in one of the tables.
//
// `args` has a letter for each argument, the last one repeated where there may be more: what it is converted to.
//   s string   i whole number   d double   b boolean   t time (DATETIME)   D date   e date or time, as it is
//   n number, of any kind       c what all c can be told as (results)       q what all q compare as
//   a anything
// `result` is such a letter; 1 is the type of the first argument, c and q the common one. Where letters are not
// enough, `infer` says what the arguments are to be converted to (its own kinds on entry) and what comes out.
//
// Journey:  bind -> [find_function] -> Program::run -> Function::kernel.
// Shard:    any; constant tables.
// Promise:  a kernel fills out, prepared with the result's type and the batch's rows. Unless it sees_nulls, rows with
//           a NULL argument are NULL already and it leaves them alone.
// Failure:  nullptr; refusal() has the words for functions that Doris has and loads do not take.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "txn/expression/evaluation.hpp"

namespace penstock::txn {

struct Function {
  static constexpr unsigned kAny = 4096;

  std::string_view name;
  unsigned args_min;
  unsigned args_max;
  std::string_view args;
  char result;
  void (*kernel)(Evaluation&, Args, Vector& out);
  bool sees_nulls = false;
  ValueType (*infer)(std::span<ValueType> args,
                     Args literals) = nullptr;  // literals: nullptr where it is none
};

std::span<const Function> operator_functions();
std::span<const Function> text_functions();
std::span<const Function> number_functions();
std::span<const Function> time_functions();

const Function* find_function(std::string_view name);
// Why the function is not there.
std::string refusal(std::string_view name);

// What values of both kinds have in common: to be compared, or to be results of one CASE.
ValueType common_of_numbers(ValueType a, ValueType b);
ValueType common_to_compare(ValueType a, ValueType b);
ValueType common_result(ValueType a, ValueType b);

// f(row) for every row that is not NULL yet.
template <class F>
void each_row(const Vector& out, F f) {
  for (std::size_t row = 0; row < out.nulls.size(); ++row) {
    if (out.nulls[row] == 0) f(row);
  }
}
inline void set_null(Vector& out, std::size_t row) {
  out.nulls[row] = 1;
  if (out.type.kind == ValueKind::String) {
    out.texts[row] = kEmptyText;
  } else if (out.type.kind == ValueKind::Double) {
    out.doubles[row] = 0;
  } else {
    out.numbers[row] = 0;
  }
}

}  // namespace penstock::txn
