// FileUses: how many things lie in each journal file that somebody may still want.
//
// Counted as records take effect, so that nobody walks all blocks to learn that a file is dead: an abort asks about the few
// files that are sealed, not about the table.
//
// Journey:  Manifest::apply, decode -> [FileUses] -> Coordinator::reclaim unlinks what is not live.
// Shard:    shard 0.
// Promise:  is_live() exactly while more was added than dropped, of any kind (a test walks the manifest beside it).
// Failure:  none; dropping what was never added ends the process: the counts are ours alone.
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>

#include "core/base/check.hpp"
#include "core/base/planted.hpp"
#include "txn/journal/file_name.hpp"

namespace penstock::txn {

class FileUses {
 public:
  enum class By : std::uint8_t { Visible, Prepared, Footer };

  void add(FileId file, By by) { ++counts_[file][static_cast<std::size_t>(by)]; }
  void drop(FileId file, By by) {
    const auto found = counts_.find(file);
    CHECK(found != counts_.end());
    std::uint32_t& count = found->second[static_cast<std::size_t>(by)];
    CHECK(count > 0);
    --count;
    if (found->second == Counts{}) counts_.erase(found);
  }
  bool is_live(FileId file) const {
    const auto found = counts_.find(file);
    if (found == counts_.end()) return false;
    Counts counts = found->second;
    if (core::planted(core::Planted::UnlinkPreparedFiles)) counts[static_cast<std::size_t>(By::Prepared)] = 0;
    if (core::planted(core::Planted::ForgetFooterFiles)) counts[static_cast<std::size_t>(By::Footer)] = 0;
    return counts != Counts{};
  }

 private:
  using Counts = std::array<std::uint32_t, 3>;
  std::unordered_map<FileId, Counts> counts_;
};

}  // namespace penstock::txn
