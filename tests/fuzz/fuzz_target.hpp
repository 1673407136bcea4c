// A fuzz target: bytes in, an abort when something is wrong.
//
// Built twice: with libFuzzer (preset fuzz, `tools/dev fuzz NAME`), which looks for new bytes, and with
// standalone_main.cpp, which changes the seeds at random for as many runs as it is told: that is the ctest entry, so
// that a target cannot rot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::fuzz {

// What a target begins with.
std::vector<std::string> seeds();
// Judges one input.
void run_one(std::string_view input);

// Numbers for choices, taken off the front of the input.
class Choices {
 public:
  explicit Choices(std::string_view& input) : input_(input) {}
  unsigned below(unsigned bound) {
    if (input_.empty()) return 0;
    const unsigned value = static_cast<unsigned char>(input_.front());
    input_.remove_prefix(1);
    return value % bound;
  }

 private:
  std::string_view& input_;
};

// Says what is wrong and aborts.
[[noreturn]] void fail(std::string_view what, std::string_view detail);

}  // namespace penstock::fuzz
