#include "txn/checkpoint/label_run_writer.hpp"

#include <algorithm>
#include <cstring>

#include "core/base/planted.hpp"
#include "txn/journal/file_header.hpp"

namespace penstock::txn {

using core::Planted;
using core::planted;

LabelRunWriter::LabelRunWriter(const LabelPlace& place, FileId id, std::uint32_t level,
                               std::uint64_t labels_max)
    : place_(place) {
  info_.file = id;
  info_.level = level;
  info_.txn_low.value = UINT64_MAX;
  info_.finished_low = UINT64_MAX;
  index_.filter = LabelFilter(LabelFilter::words_for(labels_max));
}

core::Task<core::Result<>> LabelRunWriter::open(std::uint64_t bytes) {
  core::Directory directory = place_.directory;
  CO_TRY(file_, co_await directory.open_file(format_file_name(FileKind::LabelRun, info_.file),
                                             {.write = true, .create_exclusive = true}));
  if (bytes > 0) {
    const auto reserved = co_await file_.allocate(0, bytes);
    if (!reserved && reserved.error().code != core::Errc::Unsupported)
      co_return std::unexpected(reserved.error());
    if (reserved) reserved_ = bytes;
  }
  buffer_.reserve(kBufferBytes + core::kPage);
  buffer_.resize(FileHeader::kBytes);
  FileHeader{.kind = FileKind::LabelRun, .store = place_.store, .id = info_.file}.encode(buffer_);
  co_return core::Result<>{};
}

void LabelRunWriter::seal(std::span<std::byte> page) {
  seal_label_page(page, place_.store, info_.file, end());
  buffer_.insert(buffer_.end(), page.begin(), page.end());
}

void LabelRunWriter::add(const LabelEntry& entry) {
  if (!page_.add(entry)) {
    seal(page_.page());
    page_.clear();
    CHECK(page_.add(entry));
    index_.label_pages.push_back(entry.hash);
  } else if (index_.label_pages.empty()) {
    index_.label_pages.push_back(entry.hash);
  }
  index_.filter.add(entry.hash);
  ++info_.labels;
}

void LabelRunWriter::end_labels() {
  if (page_.is_empty()) return;
  seal(page_.page());
  page_.clear();
}

void LabelRunWriter::add(const TxnEntry& entry) {
  if (!page_.add(entry)) {
    seal(page_.page());
    page_.clear();
    CHECK(page_.add(entry));
    index_.txn_pages.push_back(entry.txn.value);
  } else if (index_.txn_pages.empty()) {
    index_.txn_pages.push_back(entry.txn.value);
  }
  ++info_.txns;
  info_.txn_low = std::min(info_.txn_low, entry.txn);
  info_.txn_high = std::max(info_.txn_high, entry.txn);
  info_.finished_low = std::min(info_.finished_low, entry.finished_at);
  info_.finished_high = std::max(info_.finished_high, entry.finished_at);
}

core::Task<core::Result<>> LabelRunWriter::write() {
  CO_TRY_VOID(co_await file_.write_all(written_, buffer_));
  written_ += buffer_.size();
  buffer_.clear();
  if (written_ - synced_ >= kSyncBytes) co_await sync();
  co_return core::Result<>{};
}

core::Task<void> LabelRunWriter::sync() {
  if (planted(Planted::SkipLabelRunSync)) co_return;
  if (auto synced = co_await file_.sync(); !synced && !planted(Planted::SkipPoison)) {
    co_await place_.poison.end("fdatasync of a label run", synced.error());
  }
  synced_ = written_;
}

core::Task<void> LabelRunWriter::breathe() {
  since_breath_ = 0;
  co_await place_.shard.yield();
}

core::Task<core::Result<>> LabelRunWriter::put_index(const std::vector<std::uint64_t>& words) {
  std::array<std::byte, core::kPage> page;
  for (std::size_t done = 0; done < words.size();) {
    page.fill(std::byte{0});
    const std::size_t count = std::min(LabelPage::kWords, words.size() - done);
    std::memcpy(page.data() + 8, words.data() + done, count * 8);
    done += count;
    seal(page);
    if (wants_write()) CO_TRY_VOID(co_await write());
  }
  co_return core::Result<>{};
}

core::Task<core::Result<>> LabelRunWriter::put_filter() {
  std::array<std::byte, core::kPage> page;
  for (std::uint64_t done = 0; done < index_.filter.words();) {
    page.fill(std::byte{0});
    for (std::size_t i = 0; i < LabelPage::kWords && done < index_.filter.words(); ++i, ++done) {
      const std::uint64_t word = index_.filter.word(done);
      std::memcpy(page.data() + (1 + i) * 8, &word, 8);
    }
    seal(page);
    if (!wants_write()) continue;
    CO_TRY_VOID(co_await write());
    co_await place_.shard.yield();
  }
  co_return core::Result<>{};
}

core::Task<core::Result<std::shared_ptr<LabelRun>>> LabelRunWriter::finish() {
  if (info_.txns == 0) {
    co_await abandon();
    co_return std::shared_ptr<LabelRun>{};
  }
  end_labels();  // of the TxnIds, by now
  CO_TRY_VOID(co_await put_index(index_.label_pages));
  CO_TRY_VOID(co_await put_index(index_.txn_pages));
  CO_TRY_VOID(co_await put_filter());
  std::array<std::byte, core::kPage> page;
  LabelRunFooter{info_, index_.label_pages.size(), index_.txn_pages.size(), index_.filter.words()}.encode(
      page);
  seal(page);
  std::memcpy(&info_.checksum, buffer_.data() + buffer_.size() - core::kPage, 8);
  info_.length = end();
  CO_TRY_VOID(co_await write());
  if (reserved_ > written_) {
    if (auto cut = co_await file_.truncate(written_); !cut) co_return std::unexpected(cut.error());
  }
  co_await sync();
  index_.label_pages.shrink_to_fit();
  index_.txn_pages.shrink_to_fit();
  co_return std::make_shared<LabelRun>(info_, place_.store, std::move(file_), std::move(index_));
}

core::Task<void> LabelRunWriter::abandon() {
  if (!file_.is_open()) co_return;
  co_await file_.close();
  core::Directory directory = place_.directory;
  (void)co_await directory.unlink(format_file_name(FileKind::LabelRun, info_.file));
}

}  // namespace penstock::txn
