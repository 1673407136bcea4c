#include "tools/bench/write_rows.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "tools/bench/gzip_member.hpp"
#include "tools/bench/key_sum.hpp"
#include "tools/bench/row_ring.hpp"

namespace penstock::tools {
namespace {

constexpr std::size_t kPieceBytes = 1 << 20;

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(file, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

int cannot_write(const std::string& name) {
  std::fprintf(stderr, "penstock bench rows: writing %s: %s\n", name.c_str(), std::strerror(errno));
  return 1;
}

}  // namespace

int write_rows(const RowsWanted& wanted) {
  const std::string name = wanted.file.empty() ? "standard output" : wanted.file;
  const int file = wanted.file.empty()
                       ? STDOUT_FILENO
                       : ::open(wanted.file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return cannot_write(name);
  constexpr std::uint64_t kRowBytesEnough = 4096;  // no row of any shape is that long
  const std::uint64_t enough = wanted.rows > 0 ? wanted.rows * kRowBytesEnough : wanted.bytes;
  const RowRing ring(wanted.shape, wanted.format, wanted.seed, std::min(wanted.distinct_bytes, enough));
  std::string piece(std::max<std::size_t>(kPieceBytes, ring.row_bytes_max()), '\0');
  std::string packed;
  KeySum keys;
  std::uint64_t bytes = 0;
  std::uint64_t written = 0;
  for (;;) {
    const std::uint64_t rows_left = std::min(wanted.rows > 0 ? wanted.rows - keys.count : UINT64_MAX,
                                             kEndKey - wanted.first_key - keys.count);
    const std::uint64_t bytes_left = wanted.rows > 0 ? UINT64_MAX : wanted.bytes - bytes;
    const std::uint64_t rows =
        ring.rows_within(keys.count, std::min<std::uint64_t>(piece.size(), bytes_left), rows_left);
    if (rows == 0) break;
    const std::uint64_t size = ring.copy(piece.data(), keys.count, rows, wanted.first_key + keys.count);
    std::string_view out(piece.data(), size);
    if (wanted.gzip) {
      packed.clear();
      append_gzip_member(packed, out);
      out = packed;
    }
    if (!write_all(file, out)) return cannot_write(name);
    keys.add_range(wanted.first_key + keys.count, rows);
    bytes += size;
    written += out.size();
  }
  if (!wanted.file.empty() && ::close(file) != 0) return cannot_write(name);
  std::fprintf(stderr,
               R"({"shape":"%s","rows":%llu,"bytes":%llu,"written":%llu,"distinct_rows":%llu,)"
               R"("key":"%s","first_key":%llu,"keys":%s})"
               "\n",
               std::string(shape_name(wanted.shape)).c_str(), static_cast<unsigned long long>(keys.count),
               static_cast<unsigned long long>(bytes), static_cast<unsigned long long>(written),
               static_cast<unsigned long long>(std::min(ring.rows(), keys.count)),
               std::string(key_column(wanted.shape)).c_str(),
               static_cast<unsigned long long>(wanted.first_key), to_json(keys).c_str());
  return 0;
}

}  // namespace penstock::tools
