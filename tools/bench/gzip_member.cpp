#include "tools/bench/gzip_member.hpp"

#include <isa-l/igzip_lib.h>

#include <vector>

#include "core/base/check.hpp"

namespace penstock::tools {

void append_gzip_member(std::string& out, std::string_view bytes) {
  std::vector<unsigned char> work(ISAL_DEF_LVL1_DEFAULT);
  // What cannot be made smaller is stored: 5 bytes a 64 KiB, and the member's head and tail.
  const std::size_t room = bytes.size() + 5 * (bytes.size() / 65535 + 1) + 64;
  const std::size_t before = out.size();
  out.resize(before + room);
  isal_zstream stream;
  isal_deflate_stateless_init(&stream);
  stream.gzip_flag = IGZIP_GZIP;
  stream.level = 1;
  stream.level_buf = work.data();
  stream.level_buf_size = static_cast<std::uint32_t>(work.size());
  stream.end_of_stream = 1;
  stream.next_in =
      reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));  // NOLINT: it only reads
  stream.avail_in = static_cast<std::uint32_t>(bytes.size());
  stream.next_out = reinterpret_cast<unsigned char*>(out.data() + before);
  stream.avail_out = static_cast<std::uint32_t>(room);
  CHECK_EQ(isal_deflate_stateless(&stream), COMP_OK);
  out.resize(before + room - stream.avail_out);
}

}  // namespace penstock::tools
