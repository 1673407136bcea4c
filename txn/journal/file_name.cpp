#include "txn/journal/file_name.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "core/base/check.hpp"

namespace penstock::txn {
namespace {
struct Kind {
  FileKind kind;
  std::string_view prefix;
};
constexpr std::array kKinds = {Kind{FileKind::Journal, "journal-"}, Kind{FileKind::CommitLog, "log-"},
                               Kind{FileKind::Snapshot, "snapshot-"}, Kind{FileKind::LabelRun, "labels-"}};

// Reads exactly `digits` decimal digits at the front of `text`.
bool take_number(std::string_view& text, std::size_t digits, std::uint64_t& out) {
  if (text.size() < digits) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, out);
  if (error != std::errc() || end != text.data() + digits) return false;
  text.remove_prefix(digits);
  return true;
}
bool take_dash(std::string_view& text) {
  if (text.empty() || text[0] != '-') return false;
  text.remove_prefix(1);
  return true;
}
}  // namespace

FileId FileId::make(std::uint64_t epoch, std::uint32_t shard, std::uint64_t counter) {
  CHECK_LE(epoch, kEpochMax);
  CHECK_LE(shard, kShardMax);
  CHECK_LE(counter, kCounterMax);
  return FileId{epoch << 40 | static_cast<std::uint64_t>(shard) << 28 | counter};
}

std::string format_file_name(FileKind kind, FileId id) {
  for (const Kind& each : kKinds) {
    if (each.kind == kind) {
      return fmt::format("{}{:08}-{:04}-{:09}", each.prefix, id.epoch(), id.shard(), id.counter());
    }
  }
  CHECK(false);
  return {};
}

std::optional<FileName> parse_file_name(std::string_view name) {
  for (const Kind& each : kKinds) {
    if (!name.starts_with(each.prefix)) continue;
    std::string_view rest = name.substr(each.prefix.size());
    std::uint64_t epoch = 0;
    std::uint64_t shard = 0;
    std::uint64_t counter = 0;
    if (!take_number(rest, 8, epoch) || !take_dash(rest) || !take_number(rest, 4, shard) ||
        !take_dash(rest) || !take_number(rest, 9, counter) || !rest.empty()) {
      return std::nullopt;
    }
    if (epoch > FileId::kEpochMax || shard > FileId::kShardMax || counter > FileId::kCounterMax) {
      return std::nullopt;
    }
    return FileName{each.kind, FileId::make(epoch, static_cast<std::uint32_t>(shard), counter)};
  }
  return std::nullopt;
}

}  // namespace penstock::txn
