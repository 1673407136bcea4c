// Golden files: the bytes of a format, compared as text. PENSTOCK_WRITE_GOLDEN=1 writes them anew.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "core/base/bytes.hpp"
#include "core/base/checksum.hpp"

namespace penstock::txn {

inline std::string hex_lines(core::Bytes bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    out += fmt::format("{:02x}", static_cast<unsigned>(bytes[i]));
    if (i % 16 == 15 || i + 1 == bytes.size()) {
      out += '\n';
    } else if (i % 8 == 7) {
      out += ' ';
    }
  }
  return out;
}

inline void expect_golden(const std::string& name, core::Bytes bytes) {
  const std::string path = std::string(PENSTOCK_GOLDEN) + "/" + name;
  const std::string hex = hex_lines(bytes);
  if (std::getenv("PENSTOCK_WRITE_GOLDEN") != nullptr) std::ofstream(path) << hex;
  std::ifstream file(path);
  std::ostringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(hex, golden.str()) << path;
}

inline std::vector<std::byte> golden_bytes(const std::string& name) {
  std::ifstream file(std::string(PENSTOCK_GOLDEN) + "/" + name);
  std::vector<std::byte> bytes;
  for (std::string word; file >> word;) {
    for (std::size_t i = 0; i + 1 < word.size(); i += 2)
      bytes.push_back(static_cast<std::byte>(std::stoul(word.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

inline core::StoreUuid sample_uuid() {
  core::StoreUuid uuid{};
  for (std::size_t i = 0; i < uuid.size(); ++i) uuid[i] = static_cast<std::byte>(0xA0 + i);
  return uuid;
}

// Calls `decode` with every truncation and every single-bit flip of `bytes`: it may refuse or accept, never crash.
template <class Decode>
void expect_survives_damage(const std::vector<std::byte>& bytes, Decode&& decode) {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    decode(core::Bytes(cut), "cut");
  }
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::vector<std::byte> flipped = bytes;
    flipped[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    decode(core::Bytes(flipped), "flip");
  }
}

}  // namespace penstock::txn
