// Runs a target without libFuzzer: its seeds, then changed ones, from a printed seed number.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>

#include "tests/fuzz/fuzz_target.hpp"

namespace {

std::string changed(const std::vector<std::string>& seeds, std::mt19937_64& random) {
  const auto below = [&](std::size_t bound) { return bound == 0 ? 0 : random() % bound; };
  std::string text = seeds[below(seeds.size())];
  for (std::size_t changes = 1 + below(6); changes > 0; --changes) {
    const std::size_t at = below(text.size() + 1);
    const std::size_t size = below(std::min<std::size_t>(text.size() - at, 40) + 1);
    switch (below(5)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(random());
        break;
      case 1:
        text.erase(at, size);
        break;
      case 2:
        text.insert(at, text.substr(at, size));
        break;
      case 3: {
        const std::string& other = seeds[below(seeds.size())];
        const std::size_t from = below(other.size() + 1);
        text.insert(at, other.substr(from, below(40)));
        break;
      }
      default:
        text.insert(at, 1 + below(3), "\"'\\,{}[]\n\t:0N\rZ"[below(15)]);
    }
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> seeds = penstock::fuzz::seeds();
  if (argc == 3 && std::string_view(argv[1]) == "--write-seeds") {
    for (std::size_t i = 0; i < seeds.size(); ++i) {
      std::ofstream(std::string(argv[2]) + "/seed" + std::to_string(i), std::ios::binary) << seeds[i];
    }
    return 0;
  }
  if (argc == 2 && std::string_view(argv[1]) != "--help") {  // one input, from a file
    std::ifstream file(argv[1], std::ios::binary);
    penstock::fuzz::run_one(std::string(std::istreambuf_iterator<char>(file), {}));
    return 0;
  }
  if (argc != 3) {
    std::printf("usage: %s RUNS SEED | FILE | --write-seeds FOLDER\n", argv[0]);
    return 2;
  }
  const long runs = std::atol(argv[1]);
  const unsigned long long seed = std::strtoull(argv[2], nullptr, 0);
  std::printf("%ld runs, seed %llu\n", runs, seed);
  std::fflush(stdout);
  for (const std::string& text : seeds) penstock::fuzz::run_one(text);
  std::mt19937_64 random(seed);
  for (long i = 0; i < runs; ++i) penstock::fuzz::run_one(changed(seeds, random));
  return 0;
}
