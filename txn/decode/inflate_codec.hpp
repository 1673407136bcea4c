// Codec: one decompression library, a step at a time.
//
// Journey:  Inflater -> [Codec] -> ISA-L, liblz4, libzstd, libbz2.
// Shard:    one.
// Promise:  a step looks at no byte twice, keeps what the library needs of it, and writes no more than there is room.
// Failure:  Step::error, in words.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "core/base/bytes.hpp"
#include "txn/decode/inflate.hpp"

namespace penstock::txn {

class Codec {
 public:
  struct Step {
    std::size_t consumed = 0;
    std::size_t written = 0;
    bool member_ended = false;
    std::string_view error{};
  };
  struct Room {
    std::byte* at;
    std::size_t size;
  };
  Codec() = default;
  Codec(const Codec&) = delete;
  Codec& operator=(const Codec&) = delete;
  virtual ~Codec() = default;

  virtual Step step(core::Bytes input, Room room) = 0;
  virtual void begin_member() = 0;                 // called before each member
  virtual std::size_t reserved_bytes() const = 0;  // what the library holds, or may come to hold
};

enum class GzipFormat { Gzip, Zlib, Raw };
std::unique_ptr<Codec> make_deflate_codec(GzipFormat format);
std::unique_ptr<Codec> make_lz4_codec();
std::unique_ptr<Codec> make_zstd_codec();
std::unique_ptr<Codec> make_bzip2_codec();

}  // namespace penstock::txn
