// Bytes of every durable format, with checksums set right again, so that what lies behind them is reached: read, or refused
// with a Result. The first byte chooses the reader. What reads as a commit record or a snapshot is written and read again.
#include <cstring>
#include <fstream>

#include "tests/fuzz/fuzz_target.hpp"
#include "txn/checkpoint/label_page.hpp"
#include "txn/checkpoint/label_run.hpp"
#include "txn/checkpoint/log_record.hpp"
#include "txn/checkpoint/manifest.hpp"
#include "txn/column/block_format.hpp"
#include "txn/journal/footer.hpp"

namespace penstock::fuzz {
namespace {

using namespace txn;

const FileId kFile = FileId::make(2, 0, 1);
constexpr std::uint64_t kOffset = core::kPage;
constexpr std::size_t kHeaderBytesAt = 16;  // of a block: where it says how long its header is
constexpr const char* kReaders[] = {"file_header_v1",   "footer_v1",   "block_v1",    "block_nested_v1",
                                    "commit_record_v1", "snapshot_v2", "snapshot_v1", "label_run_v1"};

core::StoreUuid store_uuid() {
  core::StoreUuid uuid{};
  for (std::size_t i = 0; i < uuid.size(); ++i) uuid[i] = static_cast<std::byte>(i + 1);
  return uuid;
}

void read_block(std::vector<std::byte> bytes) {
  std::uint32_t header_bytes = 0;
  if (bytes.size() >= kHeaderBytesAt + 4) std::memcpy(&header_bytes, bytes.data() + kHeaderBytesAt, 4);
  if (header_bytes >= 8 && header_bytes <= bytes.size()) {
    const std::uint64_t hash = block_header_hash(core::Bytes(bytes).first(header_bytes - 8));
    std::memcpy(bytes.data() + header_bytes - 8, &hash, 8);
  }
  if (const auto block = decode_block(bytes)) {
    for (const auto& column : block->columns) (void)column.view.rows;
  }
}

void read_record(std::vector<std::byte> bytes) {
  constexpr std::size_t kChecksumAt = LogRecord::kHeaderBytes - 8;
  std::uint32_t payload = 0;
  if (bytes.size() < LogRecord::kHeaderBytes) return;
  std::memcpy(&payload, bytes.data() + 4, 4);
  if (payload > bytes.size() - LogRecord::kHeaderBytes) return;
  std::memset(bytes.data() + kChecksumAt, 0, 8);
  const std::uint64_t sum = record_checksum(store_uuid(), kFile, RecordKind::Commit, kOffset,
                                            core::Bytes(bytes).first(LogRecord::kHeaderBytes + payload));
  std::memcpy(bytes.data() + kChecksumAt, &sum, 8);
  bytes.resize(core::round_up(bytes.size(), core::kPage));
  const auto decoded = decode_record(bytes, store_uuid(), kFile, kOffset);
  if (!decoded) return;
  std::uint64_t again_sum = 0;
  const auto again = decoded->record.encode(store_uuid(), kFile, kOffset, again_sum);
  const auto twice = decode_record(again, store_uuid(), kFile, kOffset);
  if (!twice || twice->record.items != decoded->record.items)
    fail("a record changes when it is written again", "");
}

void read_snapshot(const std::vector<std::byte>& bytes) {
  const auto manifest = Manifest::decode(bytes);
  if (!manifest) return;
  std::vector<std::byte> once;
  core::ByteWriter writer(once);
  manifest->encode(writer);
  const auto again = Manifest::decode(once);
  if (!again) fail("a snapshot that was read is not read again", again.error().to_string());
  std::vector<std::byte> twice;
  core::ByteWriter second(twice);
  again->encode(second);
  if (once != twice) fail("a snapshot changes when it is written again", "");
}

void read_label_pages(std::vector<std::byte> bytes) {
  bytes.resize(core::round_up(bytes.size(), core::kPage));
  for (std::size_t at = 0; at < bytes.size(); at += core::kPage) {
    const std::span<std::byte> page(bytes.data() + at, core::kPage);
    seal_label_page(page, store_uuid(), kFile, at);
    if (!open_label_page(page, store_uuid(), kFile, at)) fail("a page that was sealed does not open", "");
    LabelEntryReader labels(page);
    for (LabelEntry entry; labels.next(entry);) {
      if (entry.label.size() > core::kPage) fail("a label larger than its page", "");
    }
    TxnEntryReader txns(page);
    for (TxnEntry entry; txns.next(entry);) {
    }
    (void)LabelRunFooter::decode(page);
  }
}

}  // namespace

std::vector<std::string> seeds() {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < std::size(kReaders); ++i) {
    std::ifstream file(std::string(PENSTOCK_GOLDEN) + "/" + kReaders[i] + ".hex");
    std::string bytes(1, static_cast<char>(i));
    for (std::string text; file >> text;) {
      for (std::size_t at = 0; at + 1 < text.size(); at += 2) {
        bytes += static_cast<char>(std::stoi(text.substr(at, 2), nullptr, 16));
      }
    }
    if (bytes.size() == 1) fail("there is no golden file", kReaders[i]);
    all.push_back(std::move(bytes));
  }
  return all;
}

void run_one(std::string_view input) {
  Choices choices(input);
  const unsigned reader = choices.below(std::size(kReaders));
  const core::Bytes view = core::as_bytes(input);
  std::vector<std::byte> bytes(view.begin(), view.end());
  switch (reader) {
    case 0:
      bytes.resize(std::max(bytes.size(), FileHeader::kBytes));
      for (const FileKind kind : {FileKind::Journal, FileKind::CommitLog, FileKind::Snapshot}) {
        (void)FileHeader::decode(bytes, kind, kFile);
      }
      break;
    case 1:
      (void)decode_footer(bytes);
      break;
    case 2:
    case 3:
      read_block(std::move(bytes));
      break;
    case 4:
      read_record(std::move(bytes));
      break;
    case 5:
    case 6:
      read_snapshot(bytes);
      break;
    default:
      read_label_pages(std::move(bytes));
  }
}

}  // namespace penstock::fuzz
