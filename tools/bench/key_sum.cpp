#include "tools/bench/key_sum.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::tools {

std::string to_text(Sum128 number) {
  std::string digits;
  do {
    digits += static_cast<char>('0' + static_cast<int>(number % 10));
    number /= 10;
  } while (number != 0);
  std::ranges::reverse(digits);
  return digits;
}

std::string to_json(const KeySum& keys) {
  return fmt::format(R"({{"count":{},"sum":{},"xor":{}}})", keys.count, to_text(keys.sum), keys.bits);
}

}  // namespace penstock::tools
