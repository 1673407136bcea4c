// LabelRun: one file of committed outcomes, sorted by label and once more by TxnId. Layout in docs/formats/label_run.md.
//
// It is written once and never changed. The first key of each page and the filter of the labels are in memory, so a question
// costs no read where the filter says no, and the read of one page otherwise.
//
// Journey:  LabelRunWriter makes it, or a snapshot names it and open() reads it back -> [LabelRun] <- LabelBook.
// Shard:    shard 0.
// Promise:  what a page says is believed only if it verifies. close() waits for whoever still reads.
// Failure:  a text with file and offset. A page that cannot be read is never "not there".
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/io/file.hpp"
#include "core/task/sync.hpp"
#include "txn/checkpoint/label_filter.hpp"
#include "txn/checkpoint/label_page.hpp"

namespace penstock::txn {

// What a snapshot says of a run.
struct LabelRunInfo {
  FileId file;
  std::uint64_t length = 0;    // of the file
  std::uint64_t checksum = 0;  // of its last page, the footer
  std::uint32_t level = 0;     // how often its entries were merged
  std::uint64_t labels = 0;
  std::uint64_t txns = 0;
  TxnId txn_low;
  TxnId txn_high;
  std::uint64_t finished_low = 0;  // running seconds
  std::uint64_t finished_high = 0;

  static constexpr std::size_t kEncodedBytes = 9 * 8 + 4;
  void encode(core::ByteWriter& out) const;
  static LabelRunInfo decode(core::ByteReader& in);
  friend bool operator==(const LabelRunInfo&, const LabelRunInfo&) = default;
};

// What of a run is in memory.
struct LabelRunIndex {
  std::vector<std::uint64_t> label_pages;  // hash of the first label of each
  std::vector<std::uint64_t> txn_pages;    // first TxnId of each
  LabelFilter filter;

  static std::uint64_t pages_of(std::uint64_t words) {
    return (words + LabelPage::kWords - 1) / LabelPage::kWords;
  }
  static std::uint64_t label_page_offset(std::uint64_t page) { return (1 + page) * core::kPage; }
  std::uint64_t txn_page_offset(std::uint64_t page) const {
    return (1 + label_pages.size() + page) * core::kPage;
  }
};

// The last page of a run: where everything is.
struct LabelRunFooter {
  LabelRunInfo info;  // without file, length and checksum
  std::uint64_t label_pages = 0;
  std::uint64_t txn_pages = 0;
  std::uint64_t filter_words = 0;

  void encode(std::span<std::byte> page) const;
  static core::Result<LabelRunFooter> decode(core::Bytes page);
};

class LabelRun {
 public:
  template <class T>
  using Found = std::expected<std::optional<T>, std::string>;
  struct Outcome {
    TxnId txn;
    std::uint64_t finished_at = 0;
  };

  // As a snapshot names it: open() comes before any question.
  explicit LabelRun(LabelRunInfo info) : info_(info) {}
  // As it has just been written.
  LabelRun(LabelRunInfo info, core::StoreUuid store, core::File file, LabelRunIndex index)
      : info_(info), store_(store), file_(std::move(file)), index_(std::move(index)) {}
  LabelRun(const LabelRun&) = delete;
  LabelRun& operator=(const LabelRun&) = delete;

  core::Task<std::expected<void, std::string>> open(core::Directory directory, core::StoreUuid store);
  core::Task<void> close();

  const LabelRunInfo& info() const { return info_; }
  bool may_hold(std::uint64_t hash) const { return index_.filter.may_contain(hash); }
  bool may_hold(TxnId txn) const { return info_.txn_low <= txn && txn <= info_.txn_high; }
  core::Task<Found<Outcome>> find(DatabaseId database, std::string label);
  core::Task<Found<TxnEntry>> find(TxnId txn);

  // For whoever reads it from end to end: `pages` pages from `offset` on, verified.
  core::Task<std::expected<void, std::string>> read_pages(std::uint64_t offset, std::span<std::byte> pages);
  const LabelRunIndex& index() const { return index_; }
  std::string place(std::uint64_t offset) const;  // "labels-… at offset 8192"
  std::size_t memory_bytes() const;

  // Keeps the file open.
  class Hold {
   public:
    explicit Hold(std::shared_ptr<LabelRun> run) : run_(std::move(run)) { ++run_->holds_; }
    Hold(Hold&& other) noexcept = default;
    Hold& operator=(Hold&& other) = delete;
    ~Hold() {
      if (run_ != nullptr && --run_->holds_ == 0) run_->released_.notify_all();
    }
    LabelRun& operator*() const { return *run_; }
    LabelRun* operator->() const { return run_.get(); }

   private:
    std::shared_ptr<LabelRun> run_;
  };

  bool is_merging = false;  // part of a merge that is under way

 private:
  core::Task<std::expected<void, std::string>> read_words(std::uint64_t& offset, std::uint64_t words,
                                                          std::vector<std::uint64_t>* into_index);

  LabelRunInfo info_;
  core::StoreUuid store_{};
  core::File file_;
  LabelRunIndex index_;
  std::size_t holds_ = 0;
  core::WaitList released_;
};

}  // namespace penstock::txn
