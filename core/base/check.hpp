// CHECK: our own bug, never the world's. Always on; prints the condition, the operands and the place, then aborts.
// Bytes from outside must never be able to reach one.
//
// Journey:  everywhere.   Shard: any.   Promise: returns only if the condition holds.   Failure: abort().
#pragma once

#include <fmt/format.h>

#include <string>

namespace penstock::core {
[[noreturn]] void check_failed(const char* file, int line, const char* condition, const std::string& detail);

template <class A, class B>
[[noreturn, gnu::cold, gnu::noinline]] void check_op_failed(const char* file, int line, const char* condition,
                                                            const A& a, const B& b) {
  if constexpr (fmt::is_formattable<A>::value && fmt::is_formattable<B>::value) {
    check_failed(file, line, condition, fmt::format("{} v {}", a, b));
  } else {
    check_failed(file, line, condition, "");
  }
}
}  // namespace penstock::core

#define CHECK(condition)                                                  \
  do {                                                                    \
    if (!(condition)) [[unlikely]]                                        \
      ::penstock::core::check_failed(__FILE__, __LINE__, #condition, ""); \
  } while (false)
#define PENSTOCK_CHECK_OP(a, op, b)                                                               \
  do {                                                                                            \
    const auto& check_a = (a);                                                                    \
    const auto& check_b = (b);                                                                    \
    if (!(check_a op check_b)) [[unlikely]]                                                       \
      ::penstock::core::check_op_failed(__FILE__, __LINE__, #a " " #op " " #b, check_a, check_b); \
  } while (false)
#define CHECK_EQ(a, b) PENSTOCK_CHECK_OP(a, ==, b)
#define CHECK_NE(a, b) PENSTOCK_CHECK_OP(a, !=, b)
#define CHECK_LE(a, b) PENSTOCK_CHECK_OP(a, <=, b)
#define CHECK_LT(a, b) PENSTOCK_CHECK_OP(a, <, b)
#define CHECK_GE(a, b) PENSTOCK_CHECK_OP(a, >=, b)
