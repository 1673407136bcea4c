#include "txn/checkpoint/label_page.hpp"

#include <algorithm>
#include <cstring>

#include "core/base/check.hpp"
#include "txn/checkpoint/open_loads.hpp"
#include "txn/journal/file_header.hpp"

namespace penstock::txn {
namespace {

constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kCountAt = 8;

// An entry's bytes. Numbers have 7 bits a byte, the lowest first; the highest bit says that more follow.
struct EntryBytes {
  std::array<std::byte, 256> bytes;
  std::size_t size = 0;

  void put(std::uint64_t number) {
    for (; number >= 0x80; number >>= 7) bytes[size++] = static_cast<std::byte>(number | 0x80);
    bytes[size++] = static_cast<std::byte>(number);
  }
  void put(std::string_view text) {
    put(text.size());
    std::memcpy(bytes.data() + size, text.data(), text.size());
    size += text.size();
  }
};
static_assert(4 * 10 + 2 + kLabelBytesMax <= 256);

std::uint64_t get_number(core::ByteReader& in) {
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = in.get<std::uint8_t>();
    number |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return number;
  }
  in.fail();
  return 0;
}

std::uint64_t checksum_of(core::Bytes page, const core::StoreUuid& store, FileId file, std::uint64_t offset) {
  return record_checksum(store, file, RecordKind::LabelPage, offset, page.subspan(kChecksumBytes));
}

}  // namespace

std::uint64_t label_hash(DatabaseId database, std::string_view label) {
  return core::hash64(core::as_bytes(label), database.value);
}

void seal_label_page(std::span<std::byte> page, const core::StoreUuid& store, FileId file,
                     std::uint64_t offset) {
  CHECK_EQ(page.size(), core::kPage);
  const std::uint64_t sum = checksum_of(page, store, file, offset);
  std::memcpy(page.data(), &sum, sizeof sum);
}

core::Result<> open_label_page(core::Bytes page, const core::StoreUuid& store, FileId file,
                               std::uint64_t offset) {
  if (page.size() != core::kPage) return core::fail(core::Errc::Corrupt, "label page: it ends early");
  std::uint64_t sum = 0;
  std::memcpy(&sum, page.data(), sizeof sum);
  if (sum != checksum_of(page, store, file, offset))
    return core::fail(core::Errc::Corrupt, "label page: checksum differs");
  return {};
}

bool LabelPageBuilder::add(const LabelEntry& entry) {
  CHECK_LE(entry.label.size(), kLabelBytesMax);
  EntryBytes bytes;
  bytes.put(entry.database.value);
  bytes.put(entry.label);
  bytes.put(entry.txn.value);
  bytes.put(entry.finished_at);
  return put(bytes.bytes, bytes.size);
}

bool LabelPageBuilder::add(const TxnEntry& entry) {
  EntryBytes bytes;
  bytes.put(entry.txn.value);
  bytes.put(entry.database.value);
  bytes.put(entry.finished_at);
  return put(bytes.bytes, bytes.size);
}

bool LabelPageBuilder::put(const std::array<std::byte, 256>& entry, std::size_t bytes) {
  if (at_ + bytes > page_.size()) return false;
  std::memcpy(page_.data() + at_, entry.data(), bytes);
  at_ += bytes;
  ++count_;
  return true;
}

std::span<std::byte> LabelPageBuilder::page() {
  std::fill(page_.begin() + static_cast<std::ptrdiff_t>(at_), page_.end(), std::byte{0});
  std::memcpy(page_.data() + kCountAt, &count_, sizeof count_);
  return page_;
}

void LabelPageBuilder::clear() {
  at_ = LabelPage::kHeaderBytes;
  count_ = 0;
}

LabelEntryReader::LabelEntryReader(core::Bytes page) : in_(page.subspan(kCountAt)) {
  left_ = in_.get<std::uint16_t>();
}

bool LabelEntryReader::next(LabelEntry& entry) {
  if (left_ == 0 || !in_.ok()) return false;
  --left_;
  entry.database.value = get_number(in_);
  const std::uint64_t size = get_number(in_);
  if (size > kLabelBytesMax) in_.fail();
  entry.label = core::as_text(in_.get_bytes(in_.ok() ? size : 0));
  entry.txn.value = get_number(in_);
  entry.finished_at = get_number(in_);
  if (!in_.ok()) return false;
  entry.hash = label_hash(entry.database, entry.label);
  return true;
}

TxnEntryReader::TxnEntryReader(core::Bytes page) : in_(page.subspan(kCountAt)) {
  left_ = in_.get<std::uint16_t>();
}

bool TxnEntryReader::next(TxnEntry& entry) {
  if (left_ == 0 || !in_.ok()) return false;
  --left_;
  entry.txn.value = get_number(in_);
  entry.database.value = get_number(in_);
  entry.finished_at = get_number(in_);
  return in_.ok();
}

}  // namespace penstock::txn
