#include "txn/checkpoint/label_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "txn/journal/file_header.hpp"

namespace penstock::txn {
namespace {

using Text = std::expected<void, std::string>;

constexpr std::uint32_t kMagic = 0x524c5350;  // "PSLR"
constexpr std::size_t kPagesAtOnce = 64;

std::uint64_t word_of(core::Bytes page, std::size_t index) {
  std::uint64_t word = 0;
  std::memcpy(&word, page.data() + (1 + index) * 8, 8);
  return word;
}

}  // namespace

void LabelRunInfo::encode(core::ByteWriter& out) const {
  out.put(file.value);
  out.put(length);
  out.put(checksum);
  out.put(level);
  out.put(labels);
  out.put(txns);
  out.put(txn_low.value);
  out.put(txn_high.value);
  out.put(finished_low);
  out.put(finished_high);
}

LabelRunInfo LabelRunInfo::decode(core::ByteReader& in) {
  LabelRunInfo info;
  info.file.value = in.get<std::uint64_t>();
  info.length = in.get<std::uint64_t>();
  info.checksum = in.get<std::uint64_t>();
  info.level = in.get<std::uint32_t>();
  info.labels = in.get<std::uint64_t>();
  info.txns = in.get<std::uint64_t>();
  info.txn_low.value = in.get<std::uint64_t>();
  info.txn_high.value = in.get<std::uint64_t>();
  info.finished_low = in.get<std::uint64_t>();
  info.finished_high = in.get<std::uint64_t>();
  return info;
}

void LabelRunFooter::encode(std::span<std::byte> page) const {
  std::vector<std::byte> bytes(8);  // the checksum's
  core::ByteWriter out(bytes);
  out.put(kMagic);
  out.put(info.level);
  out.put(info.labels);
  out.put(info.txns);
  out.put(label_pages);
  out.put(txn_pages);
  out.put(filter_words);
  out.put(info.txn_low.value);
  out.put(info.txn_high.value);
  out.put(info.finished_low);
  out.put(info.finished_high);
  std::fill(page.begin(), page.end(), std::byte{0});
  std::copy(bytes.begin(), bytes.end(), page.begin());
}

core::Result<LabelRunFooter> LabelRunFooter::decode(core::Bytes page) {
  core::ByteReader in(page.subspan(8));
  if (in.get<std::uint32_t>() != kMagic) return core::fail(core::Errc::Corrupt, "label run: no magic");
  LabelRunFooter footer;
  footer.info.level = in.get<std::uint32_t>();
  footer.info.labels = in.get<std::uint64_t>();
  footer.info.txns = in.get<std::uint64_t>();
  footer.label_pages = in.get<std::uint64_t>();
  footer.txn_pages = in.get<std::uint64_t>();
  footer.filter_words = in.get<std::uint64_t>();
  footer.info.txn_low.value = in.get<std::uint64_t>();
  footer.info.txn_high.value = in.get<std::uint64_t>();
  footer.info.finished_low = in.get<std::uint64_t>();
  footer.info.finished_high = in.get<std::uint64_t>();
  if (!in.ok()) return core::fail(core::Errc::Corrupt, "label run: its footer ends early");
  return footer;
}

std::string LabelRun::place(std::uint64_t offset) const {
  return fmt::format("{} at offset {}", format_file_name(FileKind::LabelRun, info_.file), offset);
}

std::size_t LabelRun::memory_bytes() const {
  return (index_.label_pages.capacity() + index_.txn_pages.capacity() + index_.filter.words()) * 8;
}

core::Task<Text> LabelRun::open(core::Directory directory, core::StoreUuid store) {
  store_ = store;
  const auto wrong = [this](std::uint64_t offset, const core::Error& error) {
    return std::unexpected(fmt::format("{}: {}", place(offset), error.to_string()));
  };
  auto file = co_await directory.open_file(format_file_name(FileKind::LabelRun, info_.file), {});
  if (!file) co_return wrong(0, file.error());
  file_ = std::move(*file);
  const auto size = co_await file_.size();
  if (!size) co_return wrong(0, size.error());
  if (*size != info_.length || info_.length < 2 * core::kPage || info_.length % core::kPage != 0) {
    co_return std::unexpected(
        fmt::format("{}: the file has {} bytes, the snapshot says {}", place(0), *size, info_.length));
  }
  std::vector<std::byte> page(core::kPage);
  if (auto read = co_await file_.read_exact(0, page); !read) co_return wrong(0, read.error());
  const auto header = FileHeader::decode(page, FileKind::LabelRun, info_.file);
  if (!header) co_return wrong(0, header.error());
  if (header->store != store_) co_return std::unexpected(place(0) + ": it belongs to another store");

  const std::uint64_t footer_at = info_.length - core::kPage;
  if (auto read = co_await read_pages(footer_at, page); !read) co_return std::unexpected(read.error());
  std::uint64_t sum = 0;
  std::memcpy(&sum, page.data(), sizeof sum);
  const auto footer = LabelRunFooter::decode(page);
  if (!footer) co_return wrong(footer_at, footer.error());
  LabelRunInfo said = footer->info;
  said.file = info_.file;
  said.length = info_.length;
  said.checksum = sum;
  const std::uint64_t pages = info_.length / core::kPage;
  const bool is_sane =
      said == info_ && footer->label_pages < pages && footer->txn_pages < pages &&
      footer->filter_words <= info_.length / 8 && footer->filter_words % LabelFilter::kBlockWords == 0 &&
      2 + footer->label_pages + footer->txn_pages + LabelRunIndex::pages_of(footer->label_pages) +
              LabelRunIndex::pages_of(footer->txn_pages) + LabelRunIndex::pages_of(footer->filter_words) ==
          pages;
  if (!is_sane) co_return std::unexpected(place(footer_at) + ": it is not the run that the snapshot names");

  std::uint64_t offset = (1 + footer->label_pages + footer->txn_pages) * core::kPage;
  index_.filter = LabelFilter(footer->filter_words);
  if (auto read = co_await read_words(offset, footer->label_pages, &index_.label_pages); !read)
    co_return read;
  if (auto read = co_await read_words(offset, footer->txn_pages, &index_.txn_pages); !read) co_return read;
  co_return co_await read_words(offset, footer->filter_words, nullptr);
}

// Pages of numbers: an index, or (nullptr) the filter.
core::Task<Text> LabelRun::read_words(std::uint64_t& offset, std::uint64_t words,
                                      std::vector<std::uint64_t>* into_index) {
  if (into_index != nullptr) into_index->reserve(words);
  std::vector<std::byte> buffer;
  for (std::uint64_t done = 0; done < words;) {
    const std::uint64_t pages = std::min<std::uint64_t>(LabelRunIndex::pages_of(words - done), kPagesAtOnce);
    buffer.resize(pages * core::kPage);
    if (auto read = co_await read_pages(offset, buffer); !read) co_return read;
    offset += buffer.size();
    for (std::uint64_t page = 0; page < pages; ++page) {
      const core::Bytes bytes = core::Bytes(buffer).subspan(page * core::kPage, core::kPage);
      for (std::size_t i = 0; i < LabelPage::kWords && done < words; ++i, ++done) {
        const std::uint64_t word = word_of(bytes, i);
        if (into_index != nullptr) {
          into_index->push_back(word);
        } else {
          index_.filter.set_word(done, word);
        }
      }
    }
  }
  co_return Text{};
}

core::Task<Text> LabelRun::read_pages(std::uint64_t offset, std::span<std::byte> pages) {
  if (auto read = co_await file_.read_exact(offset, pages); !read)
    co_return std::unexpected(fmt::format("{}: {}", place(offset), read.error().to_string()));
  for (std::size_t at = 0; at < pages.size(); at += core::kPage) {
    const auto opened = open_label_page(pages.subspan(at, core::kPage), store_, info_.file, offset + at);
    if (!opened)
      co_return std::unexpected(fmt::format("{}: {}", place(offset + at), opened.error().to_string()));
  }
  co_return Text{};
}

core::Task<void> LabelRun::close() {
  while (holds_ > 0) co_await released_.wait();
  co_await file_.close();
}

core::Task<LabelRun::Found<LabelRun::Outcome>> LabelRun::find(DatabaseId database, std::string label) {
  const std::uint64_t hash = label_hash(database, label);
  const auto& pages = index_.label_pages;
  // The last page that begins below the hash, and those behind it that begin with it.
  const auto above = std::lower_bound(pages.begin(), pages.end(), hash);
  std::size_t at = static_cast<std::size_t>(above - pages.begin());
  if (at > 0) --at;
  std::vector<std::byte> page(core::kPage);
  for (; at < pages.size() && pages[at] <= hash; ++at) {
    const std::uint64_t offset = LabelRunIndex::label_page_offset(at);
    if (auto read = co_await read_pages(offset, page); !read) co_return std::unexpected(read.error());
    LabelEntryReader entries(page);
    for (LabelEntry entry; entries.next(entry);) {
      if (entry.hash == hash && entry.database == database && entry.label == label)
        co_return Outcome{entry.txn, entry.finished_at};
    }
    if (!entries.is_good()) co_return std::unexpected(place(offset) + ": its entries do not decode");
  }
  co_return std::nullopt;
}

core::Task<LabelRun::Found<TxnEntry>> LabelRun::find(TxnId txn) {
  const auto& pages = index_.txn_pages;
  const auto above = std::upper_bound(pages.begin(), pages.end(), txn.value);
  if (above == pages.begin()) co_return std::nullopt;
  const std::uint64_t offset = index_.txn_page_offset(static_cast<std::uint64_t>(above - pages.begin()) - 1);
  std::vector<std::byte> page(core::kPage);
  if (auto read = co_await read_pages(offset, page); !read) co_return std::unexpected(read.error());
  TxnEntryReader entries(page);
  for (TxnEntry entry; entries.next(entry);) {
    if (entry.txn == txn) co_return entry;
  }
  if (!entries.is_good()) co_return std::unexpected(place(offset) + ": its entries do not decode");
  co_return std::nullopt;
}

}  // namespace penstock::txn
