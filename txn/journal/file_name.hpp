// FileId and file names: what every durable file of a store is called, and the number its checksums are bound to.
//
// A FileId holds the epoch (one run of the process), the shard and a counter, so numbers are unique in the store for ever
// and a file NAME alone tells which run made it. See docs/formats/files.md.
//
// Journey:  journal, commit log and snapshot writers; recovery lists the folder with it.
// Shard:    any; values.
// Promise:  format and parse are inverse; a name that is not ours parses to nothing.
// Failure:  none.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/units.hpp"

namespace penstock::txn {

enum class FileKind : std::uint32_t { Journal = 1, CommitLog = 2, Snapshot = 3, LabelRun = 4 };

struct FileId {
  static constexpr std::uint64_t kEpochMax = (1u << 24) - 1;
  static constexpr std::uint64_t kShardMax = (1u << 12) - 1;
  static constexpr std::uint64_t kCounterMax = (1u << 28) - 1;

  std::uint64_t value = 0;

  static FileId make(std::uint64_t epoch, std::uint32_t shard, std::uint64_t counter);
  std::uint64_t epoch() const { return value >> 40; }
  std::uint32_t shard() const { return static_cast<std::uint32_t>(value >> 28 & kShardMax); }
  std::uint64_t counter() const { return value & kCounterMax; }
  friend constexpr auto operator<=>(FileId, FileId) = default;
};

struct FileName {
  FileKind kind = FileKind::Journal;
  FileId id;
};

std::string format_file_name(FileKind kind, FileId id);  // "journal-000001-003-000000007"
std::optional<FileName> parse_file_name(std::string_view name);

}  // namespace penstock::txn

template <>
struct std::hash<penstock::txn::FileId> {
  std::size_t operator()(penstock::txn::FileId id) const noexcept {
    return std::hash<std::uint64_t>()(id.value);
  }
};
