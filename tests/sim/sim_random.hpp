// SimRandom: the simulator's own dice (xoshiro256**, seeded by SplitMix64), so that a seed means the same on
// every machine and standard library. Every concern of a world (schedule, disk, net, entropy) has a stream of
// its own: one more draw in one of them does not disturb the others.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace penstock::sim {

inline std::uint64_t mix64(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

class SimRandom {
 public:
  explicit SimRandom(std::uint64_t seed = 0, std::uint64_t stream = 0) {
    std::uint64_t x = mix64(seed) ^ mix64(~stream);
    for (std::uint64_t& word : state_) word = x = mix64(x);
  }

  std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }
  // Below `n`, which must not be 0.
  std::uint64_t below(std::uint64_t n) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * n) >> 64);
  }
  std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + below(high - low + 1); }
  bool coin() { return (next() >> 63) != 0; }
  bool percent(std::uint32_t chance) { return chance != 0 && below(100) < chance; }

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace penstock::sim
