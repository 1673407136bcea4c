#include "txn/store/row_sorter.hpp"

#include <algorithm>
#include <utility>

namespace penstock::txn {
namespace {
constexpr std::size_t kRunRows = 2048;
constexpr std::size_t kRunBytes = 1024 * 1024;
constexpr std::uint64_t kKeptSlack = 65536;
constexpr std::size_t kPruneBytes = 16 * 1024 * 1024;
}  // namespace

void RowSorter::Run::add(std::string_view key, std::string_view row) {
  entries.push_back(
      {bytes.size(), static_cast<std::uint32_t>(key.size()), static_cast<std::uint32_t>(row.size())});
  bytes.append(key);
  bytes.append(row);
}

void RowSorter::add(std::string_view key, std::string_view row) {
  if (limit_ == 0 || (worst_ && key >= *worst_)) return;
  open_.add(key, row);
  if (open_.entries.size() >= kRunRows || open_.bytes.size() >= kRunBytes) close_run();
}

void RowSorter::close_run() {
  if (open_.entries.empty()) return;
  Run run = std::exchange(open_, Run());
  std::ranges::sort(run.entries, [&](const Entry& a, const Entry& b) {
    const int order = run.key(a).compare(run.key(b));
    return order != 0 ? order < 0 : a.at < b.at;
  });
  if (run.entries.size() > limit_) {
    Run first;
    for (std::size_t i = 0; i < limit_; ++i) first.add(run.key(run.entries[i]), run.row(run.entries[i]));
    run = std::move(first);
  }
  run.bytes.shrink_to_fit();
  run.entries.shrink_to_fit();
  kept_ += run.entries.size();
  run_bytes_ += run.memory();
  runs_.push_back(std::move(run));
  const bool is_much = kept_ >= 4 * limit_ + kKeptSlack || run_bytes_ >= 2 * pruned_bytes_ + kPruneBytes;
  if (limit_ <= kSmallLimit && kept_ > limit_ && is_much) keep_first_rows();
}

void RowSorter::keep_first_rows() {
  begin_merge();
  Run first;
  Run* from = nullptr;
  while (first.entries.size() < limit_) {
    const Entry* const entry = merge_next(from);
    if (entry == nullptr) break;
    first.add(from->key(*entry), from->row(*entry));
  }
  heap_.clear();
  taken_.reset();
  if (first.entries.size() == limit_) worst_ = std::string(first.key(first.entries.back()));
  kept_ = first.entries.size();
  run_bytes_ = pruned_bytes_ = first.memory();
  runs_.clear();
  runs_.push_back(std::move(first));
}

void RowSorter::finish() {
  close_run();
  begin_merge();
  frees_ = true;
}

bool RowSorter::comes_later(std::size_t a, std::size_t b) const {
  const Run& x = runs_[a];
  const Run& y = runs_[b];
  const int order = x.key(x.entries[x.at]).compare(y.key(y.entries[y.at]));
  return order != 0 ? order > 0 : a > b;
}

void RowSorter::begin_merge() {
  heap_.clear();
  taken_.reset();
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    runs_[i].at = 0;
    if (!runs_[i].entries.empty()) heap_.push_back(i);
  }
  std::ranges::make_heap(heap_, [this](std::size_t a, std::size_t b) { return comes_later(a, b); });
}

const RowSorter::Entry* RowSorter::merge_next(Run*& run) {
  const auto later = [this](std::size_t a, std::size_t b) { return comes_later(a, b); };
  if (taken_) {  // the row before is done with: its run goes back to the others
    Run& last = runs_[*taken_];
    if (++last.at < last.entries.size()) {
      heap_.push_back(*taken_);
      std::ranges::push_heap(heap_, later);
    } else if (frees_) {
      run_bytes_ -= last.memory();
      last = Run();
    }
    taken_.reset();
  }
  if (heap_.empty()) return nullptr;
  std::ranges::pop_heap(heap_, later);
  taken_ = heap_.back();
  heap_.pop_back();
  run = &runs_[*taken_];
  return &run->entries[run->at];
}

std::optional<std::string_view> RowSorter::next() {
  if (given_ == limit_) return std::nullopt;
  Run* run = nullptr;
  const Entry* const entry = merge_next(run);
  if (entry == nullptr) return std::nullopt;
  ++given_;
  return run->row(*entry);
}

}  // namespace penstock::txn
