// GzipHeader: what stands before the deflate data of a gzip member, in pieces cut anywhere.
//
// ISA-L reads such a header as well, but forgets what its flags said when a piece ends inside of it: the rest of a
// file's name was then taken for data. Nothing that the header says is kept.
//
// Journey:  DeflateCodec -> [GzipHeader] -> ISA-L, from the first byte of data on.
// Shard:    one.
// Promise:  no memory, however long a name is. The same bytes are judged alike wherever they are cut.
// Failure:  Step::error, in words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/bytes.hpp"

namespace penstock::txn {

class GzipHeader {
 public:
  struct Step {
    std::size_t consumed = 0;
    std::string_view error{};
  };
  // Takes all bytes until is_done().
  Step take(core::Bytes input);
  bool is_done() const { return part_ == Part::Done; }

 private:
  enum class Part : std::uint8_t { Fixed, ExtraSize, Extra, Name, Comment, Checksum, Done };

  std::string_view take_byte(std::uint8_t byte);
  void go_on();

  Part part_ = Part::Fixed;
  std::uint8_t flags_ = 0;
  std::uint32_t at_ = 0;      // in the part
  std::uint32_t number_ = 0;  // of a part that is a number, as far as it is here
  std::uint32_t crc_ = 0;     // of all before the checksum
};

}  // namespace penstock::txn
