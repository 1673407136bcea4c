#include "txn/checkpoint/footer_files.hpp"

namespace penstock::txn {

void FooterFiles::note(const std::vector<FooterRef>& footers, std::uint64_t sequence,
                       std::optional<TxnId> prepared, const Catalog& catalog, FileUses& uses) {
  const std::uint64_t first = first_number_ + entries_.size();
  for (const FooterRef& footer : footers) {
    if (catalog.find_table(footer.table) == nullptr) continue;
    const bool is_known = first_number_ + entries_.size() > first &&
                          entries_.back().file == footer.extent.file && entries_.back().table == footer.table;
    if (is_known) continue;
    entries_.push_back(
        Entry{.sequence = sequence, .table = footer.table, .file = footer.extent.file, .prepared = prepared});
    uses.add(footer.extent.file, FileUses::By::Footer);
  }
  const std::uint64_t count = first_number_ + entries_.size() - first;
  if (prepared && count > 0) of_prepared_.insert_or_assign(*prepared, Range{first, count});
}

void FooterFiles::release(Entry& entry, FileUses& uses) {
  if (!entry.is_held) return;
  entry.is_held = false;
  uses.drop(entry.file, FileUses::By::Footer);
}

void FooterFiles::pop_front(FileUses& uses) {
  Entry& front = entries_.front();
  release(front, uses);
  if (front.prepared) {
    const auto found = of_prepared_.find(*front.prepared);
    if (found != of_prepared_.end() && found->second.first == first_number_) {
      ++found->second.first;
      if (--found->second.count == 0) of_prepared_.erase(found);
    }
  }
  entries_.pop_front();
  ++first_number_;
}

void FooterFiles::drop_released_front(FileUses& uses) {
  while (!entries_.empty() && !entries_.front().is_held) pop_front(uses);
}

void FooterFiles::forget_aborted(TxnId txn, FileUses& uses) {
  const auto found = of_prepared_.find(txn);
  if (found == of_prepared_.end()) return;
  const Range range = found->second;
  for (std::uint64_t number = range.first; number < range.first + range.count; ++number) {
    release(entries_.at(number - first_number_), uses);
  }
  of_prepared_.erase(found);
  drop_released_front(uses);
}

void FooterFiles::forget_dropped(const Catalog& catalog, FileUses& uses) {
  for (Entry& entry : entries_) {
    if (catalog.find_table(entry.table) == nullptr) release(entry, uses);
  }
  drop_released_front(uses);
}

void FooterFiles::forget_up_to(std::uint64_t sequence, FileUses& uses) {
  while (!entries_.empty() && entries_.front().sequence <= sequence) pop_front(uses);
}

std::vector<FileId> FooterFiles::files() const {
  std::vector<FileId> files;
  for (const Entry& entry : entries_) {
    if (entry.is_held) files.push_back(entry.file);
  }
  return files;
}

}  // namespace penstock::txn
