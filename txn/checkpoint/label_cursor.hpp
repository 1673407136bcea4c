// LabelCursor: the entries of one part of a label run, one after the other, 64 KiB at a time.
//
// Journey:  merge_label_runs -> [LabelCursor] -> LabelRun::read_pages.
// Shard:    shard 0.
// Promise:  every page it hands entries out of has verified.
// Failure:  fill() gives a text with file and offset.
#pragma once

#include <algorithm>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "txn/checkpoint/label_run.hpp"

namespace penstock::txn {

template <class Reader, class Entry>
class LabelCursor {
 public:
  // `pages` pages from `offset` on. fill() comes first.
  LabelCursor(std::shared_ptr<LabelRun> run, std::uint64_t offset, std::uint64_t pages)
      : run_(std::move(run)), offset_(offset), pages_left_(pages) {}
  LabelCursor(LabelCursor&&) = default;

  bool needs_fill() const { return !has_entry_ && pages_left_ > 0; }
  bool has_entry() const { return has_entry_; }
  const Entry& entry() const { return entry_; }
  // To the next entry, if it is in memory; otherwise needs_fill(), or the end.
  void step() {
    has_entry_ = false;
    while (!has_entry_ && (reader_ || at_ < buffer_.size())) {
      if (!reader_) reader_.emplace(core::Bytes(buffer_).subspan(at_, core::kPage));
      has_entry_ = reader_->next(entry_);
      if (has_entry_) return;
      is_good_ &= reader_->is_good();
      if (!is_good_) {
        pages_left_ = 1;  // fill() says so
        return;
      }
      reader_.reset();
      at_ += core::kPage;
    }
  }
  core::Task<std::expected<void, std::string>> fill() {
    while (needs_fill()) {
      if (!is_good_)
        co_return std::unexpected(run_->place(offset_ - buffer_.size() + at_) +
                                  ": its entries do not decode");
      const std::uint64_t pages = std::min<std::uint64_t>(pages_left_, kPagesEach);
      buffer_.resize(pages * core::kPage);
      at_ = 0;
      if (auto read = co_await run_->read_pages(offset_, buffer_); !read)
        co_return std::unexpected(read.error());
      offset_ += buffer_.size();
      pages_left_ -= pages;
      step();
    }
    co_return std::expected<void, std::string>{};
  }

 private:
  static constexpr std::uint64_t kPagesEach = 16;

  LabelRun::Hold run_;
  std::uint64_t offset_;  // of what was not read yet
  std::uint64_t pages_left_;
  std::vector<std::byte> buffer_;
  std::size_t at_ = 0;
  std::optional<Reader> reader_;
  Entry entry_;
  bool has_entry_ = false;
  bool is_good_ = true;
};

}  // namespace penstock::txn
